"""One WebSocket connection without its socket: bytes in, messages out, and the other way round. Both kinds of session feed it."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from .exceptions import ConnectionError, StacyVMError, error_of_answer

_LARGEST_MESSAGE = 16 * 1024 * 1024


class Dialogue:
    def __init__(self, address: str, path: str, headers: Dict[str, str], sandbox_id: str) -> None:
        protocol, uri = _library()
        url = "ws" + address[len("http") :] + path
        self._sandbox_id = sandbox_id
        self._protocol = protocol(uri.parse_uri(url), max_size=_LARGEST_MESSAGE)
        self._parts: List[bytes] = []
        self._open = False
        self.closed = False
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)

    @property
    def is_open(self) -> bool:
        return self._open

    def to_send(self) -> bytes:
        """What has to go to the server now."""
        return b"".join(self._protocol.data_to_send())

    def say(self, message: Dict[str, Any]) -> None:
        if self.closed:
            raise ConnectionError(f"the session in {self._sandbox_id} is closed")
        self._protocol.send_text(json.dumps(message, separators=(",", ":")).encode())

    def hang_up(self) -> None:
        if self._open and not self.closed:
            self._protocol.send_close(1000)
        self.closed = True

    def hear(self, data: bytes) -> List[Dict[str, Any]]:
        """Messages in what came from the server; empty data is the end of the connection."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        messages = []
        for event in self._protocol.events_received():
            if not self._open:
                self._welcome(event)
            else:
                message = self._message(event)
                if message is not None:
                    messages.append(message)
        if not data:
            self.closed = True
        return messages

    def _welcome(self, response: Any) -> None:
        if response.status_code != 101:
            raise error_of_answer(
                response.status_code,
                (response.body or b"").decode("utf-8", "replace"),
                sandbox_id=self._sandbox_id,
                request_id=response.headers.get("X-Request-ID"),
            )
        if self._protocol.handshake_exc is not None:
            raise ConnectionError(f"the server does not speak WebSocket here: {self._protocol.handshake_exc}")
        self._open = True

    def _message(self, frame: Any) -> Optional[Dict[str, Any]]:
        opcode = int(frame.opcode)
        if opcode == 8:
            self.closed = True
        if opcode not in (0, 1, 2):
            return None
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        text = b"".join(self._parts)
        self._parts = []
        try:
            value = json.loads(text)
        except ValueError as fault:
            raise ConnectionError("the server sent a message that is not JSON") from fault
        return value if isinstance(value, dict) else None


def _library() -> Any:
    try:
        from websockets import client, uri
    except ImportError as fault:
        raise StacyVMError(
            "sessions with input or a terminal need the package websockets: pip install 'stacyvm[terminal]'"
        ) from fault
    # The class has its present name since version 11.
    protocol = getattr(client, "ClientProtocol", None) or getattr(client, "ClientConnection")
    return protocol, uri


def host_and_port(address: str) -> "tuple[str, int, bool]":
    parts = urlsplit(address)
    secure = parts.scheme == "https"
    return parts.hostname or "localhost", parts.port or (443 if secure else 80), secure
