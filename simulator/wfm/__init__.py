"""The fake CXone WFM: speaks the contract profile, checks strictly, keeps what it accepts, misbehaves when told to."""

from __future__ import annotations

from simulator.wfm.app import create_wfm_app
from simulator.wfm.options import WfmOptions
from simulator.wfm.service import FakeWfm

__all__ = ["FakeWfm", "WfmOptions", "create_wfm_app"]
