"""Client of StacyVM: isolated sandboxes for AI agents, on your own machine.

>>> from stacyvm import Client
>>> with Client() as client, client.spawn(ttl="10m") as sandbox:
...     print(sandbox.exec("python3 -c 'print(6 * 7)'").stdout)
"""

from .async_client import AsyncClient
from .async_sandbox import AsyncSandbox
from .checkpoints import AsyncCheckpointManager, CheckpointManager
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
from .images import AsyncImageManager, ImageManager
from .models import (
    Checkpoint,
    Event,
    ExecResult,
    FileInfo,
    Fork,
    ForkFailure,
    Image,
    ImagePruneResult,
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
    "AsyncCheckpointManager",
    "AsyncClient",
    "AsyncEventStream",
    "AsyncExecSession",
    "AsyncExecStream",
    "AsyncImageManager",
    "AsyncProviderManager",
    "AsyncQuotaManager",
    "AsyncSandbox",
    "AsyncTemplateManager",
    "Checkpoint",
    "CheckpointManager",
    "Client",
    "ConnectionError",
    "Event",
    "EventStream",
    "ExecResult",
    "ExecSession",
    "ExecStream",
    "ExecTimeout",
    "FileInfo",
    "Fork",
    "ForkFailure",
    "Image",
    "ImageManager",
    "ImagePruneResult",
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
