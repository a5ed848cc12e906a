"""Requests that are about one sandbox."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ._calls import Body, Call, as_object, as_strings, given, nothing, segment
from .models import Checkpoint, ExecResult, FileInfo, PortInfo, ProcessInfo, SandboxStats, decode, decode_list

#: Beyond this, text goes as a raw body, which the server takes in any size.
LARGEST_JSON_TEXT = 256 * 1024

_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(duration: Optional[str]) -> float:
    """How long a duration text such as ``1m30s`` is; 0 for what is none: the server says what is wrong with it."""
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", duration or "")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)


class SandboxCalls:
    def __init__(self, sandbox_id: str) -> None:
        self.id = sandbox_id
        self._path = f"/sandboxes/{segment(sandbox_id)}"

    def exec(self, body: Mapping[str, Any]) -> Call[ExecResult]:
        patience = seconds_of(body.get("timeout"))
        return self._post("/exec", body, lambda v: decode(ExecResult, v), slow=True, patience=patience)

    def exec_stream(self, body: Mapping[str, Any]) -> Call[None]:
        return self._post("/exec", {**body, "stream": True}, nothing)

    def exec_background(self, body: Mapping[str, Any]) -> Call[ProcessInfo]:
        return self._post("/exec", {**body, "background": True}, lambda v: decode(ProcessInfo, v), slow=True)

    def processes(self) -> Call[List[ProcessInfo]]:
        return self._get("/processes", lambda v: decode_list(ProcessInfo, v))

    def process(self, process_id: int) -> Call[ProcessInfo]:
        return self._get(f"/processes/{process_id}", lambda v: decode(ProcessInfo, v))

    def process_output(self, process_id: int, offset: int, follow: bool) -> Call[None]:
        params = {"offset": str(offset), "follow": "true" if follow else "false"}
        return self._get(f"/processes/{process_id}/output", nothing, params)

    def signal_process(self, process_id: int, signal: str) -> Call[None]:
        return self._post(f"/processes/{process_id}/signal", {"signal": str(signal)}, nothing)

    def kill_process(self, process_id: int) -> Call[None]:
        return Call("DELETE", f"{self._path}/processes/{process_id}", nothing, sandbox_id=self.id)

    def write_text(self, path: str, content: str, mode: Optional[str]) -> Call[None]:
        if len(content) > LARGEST_JSON_TEXT:
            return self.write(path, content.encode(), mode)
        return self._post("/files", {"path": path, "content": content, **given(mode=mode)}, nothing)

    def write(self, path: str, content: Body, mode: Optional[str]) -> Call[None]:
        return Call(
            "PUT",
            f"{self._path}/files",
            nothing,
            content=content,
            params={"path": path, **given(mode=mode)},
            headers={"Content-Type": "application/octet-stream"},
            sandbox_id=self.id,
            slow=True,
        )

    def read(self, path: str, offset: int = 0, length: Optional[int] = None) -> Call[None]:
        headers: Dict[str, str] = {}
        accepted: "tuple[int, ...]" = ()
        if offset or length is not None:
            headers["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
            # A part that begins behind the end of the file is empty.
            accepted = (416,)
        return Call(
            "GET",
            f"{self._path}/files",
            nothing,
            params={"path": path},
            headers=headers,
            sandbox_id=self.id,
            accepted=accepted,
        )

    def list_files(self, path: str) -> Call[List[FileInfo]]:
        return self._get("/files/list", lambda v: [FileInfo(as_object(item)) for item in (v or [])], {"path": path})

    def stat_file(self, path: str) -> Call[FileInfo]:
        return self._get("/files/stat", lambda v: FileInfo(as_object(v)), {"path": path})

    def glob_files(self, pattern: str) -> Call[List[str]]:
        return self._get("/files/glob", as_strings, {"pattern": pattern})

    def delete_file(self, path: str, recursive: bool) -> Call[None]:
        params = {"path": path, "recursive": "true"} if recursive else {"path": path}
        return Call("DELETE", f"{self._path}/files", nothing, params=params, sandbox_id=self.id)

    def move_file(self, old_path: str, new_path: str) -> Call[None]:
        return self._post("/files/move", {"old_path": old_path, "new_path": new_path}, nothing)

    def chmod_file(self, path: str, mode: str) -> Call[None]:
        return self._post("/files/chmod", {"path": path, "mode": mode}, nothing)

    def make_directory(self, path: str, mode: Optional[str]) -> Call[None]:
        return self._post("/files/mkdir", {"path": path, **given(mode=mode)}, nothing)

    def info(self) -> Call[Dict[str, Any]]:
        return self._get("", as_object)

    def extend(self, ttl: str) -> Call[Dict[str, Any]]:
        return self._post("/extend", {"ttl": ttl}, as_object)

    def destroy(self) -> Call[None]:
        return Call("DELETE", self._path, nothing, sandbox_id=self.id, slow=True)

    def checkpoint(self, name: str) -> Call[Checkpoint]:
        return self._post("/checkpoints", {"name": name}, lambda v: decode(Checkpoint, v), slow=True)

    def fork(self, count: int, ttl: Optional[str], metadata: Optional[Mapping[str, str]]) -> Call[Dict[str, Any]]:
        body = {"count": count, **given(ttl=ttl, metadata=dict(metadata) if metadata else None)}
        return self._post("/fork", body, as_object, slow=True)

    def pause(self) -> Call[Dict[str, Any]]:
        return Call("POST", f"{self._path}/pause", as_object, sandbox_id=self.id)

    def resume(self) -> Call[Dict[str, Any]]:
        return Call("POST", f"{self._path}/resume", as_object, sandbox_id=self.id)

    def logs(self, lines: int) -> Call[List[str]]:
        return self._get("/logs", as_strings, {"lines": str(lines)})

    def stats(self) -> Call[SandboxStats]:
        return self._get("/stats", lambda v: decode(SandboxStats, v))

    def ports(self) -> Call[List[PortInfo]]:
        return self._get("/ports", lambda v: decode_list(PortInfo, v))

    def session_path(self) -> str:
        return f"{self._path}/exec/ws"

    def _get(self, path: str, result: Any, params: Optional[Mapping[str, str]] = None) -> Call[Any]:
        return Call("GET", self._path + path, result, params=params or {}, sandbox_id=self.id)

    def _post(
        self, path: str, body: Mapping[str, Any], result: Any, *, slow: bool = False, patience: float = 0.0
    ) -> Call[Any]:
        return Call("POST", self._path + path, result, json=body, sandbox_id=self.id, slow=slow, patience=patience)


def exec_body(
    command: str,
    args: Optional[Sequence[str]],
    mode: Optional[str],
    env: Optional[Mapping[str, str]],
    workdir: Optional[str],
    timeout: Optional[str],
    stdin: Optional[str],
) -> Dict[str, Any]:
    return given(
        command=command,
        args=list(args) if args else None,
        mode=mode,
        env=dict(env) if env else None,
        workdir=workdir,
        timeout=timeout,
        stdin=stdin,
    )
