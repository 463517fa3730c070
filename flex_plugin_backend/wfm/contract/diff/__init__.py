"""What changes from one contract to the next, and whom it breaks: profiles or JSON Schemas."""

from __future__ import annotations

from flex_plugin_backend.wfm.contract.diff.change import CHANGES, Change, Impact
from flex_plugin_backend.wfm.contract.diff.profiles import diff_profiles
from flex_plugin_backend.wfm.contract.diff.report import diff_result
from flex_plugin_backend.wfm.contract.diff.schemas import diff_schemas

__all__ = ["CHANGES", "Change", "Impact", "diff_profiles", "diff_result", "diff_schemas"]
