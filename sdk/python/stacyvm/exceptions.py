"""What can go wrong, as exceptions that say what happened, to which id, and what to do."""

from __future__ import annotations

import json
from typing import Optional


class StacyVMError(Exception):
    """The server refused a call, or could not be reached. The base of everything that this package raises."""

    def __init__(
        self,
        message: str = "",
        code: Optional[str] = None,
        *,
        status_code: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        #: The server's own text.
        self.message = message
        #: Code of the problem, such as ``BAD_REQUEST`` or ``RESOURCE_LIMIT``.
        self.code = code
        #: HTTP status; None when the server did not answer, or the problem came within a stream.
        self.status_code = status_code
        #: What to look for in the server's log.
        self.request_id = request_id


class SandboxNotFound(StacyVMError):
    """There is no such sandbox, it is gone, or it is not the caller's."""

    def __init__(self, sandbox_id: str, message: Optional[str] = None, *, request_id: Optional[str] = None) -> None:
        super().__init__(
            message or f"Sandbox '{sandbox_id}' not found", "NOT_FOUND", status_code=404, request_id=request_id
        )
        #: The id that was asked for.
        self.sandbox_id = sandbox_id


class NotFound(SandboxNotFound):
    """Something else is missing: a file, a process, a template, a provider, a quota.

    Programs written for the first clients expect :class:`SandboxNotFound` for everything that is missing, so this is a kind of it:
    catch this one first to tell the two apart. ``sandbox_id`` is empty when the call was about no sandbox.
    """


class ExecTimeout(StacyVMError):
    """A command did not end in its time; it was killed with all its children."""


class ResourceLimit(StacyVMError):
    """A quota, a capacity, a maximum or a rate is reached."""

    def __init__(
        self,
        message: str = "",
        code: Optional[str] = None,
        *,
        status_code: Optional[int] = None,
        request_id: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message, code, status_code=status_code, request_id=request_id)
        #: Seconds after which the server wants to be asked again; None when it did not say.
        self.retry_after = retry_after


class ProviderError(StacyVMError):
    """The server, or the isolation level behind it, failed: any status from 500 on."""


class ConnectionError(StacyVMError):  # noqa: A001 - the name is part of the published surface
    """The server cannot be reached, or the connection broke before the answer was complete."""


class RequestTimeout(ConnectionError):
    """The server was silent for longer than the client's ``timeout``. A command that ran out of time is :class:`ExecTimeout`."""


_SANDBOX_IS_MISSING = ("sandbox not found", "sandbox destroyed")


def error_of_answer(
    status: int,
    body: str,
    *,
    sandbox_id: str = "",
    request_id: Optional[str] = None,
    retry_after: Optional[str] = None,
    reason: str = "",
) -> StacyVMError:
    """From an answer that is not a success to the exception."""
    code, message = _envelope(body)
    return error_of_code(
        status,
        code,
        message or f"HTTP {status} {reason}".strip(),
        sandbox_id=sandbox_id,
        request_id=request_id,
        retry_after=retry_after,
    )


def error_of_code(
    status: Optional[int],
    code: Optional[str],
    message: str,
    *,
    sandbox_id: str = "",
    request_id: Optional[str] = None,
    retry_after: Optional[str] = None,
) -> StacyVMError:
    """The exception for a row of the server's table of problems. ``status`` is None within a stream, where the code decides."""
    if status is None:
        status = _STATUS_OF_CODE.get(code or "")
    if status == 404:
        # The server begins its text with the kind of what is missing; the code is the same for all of them.
        if sandbox_id and message.startswith(_SANDBOX_IS_MISSING):
            return SandboxNotFound(sandbox_id, message, request_id=request_id)
        return NotFound(sandbox_id, message, request_id=request_id)
    if status == 401:
        code = "UNAUTHORIZED"
    if status == 408:
        return ExecTimeout(message, code or "TIMEOUT", status_code=status, request_id=request_id)
    if status == 429 or code == "RESOURCE_LIMIT":
        return ResourceLimit(
            message,
            code or "RESOURCE_LIMIT",
            status_code=status,
            request_id=request_id,
            retry_after=_seconds(retry_after),
        )
    kind = ProviderError if status is None or status >= 500 else StacyVMError
    return kind(message, code, status_code=status, request_id=request_id)


_STATUS_OF_CODE = {"TIMEOUT": 408, "RESOURCE_LIMIT": 429, "NOT_FOUND": 404, "BAD_REQUEST": 400, "CONFLICT": 409}


def _envelope(body: str) -> tuple[Optional[str], str]:
    try:
        value = json.loads(body)
    except ValueError:
        # A proxy's page or plain text: shown as it is, within reason.
        return None, body.strip()[:300]
    if not isinstance(value, dict):
        return None, body.strip()[:300]
    code = value.get("code")
    return code if isinstance(code, str) else None, str(value.get("message") or "")


def _seconds(text: Optional[str]) -> Optional[float]:
    return float(text) if text is not None and text.strip().isdigit() else None
