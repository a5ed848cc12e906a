"""Interactive commands: bytes both ways, terminal, signals, exit code. They need ``pip install 'stacyvm[terminal]'``."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import threading
from typing import Any, AsyncIterator, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from ._calls import given
from ._websocket import Dialogue, host_and_port
from ._wire import Wire
from .exceptions import ConnectionError, RequestTimeout, StacyVMError, error_of_code
from .models import SessionOutput


def start_message(
    command: str,
    args: Optional[Sequence[str]],
    mode: Optional[str],
    env: Optional[Mapping[str, str]],
    workdir: Optional[str],
    timeout: Optional[str],
    tty: bool,
    cols: int,
    rows: int,
    background: bool,
) -> Dict[str, Any]:
    size = {"tty": True, "cols": cols, "rows": rows} if tty else {}
    fields = given(
        command=command,
        args=list(args) if args else None,
        mode=mode,
        env=dict(env) if env else None,
        workdir=workdir,
        timeout=timeout,
        background=background,
    )
    return {"type": "start", "binary": True, **fields, **size}


def attach_message(process_id: int, offset: int) -> Dict[str, Any]:
    return {"type": "attach", "binary": True, "process_id": process_id, "offset": offset}


def stdin_message(data: Union[bytes, str]) -> Dict[str, Any]:
    if isinstance(data, str):
        return {"type": "stdin", "data": data}
    return {"type": "stdin", "data_base64": base64.b64encode(data).decode()}


class _Session:
    """What a session knows of its command."""

    def __init__(self, wire: Wire, sandbox_id: str, path: str) -> None:
        self._wire = wire
        self._sandbox_id = sandbox_id
        address = wire.root if wire.socket_path is None else "http://localhost/api/v1"
        self._dialogue = Dialogue(address, path, wire.headers, sandbox_id)
        self._heard: List[Dict[str, Any]] = []
        self._complaint: Optional[StacyVMError] = None
        #: Number of the process, for ``sandbox.attach``.
        self.process_id = 0
        #: Process id inside the sandbox.
        self.pid = 0
        #: Bytes of output up to what was read last: where to attach again when the connection breaks.
        self.offset = 0
        #: How the command ended; None while its output has not been read to the end.
        self.exit_code: Optional[int] = None
        self.duration = ""

    def _begun(self) -> bool:
        """Whether the server has said that the command runs; its output may have come with that word."""
        if self._heard:
            message = self._heard.pop(0)
            if message.get("type") != "started":
                raise self._failure(message)
            self.process_id = int(message.get("process_id") or 0)
            self.pid = int(message.get("pid") or 0)
            self.offset = int(message.get("offset") or 0)
            return True
        return False

    def _take(self) -> Optional[SessionOutput]:
        """The next piece among what was heard; None when there is none yet, or the command has ended."""
        while self._heard and self.exit_code is None:
            message = self._heard.pop(0)
            kind = message.get("type")
            if kind in ("stdout", "stderr"):
                encoded = message.get("data_base64")
                data = base64.b64decode(encoded) if encoded is not None else str(message.get("data") or "").encode()
                self.offset = int(message.get("offset") or self.offset + len(data))
                return SessionOutput(kind, data)
            elif kind == "exit":
                self.exit_code = int(message.get("exit_code") or 0)
                self.duration = str(message.get("duration") or "")
                if message.get("code"):
                    raise self._failure(message)
            elif kind == "error":
                # The server may complain about one message, such as a signal that came too late, and go on.
                self._complaint = self._failure(message)
        return None

    def _failure(self, message: Dict[str, Any]) -> StacyVMError:
        return error_of_code(
            None, message.get("code"), str(message.get("error") or "the session failed"), sandbox_id=self._sandbox_id
        )

    def _ended_early(self) -> StacyVMError:
        return self._complaint or ConnectionError(
            f"the session in {self._sandbox_id} was closed before its command ended; what runs in the background can be "
            f"attached to: attach({self.process_id}, offset={self.offset})"
        )

    def _unreachable(self, fault: Exception) -> StacyVMError:
        return ConnectionError(f"cannot reach the server at {self._wire.address}: {fault}")


class ExecSession(_Session, Iterator[SessionOutput]):
    """A running command and this program's hold on it. One thread may read while others write, resize and signal.

    Leaving the session kills the command with all its children, unless it is a background one or was attached to.
    """

    def __init__(self, wire: Wire, sandbox_id: str, path: str, first: Dict[str, Any]) -> None:
        super().__init__(wire, sandbox_id, path)
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        try:
            self._socket = self._connect()
        except OSError as fault:
            raise self._unreachable(fault) from fault
        try:
            self._flush()
            while not self._dialogue.is_open:
                self._receive(wire.timeout)
            self._say(first)
            while not self._begun():
                self._receive(wire.timeout)
        except BaseException:
            self.close()
            raise

    def _connect(self) -> socket.socket:
        if self._wire.socket_path is not None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self._wire.timeout)
            connection.connect(self._wire.socket_path)
            return connection
        host, port, secure = host_and_port(self._wire.address)
        connection = socket.create_connection((host, port), self._wire.timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host) if secure else connection

    def read(self, timeout: Optional[float] = None) -> Optional[SessionOutput]:
        """The next piece of output; None when the command has ended and :attr:`exit_code` is set.

        :param timeout: seconds to wait for it; :class:`RequestTimeout` when nothing came, and reading can go on.
        """
        while self.exit_code is None:
            output = self._take()
            if output is not None:
                return output
            if self.exit_code is None:
                self._receive(timeout)
        return None

    def write(self, data: Union[bytes, str]) -> None:
        """Feeds stdin; text as UTF-8."""
        self._say(stdin_message(data))

    def close_input(self) -> None:
        """End of stdin."""
        self._say({"type": "eof"})

    def resize(self, cols: int, rows: int) -> None:
        """New size of the terminal."""
        self._say({"type": "resize", "cols": cols, "rows": rows})

    def signal(self, signal: str) -> None:
        """``SIGINT``, ``INT`` or a number: to the foreground of a terminal, else to the command's process group."""
        self._say({"type": "signal", "signal": str(signal)})

    def wait(self) -> int:
        """Reads and drops what is still to come; the exit code."""
        for _ in self:
            pass
        assert self.exit_code is not None
        return self.exit_code

    def close(self) -> None:
        try:
            with self._lock:
                self._dialogue.hang_up()
            self._flush()
        except (OSError, StacyVMError):
            # It is closed either way.
            pass
        self._socket.close()

    def __iter__(self) -> ExecSession:
        return self

    def __next__(self) -> SessionOutput:
        output = self.read()
        if output is None:
            raise StopIteration
        return output

    def __enter__(self) -> ExecSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, timeout: Optional[float]) -> None:
        if self._dialogue.closed:
            raise self._ended_early()
        try:
            self._socket.settimeout(timeout)
            data = self._socket.recv(65536)
        except socket.timeout as fault:
            raise RequestTimeout(f"nothing came from the session in {self._sandbox_id} within {timeout:g} s") from fault
        except OSError as fault:
            raise self._unreachable(fault) from fault
        with self._lock:
            self._heard += self._dialogue.hear(data)
        # A writer may be stuck until the server is read from again: this thread must not wait for it.
        self._flush(patience=0.05)

    def _say(self, message: Dict[str, Any]) -> None:
        with self._lock:
            self._dialogue.say(message)
        self._flush()

    def _flush(self, patience: float = -1) -> None:
        # What the protocol gives out has to go in that order.
        if not self._sending.acquire(timeout=patience):
            return
        try:
            with self._lock:
                data = self._dialogue.to_send()
            if data:
                self._socket.sendall(data)
        except OSError as fault:
            raise self._unreachable(fault) from fault
        finally:
            self._sending.release()


class AsyncExecSession(_Session, AsyncIterator[SessionOutput]):
    """As :class:`ExecSession`, within an event loop: ``async with sandbox.open_session(…) as session``."""

    _reader: asyncio.StreamReader
    _writer: Optional[asyncio.StreamWriter] = None

    def __init__(self, wire: Wire, sandbox_id: str, path: str, first: Dict[str, Any]) -> None:
        super().__init__(wire, sandbox_id, path)
        self._first = first

    async def open(self) -> AsyncExecSession:
        """Starts the command; ``async with`` does it by itself."""
        try:
            self._reader, self._writer = await asyncio.wait_for(self._connect(), self._wire.timeout)
        except asyncio.TimeoutError as fault:
            raise RequestTimeout(f"the server at {self._wire.address} could not be connected to in time") from fault
        except OSError as fault:
            raise self._unreachable(fault) from fault
        try:
            await self._flush()
            while not self._dialogue.is_open:
                await self._receive(self._wire.timeout)
            await self._say(self._first)
            while not self._begun():
                await self._receive(self._wire.timeout)
        except BaseException:
            await self.close()
            raise
        return self

    async def _connect(self) -> Any:
        if self._wire.socket_path is not None:
            return await asyncio.open_unix_connection(self._wire.socket_path)
        host, port, secure = host_and_port(self._wire.address)
        return await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secure else None)

    async def read(self, timeout: Optional[float] = None) -> Optional[SessionOutput]:
        """As :meth:`ExecSession.read`."""
        while self.exit_code is None:
            output = self._take()
            if output is not None:
                return output
            if self.exit_code is None:
                await self._receive(timeout)
        return None

    async def write(self, data: Union[bytes, str]) -> None:
        """Feeds stdin; text as UTF-8."""
        await self._say(stdin_message(data))

    async def close_input(self) -> None:
        """End of stdin."""
        await self._say({"type": "eof"})

    async def resize(self, cols: int, rows: int) -> None:
        """New size of the terminal."""
        await self._say({"type": "resize", "cols": cols, "rows": rows})

    async def signal(self, signal: str) -> None:
        """As :meth:`ExecSession.signal`."""
        await self._say({"type": "signal", "signal": str(signal)})

    async def wait(self) -> int:
        """As :meth:`ExecSession.wait`."""
        async for _ in self:
            pass
        assert self.exit_code is not None
        return self.exit_code

    async def close(self) -> None:
        if self._writer is None:
            return
        try:
            self._dialogue.hang_up()
            await self._flush()
            self._writer.close()
            await self._writer.wait_closed()
        except (OSError, StacyVMError):
            # It is closed either way.
            pass

    def __aiter__(self) -> AsyncExecSession:
        return self

    async def __anext__(self) -> SessionOutput:
        output = await self.read()
        if output is None:
            raise StopAsyncIteration
        return output

    async def __aenter__(self) -> AsyncExecSession:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _receive(self, timeout: Optional[float]) -> None:
        if self._dialogue.closed:
            raise self._ended_early()
        try:
            data = await asyncio.wait_for(self._reader.read(65536), timeout)
        except asyncio.TimeoutError as fault:
            raise RequestTimeout(f"nothing came from the session in {self._sandbox_id} within {timeout:g} s") from fault
        except OSError as fault:
            raise self._unreachable(fault) from fault
        self._heard += self._dialogue.hear(data)
        await self._flush()

    async def _say(self, message: Dict[str, Any]) -> None:
        self._dialogue.say(message)
        await self._flush()

    async def _flush(self) -> None:
        data = self._dialogue.to_send()
        if data:
            if self._writer is None:
                raise ConnectionError("the session is not open: use 'async with', or await its open()")
            try:
                self._writer.write(data)
                await self._writer.drain()
            except OSError as fault:
                raise self._unreachable(fault) from fault
