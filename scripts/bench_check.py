"""What `gitops check` of a whole repository costs beside helm alone rendering the same services.

Twenty services in three environments, each with the golden chart; once their settings differ in each environment, and
once in none. helm alone reads no shiplane.yaml and judges nothing; xargs starts as many at once as there are cores. The
ways are run in turn, so that a busy machine slows them all. Beside the seconds by the clock stand those of the cores,
which it slows less.
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
from gitops import catalog  # noqa: E402 # the same
from gitops.initial import ENVIRONMENTS, initial_tree  # noqa: E402 # the same
from gitops.model import FILE  # noqa: E402 # the same
from tests.gitops import story  # noqa: E402 # the same

SERVICES = 20
TURNS = 7
_CHECK = "from gitops.commands.gitops import run; raise SystemExit(run())"
_CHART = ROOT / "charts" / "service"


def main() -> None:
    """Measure and print a line for each way."""
    os.environ["PATH"] = f"{os.environ['PATH']}:{ROOT / '.tools' / 'bin'}"
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        different, alike = Path(scratch) / "different", Path(scratch) / "alike"
        _lay(different, differ=True)
        _lay(alike, differ=False)
        check = [sys.executable, "-c", _CHECK, "check"]
        alone = ["xargs", f"-P{os.cpu_count() or 1}", "-d", "\n", "-I{}", "sh", "-c", "{}"]
        ways = {
            "helm alone": (alone, _commands(different)),
            "check, 60 different": ([*check, str(different)], ""),
            "check, 20 different": ([*check, str(alike)], ""),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for turn in range(TURNS + 1):
            for name, (command, given) in ways.items():
                once = _took(command, given)
                if turn:  # the first is for the caches
                    taken[name].append(once)
    print(f"{SERVICES} services in {len(ENVIRONMENTS)} environments, median of {TURNS}:")
    base = [statistics.median(column) for column in zip(*taken["helm alone"], strict=True)]
    for name, rows in taken.items():
        wall, cores = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"  {name:<20} {wall:5.1f} s {wall / base[0]:5.2f} x   cores {cores:5.1f} s {cores / base[1]:5.2f} x")


def _lay(folder: Path, *, differ: bool) -> None:
    """A work tree in which every service is pinned in every environment."""
    files = [path for path in _CHART.rglob("*") if path.is_file() and path.parent.name != "ci"]
    chart = {path.relative_to(_CHART).as_posix(): path.read_bytes() for path in files}
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    for name in (f"svc-{number:02}" for number in range(SERVICES)):
        entry = catalog.Service(name, "payments", f"acme/{name}", f"acme/{name}", "standard")
        tree[catalog.path(name)] = (FILE, catalog.entry_yaml(entry))
        for number, environment in enumerate(ENVIRONMENTS):
            tree.update(story.pinned(tree, name, "one", environment, chart))
            values = f"environments/{environment}/{name}/values.yaml"
            more = "owner: payments\n" + (f"replicas: {number + 2}\n" if differ else "")
            tree[values] = (FILE, tree[values][1] + more.encode())
    for path, (_, data) in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _commands(root: Path) -> str:
    """What renders every service by helm alone, a line each."""
    return "".join(
        f"{helm.require()} template {each.name} {each}/chart --namespace {each.name} --kube-version 1.33"
        f" --values {each}/values.yaml --values {each}/release.yaml >/dev/null\n"
        for environment in ENVIRONMENTS
        for each in sorted((root / "environments" / environment).iterdir())
        if each.is_dir()
    )


def _took(command: list[str], given: str) -> tuple[float, float]:
    """Seconds by the clock, and of the processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, input=given, text=True, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
