"""Limits of single owners."""

from __future__ import annotations

from typing import List

from . import _calls
from ._calls import given
from ._transport import AsyncTransport, Transport
from .models import Quota, QuotaSummary, QuotaUsage


class QuotaManager:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> "List[Quota]":
        """All of them, ordered by owner."""
        return self._transport.run(_calls.list_quotas())

    def get(self, owner_id: str) -> Quota:
        """:class:`NotFound` when the owner has none."""
        return self._transport.run(_calls.get_quota(owner_id))

    def save(self, owner_id: str, max_sandboxes: int = 0, max_ttl: str = "", max_exec_timeout: str = "") -> Quota:
        """Sets the limits of an owner; what is left out inherits the server's defaults."""
        body = given(max_sandboxes=max_sandboxes, max_ttl=max_ttl, max_exec_timeout=max_exec_timeout)
        return self._transport.run(_calls.put_quota(owner_id, body))

    def delete(self, owner_id: str) -> None:
        self._transport.run(_calls.delete_quota(owner_id))

    def usage(self, owner_id: str) -> QuotaUsage:
        """What an owner uses, and the limits that hold for it."""
        return self._transport.run(_calls.quota_usage(owner_id))

    def summary(self) -> QuotaSummary:
        return self._transport.run(_calls.quota_summary())


class AsyncQuotaManager:
    """As :class:`QuotaManager`, within an event loop."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> "List[Quota]":
        return await self._transport.run(_calls.list_quotas())

    async def get(self, owner_id: str) -> Quota:
        return await self._transport.run(_calls.get_quota(owner_id))

    async def save(self, owner_id: str, max_sandboxes: int = 0, max_ttl: str = "", max_exec_timeout: str = "") -> Quota:
        body = given(max_sandboxes=max_sandboxes, max_ttl=max_ttl, max_exec_timeout=max_exec_timeout)
        return await self._transport.run(_calls.put_quota(owner_id, body))

    async def delete(self, owner_id: str) -> None:
        await self._transport.run(_calls.delete_quota(owner_id))

    async def usage(self, owner_id: str) -> QuotaUsage:
        return await self._transport.run(_calls.quota_usage(owner_id))

    async def summary(self) -> QuotaSummary:
        return await self._transport.run(_calls.quota_summary())
