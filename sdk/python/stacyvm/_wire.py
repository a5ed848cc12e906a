"""What both transports share: address, headers, timeouts, retries, and how an answer or a fault is understood."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional, TypeVar

import httpx

from ._calls import Call
from .exceptions import ConnectionError, RequestTimeout, ResourceLimit, StacyVMError, error_of_answer

T = TypeVar("T")

DEFAULT_BASE_URL = "http://localhost:7423"
DEFAULT_TIMEOUT = 30.0

#: A spawn may pull an image, a command may work: with the default timeout they may be silent for so long.
SLOW_TIMEOUT = 600.0

#: The server says something at least every 15 s on a stream; a longer silence than this one means a dead peer.
LONGEST_SILENCE = 45.0

_UNIX = "unix://"


class Wire:
    def __init__(
        self,
        base_url: str,
        api_key: Optional[str],
        user_id: Optional[str],
        timeout: Optional[float],
        *,
        tenant_id: Optional[str],
        admin_api_key: Optional[str],
        bearer_token: Optional[str],
        retries: int,
    ) -> None:
        self.address = base_url.rstrip("/")
        #: Path of the server's Unix socket; None: TCP.
        self.socket_path = self.address[len(_UNIX) :] if self.address.startswith(_UNIX) else None
        self.root = ("http://localhost" if self.socket_path else self.address) + "/api/v1"
        self.timeout = timeout
        self.retries = retries
        headers = {
            "X-API-Key": api_key,
            "X-User-ID": user_id,
            "X-Tenant-ID": tenant_id,
            "X-Admin-API-Key": admin_api_key,
            "Authorization": f"Bearer {bearer_token}" if bearer_token else None,
        }
        self.headers: Dict[str, str] = {name: value for name, value in headers.items() if value}

    def request(self, call: Call[Any], *, stream: bool = False) -> Dict[str, Any]:
        """Arguments of ``build_request``."""
        read = self._patience(call, stream)
        return {
            "method": call.method,
            "url": self.root + call.path,
            "params": dict(call.params) or None,
            "json": call.json,
            "content": call.content,
            "headers": dict(call.headers),
            "timeout": httpx.Timeout(self.timeout, read=read),
        }

    def result(self, call: Call[T], answer: httpx.Response) -> T:
        self.check(call, answer)
        try:
            return call.decode(answer.json() if answer.content else None)
        except ValueError as fault:
            raise ConnectionError(
                f"{self.address} answered {call.method} {call.path} with something that is not understood ({fault}); "
                "is it a StacyVM server?"
            ) from fault

    def check(self, call: Call[Any], answer: httpx.Response) -> None:
        """Raises unless the answer, whose body has been read if it is an error, is one that the call accepts."""
        if answer.is_success or answer.status_code in call.accepted:
            return
        raise error_of_answer(
            answer.status_code,
            answer.text,
            sandbox_id=call.sandbox_id,
            request_id=answer.headers.get("X-Request-ID"),
            retry_after=answer.headers.get("Retry-After"),
            reason=answer.reason_phrase,
        )

    def is_good(self, call: Call[Any], answer: httpx.Response) -> bool:
        return answer.is_success or answer.status_code in call.accepted

    @contextmanager
    def faults(self, call: Call[Any]) -> Iterator[None]:
        """Turns faults of the network into exceptions of this package."""
        try:
            yield
        except httpx.TimeoutException as fault:
            raise RequestTimeout(
                f"the server at {self.address} did not answer {call.method} {call.path} in time ({type(fault).__name__}); "
                "a larger timeout= waits longer"
            ) from fault
        except httpx.HTTPError as fault:
            raise ConnectionError(
                f"cannot reach the server at {self.address}: {fault or type(fault).__name__}"
            ) from fault

    def pause(self, call: Call[Any], attempt: int, error: StacyVMError) -> Optional[float]:
        """Seconds to wait before the call is made again; None when it is not to be."""
        if attempt >= self.retries or not isinstance(call.content, (bytes, type(None))):
            # A stream that was sent is used up.
            return None
        if isinstance(error, ResourceLimit) and error.retry_after is not None:
            # The server says that it did nothing and when to come back: good for every method.
            return error.retry_after
        passing = isinstance(error, ConnectionError) or error.status_code in (429, 502, 503, 504)
        return min(0.2 * 2**attempt, 5.0) if call.method == "GET" and passing else None

    def _patience(self, call: Call[Any], stream: bool) -> Optional[float]:
        if self.timeout is None:
            return None
        if stream:
            return max(self.timeout, LONGEST_SILENCE)
        slow = SLOW_TIMEOUT if self.timeout == DEFAULT_TIMEOUT else self.timeout
        return max(slow, call.patience + self.timeout if call.patience else 0.0) if call.slow else self.timeout
