"""Bare git repositories over real smart HTTP on loopback, with every request on record.

    with serve(root) as server:
        git("clone", f"{server.url}/wallet.git")
        assert [request.method for request in server.requests] == ["GET", "POST", "POST"]

`git http-backend` does the work: protocol v2, partial clone and pushes are git's own.
"""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_PACK = b"PACK\x00\x00\x00\x02"
# What GitHub allows: partial clone, and a fetch of any object by its id.
_ALLOWED = ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack")


@dataclass(frozen=True)
class Request:
    """One request as the server saw it. Sizes are bytes of body; `objects` is what the packs in it say they hold."""

    method: str
    path: str
    query: str
    protocol: str
    status: int
    received: int
    sent: int
    objects: int

    @property
    def service(self) -> str:
        """`git-upload-pack` or `git-receive-pack`, also for the advertisement that comes first."""
        return self.query.removeprefix("service=") if self.query else self.path.rpartition("/")[2]


@dataclass
class Server:
    """A running server. `read_only`, `delay` (seconds before each answer) may be changed while it runs."""

    url: str
    root: Path
    credentials: tuple[str, str] | None = None
    read_only: bool = False
    delay: float = 0.0
    requests: list[Request] = field(default_factory=list)

    def admits(self, authorization: str) -> bool:
        """Whether the header holds the credentials: as Basic, or the second of them alone as Bearer."""
        if self.credentials is None:
            return True
        basic = base64.b64encode(":".join(self.credentials).encode()).decode()
        return authorization in (f"Basic {basic}", f"Bearer {self.credentials[1]}")


@contextmanager
def serve(
    root: Path,
    *,
    credentials: tuple[str, str] | None = None,
    read_only: bool = False,
    delay: float = 0.0,
) -> Iterator[Server]:
    """Serve all repositories below `root` as `<server.url>/<path>`.

    With `credentials` (user, token) others get 401; `read_only` answers a push with 403; `delay` is seconds a request.
    """
    backend = _backend()
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        listener.backend = backend
        listener.served = Server(f"http://127.0.0.1:{listener.server_port}", root, credentials, read_only, delay)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield listener.served
        finally:
            listener.shutdown()
            thread.join()


def _backend() -> str:
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    found = shutil.which("git-http-backend", path=folder)
    if found is None:
        pytest.skip("git http-backend is not installed")
    return found


class _Listener(ThreadingHTTPServer):
    """Holds what its handlers share. A deep backlog: many writers come at once."""

    request_queue_size = 128
    backend: str
    served: Server

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own asks DNS for a name first
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # a body is written after its head, and would wait for the client's ACK of that, which Linux delays by 40 ms
    disable_nagle_algorithm = True
    server: _Listener

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the record is `Server.requests`."""

    def do_GET(self) -> None:
        self._exchange()

    def do_POST(self) -> None:
        self._exchange()

    def _exchange(self) -> None:
        """Read, judge, answer, record. A client that is killed meanwhile ends its own connection, nothing else."""
        try:
            body = self._body()
        except (ConnectionError, ValueError):
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        time.sleep(self.server.served.delay)
        status, headers, answer = self._refusal(path, query) or self._run(path, query, body)
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.served.requests.append(
            Request(
                method=self.command,
                path=path,
                query=query,
                protocol=self.headers.get("Git-Protocol", ""),
                status=status,
                received=len(body),
                sent=len(answer),
                objects=_objects(plain) + _objects(answer),
            )
        )
        try:
            self._answer(status, headers, answer)
        except ConnectionError:
            self.close_connection = True

    def _body(self) -> bytes:
        """The request's body without its chunks; ValueError where the client went away in the middle."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self._exactly(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self._exactly(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) != size:
            raise ValueError("the client went away")
        return data

    def _refusal(self, path: str, query: str) -> tuple[int, list[tuple[str, str]], bytes] | None:
        served = self.server.served
        if not served.admits(self.headers.get("Authorization", "")):
            return 401, [("WWW-Authenticate", 'Basic realm="git"')], b""
        if served.read_only and "git-receive-pack" in (query.removeprefix("service="), path.rpartition("/")[2]):
            return 403, [("Content-Type", "text/plain")], b"read-only\n"
        return None

    def _run(self, path: str, query: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """One CGI call of `git http-backend`: (status, headers, body)."""
        done = subprocess.run(
            [self.server.backend], input=body, env=self._environment(path, query, len(body)), capture_output=True
        )
        head, blank, answer = done.stdout.partition(b"\r\n\r\n")
        if not blank:
            return 500, [("Content-Type", "text/plain")], done.stderr
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().split("\r\n"))
        ]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        return status, [(name, value) for name, value in headers if name not in ("Status", "Content-Length")], answer

    def _environment(self, path: str, query: str, length: int) -> dict[str, str]:
        """CGI's variables. The server's git sees neither the test's identity nor its configuration."""
        served = self.server.served
        configured = {f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_ALLOWED)}
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": str(len(_ALLOWED)),
            **configured,
            **{key.replace("KEY", "VALUE"): "true" for key in configured},
            "GIT_PROJECT_ROOT": str(served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": served.credentials[0] if served.credentials else "dev",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _objects(data: bytes) -> int:
    """How many objects the pack in `data` announces; 0 where there is none."""
    found = data.find(_PACK)
    count = data[found + len(_PACK) : found + len(_PACK) + 4]
    return int.from_bytes(count, "big") if found >= 0 and len(count) == 4 else 0
