"""Events as they happen, over connections that may break."""

from __future__ import annotations

import asyncio
import codecs
import json
import time
from typing import Any, AsyncIterator, Generator, Iterator, List, Optional

from . import _calls
from ._calls import Call
from ._transport import AsyncTransport, Transport
from .exceptions import ConnectionError, StacyVMError
from .models import Event, decode

_LONGEST_PAUSE = 5.0


class SseDecoder:
    """From bytes as they come to events."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._data: List[str] = []

    def feed(self, data: bytes) -> List[Event]:
        self._rest += self._text.decode(data)
        *lines, self._rest = self._rest.split("\n")
        found = []
        for line in (line.rstrip("\r") for line in lines):
            if line.startswith("data:"):
                self._data.append(line[5:].lstrip(" "))
            elif not line and self._data:
                event = _event("\n".join(self._data))
                self._data = []
                if event is not None:
                    found.append(event)
        return found


def _event(text: str) -> Optional[Event]:
    try:
        return decode(Event, json.loads(text))
    except ValueError:
        return None


class _Cursor:
    """Where a stream of events is, and when it is to be asked for again."""

    def __init__(self, event_type: Optional[str], sandbox_id: Optional[str], after_id: Optional[str]) -> None:
        self._type = event_type
        self._sandbox_id = sandbox_id
        #: Id of the newest event that was seen: ``events(after_id=…)`` goes on from there.
        self.last_id = after_id
        self._failures = 0
        self._answered = False

    def _call(self) -> Call[None]:
        return _calls.events(self._type, self._sandbox_id, self.last_id)

    def _take(self, event: Event) -> bool:
        """Remembers the event; whether it is one that was asked for (a server without filters sends everything)."""
        self._failures = 0
        self.last_id = event.id
        return self._type in (None, event.type) and self._sandbox_id in (None, event.sandbox_id)

    def _pause(self, fault: Optional[StacyVMError]) -> float:
        """Seconds until the next try. Before the first answer an unreachable server is an error; later it is one that restarts."""
        curable = (
            fault is None or isinstance(fault, ConnectionError) or (fault.status_code or 0) in (429, 502, 503, 504)
        )
        if fault is not None and not (curable and self._answered):
            raise fault
        self._failures += 1
        return min(0.1 * 2.0**self._failures, _LONGEST_PAUSE)


class EventStream(_Cursor, Iterator[Event]):
    """Events as they happen. A broken connection is made again, and what happened meanwhile is delivered, as far as the server has it.

    ``with client.events() as events:`` is subscribed from its first line on; without it the first ``next`` subscribes.
    """

    def __init__(
        self, transport: Transport, event_type: Optional[str], sandbox_id: Optional[str], after_id: Optional[str]
    ) -> None:
        super().__init__(event_type, sandbox_id, after_id)
        self._transport = transport
        self._events = self._read()

    def _read(self) -> Generator[Optional[Event], None, None]:
        while True:
            fault: Optional[StacyVMError] = None
            try:
                decoder = SseDecoder()
                for piece in self._transport.pieces(self._call()):
                    if not self._answered:
                        # The server's greeting: from here on nothing is missed.
                        self._answered = True
                        yield None
                    for event in decoder.feed(piece):
                        if self._take(event):
                            yield event
            except StacyVMError as error:
                fault = error
            time.sleep(self._pause(fault))

    def __iter__(self) -> EventStream:
        return self

    def __next__(self) -> Event:
        event: Optional[Event] = None
        while event is None:
            event = next(self._events)
        return event

    def close(self) -> None:
        self._events.close()

    def __enter__(self) -> EventStream:
        next(self._events)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEventStream(_Cursor, AsyncIterator[Event]):
    """As :class:`EventStream`, within an event loop."""

    def __init__(
        self, transport: AsyncTransport, event_type: Optional[str], sandbox_id: Optional[str], after_id: Optional[str]
    ) -> None:
        super().__init__(event_type, sandbox_id, after_id)
        self._transport = transport
        self._events = self._read()

    async def _read(self) -> Any:
        while True:
            fault: Optional[StacyVMError] = None
            pieces = self._transport.pieces(self._call())
            try:
                decoder = SseDecoder()
                async for piece in pieces:
                    if not self._answered:
                        self._answered = True
                        yield None
                    for event in decoder.feed(piece):
                        if self._take(event):
                            yield event
            except StacyVMError as error:
                fault = error
            finally:
                await pieces.aclose()  # type: ignore[attr-defined]
            await asyncio.sleep(self._pause(fault))

    def __aiter__(self) -> AsyncEventStream:
        return self

    async def __anext__(self) -> Event:
        event: Optional[Event] = None
        while event is None:
            event = await self._events.__anext__()
        return event

    async def aclose(self) -> None:
        await self._events.aclose()

    async def __aenter__(self) -> AsyncEventStream:
        await self._events.__anext__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
