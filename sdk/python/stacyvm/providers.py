"""Isolation levels."""

from __future__ import annotations

from typing import Any, Dict, List

from . import _calls
from ._transport import AsyncTransport, Transport


class ProviderManager:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> "List[Dict[str, Any]]":
        """All of them, with their health, ordered by name."""
        return self._transport.run(_calls.providers())

    def get(self, name: str) -> Dict[str, Any]:
        """One, with its configuration and number of sandboxes."""
        return self._transport.run(_calls.provider(name))

    def test(self) -> Dict[str, bool]:
        """Tries every level now: name → whether sandboxes can be made there."""
        return self._transport.run(_calls.test_providers())


class AsyncProviderManager:
    """As :class:`ProviderManager`, within an event loop."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> "List[Dict[str, Any]]":
        return await self._transport.run(_calls.providers())

    async def get(self, name: str) -> Dict[str, Any]:
        return await self._transport.run(_calls.provider(name))

    async def test(self) -> Dict[str, bool]:
        return await self._transport.run(_calls.test_providers())
