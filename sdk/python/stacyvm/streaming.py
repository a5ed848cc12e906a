"""Output of a command as it comes."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import Any, AsyncIterator, Generator, Iterable, Iterator, List, Optional, Union

from ._calls import Call
from ._transport import AsyncTransport, Transport
from .exceptions import StacyVMError, error_of_code


@dataclass
class StreamChunk:
    """A piece of output. The last one has empty data and says how the command ended."""

    #: ``stdout`` or ``stderr``.
    stream: str
    data: str
    #: Only on the last chunk; 128 + signal when a signal ended the command.
    exit_code: Optional[int] = None
    #: Only on the last chunk; duration text.
    duration: Optional[str] = None
    #: Only on the last chunk, when the command did not end by itself: why.
    code: Optional[str] = None
    #: On attached streams: bytes of output up to and including this chunk.
    offset: Optional[int] = None


class NdjsonDecoder:
    """From bytes as they come to chunks. Lines that are blank, or no JSON, are skipped."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: Union[bytes, str], final: bool = False) -> List[StreamChunk]:
        self._rest += data if isinstance(data, str) else self._text.decode(data, final)
        *lines, self._rest = self._rest.split("\n")
        if final:
            lines.append(self._rest)
            self._rest = ""
        return [chunk for chunk in map(_chunk, lines) if chunk is not None]


def _chunk(line: str) -> Optional[StreamChunk]:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return StreamChunk(
        stream=str(value.get("stream") or "stdout"),
        data=str(value.get("data") or ""),
        exit_code=value.get("exit_code"),
        duration=value.get("duration"),
        code=value.get("code"),
        offset=value.get("offset"),
    )


def iter_ndjson(source: Any) -> Iterator[StreamChunk]:
    """Chunks of an ``httpx`` response, or of any iterable of bytes or text."""
    pieces: Iterable[Union[bytes, str]] = source.iter_bytes() if hasattr(source, "iter_bytes") else source
    decoder = NdjsonDecoder()
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.feed(b"", final=True)


class _Outcome:
    """What a stream has told so far."""

    def __init__(self, sandbox_id: str) -> None:
        self._sandbox_id = sandbox_id
        self._last_words = ""
        #: Known when the stream has been read to its end; None when the server did not say.
        self.exit_code: Optional[int] = None
        #: Duration text, known at the end.
        self.duration: Optional[str] = None

    def _note(self, chunk: StreamChunk) -> Optional[StacyVMError]:
        """Remembers a chunk; an exception when it says that the command did not end by itself."""
        if chunk.exit_code is not None:
            self.exit_code = chunk.exit_code
            self.duration = chunk.duration
        if not chunk.code:
            if chunk.stream == "stderr":
                self._last_words = chunk.data
            return None
        message = self._last_words.strip() or f"the command in {self._sandbox_id} was ended"
        return error_of_code(None, chunk.code, message, sandbox_id=self._sandbox_id)


class ExecStream(_Outcome, Iterator[StreamChunk]):
    """The output of a command. It is started by the first chunk asked for; leaving the stream early kills it with all its children."""

    def __init__(self, transport: Transport, call: Call[None]) -> None:
        super().__init__(call.sandbox_id)
        self._chunks = self._read(transport, call)

    def _read(self, transport: Transport, call: Call[None]) -> Generator[StreamChunk, None, None]:
        decoder = NdjsonDecoder()
        for piece in _with_end(transport.pieces(call)):
            for chunk in decoder.feed(piece or b"", final=piece is None):
                fault = self._note(chunk)
                yield chunk
                if fault is not None:
                    raise fault

    def __iter__(self) -> ExecStream:
        return self

    def __next__(self) -> StreamChunk:
        return next(self._chunks)

    def wait(self) -> Optional[int]:
        """Reads and drops what is still to come; the exit code."""
        for _ in self:
            pass
        return self.exit_code

    def close(self) -> None:
        self._chunks.close()

    def __enter__(self) -> ExecStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncExecStream(_Outcome, AsyncIterator[StreamChunk]):
    """As :class:`ExecStream`, within an event loop."""

    def __init__(self, transport: AsyncTransport, call: Call[None]) -> None:
        super().__init__(call.sandbox_id)
        self._chunks = self._read(transport, call)

    async def _read(self, transport: AsyncTransport, call: Call[None]) -> Any:
        decoder = NdjsonDecoder()
        pieces = transport.pieces(call)
        try:
            async for piece in _with_end_async(pieces):
                for chunk in decoder.feed(piece or b"", final=piece is None):
                    fault = self._note(chunk)
                    yield chunk
                    if fault is not None:
                        raise fault
        finally:
            # Not left to the garbage collector: the connection is closed, and the command ended, here and now.
            await pieces.aclose()  # type: ignore[attr-defined]

    def __aiter__(self) -> AsyncExecStream:
        return self

    async def __anext__(self) -> StreamChunk:
        chunk: StreamChunk = await self._chunks.__anext__()
        return chunk

    async def wait(self) -> Optional[int]:
        """As :meth:`ExecStream.wait`."""
        async for _ in self:
            pass
        return self.exit_code

    async def aclose(self) -> None:
        await self._chunks.aclose()

    async def __aenter__(self) -> AsyncExecStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _with_end(pieces: Iterator[bytes]) -> Iterator[Optional[bytes]]:
    yield from pieces
    yield None


async def _with_end_async(pieces: AsyncIterator[bytes]) -> AsyncIterator[Optional[bytes]]:
    async for piece in pieces:
        yield piece
    yield None
