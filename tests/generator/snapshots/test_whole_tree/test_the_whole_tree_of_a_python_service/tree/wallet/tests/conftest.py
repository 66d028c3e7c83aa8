"""The service, started as it runs in its image: a process of its own on a port of this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PATIENCE = 20  # seconds; far more than a start or a stop takes


@dataclass
class Running:
    """A running service: its process and its port."""

    process: subprocess.Popen[str]
    port: int

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
        """The status and the text of one answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """Send SIGTERM; the exit code, and every log line."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        logs, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, [json.loads(line) for line in logs.splitlines()]


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the service with the variables given, and waits until it answers; all are ended with the test."""
    processes: list[subprocess.Popen[str]] = []

    def starting(**variables: str) -> Running:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)}
        process = subprocess.Popen(
            [sys.executable, "-m", "service"],
            env={**surroundings, "HOST": "127.0.0.1", "PORT": str(port), **variables},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        service = Running(process, port)
        _wait_for(service)
        return service

    yield starting
    for process in processes:
        with process:
            process.kill()


def _wait_for(service: Running) -> None:
    until = time.monotonic() + PATIENCE
    while service.process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", service.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
