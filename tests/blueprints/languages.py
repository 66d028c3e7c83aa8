"""How the services of each blueprint are started, and put to the test, from the folder that they are rendered into."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from tests.blueprints import golang, node

HANG_SECONDS = 7.0  # longer than a worker waits where its queue cannot be reached


@dataclass(frozen=True)
class Language:
    """What differs from blueprint to blueprint when a rendered service is run here.

    `prepared` makes what was rendered ready to start, where a language needs that, and skips where it cannot be done
    here; `calling` and `listed` see to it themselves. Commands are started in `folder` of the service; `image` and
    `health_check` are what its Dockerfile has in their place. `ask` takes an address, or none for the service's own.
    `described` reads the description out of the manifest at `manifest`.

    `calling` makes the sample endpoint of a web service call `ledger`, and answer with the `traceparent` of that call;
    the text `refused` makes the call fail, and the answer 500.

    `listed` makes a worker take the messages that the environment lists, in place of its sample. MESSAGES is a JSON
    list of objects: `traceparent`, `seconds` (how long it takes), `calls` (services that it calls in turn), `refused`
    (the one of them that fails), `fails` (it cannot be handled), `breaks` (the queue cannot be reached), `hangs` (the
    queue does not come back), `dies` (the loop ends unasked). NOTES is a file that gets a line for each call, `call
    TRACEPARENT`, and for each end of a message, `ack N` or `nack N` by its place in the list. And the loop counts as
    hanging after `HANG_SECONDS`, in place of a minute.
    """

    command: tuple[str, ...]
    ask: tuple[str, ...]
    image: tuple[str, ...]
    health_check: tuple[str, ...]
    own_tests: tuple[str, ...]
    passed: str
    manifest: str
    described: Callable[[str], object]
    calling: Callable[[Path], None]
    listed: Callable[[Path], None]
    folder: str = "src"
    prepared: Callable[[Path], None] = lambda root: None
    variables: Mapping[str, str] = field(default_factory=dict)


_LISTED_SOURCE = """

import json
import os

MESSAGES = json.loads(os.environ.get("MESSAGES", "[]"))


def note(text):
    with open(os.environ["NOTES"], "a") as notes:
        print(text, file=notes)


@dataclass(frozen=True)
class Listed:
    number: int
    body: bytes
    properties: dict

    def ack(self):
        note(f"ack {self.number}")

    def nack(self):
        note(f"nack {self.number}")


class ListedSource:
    number = -1

    def take(self, seconds):
        self.number += 1
        if self.number >= len(MESSAGES):
            time.sleep(0.05)
            return None
        told = MESSAGES[self.number]
        if told.get("breaks"):
            raise OSError("no route to the queue")
        if told.get("dies"):
            raise SystemExit("the loop ends")
        if told.get("hangs"):
            time.sleep(600)
        properties = {"traceparent": told["traceparent"]} if "traceparent" in told else {}
        return Listed(self.number, json.dumps(told).encode(), properties)

    def close(self):
        pass


def connect(settings):
    return ListedSource()
"""
_LISTED_APP = """

import json
import time

from .calls import call, traceparent
from .source import note


def handle(message):
    told = json.loads(message.body)
    time.sleep(told.get("seconds", 0))
    for dependency in told.get("calls", []):
        with call(dependency):
            note(f"call {traceparent()}")
            if dependency == told.get("refused"):
                raise ConnectionError("refused")
    if told.get("fails"):
        raise ValueError("no such account")
"""


_SAMPLE = "        return note\n"
_CALLING = """\
        from .calls import call, traceparent
        with call("ledger"):
            if note.text == "refused":
                raise ConnectionError("refused")
            return Note(text=traceparent())
"""


def _python_calling(root: Path) -> None:
    path = root / "src" / "service" / "app.py"
    text = path.read_text()
    assert _SAMPLE in text
    path.write_text(text.replace(_SAMPLE, _CALLING))


def _python_listed(root: Path) -> None:
    for name, text in (("source", _LISTED_SOURCE), ("app", _LISTED_APP)):
        path = root / "src" / "service" / f"{name}.py"
        path.write_text(path.read_text() + text)  # what is defined last is what counts
    path, minute = root / "src" / "service" / "consume.py", "HANG_SECONDS = 60.0\n"
    assert minute in path.read_text()
    path.write_text(path.read_text().replace(minute, f"HANG_SECONDS = {HANG_SECONDS}\n"))


LANGUAGES = {
    "python": Language(
        command=(sys.executable, "-W", "error", "-m", "service"),
        ask=(sys.executable, "-m", "service", "ask"),
        image=("python", "-m", "service"),
        health_check=("python", "-m", "service", "ask"),
        own_tests=(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        passed=r"^\d+ passed in",
        manifest="pyproject.toml",
        described=lambda text: tomllib.loads(text)["project"]["description"],
        calling=_python_calling,
        listed=_python_listed,
        variables={"PYTHONDONTWRITEBYTECODE": "1"},
    ),
    "node": Language(
        command=(node.NODE, "main.js"),
        ask=(node.NODE, "main.js", "ask"),
        image=("node", "main.js"),
        health_check=("node", "main.js", "ask"),
        own_tests=(node.NPM, "test"),
        passed=r"^(#|ℹ) pass [1-9]\d*$",
        manifest="chart/Chart.yaml",  # and not package.json, whose scripts a shell runs
        described=lambda text: yaml.safe_load(text)["description"],
        calling=node.calling,
        listed=partial(node.listed, hang_seconds=HANG_SECONDS),
        folder="dist/src",
        prepared=node.build,
    ),
    "go": Language(
        command=("./service",),
        ask=("./service", "ask"),
        image=("/service",),
        health_check=("/service", "ask"),
        own_tests=("make", "test"),
        passed=r"^ok\s+service/internal/app\b",
        manifest="chart/Chart.yaml",  # a go.mod has no place for it
        described=lambda text: yaml.safe_load(text)["description"],
        calling=golang.calling,
        listed=lambda root: golang.listed(root, HANG_SECONDS),
        folder=".",
        prepared=golang.build,
        variables=golang.VARIABLES,
    ),
}
"""By the blueprint's name."""
