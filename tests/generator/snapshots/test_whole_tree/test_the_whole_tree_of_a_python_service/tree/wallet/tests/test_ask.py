from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from conftest import SOURCE, Running


def ask(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **variables}
    command = [sys.executable, "-m", "service", "ask", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def answering(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """The address of a server that answers one request with `parts`, a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    for part in parts:
                        time.sleep(pause)
                        connection.sendall(part)
                except OSError:
                    return  # who asked has gone

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/health"
        thread.join()


def test_the_service_is_asked_here_or_by_its_address(start: Callable[..., Running]) -> None:
    service = start()
    assert ask(PORT=str(service.port)).returncode == 0
    done = ask(f"http://127.0.0.1:{service.port}/health/ready", http_proxy="http://127.0.0.1:9")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    missing = ask(f"http://127.0.0.1:{service.port}/nothing")
    assert missing.returncode == 1
    assert missing.stderr == f"http://127.0.0.1:{service.port}/nothing: answers 404\n"


@pytest.mark.parametrize("status", [b"204 No Content", b"299 Other"])
def test_every_2xx_is_good(status: bytes) -> None:
    with answering(b"HTTP/1.1 " + status + b"\r\n\r\n") as url:
        assert ask(url).returncode == 0


@pytest.mark.parametrize("status", [b"302 Found\r\nLocation: /health", b"503 Unavailable", b"100 Continue"])
def test_nothing_else_is(status: bytes) -> None:
    with answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as url:
        done = ask(url)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_two_seconds_are_for_the_whole_answer() -> None:
    with answering(b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 3, pause=1.2) as url:
        done = ask(url)
    assert (done.returncode, done.stderr) == (1, f"{url}: no answer within 2 s\n")


@pytest.mark.parametrize(
    "url", ["nonsense", "https://x/", "http://", "http://x:y/", "http://a b/", "http://[/", "file:///etc/passwd"]
)
def test_what_is_no_address_is_told_on_one_line(url: str) -> None:
    done = ask(url)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_who_does_not_listen_is_told_on_one_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        done = ask(f"http://127.0.0.1:{closed.getsockname()[1]}/health")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "refused" in done.stderr


def test_other_words_are_refused() -> None:
    command = [sys.executable, "-m", "service", "asc"]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert "unknown: asc" in done.stderr
