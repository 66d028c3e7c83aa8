"""A rendered service as a process: asked over HTTP, scraped, stopped, its log read line by line."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.blueprints.languages import LANGUAGES, Language
from tests.blueprints.rendered import Made, service

PATIENCE = 30  # seconds; a start takes one
SCHEMA = {"time", "level", "msg", "service", "version", "trace_id"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass
class Running:
    """A process of a service, and its port."""

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

    def sample(self, name: str, **labels: str) -> float | None:
        """What Prometheus would read for this series; None where there is none."""
        status, text = self.ask("/metrics")
        assert status == 200
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        return next((each.value for each in samples if (each.name, each.labels) == (name, labels)), None)

    def listens(self) -> bool:
        """Whether a connection is taken."""
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0

    def send(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """The exit code and every line of the log, each of which has the whole schema."""
        logs, _ = self.process.communicate(timeout=PATIENCE)
        lines = [json.loads(line) for line in logs.splitlines()]
        for line in lines:
            assert line.keys() >= SCHEMA
            assert datetime.fromisoformat(line["time"]).tzinfo is not None
        return self.process.returncode, lines


@dataclass(frozen=True)
class Service:
    """A rendered service that can be started."""

    root: Path
    language: Language

    @contextmanager
    def launched(self, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Its process as its image starts it: in its source folder, with the environment alone."""
        environment = {**self.language.variables, **variables}
        where = self.root / self.language.folder
        with subprocess.Popen(
            self.language.command, cwd=where, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def started(self, **variables: str) -> Iterator[Running]:
        """As `launched`, on a port of its own, from when it listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        with self.launched(HOST="127.0.0.1", PORT=str(port), **variables) as process:
            running = Running(process, port)

            def listens() -> bool:
                assert process.poll() is None
                return running.listens()

            until(listens)
            yield running

    def run(self, *command: str, folder: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run another command of its; the folder is one below the service's own."""
        environment = {**self.language.variables, **variables}
        return subprocess.run(
            command, cwd=self.root / folder, env=environment, capture_output=True, text=True, check=False
        )


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for `holds`; fails when it takes longer."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def placed(folder: Path, made: Made, name: str = "trading-engine", **given: Any) -> Service:
    """The service `name` in `folder`, ready to start."""
    found = unbuilt(folder, made, name, **given)
    found.language.prepared(found.root)
    return found


def unbuilt(folder: Path, made: Made, name: str = "trading-engine", **given: Any) -> Service:
    """The service `name` in `folder`, for what makes it ready in a way of its own: `calling`, `listed`."""
    return Service(service(folder, made, name, **given), LANGUAGES[made.blueprint])
