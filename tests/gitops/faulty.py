"""A registry that answers as it is told to: for what no honest registry does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.gitops.oci import Image, digest_of


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; header names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    times: int
    """Which request for this path it is, from 1."""


@dataclass(frozen=True)
class Reply:
    """What it answers: pieces of the body are sent one by one, as they come."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """A running one; `seen` are its requests."""

    port: int
    seen: list[Asked] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


def holding(*images: Image, tag: str) -> Callable[[Asked], Reply]:
    """The answers of an honest registry that holds `images`, the first of them tagged."""
    manifests = {reference: made for made in images for reference in (made.digest, f"{tag}" * (made is images[0]))}
    blobs = {digest_of(blob): blob for made in images for blob in made.blobs}

    def answer(asked: Asked) -> Reply:
        _, _, kind = asked.path.partition("?")[0].rpartition("/")[0].rpartition("/")
        wanted = asked.path.partition("?")[0].rpartition("/")[2]
        if kind == "manifests" and wanted in manifests:
            made = manifests[wanted]
            return Reply(200, made.manifest, {"Content-Type": made.media_type, "Docker-Content-Digest": made.digest})
        if kind == "blobs" and wanted in blobs:
            return Reply(200, blobs[wanted])
        return Reply(404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}).encode())

    return answer


@contextmanager
def serve(answer: Callable[[Asked], Reply], tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Serve what `answer` says, on loopback."""
    counts: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            counts[self.path] = counts.get(self.path, 0) + 1
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, counts[self.path])
            server.seen.append(asked)
            self.rfile.read(int(headers.get("content-length") or 0))
            self._send(answer(asked))

        do_HEAD = do_POST = do_GET

        def _send(self, reply: Reply) -> None:
            self.close_connection = True
            self.send_response(reply.status)
            for name, value in {"Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            if isinstance(reply.body, bytes):
                self.send_header("Content-Length", str(len(reply.body)))
            try:
                self.end_headers()
                if self.command == "HEAD":
                    return
                for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                return  # the client has had enough, which is what it is tested for

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        server = Server(listening.server_port)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield server
        listening.shutdown()
