"""What faults of the machine can do to it; whoever runs a connector brings one."""

from __future__ import annotations

from typing import Literal, Protocol

Death = Literal["now", "before commit", "after commit", "before answer"]
DiskTrouble = Literal["full", "read-only"]


class Host(Protocol):
    """The machine, and the connectors on it."""

    def kill(self, when: Death, nth: int = 1, *, torn: bool = False) -> None:
        """End the connector without warning, now or at the nth instant of this kind from now.

        `torn`: what the disk had not confirmed is there in part.
        """

    def start(self) -> None:
        """Start the connector again on its ledger."""

    def spoil_disk(self, trouble: DiskTrouble) -> None:
        """From now on writing fails."""

    def mend_disk(self) -> None:
        """Writing succeeds again."""

    def join_second(self) -> None:
        """Start a second connector on the same ledger; events go to both in turn."""

    def drop_first(self) -> None:
        """Stop the first of two."""

    def shift_clock(self, seconds: float) -> None:
        """Set the machine's clock on, or back."""
