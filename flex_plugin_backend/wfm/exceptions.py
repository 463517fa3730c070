"""CXoneWfmException: why a call to CXone WFM failed, in the four kinds that ask for different action."""

from __future__ import annotations

from enum import StrEnum

from flex_plugin_backend.errors import WfmError
from flex_plugin_backend.wfm.dto import WFMReportResponseDTO


class FailureKind(StrEnum):
    """What a failure asks for.

    UNAUTHORIZED: the login is refused, also after logging in again; a human must look at the access key.
    FORBIDDEN: logged in, but not allowed or not set up; a human must look at rights or settings.
    PASSING: the service or the way to it is ill; the same call may succeed later.
    CONTENT: this payload is refused; the same payload will be refused again.
    """

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    PASSING = "passing"
    CONTENT = "content"


class CXoneWfmException(WfmError):
    """A call to CXone WFM failed."""

    template = "CXone WFM, {operation}: {problem} ({kind})."

    def __init__(
        self,
        *,
        kind: FailureKind,
        operation: str,
        problem: str,
        response: WFMReportResponseDTO | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the facts as attributes.

        Args:
            kind: what the failure asks for.
            operation: the endpoint's name in the profile.
            problem: what happened, without secrets.
            response: the answer; when none came, `self.response` has status 0 and `self.status` is None.
            retry_after_s: wall seconds that the service asked to wait.
        """
        super().__init__(kind=kind.value, operation=operation, problem=problem)
        self.kind = kind
        self.operation = operation
        self.problem = problem
        self.response = response if response is not None else WFMReportResponseDTO(status=0)
        self.status = self.response.status or None
        self.retry_after_s = retry_after_s
