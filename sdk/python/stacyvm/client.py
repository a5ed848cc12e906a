"""A client of one server, for blocking programs."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from . import _calls
from ._calls import given
from ._transport import Transport
from ._wire import DEFAULT_BASE_URL, DEFAULT_TIMEOUT, Wire
from .checkpoints import CheckpointManager
from .events import EventStream
from .images import ImageManager
from .models import QuotaSummary, SandboxInfo, SpawnAdmissionDecision
from .providers import ProviderManager
from .quotas import QuotaManager
from .sandbox import Sandbox
from .templates import TemplateManager

DEFAULT_IMAGE = "alpine:latest"


class Client:
    """A client of one StacyVM server. Safe for many threads; make one and keep it, and close it or use it with ``with``.

    :param base_url: ``http://host:port``, ``https://…`` or ``unix:///path/of/socket``.
    :param api_key: sent as ``X-API-Key``.
    :param user_id: sent as ``X-User-ID``: the owner of what this client spawns.
    :param timeout: seconds for a connection to be made and for a silence of the server. With the default of 30 s a spawn (an image may
        have to be pulled) or a command may be silent for ten minutes; with a value of your own they, too, have to keep to it, but
        a command with a ``timeout`` is always waited for. None: never give up.
    :param tenant_id: sent as ``X-Tenant-ID``.
    :param admin_api_key: sent as ``X-Admin-API-Key``.
    :param bearer_token: sent as ``Authorization: Bearer``.
    :param retries: how often a read that did not get through, or any call that was answered 429 with ``Retry-After``, is made again.
    """

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
        self._transport = Transport(wire)
        self.templates = TemplateManager(self._transport)
        self.quotas = QuotaManager(self._transport)
        self.checkpoints = CheckpointManager(self._transport)
        self.images = ImageManager(self._transport)

    def spawn(
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
    ) -> Sandbox:
        """Starts a sandbox and waits until it can run commands. What is left out is the server's default.

        :param provider: the isolation level.
        :param memory_mb: MiB.
        :param ttl: time until it is destroyed, such as ``30m``.
        :param template: its image wins over the default of this method.
        :param checkpoint: start from it instead of an image; see :meth:`stacyvm.Sandbox.checkpoint`.
        """
        body = spawn_body(image, provider, memory_mb, vcpus, ttl, owner_id, template, metadata, checkpoint)
        return Sandbox(self._transport, self._transport.run(_calls.spawn(body)))

    def admission(
        self,
        image: Optional[str] = None,
        provider: Optional[str] = None,
        memory_mb: Optional[int] = None,
        vcpus: Optional[int] = None,
        ttl: Optional[str] = None,
        owner_id: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
    ) -> SpawnAdmissionDecision:
        """Whether such a spawn would be let in now; nothing is started."""
        body = admission_body(image, provider, memory_mb, vcpus, ttl, owner_id, metadata)
        return self._transport.run(_calls.admission(body))

    def get(self, sandbox_id: str) -> Sandbox:
        """A living sandbox; :class:`SandboxNotFound` when there is none of that id."""
        return Sandbox(self._transport, self._transport.run(_calls.get_sandbox(sandbox_id)))

    def list(self) -> "List[SandboxInfo]":
        """All sandboxes that the caller may see, newest first."""
        return self._transport.run(_calls.list_sandboxes())

    def spawn_template(self, template_name: str) -> Sandbox:
        """Starts a sandbox from a template; :attr:`templates` has more."""
        return self.templates.spawn(template_name)

    def prune(self) -> int:
        """Destroys what has expired and is still there; how many."""
        return self._transport.run(_calls.prune())

    def pool_status(self) -> Dict[str, Any]:
        return self._transport.run(_calls.pool_status())

    def quota_summary(self) -> QuotaSummary:
        return self._transport.run(_calls.quota_summary())

    def health(self) -> Dict[str, Any]:
        """Whether the server answers, its version and uptime."""
        return self._transport.run(_calls.health())

    def ready(self) -> Dict[str, Any]:
        """Whether sandboxes can be made. A server that is not ready is an answer, not an error."""
        return self._transport.run(_calls.ready())

    def providers(self) -> "List[Dict[str, Any]]":
        """The isolation levels with their health; :class:`stacyvm.providers.ProviderManager` has more."""
        return self._transport.run(_calls.providers())

    def provider_manager(self) -> ProviderManager:
        return ProviderManager(self._transport)

    def events(
        self, type: Optional[str] = None, sandbox_id: Optional[str] = None, after_id: Optional[str] = None
    ) -> EventStream:
        """Events as they happen.

        :param type: only this one, for example ``sandbox.created``.
        :param after_id: begin after this event, such as ``evt-12``; None: only what is new.
        """
        return EventStream(self._transport, type, sandbox_id, after_id)

    def close(self) -> None:
        """Closes the connections. Sandboxes live on."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def spawn_body(
    image: str,
    provider: Optional[str],
    memory_mb: Optional[int],
    vcpus: Optional[int],
    ttl: Optional[str],
    owner_id: Optional[str],
    template: Optional[str],
    metadata: Optional[Mapping[str, str]],
    checkpoint: Optional[str],
) -> Dict[str, Any]:
    rest = admission_body(None, provider, memory_mb, vcpus, ttl, owner_id, metadata)
    return {"image": image, **rest, **given(template=template, checkpoint=checkpoint)}


def admission_body(
    image: Optional[str],
    provider: Optional[str],
    memory_mb: Optional[int],
    vcpus: Optional[int],
    ttl: Optional[str],
    owner_id: Optional[str],
    metadata: Optional[Mapping[str, str]],
) -> Dict[str, Any]:
    return given(
        image=image,
        provider=provider,
        memory_mb=memory_mb,
        vcpus=vcpus,
        ttl=ttl,
        owner_id=owner_id,
        metadata=dict(metadata) if metadata else None,
    )
