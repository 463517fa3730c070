"""What becomes of a request to a fake service that a fault strikes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# How a connection ends without a whole answer.
Break = Literal["", "refused", "tls", "reset", "hang", "half"]
Revoke = Literal["", "access", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One answer that goes wrong.

    Attributes:
        status: of the answer; None: the true answer.
        headers, body: of the answer; a text is sent as it is, anything else as JSON.
        wait_s: seconds of the machine before anything happens.
        applied: the request is carried out all the same, so that only its answer goes wrong.
        broken: the connection ends so, and no answer comes.
        revoke: tokens that become invalid before: the access tokens, or all.
        refuse_rows: of the rows of the request, the WFM refuses this share by name and takes the others; `draw` decides
            which.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    wait_s: float = 0.0
    applied: bool = False
    broken: Break = ""
    revoke: Revoke = ""
    refuse_rows: float = 0.0
    draw: float = 0.0

    def refused(self, rows: int) -> list[int]:
        """Which of so many rows the WFM refuses."""
        chance = random.Random(self.draw)
        return [index for index in range(rows) if chance.random() < self.refuse_rows]
