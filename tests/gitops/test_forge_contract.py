"""What every forge must do, said once. A new forge adds a `Ground` and its name to the fixture's, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from gitops import pins
from gitops.apply import entered, load
from gitops.forge import Conflict, Forge
from gitops.forge.embedded import Embedded
from gitops.forge.github.forge import GitHub
from gitops.model import FILE, Change, Draft, Move, Origin, Release
from gitops.pull_request import PullRequest
from gitops.repo import opened
from tests.gitops import story
from tests.gitops.github_double.ground import approve, by_app, by_token, environment, populate
from tests.gitops.github_double.ground import repository as github_repository
from tests.gitops.github_double.server import Double, serve
from tests.gitops.github_double.world import World

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


class Ground(Protocol):
    """A forge with a repository behind it, and a look past the ports at what became of it.

    `me`, `other` and `reviewer` are people as the forge names them; `author` is who a pull request of mine is by.
    """

    me: str
    other: str
    reviewer: str
    author: str

    def forge(self, who: str = "") -> AbstractContextManager[Forge]:
        """The forge as a process of `who` (me) sees it that starts now."""
        ...

    def approve(self, number: int) -> None:
        """The reviewer approves, as people do it there."""
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

    me = author = "dev@acme.example"
    other, reviewer = "ann@acme.example", story.REVIEWER

    def __init__(self, repo: Path) -> None:
        self.repo = repo

    @contextmanager
    def forge(self, who: str = "") -> Iterator[Forge]:
        with opened(str(self.repo)) as repository:
            yield Embedded(repository)

    def approve(self, number: int) -> None:
        with self.forge() as forge:
            assert forge.approve(forge.get(number), self.reviewer)

    def write(self, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
        return story.write(self.repo, changes, branch)

    def read(self, path: str, commit: str = "main") -> bytes | None:
        return story.show(self.repo, path, commit)

    def branches(self) -> list[str]:
        heads = (ref for ref in story.refs(self.repo) if ref.startswith("refs/heads/"))
        return [ref.removeprefix("refs/heads/") for ref in heads]

    def history(self, number: int) -> list[str]:
        return story.git(self.repo, "log", "--format=%s", f"refs/shiplane/pr/{number}").splitlines()


class GitHubGround(EmbeddedGround):
    """GitHub, by a person's token: what is written comes by git."""

    me = author = "dev"
    other, reviewer = "ann", "rev"

    def __init__(self, repo: Path, double: Double) -> None:
        super().__init__(repo)
        self.double = double

    def run(self, who: str) -> dict[str, str]:
        return by_token(self.double, f"ghp_{who}")

    @contextmanager
    def forge(self, who: str = "") -> Iterator[Forge]:
        with environment(self.run(who or self.me)), entered(self.double.url) as repository:
            yield GitHub(repository, load(repository))

    def approve(self, number: int) -> None:
        approve(self.double, self.reviewer, number)

    def history(self, number: int) -> list[str]:
        return self.double.world.events[number]


class AppGround(GitHubGround):
    """GitHub, by an App in a run of CI: what is written comes through the API."""

    author = "shiplane[bot]"

    def run(self, who: str) -> dict[str, str]:
        return by_app(self.double, who)


@pytest.fixture(params=["embedded", "github", "app"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    repo = story.repository(github_repository(tmp_path))
    if request.param == "embedded":
        yield EmbeddedGround(repo)
        return
    world = World(repo)
    populate(world, "dev", "ann", "rev")
    with serve(tmp_path, world) as double:
        yield (AppGround if request.param == "app" else GitHubGround)(repo, double)
    assert world.wrong == []


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


def put(ground: Ground, *drafts: Draft, who: str = "") -> list[PullRequest]:
    actor = who or ground.me
    with ground.forge(actor) as forge:
        known = forge.find([each.branch for each in drafts])
        made = forge.put([(each, known.get(each.branch)) for each in drafts], actor)
    assert made is not None
    return made


def told(request: PullRequest) -> PullRequest:
    """Without who has committed: only a read of all commits knows everybody, and by the forge's own names."""
    return replace(request, committers=())


def merged(ground: Ground, number: int) -> PullRequest | Conflict | None:
    with ground.forge() as forge:
        return forge.merge(forge.get(number), ground.me)


def test_put_opens_and_changes_nothing_but_its_own_branch(ground: Ground) -> None:
    (made,) = put(ground, draft())

    assert (made.number, made.state, made.author, made.requester) == (1, "open", ground.author, ground.me)
    assert ground.branches() == ["main", made.branch]
    assert ground.read("notes/one", made.branch) == b"1\n"
    assert ground.read("notes/one") is None
    assert ground.history(1) == [f"#1 opened by {ground.author}"]


def test_what_was_put_is_found_again(ground: Ground) -> None:
    (made,) = put(ground, draft())

    with ground.forge() as forge:
        found = forge.find([made.branch, "shiplane/test/other"])
        assert {branch: told(each) for branch, each in found.items()} == {made.branch: told(replace(made, body=""))}
        assert [told(each) for each in forge.open()] == [told(replace(made, body=""))]
        assert told(forge.get(1)) == told(made)


def test_several_drafts_get_a_number_each(ground: Ground) -> None:
    made = put(ground, draft("one"), draft("two"), draft("three"))

    assert [each.number for each in made] == [1, 2, 3]
    with ground.forge() as forge:
        assert [each.branch for each in forge.open()] == [each.branch for each in made]


def test_put_again_updates_the_same(ground: Ground) -> None:
    (first,) = put(ground, draft())
    (second,) = put(ground, draft(data=b"2\n"), who=ground.other)

    assert (second.number, second.opened, second.author) == (1, first.opened, ground.author)
    assert second.fingerprint != first.fingerprint
    assert ground.read("notes/one", second.branch) == b"2\n"
    assert [event.split(" by ")[0] for event in ground.history(1)] == ["#1 updated", "#1 opened"]
    with ground.forge() as forge:
        read = forge.get(1)
    assert [bool(each.barred(ground.other)) for each in (first, second, read)] == [False, True, True]
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
        assert fast.put([(draft(data=b"fast\n"), None)], ground.me) is not None

        assert slow.put([(draft(data=b"slow\n"), None)], ground.me) is None
    assert ground.read("notes/one", "shiplane/test/one") == b"fast\n"


def test_of_two_new_ones_each_gets_a_number_of_its_own(ground: Ground) -> None:
    with ground.forge() as slow, ground.forge() as fast:
        slow.find(["shiplane/test/slow"])
        fast.find(["shiplane/test/fast"])
        assert fast.put([(draft("fast"), None)], ground.me) is not None

        done = slow.put([(draft("slow"), None)], ground.me)
    assert ground.branches() == ["main", "shiplane/test/fast", *(["shiplane/test/slow"] if done else [])]
    assert (done or put(ground, draft("slow")))[0].number == 2


def test_a_plan_on_an_old_tip_is_not_put(ground: Ground) -> None:
    """What it was planned from may have changed: a newer release, a hold."""
    with ground.forge() as slow:
        slow.find(["shiplane/test/one"])
        ground.write({"notes/other": b"x\n"})

        assert slow.put([(draft(), None)], ground.me) is None
    assert ground.branches() == ["main"]


def test_an_old_plan_does_not_replace_a_newer_pull_request(ground: Ground) -> None:
    with ground.forge() as slow:
        ground.write({"notes/other": b"x\n"})
        put(ground, draft(data=b"newer\n"))
        existing = slow.find(["shiplane/test/one"])["shiplane/test/one"]

        assert slow.put([(draft(data=b"older\n"), existing)], ground.me) is None
    assert ground.read("notes/one", "shiplane/test/one") == b"newer\n"


def test_close_takes_the_branch_away_and_nothing_else(ground: Ground) -> None:
    (made,) = put(ground, draft())
    with ground.forge() as forge:
        closed = forge.close(forge.get(1), ground.me)

    assert closed is not None
    assert (closed.state, closed.body) == ("closed", made.body)
    assert ground.branches() == ["main"]
    assert ground.history(1) == [f"#1 closed by {ground.author}", f"#1 opened by {ground.author}"]
    with ground.forge() as forge:
        assert (forge.open(), forge.find([made.branch]), told(forge.get(1))) == ([], {}, told(closed))


def test_a_number_is_never_given_twice(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as forge:
        assert forge.close(forge.get(1), ground.me)

    assert put(ground, draft())[0].number == 2
    assert ground.history(2) == [f"#2 opened by {ground.author}"]


def test_merge_brings_exactly_the_change(ground: Ground) -> None:
    (made,) = put(ground, draft())
    before = ground.read("shiplane.yaml")
    landed = merged(ground, 1)

    assert isinstance(landed, PullRequest)
    assert (landed.state, landed.body, landed.merged is not None) == ("merged", made.body, True)
    assert (ground.read("notes/one"), ground.read("shiplane.yaml")) == (b"1\n", before)
    assert ground.read("notes/one", landed.merge) == b"1\n"
    assert ground.branches() == ["main"]
    assert ground.history(1) == [f"#1 merged by {ground.author}", f"#1 opened by {ground.author}"]


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
        assert told(forge.get(1)) == told(made)


def test_a_head_that_moved_is_not_merged(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as slow:
        seen = slow.get(1)
        put(ground, draft(data=b"2\n"))

        assert slow.merge(seen, ground.me) is None
    assert ground.read("notes/one") is None


def test_of_merge_and_close_only_the_first_is_taken(ground: Ground) -> None:
    put(ground, draft())
    with ground.forge() as slow:
        seen = slow.get(1)
        assert isinstance(merged(ground, 1), PullRequest)

        assert slow.close(seen, ground.me) is None
    with ground.forge() as forge:
        assert forge.get(1).state == "merged"


def test_an_approval_counts_for_the_head_that_it_was_given_to(ground: Ground) -> None:
    put(ground, draft())
    ground.approve(1)
    with ground.forge() as forge:
        approved = forge.get(1)
        assert approved.approvers() == (ground.reviewer,)
        assert forge.find([approved.branch])[approved.branch].approvers() == (ground.reviewer,)

    (updated,) = put(ground, draft(data=b"2\n"))

    with ground.forge() as forge:
        assert updated.approvers() == forge.get(1).approvers() == ()
    assert ground.history(1)[1] == f"#1 approved by {ground.reviewer}"


def moved(service: str, environment: str, word: str, *, merge: bool = True) -> Draft:
    """A draft that pins the build called `word`."""
    release, folder = Release(story.tag(word), story.digest(word)), f"environments/{environment}/{service}"
    files = {
        "release.yaml": pins.release_yaml(release),
        "origin.yaml": pins.origin_yaml(Origin(f"acme/{service}", "0.1.0", 7, True)),
    }
    return replace(
        draft(merge=merge, move=Move(service, environment, None, release, 7)),
        branch=f"shiplane/pin/{environment}/{service}",
        changes=tuple(Change(f"{folder}/{name}", FILE, data) for name, data in files.items()),
    )


def test_since_when_a_pin_holds_is_known_by_service_and_environment(ground: Ground) -> None:
    put(ground, moved("wallet", "dev", "a"), moved("ledger", "dev", "a"), moved("wallet", "prod", "a"))
    put(ground, moved("wallet", "dev", "b"))
    put(ground, moved("other", "dev", "c", merge=False))
    with ground.forge() as forge:
        known = forge.merged(["dev"])
        history = forge.history("wallet", "dev")
        newest = forge.history("wallet", "dev", last=1)

    assert {key: request.number for key, request in known.items()} == {("wallet", "dev"): 4, ("ledger", "dev"): 2}
    release = Release(story.tag("b"), story.digest("b"))
    assert known["wallet", "dev"].move == Move("wallet", "dev", None, release, 7)
    assert [(each.number, each.move and each.move.after) for each in history] == [
        (4, release),
        (1, Release(story.tag("a"), story.digest("a"))),
    ]
    assert [each.number for each in newest] == [4]
    assert history[0].merged == known["wallet", "dev"].merged is not None


def test_what_an_open_one_pins_is_known(ground: Ground) -> None:
    (made,) = put(ground, moved("wallet", "dev", "a", merge=False))

    with ground.forge() as forge:
        assert made.move
        assert made.move == forge.get(1).move == forge.open()[0].move == forge.find([made.branch])[made.branch].move


@pytest.mark.parametrize("text", ["", "no newline", HOSTILE, "é" * 3000, "\n\n\n", "x" * 65_536])
def test_any_text_survives(ground: Ground, text: str) -> None:
    hostile = replace(draft(), title=text.replace("\n", " ").replace("\r", " ")[:200] or "-", body=text)
    (made,) = put(ground, hostile)
    ground.approve(1)
    with ground.forge() as forge:
        approved = forge.get(1)
    landed = merged(ground, 1)
    with ground.forge() as forge:
        read = forge.get(1)

    assert (made.body, approved.body, read.body) == (text, text, text)
    assert isinstance(landed, PullRequest)
    assert told(read) == told(landed)
    assert read.title == hostile.title
    assert [event.split(" by ")[0] for event in ground.history(1)] == ["#1 merged", "#1 approved", "#1 opened"]
