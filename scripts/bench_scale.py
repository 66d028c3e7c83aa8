"""How a promotion, many at once, a status and many releases at once cost as a repository grows, over smart HTTP.

Repositories of several sizes: every service pinned in three environments with the golden chart, staging one release
behind dev. Beside each other stand `promote`; git by hand (a shell script that knows beforehand which object ids to
copy, and checks nothing); the same with helm (what is there and what comes is read, rendered and compared); and the way
of most pipelines: clone, edit, commit, push. Each measurement is a whole process and promotes a service that it has not
promoted before; the ways are run in turn and medians are compared.

SIZES=50,300 and TURNS=3 measure less. docs/performance.md holds a run's table.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gitops import catalog, pins  # noqa: E402 # the checkout's, wherever this is started
from gitops.forge.record import written  # noqa: E402 # the same
from gitops.forge.refs import LAST, numbered, pinned  # noqa: E402 # the same
from gitops.initial import ENVIRONMENTS, initial_tree  # noqa: E402 # the same
from gitops.model import Move, Release  # noqa: E402 # the same
from gitops.pull_request import PullRequest  # noqa: E402 # the same
from gitops.result import branch_of  # noqa: E402 # the same
from scripts import surroundings  # noqa: E402 # the same
from tests.git_http import Server, serve  # noqa: E402 # the same
from tests.gitops import story  # noqa: E402 # the same

SIZES = [int(each) for each in os.environ.get("SIZES", "50,300,1000").split(",")]
TURNS = int(os.environ.get("TURNS", "5"))
COMMITS = (1, 20_000)
DELAYS = (0.0, 0.05)
TOGETHER = 200
WRITERS = 50
_PROMOTE = [sys.executable, "-c", "from gitops.commands.promote import run; raise SystemExit(run())"]
_GITOPS = [sys.executable, "-c", "from gitops.commands.gitops import run; raise SystemExit(run())"]
_BY_HAND = r"""
set -e
url=$1 service=$2 render=$3
cd "$(mktemp -d)"
git -c pack.useSparse=false -c core.fsync=none clone --quiet --bare --depth=1 --filter=blob:none --no-tags "$url" copy
cd copy
git config pack.useSparse false; git config core.fsync none
from=environments/dev/$service to=environments/staging/$service
id() { git rev-parse "HEAD:$from/$1"; }
{
  printf 'commit refs/build\ncommitter x <x> 0 +0000\ndata 0\nfrom %s\n' "$(git rev-parse HEAD)"
  for name in release.yaml origin.yaml; do printf 'M 100644 %s %s\n' "$(id "$name")" "$to/$name"; done
  printf 'M 040000 %s %s\n\ndone\n' "$(id chart)" "$to/chart"
} | git fast-import --quiet --force --done
if test "$render"; then
  git ls-tree -r refs/build "$from" "$to" | cut -c13-52 | sort -u >wanted
  git ls-tree -r HEAD "$to" | cut -c13-52 | sort -u >>wanted
  git -c fetch.negotiationAlgorithm=noop fetch --quiet --no-tags --no-write-fetch-head --filter=blob:none --stdin \
    origin <wanted
  for side in HEAD refs/build; do
    mkdir -p "out/$side"
    git archive "$side" "$to" | tar -x -C "out/$side"
    (cd "out/$side/$to" && helm template "$service" chart -f values.yaml -f release.yaml >rendered) &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid"; done
  diff -U3 "out/HEAD/$to/rendered" "out/refs/build/$to/rendered" >body || test -s body
else
  printf 'the body\n' >body
fi
head=$(git commit-tree 'refs/build^{tree}' -p HEAD -m "promote $service")
body=$(git hash-object -w body)
record=$(git commit-tree "$(printf '100644 blob %s\tbody.md\n' "$body" | git mktree)" -m "record of $service")
git push --quiet --atomic origin "$head:refs/heads/by-hand/$service" "$record:refs/by-hand/$service"
"""
_CLONE = r"""
set -e
url=$1 service=$2
cd "$(mktemp -d)"
git clone --quiet --depth=1 "$url" copy
cd copy
git checkout --quiet -b "clone/$service"
rm -r "environments/staging/$service/chart"
for name in release.yaml origin.yaml chart; do
  cp -r "environments/dev/$service/$name" "environments/staging/$service/$name"
done
git add --all
git commit --quiet --message="promote $service"
git push --quiet origin "clone/$service"
"""
_READ = r"""
set -e
url=$1
cd "$(mktemp -d)"
git clone --quiet --bare --depth=1 --filter=blob:none --no-tags "$url" copy
cd copy
git ls-tree -r HEAD environments | awk '$4 ~ /\/(release|origin)\.yaml$/ { print $3 }' | sort -u >wanted
git -c fetch.negotiationAlgorithm=noop fetch --quiet --no-tags --no-write-fetch-head --filter=blob:none --stdin \
  origin <wanted
git fetch --quiet --no-tags --filter=blob:none origin 'refs/shiplane/*:refs/shiplane/*'
git cat-file --batch <wanted >contents
"""


def main() -> None:
    """Measure and print the tables."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        surroundings.enter(folder)
        print(f"promote beside git by hand and clone, edit, commit, push; medians of {TURNS}")
        print("  services  commits  delay    by hand  promote          with helm          clone   requests  pushed")
        for size in SIZES:
            for commits in COMMITS:
                repository = folder / f"{size}-{commits}.git"
                _build(repository, size, commits)
                with serve(folder) as server:
                    for delay in DELAYS:
                        server.delay = delay
                        _one(server, repository, size, commits, delay)
        largest = SIZES[-1]
        with serve(folder) as server:
            _many(server, f"{server.url}/{largest}-1.git", largest)
            _status(f"{server.url}/{largest}-1.git", largest)
            _writers(server, folder, largest)


def _one(server: Server, repository: Path, size: int, commits: int, delay: float) -> None:
    url = f"{server.url}/{repository.name}"
    fresh = _unused(repository, size)
    ways: dict[str, Callable[[], None]] = {
        "by hand": lambda: _run(["bash", "-c", _BY_HAND, "by-hand", url, next(fresh), ""]),
        "promote": lambda: _run([*_PROMOTE, next(fresh), "--to", "staging", "--repo", url]),
        "with helm": lambda: _run(["bash", "-c", _BY_HAND, "by-hand", url, next(fresh), "render"]),
        "clone": lambda: _run(["bash", "-c", _CLONE, "clone", url, next(fresh)]),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    asked = pushed = 0
    for turn in range(TURNS + 1):
        for way, once in ways.items():
            before = len(server.requests)
            taken = _took(once)
            _tidy()
            if turn:  # the first is for the caches
                seconds[way].append(taken)
            if way == "promote":
                told = server.requests[before:]
                asked, pushed = len(told), sum(e.objects for e in told if e.service == "git-receive-pack")
    hand, ours, helm, clone = (statistics.median(seconds[way]) for way in ways)
    print(
        f"  {size:8} {commits:8}  {delay * 1000:3.0f} ms  {hand:6.2f} s  {ours:6.2f} s {ours / hand:4.1f} x  "
        f"{helm:6.2f} s {ours / helm:4.1f} x  {clone:6.2f} s {clone / ours:4.1f} x  {asked:6}  {pushed:6}",
        flush=True,
    )


def _tidy() -> None:
    """Remove what the shell scripts have left: clones of the largest repositories fill a disk."""
    for left in Path(os.environ["TMPDIR"]).glob("tmp.*"):
        shutil.rmtree(left)


def _many(server: Server, url: str, size: int) -> None:
    """`TOGETHER` services beside one, each with a pull request of its own."""
    number = min(TOGETHER, size - 2)
    names = [f"svc-{each:04}" for each in reversed(range(size - number, size))]
    first = iter(f"svc-{each:04}" for each in range(3))
    alone = statistics.median(
        _took(lambda: _run([*_PROMOTE, next(first), "--to", "prod", "--repo", url])) for _ in range(3)
    )
    before = len(server.requests)
    taken = _took(lambda: _run([*_PROMOTE, *names, "--to", "prod", "--repo", url]))
    print(
        f"{number} services at once: {taken:.2f} s, {taken / alone:.1f} x one alone ({alone:.2f} s), "
        f"{len(server.requests) - before} requests",
        flush=True,
    )
    bare = _took(lambda: _helm(2 * number))
    print(
        f"  {2 * number} helm template alone, {os.cpu_count()} at a time: {bare:.2f} s, {taken / bare:.2f} x",
        flush=True,
    )


def _helm(times: int) -> None:
    """helm alone, rendering the golden chart `times` over: what is there and what comes, of each service."""
    chart = ROOT / "charts" / "service"
    image = f"image.tag={story.tag('new')},image.digest={story.digest('new')}"
    once = ["helm", "template", "wallet", str(chart), "-f", str(chart / "ci" / "tier-standard.yaml"), "--set", image]
    many = ["xargs", f"-P{os.cpu_count() or 1}", "-I{}", *once, "--namespace", "{}"]
    subprocess.run(
        many, input="\n".join(f"n-{each}" for each in range(times)), text=True, check=True, stdout=subprocess.DEVNULL
    )


def _status(url: str, size: int) -> None:
    """`gitops status` beside a raw fetch and `cat-file --batch` of the same files."""
    ways = {"raw": ["bash", "-c", _READ, "read", url], "ours": [*_GITOPS, "status", "--repo", url, "--json"]}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(TURNS + 1):
        for way, argv in ways.items():
            start = time.perf_counter()
            _run(argv)
            if turn:
                seconds[way].append(time.perf_counter() - start)
    base, told = (statistics.median(each) for each in seconds.values())
    print(
        f"status of {size} x {len(ENVIRONMENTS)}: {told:.2f} s, {told / base:.1f} x fetch and cat-file ({base:.2f} s)"
    )


def _writers(server: Server, folder: Path, size: int) -> None:
    """`WRITERS` processes that release at once, each another service: all pins must be in."""
    url = f"{server.url}/{size}-1.git"
    source = story.source(folder / "source")
    start = time.perf_counter()
    build = ["--tag", source.tag, "--chart", str(source.chart), "--run", "2", "--repo", url]
    running = [
        subprocess.Popen(
            [*_GITOPS, "release", f"svc-{number:04}", "--digest", story.digest(number), *build],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(WRITERS)
    ]
    said = [done.communicate()[1].decode() for done in running]
    taken = time.perf_counter() - start
    failed = [words for words, done in zip(said, running, strict=True) if done.returncode]
    held = sum(
        source.tag.encode()
        in (story.show(folder / f"{size}-1.git", f"environments/dev/svc-{n:04}/release.yaml") or b"")
        for n in range(WRITERS)
    )
    print(f"{WRITERS} releases at once: {taken:.1f} s, {held} pins in")
    if failed:
        raise SystemExit(f"{len(failed)} releases failed: {failed[0]}")


def _build(folder: Path, size: int, commits: int) -> None:
    """A bare repository, packed: `size` services in every environment, dev one release ahead, after `commits`."""
    chart = {
        each.relative_to(ROOT / "charts" / "service").as_posix(): each.read_bytes()
        for each in sorted((ROOT / "charts" / "service").rglob("*"))
        if each.is_file()
    }
    story.repository(folder, [])
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    first = "svc-0000"
    tree[catalog.path(first)] = ("100644", catalog.entry_yaml(story._service(first)))
    own = {**chart, "Chart.yaml": f"apiVersion: v2\nname: {first}\nversion: 0.1.0\n".encode()}
    own["values.yaml"] = re.sub(rb"(?m)^owner: .*$", b"owner: payments", own["values.yaml"])  # as the catalog says
    one = {path: data for path, (_, data) in tree.items() if first in path}
    for environment in ENVIRONMENTS:
        one |= {path: data for path, (_, data) in story.pinned(tree, first, "x", environment, own).items()}
    changes: dict[str, bytes] = {}
    for name in (f"svc-{number:04}" for number in range(size)):
        changes |= {
            path.replace(first, name): data.replace(first.encode(), name.encode()) for path, data in one.items()
        }
        for environment, age in zip(ENVIRONMENTS, ("new", "old", "oldest"), strict=True):
            release = Release(story.tag(f"{name} {age}"), story.digest(f"{name} {age}"))
            changes[f"environments/{environment}/{name}/release.yaml"] = pins.release_yaml(release)
    story.write(folder, changes)
    if commits > 1:
        story.deepen(folder, commits)
    _record(folder, size)
    story.git(folder, "gc", "--quiet")  # as every push into a repository has it done now and then


def _record(folder: Path, size: int) -> None:
    """The pull requests by which all of that has come, as the embedded forge keeps them."""
    head, now = story.git(folder, "rev-parse", "main"), datetime.now(UTC)
    stream, number = [], 0
    for environment, age in zip(ENVIRONMENTS, ("new", "old", "oldest"), strict=True):
        for name in (f"svc-{each:04}" for each in range(size)):
            number += 1
            after = Release(story.tag(f"{name} {age}"), story.digest(f"{name} {age}"))
            request = PullRequest(
                number=number, url="", state="merged", title=f"{name} into {environment}", body="",
                branch=branch_of(environment, name), base=head, head=head, merge=head, fingerprint=head,
                author="dev@acme.example", requester="dev@acme.example", opened=now, merged=now,
                move=Move(name, environment, None, after),
            )  # fmt: skip
            message = written(request, f"#{number} opened and merged by dev@acme.example").encode()
            stream.append(
                b"commit %s\nmark :%d\ncommitter Dev <dev@acme.example> 1700000000 +0000\ndata %d\n%s\n"
                b"reset %s\nfrom :%d\n\n"
                % (numbered(number).encode(), number, len(message), message, pinned(request.branch).encode(), number)
            )
    stream.append(b"reset %s\nfrom :%d\n\n" % (LAST.encode(), number))
    story.git(folder, "fast-import", "--quiet", "--force", stdin=b"".join(stream))


def _unused(repository: Path, size: int) -> Iterator[str]:
    """Services without a branch yet, the last ones first: the first few are for promotions to prod."""
    taken = {ref.rpartition("/")[2] for ref in story.refs(repository) if ref.startswith("refs/heads/")}
    return (name for name in (f"svc-{each:04}" for each in reversed(range(size))) if name not in taken)


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv[2:4])}: {done.stderr or done.stdout}")


def _took(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
