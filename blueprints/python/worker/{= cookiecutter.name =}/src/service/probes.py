"""What probes and Prometheus are answered, from threads of their own: /health, /health/ready and /metrics."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_log = logging.getLogger(__name__)


def listen(host: str, port: int, healthy: Callable[[], bool], ready: Callable[[], bool]) -> None:
    """Answer as long as the process lives; raises OSError where the port cannot be had."""

    class Answer(BaseHTTPRequestHandler):
        timeout = 5  # seconds for a request to arrive

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/health":
                    self._say(*((200, "ok") if healthy() else (503, "stuck")))
                case "/health/ready":
                    self._say(*((200, "ready") if ready() else (503, "leaving" if healthy() else "stuck")))
                case "/metrics":
                    self._send(200, CONTENT_TYPE_LATEST, generate_latest())
                case _:
                    self._say(404, "not found")

        def _say(self, code: int, status: str) -> None:
            self._send(code, "application/json", json.dumps({"status": status}, separators=(",", ":")).encode())

        def _send(self, code: int, kind: str, body: bytes) -> None:
            self.send_response_only(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            _log.debug(format, *arguments)

    class Server(ThreadingTCPServer):  # and not http.server's, which asks DNS for its own name first
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            _log.debug("who asked has gone", exc_info=True)

    server = Server((host, port), Answer)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
