"""Lets one scenario, written for the asynchronous client, drive the blocking one: its calls run in threads and can be awaited."""

from __future__ import annotations

import asyncio
from typing import Any, Callable

import stacyvm

_OURS = (
    "Client",
    "Sandbox",
    "TemplateManager",
    "QuotaManager",
    "CheckpointManager",
    "ImageManager",
    "ProviderManager",
    "ExecStream",
    "ExecSession",
    "EventStream",
)
_LAZY = {"exec_stream", "process_output", "events"}
_PLAIN = {"get_preview_url", "provider_manager"}


class Blocking:
    def __init__(self, value: Any) -> None:
        self._value = value

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._value, name if name != "aclose" else "close")
        if name in _PLAIN:
            return lambda *args, **kwargs: wrapped(member(*args, **kwargs))
        if not callable(member):
            return wrapped(member)
        if name in _LAZY:
            return lambda *args, **kwargs: Blocking(member(*args, **kwargs))
        return lambda *args, **kwargs: Pending(lambda: member(*args, **kwargs))

    def __repr__(self) -> str:
        return repr(self._value)

    async def __aenter__(self) -> Any:
        return wrapped(await asyncio.to_thread(self._value.__enter__))

    async def __aexit__(self, *fault: Any) -> Any:
        return await asyncio.to_thread(self._value.__exit__, *fault)

    def __aiter__(self) -> "Blocking":
        return self

    async def __anext__(self) -> Any:
        end = object()
        item = await asyncio.to_thread(next, self._value, end)
        if item is end:
            raise StopAsyncIteration
        return item


class Pending:
    """A call that has not been made yet."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._entered: Any = None

    def __await__(self) -> Any:
        return self._run().__await__()

    async def _run(self) -> Any:
        return wrapped(await asyncio.to_thread(self._call))

    async def __aenter__(self) -> Any:
        self._entered = await asyncio.to_thread(self._call)
        return wrapped(self._entered)

    async def __aexit__(self, *fault: Any) -> Any:
        return await asyncio.to_thread(self._entered.__exit__, *fault)


def wrapped(value: Any) -> Any:
    if isinstance(value, stacyvm.Fork):
        return stacyvm.Fork([wrapped(copy) for copy in value.sandboxes], value.failures)
    ours = type(value).__module__.startswith(stacyvm.__name__) and type(value).__name__ in _OURS
    return Blocking(value) if ours or hasattr(value, "readinto") else value
