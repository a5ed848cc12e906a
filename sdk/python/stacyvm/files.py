"""Content of files as streams."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path
from typing import Any, AsyncIterable, AsyncIterator, BinaryIO, Generator, Iterable, Iterator, Optional, Union

from ._calls import Call
from ._transport import AsyncTransport, Transport

PIECE = 128 * 1024

#: A path on this machine, an open binary file, or pieces of content.
Source = Union[str, "os.PathLike[str]", BinaryIO, Iterable[bytes]]
AsyncSource = Union[Source, AsyncIterable[bytes]]
#: A path on this machine, or a binary file that is open for writing.
Target = Union[str, "os.PathLike[str]", BinaryIO]


class _Download(io.RawIOBase):
    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        super().__init__()
        self._pieces = pieces
        # The first piece is fetched at once: a file that is missing is told when it is opened.
        self._rest = memoryview(next(pieces, b""))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._pieces.close()
        super().close()


def open_download(transport: Transport, call: Call[None]) -> io.BufferedReader:
    return io.BufferedReader(_Download(_nonempty(transport.pieces(call))), PIECE)


def _nonempty(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    for piece in pieces:
        if piece:
            yield piece


class AsyncFile:
    """A file of a sandbox that is read as it comes: ``async with sandbox.open_read(path) as file``."""

    def __init__(self, transport: AsyncTransport, call: Call[None]) -> None:
        self._pieces = transport.pieces(call)
        self._rest = b""
        self._ended = False

    async def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, or all that is left; empty at the end."""
        parts = []
        while size != 0:
            if not self._rest and not await self._fetch():
                break
            part = self._rest if size < 0 else self._rest[:size]
            self._rest = self._rest[len(part) :]
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b"".join(parts)

    async def _fetch(self) -> bool:
        while not self._rest and not self._ended:
            try:
                self._rest = await self._pieces.__anext__()
            except StopAsyncIteration:
                self._ended = True
        return bool(self._rest)

    def __aiter__(self) -> AsyncFile:
        return self

    async def __anext__(self) -> bytes:
        if not await self._fetch():
            raise StopAsyncIteration
        piece, self._rest = self._rest, b""
        return piece

    async def aclose(self) -> None:
        self._ended = True
        await self._pieces.aclose()  # type: ignore[attr-defined]

    async def __aenter__(self) -> AsyncFile:
        # The first piece is fetched at once: a file that is missing is told when it is opened.
        await self._fetch()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def pieces_of(source: Source) -> Iterator[bytes]:
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            yield from pieces_of(file)
    elif hasattr(source, "read"):
        while piece := source.read(PIECE):
            yield piece
    else:
        yield from source


async def async_pieces_of(source: AsyncSource) -> AsyncIterator[bytes]:
    if isinstance(source, AsyncIterable):
        async for piece in source:
            yield piece
        return
    pieces = pieces_of(source)
    # Reading a file may block: not in the event loop's thread.
    while (block := await asyncio.to_thread(lambda: next(pieces, None))) is not None:
        yield block


class LocalFile:
    """A file on this machine that a download fills: it appears whole or not at all."""

    def __init__(self, path: Union[str, os.PathLike[str]]) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(self._path.name + f".{os.getpid()}.part")
        self._file: Optional[BinaryIO] = None

    def __enter__(self) -> BinaryIO:
        self._file = open(self._part, "wb")
        return self._file

    def __exit__(self, fault: object, *_: object) -> None:
        assert self._file is not None
        self._file.close()
        if fault is None:
            os.replace(self._part, self._path)
        else:
            self._part.unlink()
