"""What our forge asks of GitHub by REST, asked of the double and of an emulator that others have written.

The same functions, the same answers: where two that know nothing of each other agree, GitHub is likely to be so. What
the emulator does otherwise than GitHub's documentation says is listed in `WRONG`, and shown to be so still. It speaks
neither git nor GraphQL; so whole commands cannot be asked of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from gitops.apply import load
from gitops.forge.github import comments, credentials, people, write
from gitops.forge.github.forge import GitHub
from gitops.forge.github.wire import Refused, Wire
from gitops.model import EXECUTABLE, FILE, GONE, TREE, Change, Draft
from gitops.repo import Repository, opened
from gitops.repo.access import Access
from tests.gitops import github_emulator, story
from tests.gitops.github_double.ground import by_app, environment, key, populate
from tests.gitops.github_double.ground import repository as github_repository
from tests.gitops.github_double.server import Double, serve
from tests.gitops.github_double.world import World

SLUG = "acme/gitops"
REPO = f"/repos/{SLUG}"
WRONG = {
    # what is asked: what the emulator answers, and what GitHub does by its documentation
    "a second one for the branch": (201, 422),  # "Create a pull request": validation failed
    "one from a branch that is not there": (201, 422),  # the same
    "a token of nobody's": (200, 401),  # "Authenticating to the REST API": bad credentials
    "a merge of another head": (422, 409),  # "Merge a pull request": sha was given, and the head is another
    "a status": (404, 201),  # "Create a commit status": it has none
    "who has pushed": (404, 200),  # "List repository activities": it has none
    "GraphQL": (404, 200),  # it has none
}


@dataclass
class Asked:
    """One of the two: its address, `base` is a commit of its main; `double` is none for the emulator."""

    server: str
    base: str
    double: Double | None

    @property
    def url(self) -> str:
        return f"{self.server}/{SLUG}.git"

    def wire(self, who: str = "dev") -> Wire:
        return Wire(f"{self.server}/api/v3", f"ghp_{who}")

    def branch(self, name: str, commit: str) -> None:
        """Let a branch name a commit, as a push would."""
        if self.double is None:
            self.wire().rest("POST", f"{REPO}/git/refs", {"ref": f"refs/heads/{name}", "sha": commit})
            return
        before = self.double.world.heads()
        story.git(self.double.world.repo, "update-ref", f"refs/heads/{name}", commit)
        self.double.world.moved(self.double.world.people["dev"], before)

    def commit(self, path: str = "notes") -> str:
        """A new commit on its main, with one file more."""
        entry = {"path": path, "mode": FILE, "type": "blob", "content": f"{path}\n"}
        wire = self.wire()
        tree = wire.rest("POST", f"{REPO}/git/trees", {"tree": [entry]})["sha"]
        commit = {"message": path, "tree": tree, "parents": [self.base]}
        return str(wire.rest("POST", f"{REPO}/git/commits", commit)["sha"])

    def team(self, name: str, login: str) -> None:
        if self.double is None:
            self.wire().rest("POST", "/orgs/acme/teams", {"name": name})
            self.wire().rest("PUT", f"/orgs/acme/teams/{name}/memberships/{login}", {"role": "member"})
        else:
            self.double.world.teams[name] = [login]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with github_emulator.running() as address:
        yield address


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The GitOps repository itself, which the double serves, and of which the emulator is told all."""
    return story.repository(github_repository(tmp_path), released={"wallet": "zero"})


@pytest.fixture(params=["double", "emulator"])
def asked(request: pytest.FixtureRequest, tmp_path: Path, local: Path) -> Iterator[Asked]:
    if request.param == "emulator":
        server = request.getfixturevalue("emulator")
        base = Wire(f"{server}/api/v3", "ghp_dev").rest("GET", f"{REPO}/git/ref/heads/main")["object"]["sha"]
        yield Asked(server, str(base), None)
        return
    world = World(local)
    populate(world, "dev", "rev", "sue")
    with serve(tmp_path, world) as double:
        yield Asked(double.server, str(world.head("main")), double)
    assert not world.wrong, world.wrong


@pytest.fixture
def forge(asked: Asked, local: Path) -> Iterator[GitHub]:
    """The forge of the repository at the address of the one that is asked; its git is that of the local one."""
    with ExitStack() as stack:
        repository = stack.enter_context(opened(str(local)))
        there = Repository(asked.url, repository._folder, Access(token="ghp_dev"))
        yield GitHub(there, load(repository))


def draft(branch: str, *changes: Change, title: str = "promote wallet") -> Draft:
    return Draft(branch, title, "why, and how back", changes, ())


class TestTheApp:
    def environment(self, asked: Asked, **other: str) -> dict[str, str]:
        double = asked.double or Double(asked.server, World(Path()))
        return {**by_app(double), **other}

    def test_it_gets_a_token_for_the_one_repository(self, asked: Asked) -> None:
        with environment(self.environment(asked)):
            found = credentials.access(asked.url)

        assert (bool(found.token), found.app, found.lacks) == (True, "shiplane[bot]", ())
        made = Wire(f"{asked.server}/api/v3", found.token).rest("POST", f"{REPO}/git/blobs", {"content": "x"})
        assert made["sha"] == hashlib.sha1(b"blob 1\0x").hexdigest()

    def test_another_apps_key_is_not_taken(self, asked: Asked) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(*form).decode()
        assert other != key()[0]
        with (
            environment(self.environment(asked, SHIPLANE_GITHUB_APP_KEY=other)),
            pytest.raises(ShiplaneError, match="does not take this token"),
        ):
            credentials.access(asked.url)

    def test_a_repository_on_which_it_is_not_installed(self, asked: Asked) -> None:
        if asked.double:
            asked.double.world.apps["1234"]["installed"] = False
        url = asked.url if asked.double else f"{asked.server}/acme/other.git"
        with environment(self.environment(asked)), pytest.raises(ShiplaneError, match="the App is not installed"):
            credentials.access(url)


def test_trees_have_gits_own_ids(asked: Asked, local: Path) -> None:
    """A release's new chart, a carried tree, an edit and what goes: named as git names them, or nothing is equal."""
    with opened(str(local)) as repository:
        wire = asked.wire()
        chart = {"Chart.yaml": (FILE, b"name: x\n"), "run.sh": (EXECUTABLE, b"#!/bin/sh\n")}
        made = repository.tree({**chart, "icon.png": (FILE, b"\x89P\0\xff")})
        changes = [
            Change("environments/dev/wallet/chart", TREE, made),
            Change("environments/dev/wallet/release.yaml", FILE, "ü: 1\r\n".encode()),
            Change("README.md", GONE, b""),
        ]
        whole = story.git(local, "rev-parse", "main^{tree}")
        if asked.double is None:
            tell(wire, repository, local)
        entries = [write._entry(wire, SLUG, repository, each, set()) for each in changes]
        told = wire.rest("POST", f"{REPO}/git/trees", {"base_tree": whole, "tree": entries})

        assert told["sha"] == repository.edited(repository.tip, changes)


def tell(wire: Wire, repository: Repository, local: Path) -> None:
    """Make the tree of main there; it has to get the id that it has here."""
    listed = repository.listing(None).entries.items()
    files = [(path, entry.mode, story.show(local, path) or b"") for path, entry in listed if entry.mode != TREE]
    entries = [write._file(wire, SLUG, *each) for each in files]
    made = wire.rest("POST", f"{REPO}/git/trees", {"tree": entries})["sha"]
    assert made == repository.tree_of(repository.tip)


def test_a_commit_needs_its_tree_and_its_parents(asked: Asked) -> None:
    tree = asked.wire().rest("POST", f"{REPO}/git/trees", {"tree": [_file("a")]})["sha"]
    for body in ({"tree": "2" * 40, "parents": [asked.base]}, {"tree": tree, "parents": ["1" * 40]}):
        with pytest.raises(Refused) as caught:
            asked.wire().rest("POST", f"{REPO}/git/commits", {"message": "x", **body})
        assert caught.value.status == 422


def _file(path: str) -> dict[str, str]:
    return {"path": path, "mode": FILE, "type": "blob", "content": "x\n"}


def test_a_pull_request_is_opened_told_anew_and_closed(asked: Asked, forge: GitHub) -> None:
    head = asked.commit("opened")
    asked.branch("shiplane/pin/staging/wallet", head)
    first = forge._told(draft("shiplane/pin/staging/wallet"), None, head, "dev")
    assert first
    assert (first.state, first.author, first.requester, first.head) == ("open", "dev", "dev", head)
    again = forge._told(draft("shiplane/pin/staging/wallet", title="promote wallet again"), first, head, "dev")
    assert again
    assert (again.number, again.url, again.opened) == (first.number, first.url, first.opened)
    told = asked.wire().rest("PATCH", f"{REPO}/pulls/{first.number}", {"state": "closed"})
    assert (told["title"], told["state"], told["merged"]) == ("promote wallet again", "closed", False)


def test_one_comment_is_kept_up_to_date_and_another_is_left_alone(asked: Asked, forge: GitHub) -> None:
    asked.branch("topic", asked.commit("topic"))
    request = forge._told(draft("topic"), None, asked.base, "dev")
    assert request
    for who, text in (("rev", "forged"), ("dev", "waiting"), ("dev", "waiting"), ("dev", "passed"), ("rev", "forged")):
        comments.keep(asked.wire(who), SLUG, request.number, who, text)
    found = asked.wire().rest("GET", f"{REPO}/issues/{request.number}/comments")

    assert [(each["user"]["login"], each["body"].splitlines()[-1]) for each in found] == [
        ("rev", "forged"),
        ("dev", "passed"),
    ]


def test_a_team_has_its_people_and_an_unknown_one_is_told(asked: Asked) -> None:
    asked.team("sre", "sue")

    assert "sue" in [*people.members(asked.wire(), "acme", "sre")]
    with pytest.raises(ShiplaneError, match="GitHub shows no such team"):
        list(people.members(asked.wire(), "acme", "nobody"))


def test_commits_between_two(asked: Asked, forge: GitHub) -> None:
    head = asked.commit("compared")
    asked.branch("compared", head)
    found = forge.compare(SLUG, asked.base, head)

    assert found
    assert ([each.sha for each in found.commits], found.total, found.missing) == ([head], 1, 0)
    assert forge.compare(SLUG, asked.base, "4" * 40) is None


def test_a_merge_is_made_once(asked: Asked, forge: GitHub) -> None:
    head = asked.commit("merged")
    asked.branch("merged", head)
    request = forge._told(draft("merged"), None, head, "dev")
    assert request
    body = {"sha": head, "merge_method": "merge"}
    told = asked.wire().rest("PUT", f"{REPO}/pulls/{request.number}/merge", body)

    assert (told["merged"], len(told["sha"])) == (True, 40)
    with pytest.raises(Refused, match="not mergeable"):
        asked.wire().rest("PUT", f"{REPO}/pulls/{request.number}/merge", body)


class TestWhatTheEmulatorDoesOtherwise:
    @pytest.mark.parametrize("what", WRONG)
    def test_it_is_so_still(self, asked: Asked, what: str) -> None:
        """Where this fails the emulator was mended, and can be asked for that, too."""
        emulated, real = WRONG[what]

        assert self.answer(asked, what) == (real if asked.double else emulated)

    def answer(self, asked: Asked, what: str) -> int:
        wire, name = asked.wire(), what.replace(" ", "-")
        head = asked.commit(name)
        asked.branch(name, head)
        pull = {"title": what, "head": name, "base": "main"}
        number = wire.rest("POST", f"{REPO}/pulls", pull)["number"]
        asks: dict[str, tuple[str, str, Any, Wire]] = {
            "a second one for the branch": ("POST", f"{REPO}/pulls", pull, wire),
            "one from a branch that is not there": ("POST", f"{REPO}/pulls", {**pull, "head": "nowhere"}, wire),
            "a token of nobody's": ("GET", f"{REPO}/git/ref/heads/main", None, asked.wire("nobody")),
            "a merge of another head": ("PUT", f"{REPO}/pulls/{number}/merge", {"sha": "3" * 40}, wire),
            "a status": ("POST", f"{REPO}/statuses/{head}", {"state": "success", "context": "x"}, wire),
            "who has pushed": ("GET", f"{REPO}/activity", None, wire),
        }
        try:
            if what == "GraphQL":
                wire.graphql("query { viewer { login } }", {})
                return 200
            verb, path, body, who = asks[what]
            who.rest(verb, path, body)
        except Refused as refusal:
            return refusal.status
        return 201 if verb == "POST" else 200

    def test_an_apps_commit_is_signed_by_github_alone(self, asked: Asked) -> None:
        """GitHub signs what an App commits without naming an author; the emulator signs nothing."""
        with environment(TestTheApp().environment(asked)):
            wire = Wire(f"{asked.server}/api/v3", credentials.access(asked.url).token)
        tree = wire.rest("POST", f"{REPO}/git/trees", {"tree": [_file("signed")]})["sha"]
        made = wire.rest("POST", f"{REPO}/git/commits", {"message": "x", "tree": tree, "parents": [asked.base]})

        assert made["verification"]["verified"] is (asked.double is not None)
