"""A sandbox, for blocking programs."""

from __future__ import annotations

import io
import os
import shutil
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ._calls import as_objects
from ._sandbox_calls import exec_body
from ._state import SandboxState
from ._transport import Transport
from .exceptions import StacyVMError
from .files import PIECE, LocalFile, Source, Target, open_download, pieces_of
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
from .sessions import ExecSession, attach_message, start_message
from .streaming import ExecStream


class Sandbox(SandboxState):
    """A sandbox. ``with client.spawn() as sandbox:`` destroys it at the end.

    Paths are absolute in the sandbox; relative ones begin at its working directory. Modes are octal text such as ``0644``.
    Durations are text such as ``90s`` or ``1h30m``. Every call may raise :class:`SandboxNotFound`, :class:`ConnectionError`
    and :class:`RequestTimeout`.
    """

    def __init__(self, transport: Transport, info: Dict[str, Any]) -> None:
        super().__init__(info)
        self._transport = transport

    # Commands

    def exec(
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
        """Runs a command to its end. One that fails is a result, not an error.

        :param command: shell text, or the program with ``mode="argv"``.
        :param args: appended; quoted for the shell.
        :param mode: ``shell`` (default) or ``argv``: no shell in between.
        :param env: added to the sandbox's environment.
        :param workdir: default ``/workspace``.
        :param timeout: after so long it is killed with all its children, and :class:`ExecTimeout` is raised.
        :param stdin: text for its standard input; without it that is empty.
        """
        return self._transport.run(self._calls.exec(exec_body(command, args, mode, env, workdir, timeout, stdin)))

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
    ) -> ExecStream:
        """Runs a command and gives its output as it comes; parameters as :meth:`exec`.

        The last chunk is empty and carries ``exit_code``, which is then also on the stream. Text only: for bytes, input and
        signals see :meth:`open_session`. The command starts with the first chunk that is asked for; leaving the stream kills it.
        """
        body = exec_body(command, args, mode, env, workdir, timeout, stdin)
        return ExecStream(self._transport, self._calls.exec_stream(body))

    def start_background(
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
        """Starts a command that runs on without a client. Its output is kept (the newest part, when it is much)."""
        body = exec_body(command, args, mode, env, workdir, timeout, stdin)
        return self._transport.run(self._calls.exec_background(body))

    def processes(self) -> List[ProcessInfo]:
        """What runs and was started through the server, and what ended not long ago."""
        return self._transport.run(self._calls.processes())

    def process(self, process_id: int) -> ProcessInfo:
        """One process; :class:`NotFound` when there is none of that number."""
        return self._transport.run(self._calls.process(process_id))

    def process_output(self, process_id: int, offset: int = 0, follow: bool = False) -> ExecStream:
        """Replays what a process has printed.

        :param offset: bytes of output to skip: the ``offset`` of the last chunk that was seen.
        :param follow: wait for more until it ends; the last chunk then carries its exit code.
        """
        return ExecStream(self._transport, self._calls.process_output(process_id, offset, follow))

    def signal_process(self, process_id: int, signal: str) -> None:
        """Sends ``SIGINT``, ``INT`` or a number."""
        self._transport.run(self._calls.signal_process(process_id, signal))

    def kill_process(self, process_id: int) -> None:
        """Kills a process with all its children."""
        self._transport.run(self._calls.kill_process(process_id))

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
    ) -> ExecSession:
        """Runs a command interactively: bytes both ways, signals, exit code.

        :param tty: on a terminal of ``cols`` × ``rows``; all output is then ``stdout``.
        :param background: keep it running when the session is closed or breaks. Default: it is killed with all its children.
        """
        first = start_message(command, args, mode, env, workdir, timeout, tty, cols, rows, background)
        return ExecSession(self._transport.wire, self.id, self._calls.session_path(), first)

    def attach(self, process_id: int, offset: int = 0) -> ExecSession:
        """Attaches to a process again and replays its output from an offset in bytes."""
        first = attach_message(process_id, offset)
        return ExecSession(self._transport.wire, self.id, self._calls.session_path(), first)

    # Files

    def write_file(self, path: str, content: str, mode: Optional[str] = None) -> None:
        """Writes text as UTF-8. Parents are created; the file appears whole or not at all.

        :param mode: default: that of the file that is replaced, ``0644`` for a new one.
        """
        if isinstance(content, (bytes, bytearray, memoryview)):
            return self.write_bytes(path, bytes(content), mode)
        self._transport.run(self._calls.write_text(path, content, mode))

    def write_bytes(self, path: str, content: bytes, mode: Optional[str] = None) -> None:
        """As :meth:`write_file`, with bytes."""
        self._transport.run(self._calls.write(path, content, mode))

    def upload(self, source: Source, path: str, mode: Optional[str] = None) -> None:
        """Writes a file from a path on this machine, an open binary file or an iterable of bytes; nothing is held whole."""
        self._transport.run(self._calls.write(path, pieces_of(source), mode))

    def read_file(self, path: str) -> str:
        """Reads a file as UTF-8 text; bytes that are none become U+FFFD. :class:`NotFound` when it is missing."""
        return self.read_bytes(path).decode("utf-8", "replace")

    def read_bytes(self, path: str, offset: int = 0, length: Optional[int] = None) -> bytes:
        """Reads a file, or a part of it."""
        with self.open_read(path, offset, length) as file:
            return file.read()

    def open_read(self, path: str, offset: int = 0, length: Optional[int] = None) -> io.BufferedReader:
        """Opens a file, or a part of it, for reading as it comes: a binary file object, to be closed."""
        if length is not None and length <= 0:
            return io.BufferedReader(io.BytesIO())  # type: ignore[arg-type]
        return open_download(self._transport, self._calls.read(path, offset, length))

    def download(self, path: str, target: Target) -> None:
        """Copies a file to a path on this machine, where it appears whole or not at all, or into an open binary file."""
        with self.open_read(path) as file:
            if isinstance(target, (str, os.PathLike)):
                with LocalFile(target) as local:
                    shutil.copyfileobj(file, local, PIECE)
            else:
                shutil.copyfileobj(file, target, PIECE)

    def list_files(self, path: str = "/") -> List[FileInfo]:
        """Entries of a directory, sorted by name."""
        return self._transport.run(self._calls.list_files(path))

    def stat_file(self, path: str) -> FileInfo:
        return self._transport.run(self._calls.stat_file(path))

    def glob_files(self, pattern: str) -> List[str]:
        """Absolute paths that match, sorted; ``**`` crosses directories."""
        return self._transport.run(self._calls.glob_files(pattern))

    def delete_file(self, path: str, recursive: bool = False) -> None:
        """:param recursive: also a directory that is not empty."""
        self._transport.run(self._calls.delete_file(path, recursive))

    def move_file(self, old_path: str, new_path: str) -> None:
        """Moves a file or directory; parents of the new path are created."""
        self._transport.run(self._calls.move_file(old_path, new_path))

    def chmod_file(self, path: str, mode: str) -> None:
        self._transport.run(self._calls.chmod_file(path, mode))

    def make_directory(self, path: str, mode: Optional[str] = None) -> None:
        """Makes a directory and its parents. One that is there already is not an error."""
        self._transport.run(self._calls.make_directory(path, mode))

    # Life

    def extend_ttl(self, ttl: str = "30m") -> None:
        """Lets it live for so long from now on; this replaces its expiry and may bring it nearer."""
        self._info = self._transport.run(self._calls.extend(ttl))

    def refresh(self) -> None:
        """Asks the server again."""
        self._info = self._transport.run(self._calls.info())

    def destroy(self) -> None:
        """Ends it with everything in it. Destroying twice is not an error."""
        self._transport.run(self._calls.destroy())
        self._destroyed()

    def checkpoint(self, name: str) -> Checkpoint:
        """Saves it under a name. It stands still meanwhile and runs on afterwards.

        :param name: unique among those of its owner.
        """
        return self._transport.run(self._calls.checkpoint(name))

    def fork(
        self, count: int = 1, ttl: Optional[str] = None, metadata: Optional[Mapping[str, str]] = None
    ) -> Fork[Sandbox]:
        """Copies it. Each copy is a sandbox of its own; those that did not come are told with the reason.

        :param count: 1 to 100.
        :param ttl: of each copy.
        :param metadata: noted on each copy, over what is noted on this one.
        """
        answer = self._transport.run(self._calls.fork(count, ttl, metadata))
        copies = [Sandbox(self._transport, info) for info in as_objects(answer.get("sandboxes"))]
        return Fork(copies, decode_list(ForkFailure, answer.get("failures")))

    def pause(self) -> None:
        """Lets it stand still until :meth:`resume`; its time to live runs on. Pausing twice is not an error."""
        self._info = self._transport.run(self._calls.pause())

    def resume(self) -> None:
        """Lets it run again."""
        self._info = self._transport.run(self._calls.resume())

    def logs(self, lines: int = 100) -> List[str]:
        """The last lines of its console, oldest first."""
        return self._transport.run(self._calls.logs(lines))

    def stats(self) -> SandboxStats:
        """What it uses now."""
        return self._transport.run(self._calls.stats())

    def ports(self) -> List[PortInfo]:
        """TCP ports on which something listens now, with their previews."""
        return self._transport.run(self._calls.ports())

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.destroy()
        except StacyVMError:
            # Raising here would hide the exception that led here; its time to live ends the sandbox all the same.
            pass
