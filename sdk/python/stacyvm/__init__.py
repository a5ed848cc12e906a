"""Client of StacyVM: isolated sandboxes for AI agents, on your own machine.

>>> from stacyvm import Client
>>> with Client() as client, client.spawn(ttl="10m") as sandbox:
...     print(sandbox.exec("python3 -c 'print(6 * 7)'").stdout)
"""

from .async_client import AsyncClient
from .async_sandbox import AsyncSandbox
from .client import Client
from .events import AsyncEventStream, EventStream
from .exceptions import (
    ConnectionError,
    ExecTimeout,
    NotFound,
    ProviderError,
    RequestTimeout,
    ResourceLimit,
    SandboxNotFound,
    StacyVMError,
)
from .models import (
    Event,
    ExecResult,
    FileInfo,
    PortInfo,
    ProcessInfo,
    Quota,
    QuotaSummary,
    QuotaUsage,
    SandboxInfo,
    SandboxStats,
    SessionOutput,
    SpawnAdmissionDecision,
    Template,
)
from .providers import AsyncProviderManager, ProviderManager
from .quotas import AsyncQuotaManager, QuotaManager
from .sandbox import Sandbox
from .sessions import AsyncExecSession, ExecSession
from .streaming import AsyncExecStream, ExecStream, StreamChunk
from .templates import AsyncTemplateManager, TemplateManager

__version__ = "0.15.0"

__all__ = [
    "AsyncClient",
    "AsyncEventStream",
    "AsyncExecSession",
    "AsyncExecStream",
    "AsyncProviderManager",
    "AsyncQuotaManager",
    "AsyncSandbox",
    "AsyncTemplateManager",
    "Client",
    "ConnectionError",
    "Event",
    "EventStream",
    "ExecResult",
    "ExecSession",
    "ExecStream",
    "ExecTimeout",
    "FileInfo",
    "NotFound",
    "PortInfo",
    "ProcessInfo",
    "ProviderError",
    "ProviderManager",
    "Quota",
    "QuotaManager",
    "QuotaSummary",
    "QuotaUsage",
    "RequestTimeout",
    "ResourceLimit",
    "Sandbox",
    "SandboxInfo",
    "SandboxNotFound",
    "SandboxStats",
    "SessionOutput",
    "SpawnAdmissionDecision",
    "StacyVMError",
    "StreamChunk",
    "Template",
    "TemplateManager",
]
