"""What one promotion costs beside git alone doing the same by hand, over smart HTTP.

Each measurement is a whole process that promotes a service which has not been promoted before. The ways are run in
turn, so that a busy machine slows them all, and the medians are compared. By hand means a shell script that knows
beforehand what to do: it checks nothing, asks for no number, renders nothing and loses every race.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generator import helm  # noqa: E402 # the checkout's, wherever this is started
from scripts import surroundings  # noqa: E402 # the same
from tests.git_http import Request, serve  # noqa: E402 # the same
from tests.gitops import story  # noqa: E402 # the same

SERVICES = 50
TURNS = 15
_PROMOTE = "from gitops.commands.promote import run; raise SystemExit(run())"
_BY_HAND = r"""
set -e
url=$1 service=$2 number=$3
cd "$(mktemp -d)"
git -c pack.useSparse=false -c core.fsync=none clone --quiet --bare --depth=1 --filter=blob:none --no-tags "$url" copy
cd copy
git config pack.useSparse false; git config core.fsync none
from=environments/dev/$service to=environments/staging/$service
git ls-tree -r -t HEAD -- shiplane.yaml "services/$service.yaml" defaults/staging "$from" "$to" >tree
awk '$2 == "blob" { print $3 }' tree >wanted
git -c fetch.negotiationAlgorithm=noop fetch --quiet --no-tags --no-write-fetch-head --filter=blob:none --stdin \
  origin <wanted
git cat-file --batch <wanted >contents
id() { awk -v path="$1" -F'\t' '$2 == path { split($1, words, " "); print words[3] }' tree; }
filled() {
  git cat-file blob "$(id "defaults/staging/$1")" | sed "s/{service}/$service/g; s/{environment}/staging/g"
}
filled application.yaml >application; filled values.yaml >values
{
  printf 'commit refs/build\ncommitter x <x> 0 +0000\ndata 0\nfrom %s\n' "$(git rev-parse HEAD)"
  for name in release.yaml origin.yaml; do printf 'M 100644 %s %s\n' "$(id "$from/$name")" "$to/$name"; done
  printf 'M 040000 %s %s\n' "$(id "$from/chart")" "$to/chart"
  printf 'M 100644 inline %s\ndata %d\n' "apps/staging/$service.yaml" "$(wc -c <application)"; cat application
  printf '\nM 100644 inline %s\ndata %d\n' "$to/values.yaml" "$(wc -c <values)"; cat values
  printf '\ndone\n'
} | git fast-import --quiet --force --done
head=$(git commit-tree 'refs/build^{tree}' -p HEAD -m "promote $service")
body=$(printf 'the body\n' | git hash-object -w --stdin)
record=$(git commit-tree "$(printf '100644 blob %s\tbody.md\n' "$body" | git mktree)" -m "record of $service")
git push --quiet --atomic origin "$head:refs/heads/by-hand/$service" "$record:refs/by-hand/$number"
"""


def main() -> None:
    """Measure and print a line for each way."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        surroundings.enter(folder)
        names = [f"svc-{number:02}" for number in range(SERVICES)]
        story.repository(folder / "gitops.git", names, dict.fromkeys(names, "a"))
        with serve(folder) as server:
            url = f"{server.url}/gitops.git"
            fresh = iter(names)

            def promote() -> None:
                arguments = [sys.executable, "-c", _PROMOTE, next(fresh), "--to", "staging", "--repo", url]
                subprocess.run(arguments, check=True, capture_output=True)

            def by_hand() -> None:
                service = next(fresh)
                argv = ["bash", "-c", _BY_HAND, "by-hand", url, service, service]
                subprocess.run(argv, check=True)

            ways: dict[str, Callable[[], None]] = {"git by hand": by_hand, "promote": promote}
            seconds, requests = _measured(ways, server.requests)
        chart = folder / "chart"
        for path, data in {**story.CHART, "values.yaml": b"image: {repository: r, tag: t, digest: d}\n"}.items():
            (chart / path).parent.mkdir(parents=True, exist_ok=True)
            (chart / path).write_bytes(data)
        started = _took(lambda: subprocess.run([sys.executable, "-c", "import click, yaml, git"], check=True))
        rendered = _took(lambda: helm.template(helm.require(), chart, release="x", namespace="x"))

    base = statistics.median(seconds["git by hand"])
    print(f"one promotion among {SERVICES} services over smart HTTP, median of {TURNS}:")
    for name in ways:
        middle = statistics.median(seconds[name])
        sent = sum(each.objects for each in requests[name] if each.service == "git-receive-pack")
        print(
            f"  {name:<12} {middle * 1000:6.0f} ms  {middle / base:4.1f} x  "
            f"{len(requests[name]):2} requests, {sent} objects pushed, {sum(e.sent for e in requests[name])} bytes read"
        )
    print(f"  of promote's: helm {rendered * 1000:.0f} ms, Python and its imports {started * 1000:.0f} ms")


def _measured(
    ways: dict[str, Callable[[], None]], log: list[Request]
) -> tuple[dict[str, list[float]], dict[str, list[Request]]]:
    """Seconds of each way in turns, after one for the caches; the requests of its last turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    requests: dict[str, list[Request]] = {}
    for turn in range(TURNS + 1):
        for name, once in ways.items():
            before = len(log)
            start = time.perf_counter()
            once()
            if turn:
                seconds[name].append(time.perf_counter() - start)
            requests[name] = log[before:]
    return seconds, requests


def _took(act: Callable[[], object]) -> float:
    """Seconds of an act, the median of five."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
