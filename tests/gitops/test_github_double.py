"""The double refuses what GitHub refuses, and its referee finds what GitHub's own description forbids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gitops import story
from tests.gitops.github_double import referee
from tests.gitops.github_double.ground import populate, repository
from tests.gitops.github_double.server import Double, serve
from tests.gitops.github_double.world import World


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    world = World(story.repository(repository(tmp_path)))
    populate(world, "dev", "rev")
    world.person("guest", may="read")
    with serve(tmp_path, world) as running:
        yield running


def ask(double: Double, verb: str, path: str, body: Any = None, token: str = "ghp_dev") -> tuple[int, Any]:
    url = f"{double.server}/api/v3/repos/acme/gitops/{path}"
    done = requests.request(verb, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return done.status_code, done.json()


def query(double: Double, text: str, **variables: Any) -> Any:
    body = {"query": text, "variables": variables}
    headers = {"Authorization": "Bearer ghp_dev"}
    return requests.post(f"{double.server}/api/graphql", json=body, headers=headers, timeout=30).json()


def opened(double: Double, branch: str = "topic") -> dict[str, Any]:
    story.git(double.world.repo, "branch", branch, "main")
    story.write(double.world.repo, {f"notes/{branch}": b"x\n"}, branch)
    status, told = ask(double, "POST", "pulls", {"title": branch, "head": branch, "base": "main"})
    assert status == 201
    found: dict[str, Any] = told
    return found


def reason(told: Any) -> str:
    errors = [each["message"] for each in told.get("errors", ()) if "message" in each]
    return "; ".join([told["message"], *errors])


def test_its_refusals_are_githubs(double: Double) -> None:
    made = opened(double)
    head = double.world.head("topic")
    story.git(double.world.repo, "branch", "empty", "main")
    topic = {"title": "x", "head": "topic", "base": "main"}
    merge = f"pulls/{made['number']}/merge"
    found = {
        name: (status, reason(told))
        for name, (status, told) in {
            "bad token": ask(double, "POST", "pulls", topic, "ghp_unknown"),
            "no permission": ask(double, "POST", "pulls", topic, "ghp_guest"),
            "twice": ask(double, "POST", "pulls", topic),
            "empty": ask(double, "POST", "pulls", {**topic, "head": "empty"}),
            "no branch": ask(double, "POST", "pulls", {**topic, "head": "nowhere"}),
            "too long": ask(double, "PATCH", f"pulls/{made['number']}", {"body": "x" * 65_537}),
            "none such": ask(double, "PATCH", "pulls/99", {"title": "x"}),
            "older head": ask(double, "PUT", merge, {"sha": "0" * 40}),
            "own review": ask(double, "POST", f"pulls/{made['number']}/reviews", {"event": "APPROVE"}),
        }.items()
    }
    double.world.required_reviews = 1
    status, told = ask(double, "PUT", merge, {"sha": head})
    found["review"] = (status, reason(told))
    double.world.required_reviews = 0
    story.write(double.world.repo, {"notes/topic": b"other\n"})
    status, told = ask(double, "PUT", merge, {"sha": head})
    found["conflict"] = (status, reason(told))

    assert found == {
        "bad token": (401, "Bad credentials"),
        "no permission": (403, "Resource not accessible by personal access token"),
        "twice": (422, "Validation Failed; A pull request already exists for acme:topic."),
        "empty": (422, "Validation Failed; No commits between main and empty"),
        "no branch": (422, "Validation Failed"),
        "too long": (422, "Validation Failed; body is too long (maximum is 65536 characters)"),
        "none such": (404, "Not Found"),
        "older head": (409, "Head branch was modified. Review and try the merge again."),
        "own review": (422, "Unprocessable Entity"),
        "review": (405, "At least 1 approving review is required by reviewers with write access."),
        "conflict": (405, "Pull Request is not mergeable"),
    }


def test_the_eighty_first_write_in_a_minute_is_refused(double: Double) -> None:
    made = opened(double)
    text = {"title": "again"}
    statuses = [ask(double, "PATCH", f"pulls/{made['number']}", text)[0] for _ in range(80)]

    assert statuses == [200] * 79 + [429]  # opening it was the first


def test_a_branch_that_is_deleted_closes_its_pull_request(double: Double) -> None:
    made = opened(double)
    before = double.world.heads()
    story.git(double.world.repo, "update-ref", "-d", "refs/heads/topic")
    double.world.moved(double.world.people["rev"], before)

    assert double.world.pull(made["number"]).state == "closed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query { viewer { nonsense } }", "Field 'nonsense' doesn't exist on type 'User'"),
        ("query { viewer }", "Objects must have selections (type 'User')"),
        ("query { viewer { login } ", "Parse error"),
        ('query { repository(owner: "acme", name: "x") { id } }', "Could not resolve to a Repository"),
        ('query { repository(owner: "acme", name: "gitops", x: 1) { id } }', "doesn't accept argument 'x'"),
        ("query($a: String!) { viewer { login } }", "Variable $a was provided invalid value"),
    ],
)
def test_graphql_knows_its_types(double: Double, text: str, told: str) -> None:
    assert told in str(query(double, text)["errors"])


def test_refs_move_together_or_not_at_all(double: Double) -> None:
    tip = double.world.head("main")
    text = """mutation($updates: [RefUpdate!]!) {
      updateRefs(input: {repositoryId: "R", refUpdates: $updates}) { clientMutationId }
    }"""
    one = {"name": "refs/heads/one", "beforeOid": "0" * 40, "afterOid": tip}
    two = {"name": "refs/heads/main", "beforeOid": "1" * 40, "afterOid": tip}

    assert "errors" in query(double, text, updates=[one, two])
    assert double.world.head("one") is None
    assert "errors" not in query(double, text, updates=[one])
    assert double.world.head("one") == tip


def test_it_knows_the_branches_that_git_knows_wherever_git_keeps_them(double: Double) -> None:
    world, repo = double.world, double.world.repo

    def by_git() -> dict[str, str]:
        out = story.git(repo, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/")
        return dict(line.split(" ") for line in out.splitlines())

    for name in "a/b", "a/c", "z":
        story.git(repo, "branch", name, "main")
    assert list(world.heads().items()) == list(by_git().items())
    story.git(repo, "pack-refs", "--all")
    assert list(world.heads().items()) == list(by_git().items())
    story.write(repo, {"x": b"x\n"}, "a/b")  # loose again, over the packed one
    story.git(repo, "branch", "-D", "a/c")
    assert list(world.heads().items()) == list(by_git().items())
    assert list(world.heads()) == ["refs/heads/a/b", "refs/heads/main", "refs/heads/z"]
    assert world.default == "main"
    story.git(repo, "symbolic-ref", "HEAD", "refs/heads/a/b")
    assert world.default == "a/b"


def test_what_git_has_not_yet_it_is_asked_for_again(double: Double) -> None:
    world = double.world
    (oid,) = story.git(world.repo, "hash-object", "--stdin", stdin=b"new\n").split()

    assert world.lasting("cat-file", "-e", oid).returncode != 0
    story.git(world.repo, "hash-object", "-w", "--stdin", stdin=b"new\n")
    assert world.lasting("cat-file", "-e", oid).returncode == 0
    assert world.fact("cat-file", "blob", oid) == "new"


def test_the_referee_finds_what_github_would_not_take_or_say() -> None:
    if referee.spec() is None:
        pytest.skip("no OpenAPI document of GitHub's here (SHIPLANE_OPENAPI names one): the double is not checked")
    pulls = "/repos/acme/gitops/pulls"

    assert referee.request_faults("POST", pulls, {}, {"title": "x", "head": "x", "base": "main"}) == []
    assert referee.request_faults("POST", pulls, {}, {"title": 1, "head": "x", "base": "main", "labels": []}) == [
        f"POST {pulls}: 1 is not of type 'string'",
        f"POST {pulls}: no field labels",
    ]
    assert referee.request_faults("GET", f"{pulls}/1/nonsense", {}, None) == [
        f"GET {pulls}/1/nonsense: no such operation"
    ]
    assert referee.request_faults("GET", pulls, {"colour": "red"}, None) == [f"GET {pulls}: no parameter colour"]
    assert referee.answer("POST", pulls, 201, {"number": 1})[1] == []
    assert "'x' is not of type 'integer'" in str(referee.answer("POST", pulls, 201, {"number": "x"})[1])
    assert referee.answer("POST", pulls, 299, {})[1] == [f"POST {pulls}: no answer 299"]
