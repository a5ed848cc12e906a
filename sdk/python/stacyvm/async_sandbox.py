"""A sandbox, for programs with an event loop."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ._calls import as_objects
from ._sandbox_calls import exec_body
from ._state import SandboxState
from ._transport import AsyncTransport
from .exceptions import StacyVMError
from .files import AsyncFile, AsyncSource, LocalFile, Target, async_pieces_of
from .models import (
    Checkpoint,
    ExecResult,
    FileInfo,
    Fork,
    ForkFailure,
    PortInfo,
    ProcessInfo,
    SandboxStats,
    decode_list,
)
from .sessions import AsyncExecSession, attach_message, start_message
from .streaming import AsyncExecStream


class AsyncSandbox(SandboxState):
    """A sandbox. ``async with await client.spawn() as sandbox:`` destroys it at the end.

    Every method means what its namesake of :class:`stacyvm.Sandbox` means; cancelling the task that waits for one makes the server
    abandon the work.
    """

    def __init__(self, transport: AsyncTransport, info: Dict[str, Any]) -> None:
        super().__init__(info)
        self._transport = transport

    # Commands

    async def exec(
        self,
        command: str,
        args: Optional[Sequence[str]] = None,
        mode: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        workdir: Optional[str] = None,
        timeout: Optional[str] = None,
        *,
        stdin: Optional[str] = None,
    ) -> ExecResult:
        """Runs a command to its end; see :meth:`stacyvm.Sandbox.exec`."""
        return await self._transport.run(self._calls.exec(exec_body(command, args, mode, env, workdir, timeout, stdin)))

    def exec_stream(
        self,
        command: str,
        args: Optional[Sequence[str]] = None,
        mode: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        workdir: Optional[str] = None,
        timeout: Optional[str] = None,
        *,
        stdin: Optional[str] = None,
    ) -> AsyncExecStream:
        """Gives output as it comes: ``async for chunk in sandbox.exec_stream(…)``."""
        body = exec_body(command, args, mode, env, workdir, timeout, stdin)
        return AsyncExecStream(self._transport, self._calls.exec_stream(body))

    async def start_background(
        self,
        command: str,
        args: Optional[Sequence[str]] = None,
        mode: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        workdir: Optional[str] = None,
        timeout: Optional[str] = None,
        *,
        stdin: Optional[str] = None,
    ) -> ProcessInfo:
        """Starts a command that runs on without a client."""
        body = exec_body(command, args, mode, env, workdir, timeout, stdin)
        return await self._transport.run(self._calls.exec_background(body))

    async def processes(self) -> List[ProcessInfo]:
        return await self._transport.run(self._calls.processes())

    async def process(self, process_id: int) -> ProcessInfo:
        return await self._transport.run(self._calls.process(process_id))

    def process_output(self, process_id: int, offset: int = 0, follow: bool = False) -> AsyncExecStream:
        """Replays what a process has printed, and follows it if asked to."""
        return AsyncExecStream(self._transport, self._calls.process_output(process_id, offset, follow))

    async def signal_process(self, process_id: int, signal: str) -> None:
        await self._transport.run(self._calls.signal_process(process_id, signal))

    async def kill_process(self, process_id: int) -> None:
        await self._transport.run(self._calls.kill_process(process_id))

    def open_session(
        self,
        command: str,
        args: Optional[Sequence[str]] = None,
        mode: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        workdir: Optional[str] = None,
        timeout: Optional[str] = None,
        *,
        tty: bool = False,
        cols: int = 80,
        rows: int = 24,
        background: bool = False,
    ) -> AsyncExecSession:
        """Runs a command interactively: ``async with sandbox.open_session(…) as session``."""
        first = start_message(command, args, mode, env, workdir, timeout, tty, cols, rows, background)
        return AsyncExecSession(self._transport.wire, self.id, self._calls.session_path(), first)

    def attach(self, process_id: int, offset: int = 0) -> AsyncExecSession:
        """Attaches to a process again: ``async with sandbox.attach(…) as session``."""
        first = attach_message(process_id, offset)
        return AsyncExecSession(self._transport.wire, self.id, self._calls.session_path(), first)

    # Files

    async def write_file(self, path: str, content: str, mode: Optional[str] = None) -> None:
        if isinstance(content, (bytes, bytearray, memoryview)):
            return await self.write_bytes(path, bytes(content), mode)
        await self._transport.run(self._calls.write_text(path, content, mode))

    async def write_bytes(self, path: str, content: bytes, mode: Optional[str] = None) -> None:
        await self._transport.run(self._calls.write(path, content, mode))

    async def upload(self, source: AsyncSource, path: str, mode: Optional[str] = None) -> None:
        """Writes a file from a path on this machine, an open binary file, or an iterable of bytes of either kind."""
        await self._transport.run(self._calls.write(path, async_pieces_of(source), mode))

    async def read_file(self, path: str) -> str:
        return (await self.read_bytes(path)).decode("utf-8", "replace")

    async def read_bytes(self, path: str, offset: int = 0, length: Optional[int] = None) -> bytes:
        if length is not None and length <= 0:
            return b""
        async with self.open_read(path, offset, length) as file:
            return await file.read()

    def open_read(self, path: str, offset: int = 0, length: Optional[int] = None) -> AsyncFile:
        """Opens a file, or a part of it: ``async with sandbox.open_read(path) as file``."""
        return AsyncFile(self._transport, self._calls.read(path, offset, length))

    async def download(self, path: str, target: Target) -> None:
        async with self.open_read(path) as file:
            if isinstance(target, (str, os.PathLike)):
                with LocalFile(target) as local:
                    async for piece in file:
                        await asyncio.to_thread(local.write, piece)
            else:
                async for piece in file:
                    await asyncio.to_thread(target.write, piece)

    async def list_files(self, path: str = "/") -> List[FileInfo]:
        return await self._transport.run(self._calls.list_files(path))

    async def stat_file(self, path: str) -> FileInfo:
        return await self._transport.run(self._calls.stat_file(path))

    async def glob_files(self, pattern: str) -> List[str]:
        return await self._transport.run(self._calls.glob_files(pattern))

    async def delete_file(self, path: str, recursive: bool = False) -> None:
        await self._transport.run(self._calls.delete_file(path, recursive))

    async def move_file(self, old_path: str, new_path: str) -> None:
        await self._transport.run(self._calls.move_file(old_path, new_path))

    async def chmod_file(self, path: str, mode: str) -> None:
        await self._transport.run(self._calls.chmod_file(path, mode))

    async def make_directory(self, path: str, mode: Optional[str] = None) -> None:
        await self._transport.run(self._calls.make_directory(path, mode))

    # Life

    async def extend_ttl(self, ttl: str = "30m") -> None:
        self._info = await self._transport.run(self._calls.extend(ttl))

    async def refresh(self) -> None:
        self._info = await self._transport.run(self._calls.info())

    async def destroy(self) -> None:
        await self._transport.run(self._calls.destroy())
        self._destroyed()

    async def checkpoint(self, name: str) -> Checkpoint:
        """Saves it under a name. It stands still meanwhile and runs on afterwards.

        :param name: unique among those of its owner.
        """
        return await self._transport.run(self._calls.checkpoint(name))

    async def fork(
        self, count: int = 1, ttl: Optional[str] = None, metadata: Optional[Mapping[str, str]] = None
    ) -> Fork[AsyncSandbox]:
        """Copies it. Each copy is a sandbox of its own; those that did not come are told with the reason.

        :param count: 1 to 100.
        :param ttl: of each copy.
        :param metadata: noted on each copy, over what is noted on this one.
        """
        answer = await self._transport.run(self._calls.fork(count, ttl, metadata))
        copies = [AsyncSandbox(self._transport, info) for info in as_objects(answer.get("sandboxes"))]
        return Fork(copies, decode_list(ForkFailure, answer.get("failures")))

    async def pause(self) -> None:
        """Lets it stand still until :meth:`resume`; its time to live runs on. Pausing twice is not an error."""
        self._info = await self._transport.run(self._calls.pause())

    async def resume(self) -> None:
        """Lets it run again."""
        self._info = await self._transport.run(self._calls.resume())

    async def logs(self, lines: int = 100) -> List[str]:
        return await self._transport.run(self._calls.logs(lines))

    async def stats(self) -> SandboxStats:
        return await self._transport.run(self._calls.stats())

    async def ports(self) -> List[PortInfo]:
        return await self._transport.run(self._calls.ports())

    async def __aenter__(self) -> AsyncSandbox:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.destroy()
        except StacyVMError:
            # Raising here would hide the exception that led here; its time to live ends the sandbox all the same.
            pass
