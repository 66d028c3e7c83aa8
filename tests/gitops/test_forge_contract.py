"""What every forge must do, said once. A new forge adds a `Ground` to GROUNDS and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from gitops.forge import Conflict, Facts, PullRequests
from gitops.forge.embedded import Embedded
from gitops.model import FILE, Change, Draft, Move, PullRequest, Release
from gitops.repo import opened
from tests.gitops import story

ME, REVIEWER = "dev@acme.example", story.REVIEWER
# what people and their tools put into a text: none of it may end a record or begin another
HOSTILE = """\
---
title: not front matter
---

{"shiplane": 1, "number": 99}

Signed-off-by: Somebody <somebody@acme.example>
Co-authored-by: x <x@acme.example>
diff --git a/x b/x
# a comment? \\n \\u0000 "quoted" 'single' `code` $(id) {{ .Values }} %s ✅ 🚀 ‮ \x1b[31m <!-- shiplane:1 {} -->
tabs\tand\rreturns
"""


class Forge(PullRequests, Facts, Protocol):
    """Both ports, and the review that the tests need."""

    def get(self, number: int) -> PullRequest: ...
    def approve(self, request: PullRequest, actor: str) -> PullRequest | None: ...


class Ground(Protocol):
    """A forge with a repository behind it, and a look past the ports at what became of it."""

    def forge(self) -> AbstractContextManager[Forge]:
        """The forge as a process sees it that starts now."""
        ...

    def write(self, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
        """A person's own commit."""
        ...

    def read(self, path: str, commit: str = "main") -> bytes | None:
        """A file of a branch or commit; None where there is none."""
        ...

    def branches(self) -> list[str]:
        """All branches there are."""
        ...

    def history(self, number: int) -> list[str]:
        """What happened to a pull request, newest first."""
        ...


class EmbeddedGround:
    """The embedded forge, in a bare repository on this disk."""

    def __init__(self, folder: Path) -> None:
        self.repo = story.repository(folder / "gitops.git")

    @contextmanager
    def forge(self) -> Iterator[Embedded]:
        with opened(str(self.repo)) as repository:
            yield Embedded(repository)

    def write(self, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
        return story.write(self.repo, changes, branch)

    def read(self, path: str, commit: str = "main") -> bytes | None:
        return story.show(self.repo, path, commit)

    def branches(self) -> list[str]:
        heads = (ref for ref in story.refs(self.repo) if ref.startswith("refs/heads/"))
        return [ref.removeprefix("refs/heads/") for ref in heads]

    def history(self, number: int) -> list[str]:
        return story.git(self.repo, "log", "--format=%s", f"refs/shiplane/pr/{number}").splitlines()


GROUNDS: list[Callable[[Path], Ground]] = [EmbeddedGround]


@pytest.fixture(params=[pytest.param(ground, id=ground.__name__) for ground in GROUNDS])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    made: Ground = request.param(tmp_path)
    return made


def draft(name: str = "one", data: bytes = b"1\n", *, merge: bool = False, move: Move | None = None) -> Draft:
    """A draft that writes `notes/<name>` on the branch `shiplane/test/<name>`."""
    return Draft(
        branch=f"shiplane/test/{name}",
        title=f"write {name}",
        body=f"The body of {name}.\n",
        changes=(Change(f"notes/{name}", FILE, data),),
        steps=(),
        merge=merge,
        move=move,
    )


def put(ground: Ground, *drafts: Draft, actor: str = ME) -> list[PullRequest]:
    with ground.forge() as forge:
        known = forge.find([each.branch for each in drafts])
        made = forge.put([(each, known.get(each.branch)) for each in drafts], actor)
    assert made is not None
    return made


def merged(ground: Ground, number: int) -> PullRequest | Conflict | None:
    with ground.forge() as forge:
        return forge.merge(forge.get(number), ME)


def test_put_opens_and_changes_nothing_but_its_own_branch(ground: Ground) -> None:
    (made,) = put(ground, draft())

    assert (made.number, made.state, made.author, made.requester) == (1, "open", ME, ME)
    assert ground.branches() == ["main", made.branch]
    assert ground.read("notes/one", made.branch) == b"1\n"
    assert ground.read("notes/one") is None
    assert ground.history(1) == [f"#1 opened by {ME}"]


def test_what_was_put_is_found_again(ground: Ground) -> None:
    (made,) = put(ground, draft())

    with ground.forge() as forge:
        assert forge.find([made.branch, "shiplane/test/other"]) == {made.branch: replace(made, body="")}
        assert forge.open() == [replace(made, body="")]
        assert forge.get(1) == made


def test_several_drafts_get_a_number_each(ground: Ground) -> None:
    made = put(ground, draft("one"), draft("two"), draft("three"))

    assert [each.number for each in made] == [1, 2, 3]
    with ground.forge() as forge:
        assert [each.branch for each in forge.open()] == [each.branch for each in made]


def test_put_again_updates_the_same(ground: Ground) -> None:
    (first,) = put(ground, draft())
    (second,) = put(ground, draft(data=b"2\n"), actor="ann@acme.example")

    assert (second.number, second.opened, second.author) == (1, first.opened, ME)
    assert (second.requester, second.fingerprint) != (first.requester, first.fingerprint)
    assert ground.read("notes/one", second.branch) == b"2\n"
    assert ground.history(1) == ["#1 updated by ann@acme.example", f"#1 opened by {ME}"]
    assert ground.branches() == ["main", second.branch]


def test_open_update_and_merge_mix_in_one_put(ground: Ground) -> None:
    put(ground, draft("one"))
    made = put(ground, draft("two"), draft("one", b"2\n"), draft("three", merge=True), draft("four", merge=True))

    assert [(each.number, each.state) for each in made] == [(2, "open"), (1, "open"), (3, "merged"), (4, "merged")]
    assert (ground.read("notes/three"), ground.read("notes/four")) == (b"1\n", b"1\n")
    assert sorted(ground.branches()) == ["main", "shiplane/test/one", "shiplane/test/two"]
    assert put(ground, draft("five"))[0].number == 5


def test_of_two_who_read_the_same_one_is_told_to_plan_again(ground: Ground) -> None:
    with ground.forge() as slow, ground.forge() as fast:
        assert slow.find(["shiplane/test/one"]) == fast.find(["shiplane/test/one"]) == {}
        assert fast.put([(draft(data=b"fast\n"), None)], ME) is not None

        assert slow.put([(draft(data=b"slow\n"), None)], ME) is None
    assert ground.read("notes/one", "shiplane/test/one") == b"fast\n"


def test_of_two_new_ones_with_one_number_only_one_is_taken(ground: Ground) -> None:
    with ground.forge() as slow, ground.forge() as fast:
        slow.find(["shiplane/test/slow"])
        fast.find(["shiplane/test/fast"])
        assert fast.put([(draft("fast"), None)], ME) is not None

        assert slow.put([(draft("slow"), None)], ME) is None
    assert ground.branches() == ["main", "shiplane/test/fast"]
    assert put(ground, draft("slow"))[0].number == 2


def test_a_plan_on_an_old_tip_is_not_put(ground: Ground) -> None:
    """What it was planned from may have changed: a newer release, a hold."""
    with ground.forge() as slow:
        slow.find(["shiplane/test/one"])
        ground.write({"notes/other": b"x\n"})

        assert slow.put([(draft(), None)], ME) is None
    assert ground.branches() == ["main"]


def test_an_old_plan_does_not_replace_a_newer_pull_request(ground: Ground) -> None:
    with ground.forge() as slow:
        ground.write({"notes/other": b"x\n"})
        put(ground, draft(data=b"newer\n"))
        existing = slow.find(["shiplane/test/one"])["shiplane/test/one"]

        assert slow.put([(draft(data=b"older\n"), existing)], ME) is None
    assert ground.read("notes/one", "shiplane/test/one") == b"newer\n"


def test_close_takes_the_branch_away_and_nothing_else(ground: Ground) -> None:
    (made,) = put(ground, draft())
    with ground.forge() as forge:
        closed = forge.close(forge.get(1), REVIEWER)

    assert closed is not None
    assert (closed.state, closed.body) == ("closed", made.body)
    assert ground.branches() == ["main"]
    assert ground.history(1) == [f"#1 closed by {REVIEWER}", f"#1 opened by {ME}"]
    with ground.forge() as forge:
        assert (forge.open(), forge.find([made.branch]), forge.get(1)) == ([], {}, closed)


def test_a_number_is_never_given_twice(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as forge:
        assert forge.close(forge.get(1), ME)

    assert put(ground, draft())[0].number == 2
    assert ground.history(2) == [f"#2 opened by {ME}"]


def test_merge_brings_exactly_the_change(ground: Ground) -> None:
    (made,) = put(ground, draft())
    before = ground.read("shiplane.yaml")
    landed = merged(ground, 1)

    assert isinstance(landed, PullRequest)
    assert (landed.state, landed.body, landed.merged is not None) == ("merged", made.body, True)
    assert (ground.read("notes/one"), ground.read("shiplane.yaml")) == (b"1\n", before)
    assert ground.read("notes/one", landed.merge) == b"1\n"
    assert ground.branches() == ["main"]
    assert ground.history(1) == [f"#1 merged by {ME}", f"#1 opened by {ME}"]


def test_merge_keeps_what_came_to_main_meanwhile(ground: Ground) -> None:
    put(ground, draft("one"), draft("two"))
    ground.write({"notes/other": b"x\r\n\0", "services/wallet.yaml": None})

    assert isinstance(merged(ground, 2), PullRequest)
    assert isinstance(merged(ground, 1), PullRequest)
    assert [ground.read(f"notes/{name}") for name in ("one", "two", "other")] == [b"1\n", b"1\n", b"x\r\n\0"]
    assert ground.read("services/wallet.yaml") is None


def test_a_conflict_names_its_paths_and_changes_nothing(ground: Ground) -> None:
    (made,) = put(ground, draft())
    tip = ground.write({"notes/one": b"another\n"})

    assert merged(ground, 1) == Conflict(1, ("notes/one",))
    assert ground.read("notes/one") == b"another\n"
    assert ground.read("notes/one", tip) == b"another\n"
    with ground.forge() as forge:
        assert forge.get(1) == made


def test_a_head_that_moved_is_not_merged(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as slow:
        seen = slow.get(1)
        put(ground, draft(data=b"2\n"))

        assert slow.merge(seen, ME) is None
    assert ground.read("notes/one") is None


def test_of_merge_and_close_only_the_first_is_taken(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as slow:
        seen = slow.get(1)
        assert isinstance(merged(ground, 1), PullRequest)

        assert slow.close(seen, ME) is None
        assert slow.approve(seen, REVIEWER) is None
    with ground.forge() as forge:
        assert forge.get(1).state == "merged"


def test_an_approval_counts_for_the_head_that_it_was_given_to(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as forge:
        approved = forge.approve(forge.get(1), REVIEWER)
    assert approved is not None
    assert approved.approvers() == (REVIEWER,)
    with ground.forge() as forge:
        assert forge.get(1) == approved
        assert forge.find([approved.branch])[approved.branch].approvers() == (REVIEWER,)

    (updated,) = put(ground, draft(data=b"2\n"))

    assert updated.approvers() == ()
    assert ground.history(1)[1] == f"#1 approved by {REVIEWER}"


def test_since_when_a_pin_holds_is_known_by_service_and_environment(ground: Ground) -> None:
    def moved(service: str, environment: str, word: str) -> Draft:
        move = Move(service, environment, None, Release(story.tag(word), story.digest(word)))
        branch = f"shiplane/pin/{environment}/{service}"
        return replace(draft(f"{environment}-{service}", word.encode(), merge=True, move=move), branch=branch)

    put(ground, moved("wallet", "dev", "a"), moved("ledger", "dev", "a"), moved("wallet", "prod", "a"))
    put(ground, moved("wallet", "dev", "b"))
    put(ground, draft("open", move=Move("other", "dev", None, Release(story.tag("c"), story.digest("c")))))
    with ground.forge() as forge:
        known = forge.merged(["dev"])

    assert {key: request.number for key, request in known.items()} == {("wallet", "dev"): 4, ("ledger", "dev"): 2}
    assert known["wallet", "dev"].move == Move("wallet", "dev", None, Release(story.tag("b"), story.digest("b")))


@pytest.mark.parametrize("text", ["", "no newline", HOSTILE, "é" * 3000, "\n\n\n", "x" * 65_536])
def test_any_text_survives(ground: Ground, text: str) -> None:
    hostile = replace(draft(), title=text.replace("\n", " ").replace("\r", " ")[:200] or "-", body=text)
    (made,) = put(ground, hostile)
    with ground.forge() as forge:
        approved = forge.approve(forge.get(1), REVIEWER)
    landed = merged(ground, 1)
    with ground.forge() as forge:
        read = forge.get(1)

    assert approved is not None
    assert (made.body, approved.body, read.body) == (text, text, text)
    assert read == landed
    assert read.title == hostile.title
    assert len(ground.history(1)) == 3
