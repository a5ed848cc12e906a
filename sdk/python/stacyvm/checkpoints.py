"""What has been saved of sandboxes."""

from __future__ import annotations

from typing import List

from . import _calls
from ._transport import AsyncTransport, Transport
from .models import Checkpoint


class CheckpointManager:
    """Checkpoints; :meth:`stacyvm.Sandbox.checkpoint` makes one, ``client.spawn(checkpoint=name)`` starts a sandbox from one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> "List[Checkpoint]":
        """All that the caller may see, newest first."""
        return self._transport.run(_calls.list_checkpoints())

    def get(self, name: str) -> Checkpoint:
        """One by its name or id; :class:`NotFound` when there is none."""
        return self._transport.run(_calls.get_checkpoint(name))

    def delete(self, name: str) -> None:
        """Deletes one. Sandboxes that were started from it live on."""
        self._transport.run(_calls.delete_checkpoint(name))


class AsyncCheckpointManager:
    """As :class:`CheckpointManager`, within an event loop."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> "List[Checkpoint]":
        return await self._transport.run(_calls.list_checkpoints())

    async def get(self, name: str) -> Checkpoint:
        return await self._transport.run(_calls.get_checkpoint(name))

    async def delete(self, name: str) -> None:
        await self._transport.run(_calls.delete_checkpoint(name))
