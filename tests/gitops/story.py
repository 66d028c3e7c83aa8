"""Builds what the tests of git start from: a GitOps repository, known and released services, a service's source.

One function each, straight through the library: no command, no pull request, no helm where none is needed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.commands.main import main
from gitops import catalog, config, pins, promote, release
from gitops.apply import Outcome, propose
from gitops.catalog import Service
from gitops.commands.gitops import gitops as group
from gitops.initial import initial_tree
from gitops.model import FILE, Entry, Origin, Release, Snapshot
from gitops.pull_request import PullRequest
from gitops.repo.create import bare

REVIEWER = "rev@acme.example"
SERVICE_FILES = ("values.yaml", "release.yaml", "origin.yaml", "chart/Chart.yaml", "chart/templates/cm.yaml")
CHART = {
    "Chart.yaml": b"apiVersion: v2\nname: tiny\nversion: 0.1.0\n",
    "templates/cm.yaml": b"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}@{{ .Values.image.digest }}"
""",
}


@dataclass(frozen=True)
class Source:
    """A service's repository: where its chart lies, and the commit that holds it."""

    chart: Path
    tag: str


@dataclass(frozen=True)
class Done:
    """What a command has said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def gitops(*arguments: str) -> Done:
    """Run `gitops arguments` in this process."""
    said, talked = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(talked):
        code = main(group, arguments)
    return Done(code, said.getvalue(), talked.getvalue())


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """What git says in `folder`; its failure is the test's."""
    done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def digest(word: object) -> str:
    """An image's digest, one for each word."""
    return f"sha256:{hashlib.sha256(str(word).encode()).hexdigest()}"


def tag(word: object) -> str:
    """A commit's id, one for each word."""
    return hashlib.sha1(str(word).encode()).hexdigest()


def repository(
    folder: Path,
    known: Sequence[str] = ("wallet",),
    released: Mapping[str, str] | None = None,
    chart: Mapping[str, bytes] = CHART,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """A bare GitOps repository in `folder`: services of the catalog, and those released into dev ({service: word})."""
    made = _template(*(tuple(each.items()) for each in (released or {}, chart, extra or {})), tuple(known))
    shutil.copytree(made, folder)
    return folder


@functools.cache
def _template(
    released: tuple[tuple[str, str], ...],
    chart: tuple[tuple[str, bytes], ...],
    extra: tuple[tuple[str, bytes], ...],
    known: tuple[str, ...],
) -> Path:
    """Each kind of repository is made once, then copied."""
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    for service in dict.fromkeys([*known, *dict(released)]):
        tree[catalog.path(service)] = (FILE, catalog.entry_yaml(_service(service)))
    for service, word in released:
        tree.update(pinned(tree, service, word, chart=dict(chart)))
    tree.update({path: (FILE, data) for path, data in extra})
    folder = Path(tempfile.mkdtemp(prefix="shiplane-story-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    bare(folder / "made", tree, "Found gitops\n")
    git(folder / "made", "config", "core.fsync", "none")  # no test cuts the power
    git(folder / "made", "config", "receive.autogc", "false")  # what serves it over HTTP does not read .gitconfig
    return folder / "made"


def pinned(
    tree: Mapping[str, tuple[str, bytes]],
    service: str,
    word: str,
    environment: str = "dev",
    chart: Mapping[str, bytes] = CHART,
) -> dict[str, tuple[str, bytes]]:
    """The files that a service's first release adds to `tree`, as its pull request would."""
    snapshot = Snapshot("", {path: Entry(mode, "", data) for path, (mode, data) in tree.items()})
    read = config.load(tree[config.PATH][1])
    to, entry = read.environment(environment), _service(service)
    folder = read.layout.folder(environment, service)
    files: dict[str, bytes] = {f"{folder}/chart/{path}": data for path, data in chart.items()}
    files[f"{folder}/release.yaml"] = pins.release_yaml(Release(tag(word), digest(word)))
    files[f"{folder}/origin.yaml"] = pins.origin_yaml(Origin(entry.source, "0.1.0", 1, True))
    for change in catalog.starting_changes(snapshot, read, to, entry):
        assert isinstance(change.content, bytes)
        files[change.path] = change.content
    return {path: (FILE, data) for path, data in files.items()}


def source(folder: Path, chart: Mapping[str, bytes] = CHART) -> Source:
    """A service's repository in `folder`, with one commit."""
    for path, data in chart.items():
        target = folder / "chart" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Have a chart")
    return Source(folder / "chart", git(folder, "rev-parse", "HEAD"))


def releasing(
    service: str, word: object, run: int | None = None, chart: Mapping[str, bytes] = CHART
) -> release.Releasing:
    """The request to pin the build called `word`."""
    files = {path: Entry(FILE, "", data) for path, data in chart.items()}
    return release.asked(service, tag(word), digest(word), run, None, release.Chart("chart", files, True))


def release_of(url: str | Path, service: str, word: object, run: int | None = None) -> Outcome:
    """Pin the build called `word` into dev."""
    return propose(str(url), [releasing(service, word, run)])[1][0]


def promotion(url: str | Path, service: str, to: str = "staging", *, anew: bool = False) -> Outcome:
    """Promote `service`."""
    return propose(str(url), promote.asked([service], to, None), anew=anew)[1][0]


def opened_pr(url: str | Path, service: str = "wallet", to: str = "staging") -> PullRequest:
    """The pull request of a promotion."""
    request = promotion(url, service, to).request
    assert request is not None
    return request


def write(repo: Path, changes: Mapping[str, bytes | None], branch: str = "main", message: str = "By hand") -> str:
    """Commit to a branch of `repo` as a person would (None deletes a path); answers with the commit."""
    lines = [f"commit refs/heads/{branch}", "committer Ann <ann@acme.example> 1700000000 +0000"]
    stream = ["\n".join([*lines, f"data {len(message.encode())}", message, f"from refs/heads/{branch}^0", ""]).encode()]
    for path, data in changes.items():
        name = path.encode()
        told = b"D " + name + b"\n" if data is None else b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(data), data)
        stream.append(told)
    git(repo, "fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"".join(stream))
    return git(repo, "rev-parse", f"refs/heads/{branch}")


def deepen(repo: Path, commits: int) -> None:
    """Put `commits` more commits on main, each with a change of README.md."""
    stream = b""
    for number in range(commits):
        start = b"from refs/heads/main^0\n" if not number else b""
        text = b"%d\n" % number
        stream += b"commit refs/heads/main\ncommitter Ann <ann@acme.example> %d +0000\ndata 2\nN\n" % (
            1700000000 + number
        )
        stream += start + b"M 100644 inline README.md\ndata %d\n%s\n" % (len(text), text)
    git(repo, "fast-import", "--quiet", "--date-format=raw", stdin=stream)


def refs(repo: Path) -> dict[str, str]:
    """Every ref of `repo`, with the object that it names."""
    out = git(repo, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in out.splitlines())


def records(repo: Path) -> dict[int, str]:
    """Every pull request record of `repo`: number -> the message of the commit that holds it."""
    prefix = "refs/shiplane/pr/"
    return {
        int(r.removeprefix(prefix)): git(repo, "log", "-1", "--format=%B", r)
        for r in refs(repo)
        if r.startswith(prefix)
    }


def content(repo: Path, environment: str, service: str, commit: str = "main") -> dict[str, bytes | None]:
    """The files of a service in an environment, by their path in its folder."""
    folder = f"environments/{environment}/{service}"
    names = git(repo, "ls-tree", "-r", "--name-only", commit, f"{folder}/").splitlines()
    return {name.removeprefix(f"{folder}/"): show(repo, name, commit) for name in names}


def show(repo: Path, path: str, commit: str = "main") -> bytes | None:
    """The bytes of a file; None where there is none."""
    done = subprocess.run(["git", "cat-file", "blob", f"{commit}:{path}"], cwd=repo, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def assert_sound(repo: Path) -> None:
    """git finds nothing to complain about."""
    done = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling"], cwd=repo, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


def _service(name: str) -> Service:
    return Service(name, "payments", f"acme/{name}", f"acme/{name}", "standard")
