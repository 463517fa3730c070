"""How sure a pairing of a found name with one of ours is."""

from __future__ import annotations

from enum import StrEnum


class Confidence(StrEnum):
    """Why a found name is taken for one of ours."""

    CERTAIN = "certain"
    """It is the same name, or the class bears the name on NICE's page."""

    PROBABLE = "probable"
    """Its words mean the same, and the type fits."""

    POSSIBLE = "possible"
    """Only type and place fit: nothing else was left."""
