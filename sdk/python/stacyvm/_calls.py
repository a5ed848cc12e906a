"""Requests as values. Each function says what is sent and how the answer is understood; a transport of either kind carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, AsyncIterable, Callable, Dict, Generic, Iterable, List, Mapping, Optional, TypeVar, Union
from urllib.parse import quote

from .models import (
    Checkpoint,
    Image,
    ImagePruneResult,
    Quota,
    QuotaSummary,
    QuotaUsage,
    SandboxInfo,
    SpawnAdmissionDecision,
    Template,
    decode,
    decode_list,
)

T = TypeVar("T")
Body = Union[bytes, Iterable[bytes], AsyncIterable[bytes]]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request."""

    method: str
    #: Below ``/api/v1``.
    path: str
    #: From the JSON of a successful answer to the result.
    decode: Callable[[Any], T]
    #: Sent as JSON; None: no body.
    json: Optional[Mapping[str, Any]] = None
    #: Sent as it is, instead of JSON.
    content: Optional[Body] = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The sandbox that the call is about.
    sandbox_id: str = ""
    #: It may be silent for long: an image is pulled, a command runs.
    slow: bool = False
    #: A command's own time limit in seconds: the client waits at least as long.
    patience: float = 0.0
    #: Statuses beyond the successful ones that are an answer and not an error.
    accepted: "tuple[int, ...]" = ()


def nothing(_: Any) -> None:
    return None


def as_object(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, not {type(value).__name__}")
    return value


def as_objects(value: Any) -> List[Dict[str, Any]]:
    return [as_object(item) for item in (value or [])]


def as_strings(value: Any) -> List[str]:
    return [str(item) for item in (value or [])]


def segment(text: str) -> str:
    """A part of a path, with everything escaped that is not plain."""
    return quote(text, safe="")


def given(**fields: Any) -> Dict[str, Any]:
    """Only the fields that say something."""
    return {name: value for name, value in fields.items() if value}


def spawn(body: Mapping[str, Any]) -> Call[Dict[str, Any]]:
    return Call("POST", "/sandboxes", as_object, json=body, slow=True)


def spawn_template(name: str, overrides: Optional[Mapping[str, Any]] = None) -> Call[Dict[str, Any]]:
    return Call("POST", f"/templates/{segment(name)}/spawn", as_object, json=overrides or None, slow=True)


def admission(body: Mapping[str, Any]) -> Call[SpawnAdmissionDecision]:
    return Call("POST", "/sandboxes/admission", lambda v: decode(SpawnAdmissionDecision, v), json=body)


def get_sandbox(sandbox_id: str) -> Call[Dict[str, Any]]:
    return Call("GET", f"/sandboxes/{segment(sandbox_id)}", as_object, sandbox_id=sandbox_id)


def list_sandboxes() -> Call[List[SandboxInfo]]:
    return Call("GET", "/sandboxes", lambda v: decode_list(SandboxInfo, v))


def prune() -> Call[int]:
    return Call("DELETE", "/sandboxes", lambda v: int(as_object(v).get("pruned", 0)), slow=True)


def pool_status() -> Call[Dict[str, Any]]:
    return Call("GET", "/pool/status", as_object)


def health() -> Call[Dict[str, Any]]:
    return Call("GET", "/health", as_object)


def ready() -> Call[Dict[str, Any]]:
    # A server that is not ready is an answer, not an error.
    return Call("GET", "/ready", as_object, accepted=(503,))


def providers() -> Call[List[Dict[str, Any]]]:
    return Call("GET", "/providers", as_objects)


def provider(name: str) -> Call[Dict[str, Any]]:
    return Call("GET", f"/providers/{segment(name)}", as_object)


def test_providers() -> Call[Dict[str, bool]]:
    return Call("POST", "/providers/test", lambda v: {k: bool(x) for k, x in as_object(v).items()}, slow=True)


def quota_summary() -> Call[QuotaSummary]:
    return Call("GET", "/quotas/summary", lambda v: decode(QuotaSummary, v))


def list_quotas() -> Call[List[Quota]]:
    return Call("GET", "/quotas", lambda v: decode_list(Quota, v))


def get_quota(owner_id: str) -> Call[Quota]:
    return Call("GET", f"/quotas/{segment(owner_id)}", lambda v: decode(Quota, v))


def put_quota(owner_id: str, body: Mapping[str, Any]) -> Call[Quota]:
    return Call("PUT", f"/quotas/{segment(owner_id)}", lambda v: decode(Quota, v), json=body)


def delete_quota(owner_id: str) -> Call[None]:
    return Call("DELETE", f"/quotas/{segment(owner_id)}", nothing)


def quota_usage(owner_id: str) -> Call[QuotaUsage]:
    return Call("GET", f"/quotas/{segment(owner_id)}/usage", lambda v: decode(QuotaUsage, v))


def list_templates() -> Call[List[Template]]:
    return Call("GET", "/templates", lambda v: decode_list(Template, v))


def get_template(name: str) -> Call[Template]:
    return Call("GET", f"/templates/{segment(name)}", lambda v: decode(Template, v))


def create_template(template: Template) -> Call[Template]:
    return Call("POST", "/templates", lambda v: decode(Template, v), json=template.to_json())


def replace_template(template: Template) -> Call[Template]:
    return Call("PUT", f"/templates/{segment(template.name)}", lambda v: decode(Template, v), json=template.to_json())


def delete_template(name: str) -> Call[None]:
    return Call("DELETE", f"/templates/{segment(name)}", nothing)


def list_checkpoints() -> Call[List[Checkpoint]]:
    return Call("GET", "/checkpoints", lambda v: decode_list(Checkpoint, v))


def get_checkpoint(name: str) -> Call[Checkpoint]:
    return Call("GET", f"/checkpoints/{segment(name)}", lambda v: decode(Checkpoint, v))


def delete_checkpoint(name: str) -> Call[None]:
    return Call("DELETE", f"/checkpoints/{segment(name)}", nothing, slow=True)


def list_images() -> Call[List[Image]]:
    return Call("GET", "/images", lambda v: decode_list(Image, v))


def get_image(name: str) -> Call[Image]:
    return Call("GET", f"/images/{segment(name)}", lambda v: decode(Image, v))


def pull_image(name: str, source: Optional[str]) -> Call[Image]:
    body = {"image": name, **({"from": source} if source else {})}
    return Call("POST", "/images/pull", lambda v: decode_list(Image, v)[0], json=body, slow=True)


def import_image(content: Body, name: Optional[str]) -> Call[List[Image]]:
    return Call(
        "POST",
        "/images/import",
        lambda v: decode_list(Image, v),
        content=content,
        params=given(name=name),
        headers={"Content-Type": "application/octet-stream"},
        slow=True,
    )


def remove_image(name: str) -> Call[None]:
    return Call("DELETE", f"/images/{segment(name)}", nothing, slow=True)


def prune_images(unnamed: bool) -> Call[ImagePruneResult]:
    params = {"unnamed": "true"} if unnamed else {}
    return Call("POST", "/images/prune", lambda v: decode(ImagePruneResult, v), params=params, slow=True)


def events(event_type: Optional[str], sandbox_id: Optional[str], after_id: Optional[str]) -> Call[None]:
    headers = {"Accept": "text/event-stream"}
    if after_id:
        headers["Last-Event-ID"] = after_id
    return Call("GET", "/events", nothing, params=given(type=event_type, sandbox_id=sandbox_id), headers=headers)
