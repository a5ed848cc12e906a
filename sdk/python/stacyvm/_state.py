"""What a sandbox object knows without asking the server: the same for both kinds."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ._sandbox_calls import SandboxCalls
from .models import SandboxInfo, decode


class SandboxState:
    def __init__(self, info: Dict[str, Any]) -> None:
        #: The id.
        self.id: str = str(info["id"])
        self._info = info
        self._calls = SandboxCalls(self.id)

    @property
    def state(self) -> str:
        """As the server last told it; ``unknown`` when it was never asked."""
        return str(self._info.get("state") or "unknown")

    @property
    def provider(self) -> str:
        return str(self._info.get("provider") or "")

    @property
    def image(self) -> str:
        """The image that really runs."""
        return str(self._info.get("image") or "")

    @property
    def expires_at(self) -> str:
        """When it is destroyed unless extended; RFC 3339."""
        return str(self._info.get("expires_at") or "")

    @property
    def metadata(self) -> Dict[str, str]:
        return dict(self._info.get("metadata") or {})

    @property
    def info(self) -> SandboxInfo:
        """Everything that the server last told."""
        return decode(SandboxInfo, {"state": "unknown", "provider": "", "image": "", **self._info})

    def get_preview_url(self, port: int, scheme: Optional[str] = None) -> str:
        """The URL under which a browser sees what the sandbox serves on a port.

        :param scheme: ``http`` or ``https``; None: what the server says, else ``http``.
        """
        if not 1 <= port <= 65535:
            raise ValueError(f"{port} is not a port")
        scheme = scheme or str(self._info.get("preview_url_scheme") or "http")
        domain = str(self._info.get("preview_domain") or "localhost")
        return f"{scheme}://{port}-{self.id}.{domain}"

    def _destroyed(self) -> None:
        self._info = {**self._info, "state": "destroyed"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id='{self.id}', state='{self.state}')"
