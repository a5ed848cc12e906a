"""Values that the server answers with. Fields that this version does not know are ignored, so that a newer server can be used."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Dict, Generic, List, Mapping, Optional, Type, TypeVar

T = TypeVar("T")
S = TypeVar("S")


def decode(kind: Type[T], value: Any) -> T:
    """A value of a data class from JSON; ValueError when a field that it cannot do without is missing."""
    if not isinstance(value, Mapping):
        raise ValueError(f"a {kind.__name__} is a JSON object, not {type(value).__name__}")
    known = {f.name: value[f.name] for f in fields(kind) if value.get(f.name) is not None}
    try:
        return kind(**known)
    except TypeError as fault:
        raise ValueError(f"a {kind.__name__} has fields that are missing here: {fault}") from fault


def decode_list(kind: Type[T], value: Any) -> List[T]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"expected a list, not {type(value).__name__}")
    return [decode(kind, item) for item in value]


@dataclass
class ExecResult:
    """How a command ended, and what it printed."""

    #: 128 + signal when a signal ended it.
    exit_code: int
    stdout: str
    stderr: str
    #: Measured by the server; duration text such as ``1.5s``.
    duration: str = ""
    #: Output beyond the server's bound was dropped.
    truncated: bool = False


@dataclass
class SandboxInfo:
    """A sandbox, as the server tells it."""

    id: str
    #: ``creating``, ``running``, ``paused``, ``unhealthy``, ``stopped``, ``error``, ``destroying`` …
    state: str
    provider: str
    #: The image that really runs.
    image: str
    memory_mb: int = 512
    vcpus: int = 1
    created_at: str = ""
    #: When it is destroyed unless extended.
    expires_at: str = ""
    metadata: Dict[str, str] = field(default_factory=dict)
    preview_domain: str = "localhost"
    owner_id: str = ""
    tenant_id: str = ""
    worker_id: str = ""
    #: Name of the checkpoint from which it was started.
    checkpoint: str = ""
    #: The sandbox whose saved state it was started from, by a fork or a checkpoint.
    parent_sandbox: str = ""
    #: Why the state is what it is, when something went wrong.
    reason: str = ""


@dataclass
class SpawnAdmissionDecision:
    """Whether a spawn would be let in now."""

    allowed: bool
    #: It would have to wait in the queue.
    queueable: bool
    #: ``max_ttl``, ``max_sandboxes``, ``max_sandboxes_per_owner`` … when it is not allowed.
    reason: str = ""
    active_sandboxes: int = 0
    #: 0: no limit.
    max_sandboxes: int = 0
    active_owner_sandboxes: int = 0
    max_owner_sandboxes: int = 0
    max_ttl: str = ""


@dataclass
class QuotaSummary:
    """How many owners have a quota, and of which kinds."""

    total: int = 0
    with_max_sandboxes: int = 0
    with_max_ttl: int = 0
    with_max_exec_timeout: int = 0


@dataclass
class Checkpoint:
    """What was saved of a sandbox."""

    id: str
    name: str
    #: ``creating``, ``ready``, ``deleting`` or ``missing``.
    state: str
    provider: str
    #: ``files``: processes start anew; ``memory``: they go on where they were.
    content: str
    image: str
    memory_mb: int = 0
    vcpus: int = 0
    size_bytes: int = 0
    owner_id: str = ""
    tenant_id: str = ""
    #: The sandbox that was saved.
    sandbox_id: str = ""
    #: Name of the checkpoint from which that sandbox had been started.
    parent_checkpoint: str = ""
    metadata: Dict[str, str] = field(default_factory=dict)
    created_at: str = ""
    reason: str = ""


@dataclass
class ForkFailure:
    """Why a sandbox of a fork did not come."""

    code: str
    message: str


@dataclass
class Fork(Generic[S]):
    """Copies of a sandbox."""

    #: Those that came.
    sandboxes: List[S]
    #: Why others did not come; nothing stays of them.
    failures: List[ForkFailure]


@dataclass
class Image:
    """An image in the server's store."""

    #: Of its configuration; two images with the same one are the same.
    digest: str
    names: List[str] = field(default_factory=list)
    size_bytes: int = 0
    layers: int = 0
    created_at: str = ""
    stored_at: str = ""
    user: str = ""
    working_dir: str = ""
    #: Names of the environment variables that it sets.
    env: List[str] = field(default_factory=list)
    entrypoint: List[str] = field(default_factory=list)
    cmd: List[str] = field(default_factory=list)


@dataclass
class ImagePruneResult:
    #: By name or digest.
    removed: List[str] = field(default_factory=list)
    freed_bytes: int = 0


@dataclass
class Quota:
    """Limits of one owner. 0 and ``0s`` inherit the server's defaults."""

    owner_id: str
    max_sandboxes: int = 0
    max_ttl: str = "0s"
    max_exec_timeout: str = "0s"
    created_at: str = ""
    updated_at: str = ""


@dataclass
class QuotaUsage:
    """What one owner uses, and the limits that hold for it."""

    owner_id: str
    active_sandboxes: int = 0
    max_sandboxes: int = 0
    max_ttl: str = ""
    max_exec_timeout: str = ""
    quota_configured: bool = False


@dataclass
class Template:
    """A sandbox with a name: what to start, and what to do in it before it is handed over."""

    name: str
    image: str
    memory_mb: int = 512
    vcpus: int = 1
    ttl: str = "30m"
    provider: str = ""
    metadata: Dict[str, str] = field(default_factory=dict)
    description: str = ""
    #: Commands that are run once in a new sandbox.
    setup: List[str] = field(default_factory=list)
    env: Dict[str, str] = field(default_factory=dict)
    #: Path → content.
    files: Dict[str, str] = field(default_factory=dict)
    #: ``{"name": …, "inject_at": …}``; their values are never returned.
    secrets: List[Dict[str, str]] = field(default_factory=list)
    allowed_hosts: List[str] = field(default_factory=list)
    pool_size: int = 0
    version: int = 0
    created_at: str = ""
    updated_at: str = ""

    def to_json(self) -> Dict[str, Any]:
        """The body of a save: the seven first fields always, the others when they are set."""
        always = ("name", "image", "memory_mb", "vcpus", "ttl", "provider", "metadata")
        told = ("version", "created_at", "updated_at")
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in told}
        return {name: value for name, value in values.items() if name in always or value}


@dataclass
class ProcessInfo:
    """A process that was started through the server."""

    #: Number within the sandbox, for attach, signal and kill.
    process_id: int
    #: Process id inside the sandbox.
    pid: int
    command: str
    running: bool
    #: None while it runs.
    exit_code: Optional[int] = None
    started_at: str = ""
    #: Bytes of output since the start.
    output_bytes: int = 0


@dataclass
class SandboxStats:
    """What a sandbox uses now. ``supported`` says whether its level can tell."""

    supported: bool
    #: Percent of one processor; may exceed 100.
    cpu_pct: Optional[float] = None
    mem_bytes: Optional[int] = None
    mem_limit_bytes: Optional[int] = None
    processes: Optional[int] = None
    disk_bytes: Optional[int] = None


@dataclass
class PortInfo:
    """A port on which a sandbox listens, with its preview."""

    port: int
    preview_url: str


@dataclass
class Event:
    """Something that happened."""

    #: ``evt-`` and a counter: where to begin again.
    id: str
    #: For example ``sandbox.created``.
    type: str
    timestamp: str = ""
    sandbox_id: str = ""
    data: Dict[str, str] = field(default_factory=dict)


@dataclass
class SessionOutput:
    """A piece of output of an interactive command, as the bytes that it wrote."""

    #: ``stdout`` or ``stderr``; a terminal has only the first.
    stream: str
    data: bytes


class FileInfo(Dict[str, Any]):
    """A file: a dictionary with the fields of the wire, which can also be read as attributes."""

    @property
    def path(self) -> str:
        """Absolute path in the sandbox."""
        return str(self.get("path", ""))

    @property
    def name(self) -> str:
        """Last part of the path."""
        return str(self.get("name") or self.path.rsplit("/", 1)[-1])

    @property
    def size(self) -> int:
        return int(self.get("size", 0))

    @property
    def mode(self) -> str:
        """Four octal digits."""
        return str(self.get("mode", ""))

    @property
    def is_dir(self) -> bool:
        return bool(self.get("is_dir", False))

    @property
    def mod_time(self) -> str:
        return str(self.get("mod_time", ""))

    @property
    def type(self) -> str:
        """``file``, ``directory``, ``symlink`` or ``other``."""
        return str(self.get("type") or ("directory" if self.is_dir else "file"))
