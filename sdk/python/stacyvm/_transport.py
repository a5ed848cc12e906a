"""The two ways to carry a :class:`Call` out: blocking, and within an event loop."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from typing import Any, AsyncIterator, Iterator, TypeVar

import httpx

from ._calls import Call
from ._wire import Wire
from .exceptions import StacyVMError

T = TypeVar("T")


class Transport:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        route = httpx.HTTPTransport(uds=wire.socket_path) if wire.socket_path else None
        self._http = httpx.Client(headers=wire.headers, transport=route)

    def run(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            try:
                with self.wire.faults(call):
                    answer = self._http.send(self._http.build_request(**self.wire.request(call)))
                return self.wire.result(call, answer)
            except StacyVMError as error:
                pause = self.wire.pause(call, attempt, error)
                if pause is None:
                    raise
            time.sleep(pause)
            attempt += 1

    @contextmanager
    def stream(self, call: Call[Any]) -> Iterator[httpx.Response]:
        """An answer whose body is read as it comes; leaving it early closes the connection, and the server abandons the work."""
        with self.wire.faults(call):
            request = self._http.build_request(**self.wire.request(call, stream=True))
            answer = self._http.send(request, stream=True)
        try:
            if not self.wire.is_good(call, answer):
                with self.wire.faults(call):
                    answer.read()
                self.wire.check(call, answer)
            yield answer
        finally:
            answer.close()

    def pieces(self, call: Call[Any]) -> Iterator[bytes]:
        """The body of a successful answer as it comes; one that is merely accepted has none."""
        with self.stream(call) as answer:
            if not answer.is_success:
                return
            pieces = answer.iter_bytes()
            while True:
                with self.wire.faults(call):
                    piece = next(pieces, None)
                if piece is None:
                    return
                yield piece

    def close(self) -> None:
        self._http.close()


class AsyncTransport:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        route = httpx.AsyncHTTPTransport(uds=wire.socket_path) if wire.socket_path else None
        self._http = httpx.AsyncClient(headers=wire.headers, transport=route)

    async def run(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            try:
                with self.wire.faults(call):
                    answer = await self._http.send(self._http.build_request(**self.wire.request(call)))
                return self.wire.result(call, answer)
            except StacyVMError as error:
                pause = self.wire.pause(call, attempt, error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    @asynccontextmanager
    async def stream(self, call: Call[Any]) -> AsyncIterator[httpx.Response]:
        """As :meth:`Transport.stream`."""
        with self.wire.faults(call):
            request = self._http.build_request(**self.wire.request(call, stream=True))
            answer = await self._http.send(request, stream=True)
        try:
            if not self.wire.is_good(call, answer):
                with self.wire.faults(call):
                    await answer.aread()
                self.wire.check(call, answer)
            yield answer
        finally:
            await answer.aclose()

    async def pieces(self, call: Call[Any]) -> AsyncIterator[bytes]:
        """As :meth:`Transport.pieces`."""
        async with self.stream(call) as answer:
            if not answer.is_success:
                return
            pieces = answer.aiter_bytes().__aiter__()
            while True:
                with self.wire.faults(call):
                    try:
                        piece = await pieces.__anext__()
                    except StopAsyncIteration:
                        return
                yield piece

    async def close(self) -> None:
        await self._http.aclose()
