"""A client of one server, for programs with an event loop."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from . import _calls
from ._transport import AsyncTransport
from ._wire import DEFAULT_BASE_URL, DEFAULT_TIMEOUT, Wire
from .async_sandbox import AsyncSandbox
from .checkpoints import AsyncCheckpointManager
from .client import DEFAULT_IMAGE, admission_body, spawn_body
from .events import AsyncEventStream
from .images import AsyncImageManager
from .models import QuotaSummary, SandboxInfo, SpawnAdmissionDecision
from .providers import AsyncProviderManager
from .quotas import AsyncQuotaManager
from .templates import AsyncTemplateManager


class AsyncClient:
    """As :class:`stacyvm.Client`, within an event loop: parameters and methods mean the same."""

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        api_key: Optional[str] = None,
        user_id: Optional[str] = None,
        timeout: Optional[float] = DEFAULT_TIMEOUT,
        *,
        tenant_id: Optional[str] = None,
        admin_api_key: Optional[str] = None,
        bearer_token: Optional[str] = None,
        retries: int = 0,
    ) -> None:
        wire = Wire(
            base_url,
            api_key,
            user_id,
            timeout,
            tenant_id=tenant_id,
            admin_api_key=admin_api_key,
            bearer_token=bearer_token,
            retries=retries,
        )
        self._transport = AsyncTransport(wire)
        self.templates = AsyncTemplateManager(self._transport)
        self.quotas = AsyncQuotaManager(self._transport)
        self.checkpoints = AsyncCheckpointManager(self._transport)
        self.images = AsyncImageManager(self._transport)

    async def spawn(
        self,
        image: str = DEFAULT_IMAGE,
        provider: Optional[str] = None,
        memory_mb: Optional[int] = None,
        vcpus: Optional[int] = None,
        ttl: Optional[str] = None,
        owner_id: Optional[str] = None,
        template: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
        checkpoint: Optional[str] = None,
    ) -> AsyncSandbox:
        """Starts a sandbox; cancelling the task abandons it, and nothing stays behind."""
        body = spawn_body(image, provider, memory_mb, vcpus, ttl, owner_id, template, metadata, checkpoint)
        return AsyncSandbox(self._transport, await self._transport.run(_calls.spawn(body)))

    async def admission(
        self,
        image: Optional[str] = None,
        provider: Optional[str] = None,
        memory_mb: Optional[int] = None,
        vcpus: Optional[int] = None,
        ttl: Optional[str] = None,
        owner_id: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
    ) -> SpawnAdmissionDecision:
        body = admission_body(image, provider, memory_mb, vcpus, ttl, owner_id, metadata)
        return await self._transport.run(_calls.admission(body))

    async def get(self, sandbox_id: str) -> AsyncSandbox:
        return AsyncSandbox(self._transport, await self._transport.run(_calls.get_sandbox(sandbox_id)))

    async def list(self) -> "List[SandboxInfo]":
        return await self._transport.run(_calls.list_sandboxes())

    async def spawn_template(self, template_name: str) -> AsyncSandbox:
        return await self.templates.spawn(template_name)

    async def prune(self) -> int:
        return await self._transport.run(_calls.prune())

    async def pool_status(self) -> Dict[str, Any]:
        return await self._transport.run(_calls.pool_status())

    async def quota_summary(self) -> QuotaSummary:
        return await self._transport.run(_calls.quota_summary())

    async def health(self) -> Dict[str, Any]:
        return await self._transport.run(_calls.health())

    async def ready(self) -> Dict[str, Any]:
        return await self._transport.run(_calls.ready())

    async def providers(self) -> "List[Dict[str, Any]]":
        return await self._transport.run(_calls.providers())

    def provider_manager(self) -> AsyncProviderManager:
        return AsyncProviderManager(self._transport)

    def events(
        self, type: Optional[str] = None, sandbox_id: Optional[str] = None, after_id: Optional[str] = None
    ) -> AsyncEventStream:
        """Events as they happen: ``async with client.events() as events`` is subscribed from its first line on."""
        return AsyncEventStream(self._transport, type, sandbox_id, after_id)

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
