"""The images in the server's store. Those of a Docker engine are not among them."""

from __future__ import annotations

from typing import List, Optional

from . import _calls
from ._transport import AsyncTransport, Transport
from .files import AsyncSource, Source, async_pieces_of, pieces_of
from .models import Image, ImagePruneResult


class ImageManager:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> "List[Image]":
        """All of them, by name."""
        return self._transport.run(_calls.list_images())

    def get(self, name: str) -> Image:
        """One by its name or digest; :class:`NotFound` when it is not in the store."""
        return self._transport.run(_calls.get_image(name))

    def pull(self, name: str, source: Optional[str] = None) -> Image:
        """Pulls an image from its registry, also when it is in the store: a tag may have moved.

        :param source: provider whose own image is taken over instead of asking a registry: ``docker``.
        """
        return self._transport.run(_calls.pull_image(name, source))

    def import_archive(self, archive: Source, name: Optional[str] = None) -> "List[Image]":
        """Imports images from an archive of ``docker save``, an OCI layout or a plain root file system, as tar.

        :param archive: a path on this machine, an open binary file or an iterable of bytes; also compressed by gzip or zstd.
        :param name: what to call it; needed for a root file system.
        """
        return self._transport.run(_calls.import_image(pieces_of(archive), name))

    def remove(self, name: str) -> None:
        """Removes a name, and the image with its last one."""
        self._transport.run(_calls.remove_image(name))

    def prune(self, unnamed: bool = False) -> ImagePruneResult:
        """Removes the images that nothing uses.

        :param unnamed: only those whose last name has moved to another image.
        """
        return self._transport.run(_calls.prune_images(unnamed))


class AsyncImageManager:
    """As :class:`ImageManager`, within an event loop."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> "List[Image]":
        return await self._transport.run(_calls.list_images())

    async def get(self, name: str) -> Image:
        return await self._transport.run(_calls.get_image(name))

    async def pull(self, name: str, source: Optional[str] = None) -> Image:
        return await self._transport.run(_calls.pull_image(name, source))

    async def import_archive(self, archive: AsyncSource, name: Optional[str] = None) -> "List[Image]":
        return await self._transport.run(_calls.import_image(async_pieces_of(archive), name))

    async def remove(self, name: str) -> None:
        await self._transport.run(_calls.remove_image(name))

    async def prune(self, unnamed: bool = False) -> ImagePruneResult:
        return await self._transport.run(_calls.prune_images(unnamed))
