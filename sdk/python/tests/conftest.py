"""A scenario is written once and runs with both clients, against the server that scripts/test-sdks has started."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Any, Awaitable, Callable

import pytest

import stacyvm
from blocking import Blocking

PATIENCE = 60.0


@dataclass
class Site:
    """The server under test, and clients of it."""

    kind: str
    url: str = os.environ.get("STACYVM_TEST_URL", "")
    key: str = os.environ.get("STACYVM_TEST_KEY", "")
    admin_key: str = os.environ.get("STACYVM_TEST_ADMIN_KEY", "")
    level: str = os.environ.get("STACYVM_TEST_LEVEL", "bubblewrap")
    image: str = os.environ.get("STACYVM_TEST_IMAGE", "alpine:latest")

    def client(self, url: str = "", **options: Any) -> Any:
        options.setdefault("api_key", self.key)
        if self.kind == "async":
            return stacyvm.AsyncClient(url or self.url, **options)
        return Blocking(stacyvm.Client(url or self.url, **options))

    def spawn(self, client: Any, **options: Any) -> Any:
        options.setdefault("ttl", "5m")
        return client.spawn(self.image, **options)


def scenario(body: Callable[[Site, Any], Awaitable[None]]) -> Callable[[str], None]:
    """From a coroutine with a site and its client to a test that runs it once with each kind of client."""

    async def bounded(site: Site) -> None:
        async with site.client() as client:
            await asyncio.wait_for(body(site, client), PATIENCE)

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test(kind: str) -> None:
        asyncio.run(bounded(Site(kind)))

    test.__name__ = body.__name__
    test.__doc__ = body.__doc__
    return test


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """Asks again and again until it holds."""
    end = asyncio.get_running_loop().time() + within
    while not await condition():
        assert asyncio.get_running_loop().time() < end, f"it did not come true within {within:g} s"
        await asyncio.sleep(0.05)
