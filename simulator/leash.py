"""Ends a server together with the program that started it, however that program ended."""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "FLEX_WFM_SIM_PARENT"
_LOOK_S = 0.5


def leave_with_parent() -> None:
    """Watch the process whose id stands in the environment; once it is no longer our parent, end our whole group.

    A program that is killed outright cannot end its servers, and the system does not do it either.
    """
    parent = os.environ.pop(VARIABLE, "")
    if parent:
        threading.Thread(target=_watch, args=(int(parent),), name="leash", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
