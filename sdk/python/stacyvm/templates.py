"""Templates: sandboxes with a name."""

from __future__ import annotations

from typing import List, Optional

from . import _calls
from ._calls import given
from ._transport import AsyncTransport, Transport
from .async_sandbox import AsyncSandbox
from .exceptions import StacyVMError
from .models import Template
from .sandbox import Sandbox


class TemplateManager:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> "List[Template]":
        """All of them, ordered by name."""
        return self._transport.run(_calls.list_templates())

    def get(self, name: str) -> Template:
        """:class:`NotFound` when there is none of that name."""
        return self._transport.run(_calls.get_template(name))

    def save(self, template: Template, overwrite: bool = False) -> Template:
        """Creates a template.

        :param overwrite: replace the one that has the name already; without it that is an error of code ``CONFLICT``.
        """
        try:
            return self._transport.run(_calls.create_template(template))
        except StacyVMError as error:
            if error.status_code != 409 or not overwrite:
                raise
        return self._transport.run(_calls.replace_template(template))

    def delete(self, name: str) -> None:
        self._transport.run(_calls.delete_template(name))

    def spawn(self, name: str, provider: Optional[str] = None, ttl: Optional[str] = None) -> Sandbox:
        """Starts a sandbox from a template."""
        call = _calls.spawn_template(name, given(provider=provider, ttl=ttl))
        return Sandbox(self._transport, self._transport.run(call))


class AsyncTemplateManager:
    """As :class:`TemplateManager`, within an event loop."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> "List[Template]":
        return await self._transport.run(_calls.list_templates())

    async def get(self, name: str) -> Template:
        return await self._transport.run(_calls.get_template(name))

    async def save(self, template: Template, overwrite: bool = False) -> Template:
        try:
            return await self._transport.run(_calls.create_template(template))
        except StacyVMError as error:
            if error.status_code != 409 or not overwrite:
                raise
        return await self._transport.run(_calls.replace_template(template))

    async def delete(self, name: str) -> None:
        await self._transport.run(_calls.delete_template(name))

    async def spawn(self, name: str, provider: Optional[str] = None, ttl: Optional[str] = None) -> AsyncSandbox:
        call = _calls.spawn_template(name, given(provider=provider, ttl=ttl))
        return AsyncSandbox(self._transport, await self._transport.run(call))
