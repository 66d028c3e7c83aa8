"""The python blueprint's service, started for real."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from generator import blueprint
from tests.blueprints.rendered import service

PATIENCE = 30  # seconds; a start takes one
SCHEMA = ["time", "level", "msg", "service", "version", "trace_id"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return service(tmp_path_factory.mktemp("service"), "trading-engine", secrets=["DATABASE_PASSWORD"])


@contextmanager
def started(root: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The service as its image starts it: in its source folder, with the environment alone; and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = {"HOST": "127.0.0.1", "PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, "-W", "error", "-m", "service"]
    with subprocess.Popen(command, cwd=root / "src", env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + PATIENCE
            while not _listens(port):
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
            yield process, port
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def ended(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and every line of the log, each of which has the whole schema."""
    logs, _ = process.communicate(timeout=PATIENCE)
    lines = [json.loads(line) for line in logs.splitlines()]
    for line in lines:
        assert set(SCHEMA) <= line.keys()
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    return process.returncode, lines


def test_it_answers_on_the_paths_that_the_chart_asks(root: Path) -> None:
    with started(root) as (process, port):
        for path in "/health", "/health/ready":
            assert ask(port, path)[0] == 200
        assert ask(port, "/nothing")[0] == 404
        status, metrics = ask(port, "/metrics")
        assert status == 200
        assert re.search(r'^http_requests_total\{method="GET",route="/health",status="200"\} 1\.0$', metrics, re.M)
        assert "process_cpu_seconds_total" in metrics
        process.terminate()
        assert ended(process)[0] == 0


def test_its_log_tells_what_the_environment_says_and_keeps_the_trace(root: Path) -> None:
    with started(root, SERVICE="wallet", VERSION="1f" * 20) as (process, port):
        traceparent = f"00-{TRACE}-00f067aa0ba902b7-01"
        headers = {"Content-Type": "application/json", "traceparent": traceparent}
        assert ask(port, "/v1/echo", b'{"text": "a\\nb"}', **headers) == (200, '{"text":"a\\nb"}')
        assert ask(port, "/v1/echo", b"nonsense", **headers)[0] == 422
        process.terminate()
        code, lines = ended(process)
    assert code == 0
    assert {(line["service"], line["version"]) for line in lines} == {("wallet", "1f" * 20)}
    requests = [line for line in lines if line["msg"] == "request"]
    assert [(line["status"], line["trace_id"]) for line in requests] == [(200, TRACE), (422, TRACE)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_slow_request_finish(root: Path, number: signal.Signals) -> None:
    body = b'{"text":"slow"}'
    with started(root, DRAIN_SECONDS="1.5", FINISH_SECONDS="20") as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as slow:
            head = f"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            slow.sendall(head.encode() + b"\r\n\r\n" + body[:4])
            assert ask(port, "/health/ready")[0] == 200
            process.send_signal(number)
            until = time.monotonic() + 1
            while (seen := ask(port, "/health/ready")[0]) == 200 and time.monotonic() < until:
                time.sleep(0.01)
            assert seen == 503
            assert ask(port, "/health")[0] == 200  # unready, and yet answering
            process.send_signal(number)  # asked twice, it still leaves in order
            until = time.monotonic() + PATIENCE
            while _listens(port):
                assert time.monotonic() < until
                time.sleep(0.05)
            assert process.poll() is None
            slow.sendall(body[4:])
            answer = slow.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(body)
        code, lines = ended(process)
    assert code == 0
    assert [line["msg"] for line in lines].count("leaving") == 1


def test_a_request_that_never_ends_does_not_hold_it_up(root: Path) -> None:
    with started(root, FINISH_SECONDS="1") as (process, port), socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert ask(port, "/health")[0] == 200
        process.terminate()
        code, _ = ended(process)
    assert code == 0


def test_wrong_settings_are_told_together_and_end_it(root: Path) -> None:
    environment = {"PORT": "70000", "LOG_LEVEL": "loud", "DRAIN_SECONDS": "soon"}
    command = [sys.executable, "-m", "service"]
    with subprocess.Popen(command, cwd=root / "src", env=environment, stdout=subprocess.PIPE, text=True) as process:
        code, lines = ended(process)
    assert code == 78
    assert [line["msg"].split(":")[0] for line in lines] == ["PORT", "LOG_LEVEL", "DRAIN_SECONDS"]


def test_its_own_tests_pass(root: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed in", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("name", ["queue", "email", "class", "signal", "fastapi", "service"])
def test_no_name_of_a_service_gets_in_the_way_of_python(tmp_path: Path, name: str) -> None:
    with started(service(tmp_path, name)) as (process, port):
        assert ask(port, "/health")[0] == 200
        process.terminate()
        code, lines = ended(process)
    assert code == 0
    assert {line["service"] for line in lines} == {name}


def test_the_locks_hold_what_the_service_is_tested_with_here() -> None:
    sources = blueprint.load("python").kind({}).layers[-1].sources
    here = Path(__file__).resolve().parent.parent.parent / "requirements-dev.txt"
    known = dict(re.findall(r"^([\w.-]+)==(\S+)", here.read_text(), re.M))
    for path in "requirements.txt", "requirements-dev.txt":
        text = sources[path].data.decode()
        pins = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))
        assert {"fastapi", "uvicorn", "prometheus-client"} <= pins.keys()
        shared = pins.keys() & known.keys()
        assert {key: pins[key] for key in shared} == {key: known[key] for key in shared}
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) >= len(pins)
        assert "://" not in text
