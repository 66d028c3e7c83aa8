"""The one door to git: through GitPython's `Git.execute`, on bytes, with a clean environment and a deadline."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.errors import Problem, ShiplaneError, printable

if TYPE_CHECKING:
    from git import Git

OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`, which the embedded forge merges by."""
_DEADLINE = 300  # seconds for one git process: a hung server must not hang a pipeline for ever
_SURROUNDINGS = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CONFIG",
)
_LITERALLY = {"GIT_LITERAL_PATHSPECS": "1"}  # a file may be called `:!x`: a path is never a pattern
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s]+@")
_SAYS_NOTHING = (
    "Could not read from remote repository",
    "failed to push some refs",
    "remote end hung up",
    "index-pack",
    "from promisor remote",
)


class NoBranch(ShiplaneError):
    """A repository whose default branch has no commit."""


class GitFailed(ShiplaneError):
    """git ended with another code than 0; `stdout` and `stderr` are as it wrote them, less passwords in addresses."""

    def __init__(self, verb: str, status: int, stdout: bytes, stderr: str) -> None:
        self.verb, self.status, self.stdout = verb, status, stdout
        self.stderr = redact(stderr)
        super().__init__(Problem(f"git {verb}", self.reason))

    @property
    def reason(self) -> str:
        """git's own last words, as one line without its `fatal:` mark."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip() and not line.startswith("hint:")]
        told = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines
        telling = [line for line in told if not any(words in line for words in _SAYS_NOTHING)] or told
        return printable(re.sub(r"^(fatal|error): ", "", telling[-1])) if told else f"ended with {self.status}"


def redact(text: str) -> str:
    """`text` without the user and password part of any address in it."""
    return _URL_PASSWORD.sub("", text)


def git(
    folder: str,
    verb: str,
    *arguments: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    settings: Sequence[str] = (),
) -> bytes:
    """The standard output of `git verb arguments` in `folder`, exactly as written; raises GitFailed on another code.

    `settings` are `name=value` pairs of configuration for this one process.
    """
    door = _door()
    with tempfile.TemporaryFile() as fed:
        fed.write(stdin)
        fed.seek(0)
        status, stdout, stderr = door(folder).execute(
            ["git", *(word for setting in settings for word in ("-c", setting)), verb, *arguments],
            istream=fed,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=_DEADLINE,
            env=_environment(environment or {}),
        )
    if status != 0:
        said = stderr if isinstance(stderr, str) else stderr.decode("utf-8", "replace")
        late = status < 0 and said.startswith("Timeout: ")  # GitPython's words, with the whole command in them
        raise GitFailed(verb, status, stdout, _late() if late else said)
    return bytes(stdout)


def _late() -> str:
    return f"fatal: no answer within {_DEADLINE} s"


class Running:
    """A git that works while we do something else."""

    def __init__(self, verb: str, process: Git.AutoInterrupt) -> None:
        self._verb = verb
        self._kept = process  # it ends git once nobody refers to it any more
        self._process: Any = process.proc

    def finish(self) -> bytes:
        """Its standard output, once it has ended; raises GitFailed as `git` does."""
        _door()
        deadline = threading.Timer(_DEADLINE, self.stop)
        deadline.start()
        try:
            stdout, stderr = self._process.communicate()
        finally:
            deadline.cancel()
        if status := self._process.returncode:
            said = _late() if status == -signal.SIGTERM else stderr.decode("utf-8", "replace")
            raise GitFailed(self._verb, status, stdout, said)
        return bytes(stdout)

    def stop(self) -> None:
        """End it, where it has not ended by itself, with what it has started: git leaves that behind, waiting."""
        if self._process.returncode is None:
            for pid in _family(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def drop(self) -> None:
        """Hear no more of what it says: where the system does not tell what it has started, that ends by this."""
        for pipe in (self._process.stdout, self._process.stderr):
            pipe.close()
        self._process.wait()


def _family(pid: int) -> list[int]:
    """`pid` and what has come from it, as far as the system tells (proc(5), children)."""
    try:
        born = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        born = []
    return [pid, *(each for child in born for each in _family(int(child)))]


@contextlib.contextmanager
def begun(folder: str, verb: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[Running]:
    """`git verb arguments` in `folder`, begun; one that nobody has waited for is stopped at the end."""
    process = _class()(folder).execute(["git", verb, *arguments], as_process=True, env=_environment(environment))
    running = Running(verb, process)
    try:
        yield running
    finally:
        running.stop()
        running.drop()


def signing(folder: str) -> list[str]:
    """What `commit-tree` must be told where the user's git signs commits: it does not look by itself."""
    try:
        return ["-S"] if git(folder, "config", "--type=bool", "--get", "commit.gpgsign").strip() == b"true" else []
    except GitFailed:
        return []


@functools.cache
def _class() -> type[Git]:
    """GitPython's Git class, if there is a git; imported late, since it costs 60 ms."""
    try:
        from git import Git
    except ImportError:
        raise ShiplaneError(Problem("git", "not found on PATH", "install git 2.38 or newer")) from None
    _forget_surroundings()
    return Git


@functools.cache
def _door() -> type[Git]:
    """The same, once it is sure that git is new enough."""
    version = _class()().version_info
    if version[:2] < OLDEST:
        have, need = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        raise ShiplaneError(Problem(f"git {have}", f"too old: Shiplane needs {need}", f"install git {need} or newer"))
    return _class()


def _forget_surroundings() -> None:
    """Drop the variables that tie git to a repository around us: a hook or `git -c` sets them (git-rev-parse(1))."""
    for name in _SURROUNDINGS:
        os.environ.pop(name, None)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """What git is told besides: it may ask for a password where somebody can answer, and nowhere else."""
    quiet = {} if sys.stdin is not None and sys.stdin.isatty() else {"GIT_TERMINAL_PROMPT": "0"}
    return {**quiet, **_LITERALLY, **own}
