"""What has landed on the default branch, wherever the repository lies and however little of it is here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gitops.repo import Update, opened
from gitops.repo.past import Landing, landings
from gitops.repo.whole import objects_of
from tests import git_http
from tests.gitops import story

PATHS = ("a/one", "a/two", "b/folder", "top")
STATES: list[Mapping[str, bytes | None]] = [
    {"a/one": b"1"},
    {"notes": b"none of these"},
    {"a/one": b"2", "b/folder/x/y": b"1", "top": b"1"},
    {"b/folder/x/z": b"2"},
    {"a/one": None},
    {"a/one": b"2", "a/two": b"2"},
    {"b/folder/x/y": None, "b/folder/x/z": None, "b": b"a file where a folder was"},
]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = story.repository(tmp_path / "gitops.git")
    for number, changes in enumerate(STATES):
        story.write(made, changes, message=f"Change {number}")
    return made


def told(repo: Path) -> list[Landing]:
    """What git itself says, commit by commit."""
    lines = story.git(repo, "log", "--first-parent", "--format=%H %s", "main").splitlines()
    states = [(line.split(" ", 1), tuple(oid(repo, line.split(" ")[0], path) for path in PATHS)) for line in lines]
    before = [*states[1:], ([""], ("",) * len(PATHS))]
    changed = [now for now, then in zip(states, before, strict=True) if now[1] != then[1]]
    with opened(str(repo)) as repository:
        at = {each.commit: each.at for each in landings(repository, PATHS)}
    return [Landing(commit, at[commit], title, oids) for (commit, title), oids in changed]


def oid(repo: Path, commit: str, path: str) -> str:
    line = story.git(repo, "ls-tree", commit, "--", path)
    return line.split()[2] if line else ""


def bare(repo: Path, folder: Path) -> str:
    return str(repo)


def address(repo: Path, folder: Path) -> str:
    odd = folder / "a space, ünïcode & 100%.git"
    story.git(repo, "clone", "--quiet", "--bare", str(repo), str(odd))
    return odd.as_uri()


def work_tree(repo: Path, folder: Path) -> str:
    story.git(repo, "clone", "--quiet", str(repo), str(folder / "clone"))
    return str(folder / "clone")


def linked_work_tree(repo: Path, folder: Path) -> str:
    story.git(repo, "worktree", "add", "--quiet", str(folder / "linked"), "main")
    return str(folder / "linked")


def borrowing(repo: Path, folder: Path) -> str:
    story.git(repo, "clone", "--quiet", "--bare", "--shared", str(repo), str(folder / "shared.git"))
    return str(folder / "shared.git")


def partial(repo: Path, folder: Path) -> str:
    story.git(repo, "config", "uploadpack.allowFilter", "true")
    words = ("--bare", "--filter=blob:none", repo.as_uri(), str(folder / "partial.git"))
    story.git(repo, "clone", "--quiet", *words)
    return str(folder / "partial.git")


def newline(repo: Path, folder: Path) -> str:
    story.git(repo, "clone", "--quiet", "--bare", str(repo), str(folder / "two\nlines.git"))
    return str(folder / "two\nlines.git")


@pytest.mark.parametrize(
    "kind", [bare, address, work_tree, linked_work_tree, borrowing, newline], ids=lambda each: each.__name__
)
def test_every_change_is_told_wherever_it_lies(repo: Path, tmp_path: Path, kind: object) -> None:
    assert callable(kind)
    with opened(kind(repo, tmp_path)) as repository:
        found = landings(repository, PATHS)

        assert [(each.title, each.oids) for each in found] == [(each.title, each.oids) for each in told(repo)]
        assert len(found) == len(STATES) - 1
        assert landings(repository, PATHS) == found


def test_over_http_it_is_copied(repo: Path, tmp_path: Path) -> None:
    with git_http.serve(tmp_path) as server, opened(f"{server.url}/gitops.git") as repository:
        assert landings(repository, PATHS) == told(repo)


def test_where_it_is_read_where_it_lies(repo: Path, tmp_path: Path) -> None:
    assert objects_of(str(repo)) == objects_of(repo.as_uri()) == repo / "objects"
    assert objects_of(work_tree(repo, tmp_path)) == tmp_path / "clone" / ".git" / "objects"
    for other in (partial(repo, tmp_path), linked_work_tree(repo, tmp_path), newline(repo, tmp_path)):
        assert objects_of(other) is None
    assert objects_of(f"file://elsewhere{repo}") is None
    assert objects_of("https://github.com/acme/gitops.git") is None
    assert objects_of("git@github.com:acme/gitops.git") is None


def test_what_is_read_there_is_left_as_it_was_and_can_be_pushed_to(repo: Path) -> None:
    before = sorted(path.relative_to(repo) for path in repo.rglob("*"))
    with opened(str(repo)) as repository:
        landings(repository, PATHS)
        assert sorted(path.relative_to(repo) for path in repo.rglob("*")) == before
        commit = repository.commit([repository.tip], "More\n", repository.tree_of(repository.tip))
        assert repository.push([Update("refs/heads/main", repository.tip, commit)]) == frozenset()
        repository.renew()

        assert repository.tip == commit
        assert len(landings(repository, PATHS)) == len(STATES) - 1
    story.assert_sound(repo)


def test_a_shallow_repository_tells_what_it_has(repo: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    story.git(repo, "clone", "--quiet", "--bare", "--depth=3", repo.as_uri(), str(shallow))
    with opened(str(shallow)) as repository:
        found = landings(repository, PATHS)

    assert [each.title for each in found][:2] == [each.title for each in told(repo)][:2]
