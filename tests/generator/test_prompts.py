"""The command at a real terminal: each answer checked when given, and ^C at any point leaves nothing."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.generator.trees import build_layer

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # stdin is the terminal that ^C comes from
from generator.commands.newservice import run
raise SystemExit(run())
"""
_PATIENCE = 20  # seconds
QUESTIONS = {
    "description": {"title": "What does it do?", "type": "string", "default": "A service"},
    "owner": {"title": "Owner", "type": "string", "pattern": "^[a-z]+$", "description": "small letters"},
    "port": {"title": "Port", "type": "integer", "minimum": 1024, "default": 8080},
    "calls": {"title": "Calls", "type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "default": []},
    "public": {"title": "Public", "type": "boolean", "default": False},
}


class Terminal:
    """A `newservice` with stdin and stderr at a terminal, and stdout in a pipe."""

    def __init__(self, folder: Path, *argv: str) -> None:
        self.master, slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *argv],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder.parent / "tmp"), "TERM": "dumb"},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def until(self, text: str) -> str:
        """What stands on the terminal since the last call, once `text` is there; fails when it does not come."""
        end = time.monotonic() + _PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode()
                except OSError:  # Linux's way to say that the other side is closed
                    assert text in self.seen, self.seen
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self.master, text.encode())

    def ended(self) -> tuple[int, str]:
        """The exit code and stdout."""
        out, _ = self.process.communicate(timeout=_PATIENCE)
        return self.process.returncode, out.decode()


@pytest.fixture
def own(tmp_path: Path, work: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return build_layer(tmp_path / "own", {"about": "{= cookiecutter.owner =}\n"}, QUESTIONS)


@pytest.fixture
def started(work: Path, own: Path) -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.process.kill()
        terminal.process.communicate()
        os.close(terminal.master)


def start(started: list[Terminal], work: Path, own: Path, *argv: str) -> Terminal:
    terminal = Terminal(work, "wallet", "--blueprint", str(own), "--trust", *argv)
    started.append(terminal)
    return terminal


def nothing_left(work: Path) -> bool:
    return [*work.iterdir(), *(work.parent / "tmp").iterdir()] == []


def test_a_wrong_answer_is_asked_for_again_at_once(started: list[Terminal], work: Path, own: Path) -> None:
    terminal = start(started, work, own)

    assert "What does it do? [A service] › " in terminal.until("› ")
    terminal.type("moves mönéy 🚀\n")
    assert "Owner            › " in terminal.until("› ")
    terminal.type("Payments\n")
    assert 'Error: "Payments" does not match ^[a-z]+$; small letters' in terminal.until("› ")
    terminal.type("\n")  # there is no default
    terminal.until("› ")
    terminal.type("payments\n")
    assert "Port             [8080] › " in terminal.until("› ")
    terminal.type("80\n")
    assert "Error: must be at least 1024, not 80" in terminal.until("› ")
    terminal.type("many\n")
    assert 'Error: must be a whole number, not "many"' in terminal.until("› ")
    terminal.type("9000\n")
    assert "Calls            › " in terminal.until("› ")
    terminal.type("ledger, Wallet\n")
    assert 'Error: "Wallet" does not match' in terminal.until("› ")
    terminal.type("ledger, orders\n")
    assert "Public           [false] › " in terminal.until("› ")
    terminal.type("\n")

    assert "next: " in terminal.until("next: ")
    assert terminal.ended() == (0, "wallet/\n")
    assert yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())["answers"] == {
        "description": "moves mönéy 🚀",
        "owner": "payments",
        "port": 9000,
        "calls": ["ledger", "orders"],
        "public": False,
    }


def test_what_is_answered_already_is_not_asked(started: list[Terminal], work: Path, own: Path) -> None:
    given = [f"--set={each}" for each in ("description=x", "port=9000", "calls=", "public=yes")]
    terminal = start(started, work, own, *given)

    assert terminal.until("› ").count("›") == 1
    terminal.type("payments\n")

    assert "›" not in terminal.until("next: ")
    assert terminal.ended()[0] == 0


WORKER = [
    {
        "if": {"properties": {"kind": {"const": "worker"}}, "required": ["kind"]},
        "then": {"properties": {"calls": {"const": [], "description": "a worker calls nobody"}}},
    }
]


def test_what_can_only_take_its_default_is_not_asked(started: list[Terminal], work: Path, own: Path) -> None:
    kind = {"title": "Kind", "type": "string", "enum": ["http", "worker"], "default": "http"}
    one = {"title": "One", "type": "string", "enum": ["x"], "default": "x"}
    last = {"title": "Last", "type": "string", "default": "z"}
    questions = {"one": one, "kind": kind, "calls": QUESTIONS["calls"], "last": last}
    build_layer(own, {"about": "x\n"}, questions, conditions=WORKER)
    terminal = start(started, work, own)

    assert "Kind" in terminal.until("› ")
    terminal.type("worker\n")
    assert "Last" in terminal.until("› ")
    terminal.type("\n")

    terminal.until("next: ")
    assert terminal.ended()[0] == 0
    answers = yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())["answers"]
    assert answers == {"one": "x", "kind": "worker", "calls": [], "last": "z"}


def test_an_answer_that_clashes_with_a_given_one_is_asked_for_again(
    started: list[Terminal], work: Path, own: Path
) -> None:
    kind = {"title": "Kind", "type": "string", "enum": ["http", "worker"], "default": "http"}
    build_layer(own, {"about": "x\n"}, {"kind": kind, "calls": QUESTIONS["calls"]}, conditions=WORKER)
    terminal = start(started, work, own, "--set", "calls=ledger")

    terminal.until("› ")
    terminal.type("worker\n")
    said = 'Error: --set calls=ledger: must be empty, not ["ledger"]; a worker calls nobody'
    assert said in terminal.until("› ")
    terminal.type("http\n")

    assert "›" not in terminal.until("next: ")
    assert terminal.ended()[0] == 0


def test_nothing_is_asked_without_input(started: list[Terminal], work: Path, own: Path) -> None:
    terminal = start(started, work, own, "--no-input")

    assert "›" not in terminal.until("error: owner: is not answered")
    assert terminal.ended() == (1, "")
    assert nothing_left(work)


def test_mistakes_in_options_are_told_before_anything_is_asked(started: list[Terminal], work: Path, own: Path) -> None:
    terminal = start(started, work, own, "--set", "port=80")

    assert "›" not in terminal.until("--set port=80: must be at least 1024, not 80")
    assert terminal.ended() == (1, "")


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["^C", "^D"])
def test_leaving_at_a_prompt_leaves_nothing(started: list[Terminal], work: Path, own: Path, key: str) -> None:
    terminal = start(started, work, own)
    terminal.until("› ")
    terminal.type("x\n")
    terminal.until("› ")
    time.sleep(0.3)  # a person's pause: a signal just before read(2) would wait for the next key

    terminal.type(key)

    assert "Traceback" not in terminal.until("interrupted")
    assert terminal.ended() == (130, "")
    assert nothing_left(work)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_rendering_leaves_nothing(
    started: list[Terminal], work: Path, own: Path, number: signal.Signals
) -> None:
    endless = "{=% for a in range(99999) %=}{=% for b in range(99999) %=}{=% endfor %=}{=% endfor %=}"
    build_layer(own, {"about": endless})
    terminal = start(started, work, own)
    terminal.until("blueprint own")
    end = time.monotonic() + _PATIENCE
    while not list((work.parent / "tmp").rglob("wallet")):  # cookiecutter has begun
        assert time.monotonic() < end
        time.sleep(0.01)

    if number == signal.SIGINT:
        terminal.type("\x03")
    else:
        terminal.process.send_signal(number)

    assert "Traceback" not in terminal.until("interrupted")
    assert terminal.ended() == (130, "")
    assert nothing_left(work)
