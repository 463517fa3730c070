"""Drafts a contract profile from what a CXone customer has: JSON samples from NICE's pages, or NICE's SDK jar."""

from __future__ import annotations

from flex_plugin_backend.wfm.contract.importer.checking import Open, RoundTrip, open_entries, round_trips
from flex_plugin_backend.wfm.contract.importer.confidence import Confidence
from flex_plugin_backend.wfm.contract.importer.drafting import Draft, draft_profile
from flex_plugin_backend.wfm.contract.importer.jar import read_jar
from flex_plugin_backend.wfm.contract.importer.samples import Sample, read_samples
from flex_plugin_backend.wfm.contract.importer.shapes import Evidence

__all__ = [
    "Confidence",
    "Draft",
    "Evidence",
    "Open",
    "RoundTrip",
    "Sample",
    "draft_profile",
    "open_entries",
    "read_jar",
    "read_samples",
    "round_trips",
]
