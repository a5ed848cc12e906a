#!/usr/bin/env python3
"""A backend for StacyVM's provider `custom`, in one file and with nothing but Python's standard library.

It shows the HTTP contract; it is NO BOUNDARY. Each sandbox is a directory, and its commands run as the user who started this
program, on this machine, and can do what that user can. It listens on loopback and wants a key. Copy it, and put a real wall
(a job of your cluster, a container, a virtual machine) where `Sandbox` starts processes and opens files.

    STACYVM_BACKEND_KEY=... python3 backend.py --root /tmp/sandboxes --port 9000
"""
import argparse, base64, codecs, errno, glob, hmac, json, os, secrets, selectors, shutil, signal, socket, stat, subprocess, sys, threading, time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGEST_BODY = 1 << 30
MARK = "SANDBOX_COMMAND"  # every process of a command inherits it: it is by this that the whole tree is found again


class Problem(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def problem_of(error):
    """The contract's status for an error of the file system."""
    status = {errno.ENOENT: 404, errno.EACCES: 403, errno.EPERM: 403, errno.EROFS: 403, errno.ENOTEMPTY: 409, errno.EEXIST: 409,
              errno.ENOSPC: 507, errno.EDQUOT: 507}.get(getattr(error, "errno", None), 400)
    return Problem(status, getattr(error, "strerror", None) or str(error))


def marked(mark):
    """Processes whose environment has a mark, as those that a command has left behind have it."""
    wanted = f"{MARK}={mark}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if any(entry.startswith(wanted) for entry in file.read().split(b"\0")) and not ended(pid):
                    yield int(pid)
        except OSError:
            pass  # it ended meanwhile, or is another user's


def ended(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")


def kill_tree(mark):
    """Kills until nothing is found: what forks while it is looked for is found by the next look."""
    for _ in range(200):
        found = list(marked(mark))
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


class Sandbox:
    """One directory. Paths of the API begin at it, so that /workspace/x is the sandbox's own."""

    def __init__(self, root, name, image):
        self.name, self.image, self.root = name, image, os.path.join(root, name)
        os.makedirs(os.path.join(self.root, "workspace"))

    def path(self, text, follow=True):
        """The host's path of one in the sandbox. Links are followed as long as they stay inside."""
        if not text or "\0" in text:
            raise Problem(400, "a path must not be empty or have a NUL")
        joined = os.path.join(self.root, os.path.normpath(os.path.join("/workspace", text)).lstrip("/"))
        real = os.path.realpath(joined) if follow else os.path.join(os.path.realpath(os.path.dirname(joined)), os.path.basename(joined))
        if os.path.commonpath([real, self.root]) != self.root:
            raise Problem(404, f"{text}: leads out of the sandbox")
        return real

    def shown(self, path):
        return "/" + os.path.relpath(path, self.root)

    def start(self, request):
        if (request.get("mode") or "shell") == "argv":
            arguments = [request["command"], *(request.get("args") or [])]
        else:
            quoted = ["'" + a.replace("'", "'\"'\"'") + "'" for a in request.get("args") or []]
            arguments = ["/bin/sh", "-c", " ".join([request["command"], *quoted])]
        workdir = self.path(request.get("workdir") or "/workspace")
        if not os.path.isdir(workdir):
            raise Problem(400, f"{request['workdir']}: there is no such directory")
        mark = f"{self.name}/{secrets.token_hex(8)}"
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": os.path.join(self.root, "workspace"),
                       "LANG": "C.UTF-8", "TERM": "xterm-256color", **(request.get("env") or {}), MARK: mark}
        try:
            process = subprocess.Popen(arguments, cwd=workdir, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, start_new_session=True)
        except OSError as error:
            # As a shell has it: the command ran, and this is how it ended.
            return None, (127 if error.errno == errno.ENOENT else 126), f"{arguments[0]}: {error.strerror}\n"
        return process, mark, ""

    def info(self, path, listed=False):
        found = os.lstat(path) if listed else os.stat(path)
        return {"path": self.shown(path), "size": found.st_size, "mode": stat.filemode(found.st_mode), "is_dir": stat.S_ISDIR(found.st_mode),
                "mod_time": datetime.fromtimestamp(int(found.st_mtime), timezone.utc).isoformat().replace("+00:00", "Z")}

    def write(self, path, content, mode):
        """The whole file or nothing of it: written aside, and moved there."""
        target = self.path(path)
        if os.path.isdir(target):
            raise Problem(400, f"{path}: is a directory")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
        except FileExistsError:
            raise Problem(400, f"{path}: a parent is not a directory")
        if len(os.path.basename(target).encode()) > 255:
            raise Problem(400, f"{path}: the name is too long")
        bits = int(mode, 8) if mode else stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else 0o644
        # Outside of what can be listed.
        draft = os.path.join(self.root, f".draft-{secrets.token_hex(8)}")
        try:
            with open(draft, "wb") as file:
                file.write(content)
            os.chmod(draft, bits)
            os.replace(draft, target)
        except BaseException:
            if os.path.exists(draft):
                os.unlink(draft)
            raise

    def delete(self, path, recursive):
        target = self.path(path, follow=False)
        if not os.path.isdir(target) or os.path.islink(target):
            os.unlink(target)
        elif recursive:
            shutil.rmtree(target)
        else:
            os.rmdir(target)

    def move(self, old, new):
        source, target = self.path(old, follow=False), self.path(new, follow=False)
        os.lstat(source)
        if os.path.isdir(target):
            raise Problem(409, f"{new}: is a directory")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(source, target)

    def destroy(self):
        kill_tree(self.name + "/")
        # What was writing just now may have made a file meanwhile.
        for _ in range(5):
            shutil.rmtree(self.root, ignore_errors=True)
            if not os.path.exists(self.root):
                return
        raise Problem(500, "the directory cannot be removed")


class Backend(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 256

    def __init__(self, port, root, key):
        super().__init__(("127.0.0.1", port), Handler)
        self.root, self.key, self.lock = os.path.realpath(root), key, threading.Lock()
        os.makedirs(self.root, exist_ok=True)
        # Sandboxes outlive this program.
        self.sandboxes = {}
        for name in os.listdir(self.root):
            sandbox = Sandbox.__new__(Sandbox)
            sandbox.name, sandbox.image, sandbox.root = name, "", os.path.join(self.root, name)
            self.sandboxes[name] = sandbox

    def sandbox(self, name):
        try:
            return self.sandboxes[name]
        except KeyError:
            raise Problem(404, f"there is no sandbox {name}") from None

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is none
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass  # paths and commands are the users' own

    def do(self):
        try:
            self.body_is_read = False
            if not hmac.compare_digest(self.headers.get("X-API-Key", "").encode(), self.server.key.encode()):
                raise Problem(401, "a key is wanted in X-API-Key")
            url = urlsplit(self.path)
            parts, query = [unquote(p) for p in url.path.split("/") if p], {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
            self.route(self.command, parts, query)
        except Problem as problem:
            self.answer(problem.status, {"error": str(problem)})
        except ConnectionError:
            self.close_connection = True
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = problem_of(error)
            self.answer(problem.status, {"error": str(problem)})

    do_GET = do_POST = do_DELETE = do

    def route(self, method, parts, query):
        body = self.body() if method != "GET" else query
        match method, *parts:
            case "GET", "health":
                # More than the contract asks for: this backend takes any bytes for a file, not only texts.
                self.answer(200, {"status": "ok", "features": ["base64"]})
            case "POST", "spawn":
                name = "ex-" + secrets.token_hex(8)
                self.server.sandboxes[name] = Sandbox(self.server.root, name, str(body.get("image") or ""))
                self.answer(200, {"id": name})
            case "GET", "status", name:
                self.server.sandbox(name)
                self.answer(200, {"id": name, "state": "running"})
            case "DELETE", "sandboxes", name:
                sandbox = self.server.sandbox(name)
                sandbox.destroy()
                self.server.sandboxes.pop(name, None)
                self.answer(200, {})
            case "POST", "exec":
                self.execute(self.server.sandbox(body["sandbox_id"]), body)
            case _, "files", *rest:
                self.files(method, rest, self.server.sandbox(body["sandbox_id"]), body)
            case _:
                raise Problem(404, "there is no such address")

    def files(self, method, rest, sandbox, body):
        match method, *rest:
            case "POST",:
                content = base64.b64decode(body["content"], validate=True) if body.get("encoding") == "base64" else body["content"].encode()
                sandbox.write(body["path"], content, body.get("mode"))
            case "GET",:
                return self.send_file(sandbox.path(body["path"]))
            case "DELETE",:
                sandbox.delete(body["path"], body.get("recursive") is True)
            case "GET", "list":
                path = sandbox.path(body["path"])
                return self.answer(200, [sandbox.info(os.path.join(path, name), listed=True) for name in sorted(os.listdir(path))])
            case "GET", "stat":
                return self.answer(200, sandbox.info(sandbox.path(body["path"])))
            case "GET", "glob":
                found = glob.glob(glob.escape(sandbox.root) + os.path.join("/workspace", body["pattern"]), recursive=True)
                inside = [path for path in found if os.path.commonpath([os.path.realpath(path), sandbox.root]) == sandbox.root]
                return self.answer(200, [sandbox.shown(path) for path in sorted(inside)])
            case "POST", "move":
                sandbox.move(body["old_path"], body["new_path"])
            case "POST", "chmod":
                os.chmod(sandbox.path(body["path"]), int(body["mode"], 8))
            case _:
                raise Problem(404, "there is no such address")
        self.answer(200, {})

    def execute(self, sandbox, request):
        """Runs a command until it ends or its client goes away. Both streams are read as they come; a slow client makes the command wait."""
        process, mark, said = sandbox.start(request)
        emit = self.open_lines() if request.get("stream") else None
        parts, code = {"stdout": [], "stderr": []}, mark
        def out(name, text):
            if text:
                emit({"stream": name, "data": text}) if emit else parts[name].append(text)
        try:
            if process is None:
                out("stderr", said)
            else:
                code = self.follow(process, out)
        except BaseException:
            kill_tree(mark)
            raise
        finally:
            if process:
                process.stdout.close(), process.stderr.close()
                process.wait()
        if emit:
            # The exit code on the last line is more than the contract asks for.
            emit({"stream": "stdout", "data": "", "exit_code": code})
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(200, {"exit_code": code, "stdout": "".join(parts["stdout"]), "stderr": "".join(parts["stderr"])})

    def follow(self, process, out):
        decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ, "stdout")
            waiting.register(process.stderr, selectors.EVENT_READ, "stderr")
            waiting.register(self.connection, selectors.EVENT_READ, "client")
            exit_pipe = os.pidfd_open(process.pid)
            try:
                waiting.register(exit_pipe, selectors.EVENT_READ, "exit")
                over = False
                while not over:
                    ready = waiting.select()
                    for key, _ in ready:
                        if key.data == "client":
                            if not self.connection.recv(1, socket.MSG_PEEK):
                                raise ConnectionResetError("the client went away")
                            waiting.unregister(self.connection)  # it has sent its next request, and waits
                        elif key.data == "exit":
                            # What it has written is still read, also where a child of it holds the pipe open.
                            over = not any(other.data in decoders for other, _ in ready)
                        else:
                            data = os.read(key.fd, 65536)
                            if not data:
                                waiting.unregister(key.fileobj)
                            out(key.data, decoders[key.data].decode(data, final=not data))
            finally:
                os.close(exit_pipe)
        code = process.wait()
        return code if code >= 0 else 128 - code

    def open_lines(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        def emit(line):
            data = json.dumps(line).encode() + b"\n"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        return emit

    def send_file(self, path):
        if os.path.isdir(path):
            raise Problem(400, "is a directory")
        with open(path, "rb") as file:
            size, start, end = os.fstat(file.fileno()).st_size, 0, None
            wanted = self.headers.get("Range", "")
            if wanted.startswith("bytes="):
                first, _, last = wanted[6:].partition("-")
                start, end = int(first), min(int(last), size - 1) if last else size - 1
                if start >= size:
                    raise Problem(416, "beyond the end")
            length = (size if end is None else end + 1) - start
            self.send_response(200 if end is None else 206)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(length))
            if end is not None:
                self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
            self.end_headers()
            if length and self.connection.sendfile(file, start, length) != length:
                self.close_connection = True  # it has become shorter

    def body(self):
        """The JSON object of a request, of a given length or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces, total = [], 0
            while size := int(self.rfile.readline(64), 16):
                total += size
                if total > LARGEST_BODY:
                    raise Problem(413, "the body is too large")
                pieces.append(self.rfile.read(size))
                self.rfile.readline(8)
            self.rfile.readline(8)
            data = b"".join(pieces)
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST_BODY:
                raise Problem(413, "the body is too large")
            data = self.rfile.read(length)
            if len(data) < length:
                raise ConnectionResetError("the client went away")
        self.body_is_read = True
        body = json.loads(data) if data else {}
        if not isinstance(body, dict):
            raise Problem(400, "an object is wanted")
        return body

    def answer(self, status, body):
        data = json.dumps(body).encode()
        # What is left of an unread body would be taken for the next request.
        self.close_connection = self.close_connection or (self.command != "GET" and not self.body_is_read)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", required=True, help="directory of the sandboxes")
    options.add_argument("--port", type=int, default=9000, help="0 takes any free one")
    given = options.parse_args()
    key = os.environ.pop("STACYVM_BACKEND_KEY", "")
    if len(key) < 16:
        sys.exit("set STACYVM_BACKEND_KEY to a secret of 16 characters or more: whoever has it runs commands on this machine")
    server = Backend(given.port, given.root, key)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
