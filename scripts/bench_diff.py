"""What `gitops diff` of twenty touched services costs beside helm alone rendering the forty results that it compares.

Twenty services with the golden chart; a branch releases each of them anew, with another chart. helm alone reads what
lies on disk already and compares nothing, one call after the other, as a script would; and once more as many at a time
as there are cores. `gitops diff` fetches both sides from a bare repository first. The ways are run in turn, so that a
busy machine slows them all. Beside the seconds by the clock stand those of the cores, which it slows less. The goal: at
most 0.7 of the plain calls.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generator import helm  # noqa: E402 # the checkout's, wherever this is started
from gitops.initial import initial_tree  # noqa: E402 # the same
from gitops.model import FILE  # noqa: E402 # the same
from gitops.repo.create import bare  # noqa: E402 # the same
from scripts import surroundings  # noqa: E402 # the same
from tests.gitops import story  # noqa: E402 # the same

SERVICES = [f"svc-{number:02}" for number in range(20)]
TURNS = 7
GOAL = 0.7
_PLAIN = "40 helm template"
_DIFF = "from gitops.commands.gitops import run; raise SystemExit(run())"
_CHART = ROOT / "charts" / "service"


def main() -> None:
    """Measure and print a line for each way."""
    with tempfile.TemporaryDirectory() as scratch:
        surroundings.enter(Path(scratch))
        repo, sides = Path(scratch) / "gitops.git", [Path(scratch) / name for name in ("old", "new")]
        _lay(repo, sides)
        diff = [sys.executable, "-c", _DIFF, "diff", "--head", "people/new", "--repo", str(repo)]
        calls = "".join(map(_commands, sides))
        many = ["xargs", f"-P{os.cpu_count() or 1}", "-d", "\n", "-I{}", "sh", "-c", "{}"]
        ways = {
            _PLAIN: (["sh"], calls),
            f"the same, {os.cpu_count()} at a time": (many, calls),
            "gitops diff": (diff, ""),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for turn in range(TURNS + 1):
            for name, (command, given) in ways.items():
                once = _took(command, given)
                if turn:  # the first is for the caches
                    taken[name].append(once)
    print(f"{len(SERVICES)} touched services, median of {TURNS}:")
    base = [statistics.median(column) for column in zip(*taken[_PLAIN], strict=True)]
    for name, rows in taken.items():
        wall, cores = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"  {name:<22} {wall:5.2f} s {wall / base[0]:5.2f} x   cores {cores:5.2f} s {cores / base[1]:5.2f} x")
    print(f"  goal                   {GOAL:13.2f} x")


def _lay(repo: Path, sides: list[Path]) -> None:
    """The repository with both states, and each state as files."""
    files = [path for path in _CHART.rglob("*") if path.is_file() and path.parent.name != "ci"]
    chart = {path.relative_to(_CHART).as_posix(): path.read_bytes() for path in files}
    newer = {**chart, "values.yaml": chart["values.yaml"].replace(b"memory: 256Mi", b"memory: 512Mi")}
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    states = []
    for word, each in (("one", chart), ("two", newer)):
        state = {}
        for name in SERVICES:
            state.update({path: data for path, (_, data) in story.pinned(tree, name, word, "staging", each).items()})
        states.append(state)
    bare(repo, {**tree, **{path: (FILE, data) for path, data in states[0].items()}}, "Found gitops\n")
    story.git(repo, "branch", "people/new", "main")
    story.write(repo, {path: data for path, data in states[1].items() if states[0][path] != data}, "people/new")
    for folder, state in zip(sides, states, strict=True):
        for path, data in state.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)


def _commands(root: Path) -> str:
    """What renders every service by helm alone, a line each."""
    return "".join(
        f"{helm.require()} template {each.name} {each}/chart --namespace {each.name} --kube-version 1.33"
        f" --values {each}/values.yaml --values {each}/release.yaml >/dev/null\n"
        for each in sorted((root / "environments" / "staging").iterdir())
    )


def _took(command: list[str], given: str) -> tuple[float, float]:
    """Seconds by the clock, and of the processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, input=given, text=True, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
