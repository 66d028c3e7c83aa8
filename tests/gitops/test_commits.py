"""The commits of a service's source: what they say, and how a clone on this disk tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops.commits import Commit
from gitops.forge.embedded import Embedded
from gitops.repo import opened
from gitops.repo.source import compared
from tests.gitops import story


@pytest.mark.parametrize(
    ("message", "breaking", "migration"),
    [
        ("feat: take orders", False, False),
        ("feat!: take orders", True, False),
        ("refactor(api)!: drop the old route", True, False),
        ("fix: x\n\nBREAKING CHANGE: the port is 8080 now", True, False),
        ("fix: x\n\nBREAKING-CHANGE: the port is 8080 now", True, False),
        ("fix: x\n\nbreaking change: in small letters it is no footer", False, False),
        ("fix: BREAKING CHANGE: not in the subject", False, False),
        ("fix: x\n\nNo BREAKING CHANGE: here", False, False),
        ("wow! this is no type", False, False),
        ("migration: add ledger.currency", False, True),
        ("feat(migrations): add ledger.currency", False, True),
        ("feat(migrations)!: drop ledger.currency", True, True),
        ("fix: x\n\nMigration: 0042_add_currency", False, True),
        ("fix: talk of a migration: here", False, False),
        ("", False, False),
        ("\n\n", False, False),
    ],
)
def test_what_a_message_says(message: str, *, breaking: bool, migration: bool) -> None:
    commit = Commit("a" * 40, message)

    assert (commit.breaking, commit.migration) == (breaking, migration)


def clone(folder: Path, *messages: str) -> list[str]:
    """A source repository in `folder` with a commit for each message; their ids, the oldest first."""
    folder.mkdir(parents=True)
    story.git(folder, "init", "--quiet", "--initial-branch=main")
    for message in messages:
        story.git(folder, "commit", "--quiet", "--allow-empty", "--file=-", stdin=message.encode())
    return story.git(folder, "rev-list", "--reverse", "HEAD").split()


@pytest.mark.parametrize("place", ["acme/wallet", "wallet"])
def test_a_clone_tells_the_commits_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    one, two, three = clone(tmp_path / place, "feat: one", "feat!: two\n\nMore of it.", "fix: three ✅")
    monkeypatch.setenv("SHIPLANE_SOURCES", str(tmp_path))
    repo = story.repository(tmp_path / "gitops.git")

    with opened(str(repo)) as repository:
        found = Embedded(repository).compare("acme/wallet", one, three)
        back = Embedded(repository).compare("acme/wallet", three, one)

    assert found is not None
    assert [(each.sha, each.subject, each.author) for each in found.commits] == [
        (three, "fix: three ✅", "Dev"),
        (two, "feat!: two", "Dev"),
    ]
    assert [each.breaking for each in found.commits] == [False, True]
    assert (found.total, found.missing) == (2, 0)
    assert back is not None
    assert (back.commits, back.total, back.missing) == ((), 0, 2)


def test_of_many_commits_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_, last = clone(tmp_path / "wallet", *(f"fix: {number}" for number in range(6)))
    monkeypatch.setenv("SHIPLANE_SOURCES", str(tmp_path))

    found = compared("acme/wallet", first, last, 2)

    assert found is not None
    assert ([each.subject for each in found.commits], found.total) == (["fix: 5", "fix: 4"], 5)


def test_lines_that_were_never_brought_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, hotfix = clone(tmp_path / "wallet", "feat: one", "fix: in a hurry")
    story.git(tmp_path / "wallet", "reset", "--quiet", "--hard", first)
    story.git(tmp_path / "wallet", "commit", "--quiet", "--allow-empty", "--message=feat: two")
    monkeypatch.setenv("SHIPLANE_SOURCES", str(tmp_path))

    found = compared("acme/wallet", hotfix, story.git(tmp_path / "wallet", "rev-parse", "HEAD"), 250)

    assert found is not None
    assert ([each.subject for each in found.commits], found.missing) == (["feat: two"], 1)


def test_what_cannot_be_read_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = clone(tmp_path / "sources" / "wallet", "feat: one", "feat: two")

    assert compared("acme/wallet", one, two, 250) is None  # nobody has said where
    monkeypatch.setenv("SHIPLANE_SOURCES", str(tmp_path / "sources"))
    assert compared("acme/ledger", one, two, 250) is None
    assert compared("acme/wallet", one, "a" * 40, 250) is None
    (tmp_path / "sources" / "ledger").mkdir()
    assert compared("acme/ledger", one, two, 250) is None
    assert compared("acme/wallet", one, two, 250) is not None
