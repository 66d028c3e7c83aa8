"""What judging and looking back cost: all gates beside none, and history beside bare `git log`.

Each measurement is a whole process. Of a pair one has every gate that needs no registry, the other has none; the pairs
are run in turn, so that a busy machine slows them all, and the medians are compared: of the seconds by the clock, and
of those of the cores, which it slows less. `git log` only lists the commits
that touch the same paths, in the repository itself; history finds every change of a pin and the pull request that made
it, and reads the commits where they lie, since they lie on this disk: from a server it copies them first.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gitops.initial import ENVIRONMENTS  # noqa: E402 # the checkout's, wherever this is started
from scripts import surroundings  # noqa: E402 # the same
from tests.gitops import story  # noqa: E402 # the same
from tests.gitops.gated import configuration  # noqa: E402 # the same

TURNS = 11
COMMITS = 20_000
RELEASES = 20
_CHART = ROOT / "charts" / "service"
_GITOPS = "from gitops.commands.gitops import run; raise SystemExit(run())"
GATES = (
    "{soak: 1m, health: true, policy: true, freeze: [{from: '2020-01-01 00:00', to: '2020-01-02 00:00', zone: UTC}], "
    "approvals: {count: 1, teams: [sre]}, override: {gates: [soak], team: glass}}"
)


def main() -> None:
    """Measure and print a line for each way."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        surroundings.enter(folder)
        # one after the other: what history leaves to be written to the disk would slow whatever comes after it
        found = {**_medians(_gates(folder)), **_medians(_looking_back(folder))}
    print(f"a whole process, median of {TURNS}:")
    for name, other in (("promote", "promote, no gates"), ("verify", "verify, no gates"), ("history", "git log")):
        (wall, cores), (wall_of, cores_of) = found[name], found[other]
        print(
            f"  {name:<8} {wall:5.2f} s   {wall / wall_of:5.2f} x {other} {wall_of:.2f} s"
            f"   cores {cores:5.2f} s  {cores / cores_of:5.2f} x"
        )
    print(f"history and git log: {COMMITS} commits, {RELEASES} releases; promote and verify: with the golden chart")


def _gates(folder: Path) -> Mapping[str, Callable[[], None]]:
    """To promote to prod, anew each time, and to verify what was opened; with every gate and with none."""
    files = [path for path in _CHART.rglob("*") if path.is_file() and path.parent.name != "ci"]
    chart = {path.relative_to(_CHART).as_posix(): path.read_bytes() for path in files}
    chart["values.yaml"] = chart["values.yaml"].replace(
        b'owner: "platform"', b'owner: "payments"'
    )  # as the catalog says
    ways: dict[str, Callable[[], None]] = {}
    for name, gates in (("", GATES), (", no gates", "{policy: false}")):
        extra = {"shiplane.yaml": configuration(prod=gates)}
        repo = str(
            story.repository(folder / f"gates{len(ways)}.git", released={"wallet": "a"}, chart=chart, extra=extra)
        )
        _run("promote", "wallet", "--to", "staging", "--repo", repo)
        _run("merge", "1", "--repo", repo)
        _run("healthy", "wallet", "--env", "staging", "--repo", repo)
        _run("promote", "wallet", "--to", "prod", "--repo", repo)
        ways[f"promote{name}"] = partial(_run, "promote", "wallet", "--to", "prod", "--dry-run", "--repo", repo)
        ways[f"verify{name}"] = partial(_run, "verify", "2", "--repo", repo, codes=(1,))  # it waits for an approval
    return ways


def _looking_back(folder: Path) -> Mapping[str, Callable[[], None]]:
    """The history of a service that was released now and then in very many commits."""
    repo = story.repository(folder / "deep.git", released={"wallet": "a"})
    for number in range(RELEASES):
        story.deepen(repo, COMMITS // RELEASES)
        story.release_of(repo, "wallet", f"build {number}", run=number + 2)
    paths = [
        f"environments/{name}/wallet/{file}"
        for name in ENVIRONMENTS
        for file in ("release.yaml", "origin.yaml", "chart")
    ]
    log = ["git", "-C", str(repo), "log", "--first-parent", "--format=%H %ct %s", "main", "--", *paths]
    return {
        "history": partial(_run, "history", "wallet", "--repo", str(repo)),
        "git log": partial(_checked, log, (0,)),
    }


def _medians(ways: Mapping[str, Callable[[], None]]) -> dict[str, tuple[float, float]]:
    """The medians of each way's seconds, by the clock and of the cores, run in turns after one for the caches."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, once in ways.items():
            start, before = time.perf_counter(), _cores()
            once()
            if turn:
                taken[name].append((time.perf_counter() - start, _cores() - before))
    return {
        name: (statistics.median(w for w, _ in rows), statistics.median(c for _, c in rows))
        for name, rows in taken.items()
    }


def _cores() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(*words: str, codes: tuple[int, ...] = (0,)) -> None:
    _checked([sys.executable, "-c", _GITOPS, *words], codes)


def _checked(command: list[str], codes: tuple[int, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{command}: {done.stderr}")


if __name__ == "__main__":
    main()
