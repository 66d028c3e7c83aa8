"""A GitHub that others have written: the REST emulator of npm's package `emulate`, on loopback, as a second opinion.

It is not a part of this repository, nor of what its targets install; whoever wants to ask it puts it where this looks:

    npm install --prefix .tools/emulate --ignore-scripts emulate@0.12.2

It speaks REST at the root of its address. Before it stands a door that takes our requests below `/api/v3`, as GitHub
Enterprise does.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import TOOLS
from tests.gitops.github_double.ground import PERMISSIONS, key

VERSION = "0.12.2"
_FOLDER = TOOLS / "emulate"
_START = """
import { createEmulator } from "emulate";
const [port, seed] = process.argv.slice(1);
const made = await createEmulator({ service: "github", port: Number(port), seed: JSON.parse(seed) });
console.log(made.url);
process.stdin.resume();
process.stdin.on("end", async () => { await made.close(); process.exit(0); });
"""


def seed() -> dict[str, Any]:
    """The organisation acme with the repository gitops, its people with tokens `ghp_<login>`, and the App 1234."""
    people = ("dev", "rev", "sue")
    installed = {
        "installation_id": 77,
        "account": "acme",
        "repository_selection": "selected",
        "repositories": ["acme/gitops"],
    }
    app = {"app_id": 1234, "slug": "shiplane", "name": "shiplane", "private_key": key()[0], "events": []}
    return {
        "tokens": {f"ghp_{each}": {"login": each, "scopes": ["repo", "admin:org"]} for each in people},
        "github": {
            "users": [{"login": each} for each in people],
            "orgs": [{"login": "acme", "members": [{"login": each, "role": "admin"} for each in people]}],
            "repos": [{"owner": "acme", "name": "gitops", "auto_init": True}],
            "apps": [{**app, "permissions": dict(PERMISSIONS), "installations": [installed]}],
        },
    }


@contextmanager
def running() -> Iterator[str]:
    """The address of a new one, `http://127.0.0.1:<port>`; a skip where it, or a node, is not there."""
    manifest = _FOLDER / "node_modules" / "emulate" / "package.json"
    node = shutil.which("node")
    if node is None or not manifest.is_file() or json.loads(manifest.read_text())["version"] != VERSION:
        pytest.skip(f"no emulate {VERSION} in .tools/emulate, or no node: tests/gitops/github_emulator.py says how")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [node, "--input-type=module", "--eval", _START, str(port), json.dumps(seed())]
    with subprocess.Popen(command, cwd=_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline().startswith("http://localhost:")
            with _door(port) as address:
                yield address
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@contextmanager
def _door(port: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            there = http.client.HTTPConnection("localhost", port, timeout=30)
            kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            there.request(self.command, self.path.removeprefix("/api/v3"), self.rfile.read(size), kept)
            answer = there.getresponse()
            data = answer.read()
            there.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_request

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.server_port}"
        finally:
            door.shutdown()
            thread.join()
