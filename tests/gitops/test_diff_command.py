"""`gitops diff`: the change in the cluster, by every way to name it; and that a failure is never "no changes"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gitops import forged, story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import Lane
from tests.gitops.story import CHART

SERVICE = b"""\
apiVersion: v1
kind: Service
metadata: {name: wallet}
spec:
  type: {{ .Values.type | default "ClusterIP" }}
  selector: {app: wallet}
  ports: [{port: 80}]
"""
VALUES = "environments/staging/wallet/values.yaml"
WHOLE = """\
wallet in staging: 1 resource added
! exposed: Service/wallet: can be reached from outside in a new way: LoadBalancer port 80, from anywhere
! exposure-unguarded: Service/wallet: LoadBalancer is open to the outside without TLS that is known
! exposure-unguarded: Service/wallet: is open to the outside, and nothing says who authenticates
Service/wallet added (namespace wallet)
+ apiVersion: v1
+ spec.type: LoadBalancer
+ spec.selector.app: wallet
+ spec.ports[80].port: 80
  and the image in 1 resource, as expected
"""


def more_in_dev(lane: Lane) -> None:
    """dev has a Service more than staging, which has a load balancer in its settings."""
    lane.carry("staging", "rev")
    text = story.show(lane.repo, VALUES) or b""
    story.write(lane.repo, {VALUES: text + b"type: LoadBalancer\n"})
    lane.release("one", {**CHART, "templates/service.yaml": SERVICE})


@pytest.fixture
def lane(lane_of: LaneOf) -> Lane:
    return lane_of(more_in_dev)


def items(lane: Lane, *words: object, code: int = 0) -> list[dict[str, Any]]:
    told = json.loads(lane.run("diff", *words, "--json", code=code).stdout)
    assert told["schema"] == "shiplane/diff/1"
    found: list[dict[str, Any]] = told["items"]
    return found


def test_every_way_tells_the_same(lane: Lane) -> None:
    before = story.git(lane.repo, "rev-parse", "main")
    promised = lane.run("diff", "wallet", "--to", "staging").stdout
    number = lane.promote("staging")
    asked = lane.run("diff", "--pr", number).stdout
    branch = lane.run("diff", "--head", "shiplane/pin/staging/wallet").stdout
    lane.merge(number, "rev")
    merged = lane.run("diff", "--pr", number).stdout
    commits = lane.run("diff", "--base", before, "--head", "main").stdout

    assert promised == WHOLE
    assert (asked, branch, merged, commits) == (promised,) * 4


def test_nothing_is_said_in_one_sentence(lane: Lane) -> None:
    lane.carry("staging", "rev")

    for words in (("wallet", "--to", "staging"), ("--base", "main", "--head", "main")):
        done = lane.run("diff", *words)
        assert (done.stdout, done.stderr) == ("", "· nothing changes in the cluster\n")


def test_programs_get_all_of_it(lane: Lane) -> None:
    (only,) = items(lane, "wallet", "--to", "staging")

    assert (only["service"], only["environment"], only["problems"], only["files"]) == ("wallet", "staging", [], [])
    assert [each["name"] for each in only["dangers"]] == ["exposed", "exposure-unguarded", "exposure-unguarded"]
    assert only["resources"][0]["state"] == "added"
    assert {"path": "spec.type", "before": None, "after": "LoadBalancer"} in only["resources"][0]["fields"]
    assert only["resources"][1]["folded"] == ["data.image"]


def test_settings_alone_are_compared_and_other_files_are_named(lane: Lane) -> None:
    lane.carry("staging", "rev")
    text = story.show(lane.repo, VALUES) or b""
    changes = {VALUES: text.replace(b"LoadBalancer", b"NodePort"), "README.md": b"x\n"}
    story.git(lane.repo, "branch", "people/x", "main")
    story.write(lane.repo, changes, "people/x")
    done = lane.run("diff", "--head", "people/x")

    assert "- spec.type: LoadBalancer\n+ spec.type: NodePort\n" in done.stdout
    assert done.stderr == "· files change that are not rendered: README.md\n"
    assert [each["files"] for each in items(lane, "--head", "people/x")] == [[], ["README.md"]]


def test_what_is_taken_out_is_removed(lane: Lane) -> None:
    story.git(lane.repo, "branch", "people/x", "main")
    gone = {f"environments/staging/wallet/{name}": None for name in ("release.yaml", "origin.yaml", "chart")}
    story.write(lane.repo, gone, "people/x")

    assert "! removed: ConfigMap/wallet: is removed" in lane.run("diff", "--head", "people/x").stdout


@pytest.mark.parametrize(
    ("side", "when"),
    [("dev", "as it would be"), ("staging", "as it is now")],
)
def test_what_does_not_render_is_an_error_and_never_no_change(lane: Lane, side: str, when: str) -> None:
    story.write(lane.repo, {f"environments/{side}/wallet/chart/templates/cm.yaml": b"{{ fail `no way` }}\n"})
    done = lane.run("diff", "wallet", "--to", "staging", code=1)

    assert done.stdout == ""
    assert f"wallet in staging, {when}: the result does not render" in done.stderr
    assert "no way" in done.stderr
    (only,) = items(lane, "wallet", "--to", "staging", code=1)
    assert (only["resources"], only["dangers"]) == (None, None)
    assert "no way" in only["problems"][0]


def test_what_must_not_be_carried_is_not_shown_to_helm(lane: Lane) -> None:
    story.git(lane.repo, "branch", "people/x", "main")
    story.write(lane.repo, {"environments/dev/wallet/chart/.argocd-source.yaml": b"x: 1\n"}, "people/x")

    assert "it is not carried" in lane.run("diff", "--head", "people/x", code=1).stderr


def test_a_conflict_is_no_difference(lane: Lane) -> None:
    number = lane.promote("staging")
    story.write(lane.repo, {"environments/staging/wallet/release.yaml": b"image: {}\n"})

    assert "both sides changed" in lane.run("diff", "--pr", number, code=3).stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["wallet"],
        ["--to", "staging"],
        ["wallet", "--to", "staging", "--pr", "1"],
        ["--pr", "1", "--head", "main"],
        ["--base", "main"],
        ["--from", "dev"],
        ["--head", "nope"],
        ["--head", "../x"],
        ["--head", "-x"],
        ["--head", "--upload-pack=touch x"],
        ["--head", "main:refs/heads/x"],
        ["--head", "a" * 40],
        ["--pr", "99"],
        ["wallet", "--to", "nowhere"],
        ["nobody", "--to", "staging"],
    ],
)
def test_what_names_nothing_is_refused(lane: Lane, words: list[str]) -> None:
    refs = story.refs(lane.repo)
    done = lane.run("diff", *words, code=1)

    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert story.refs(lane.repo) == refs


def test_colours_are_for_terminals_that_want_them(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    from gitops.commands.diff import _coloured

    assert lane.run("diff", "wallet", "--to", "staging").stdout == WHOLE  # no terminal
    assert _coloured("- a") == "\x1b[31m- a\x1b[0m"
    assert (_coloured("+ a")[:5], _coloured("! a")[:5], _coloured("wallet")[:4]) == ("\x1b[32m", "\x1b[33m", "\x1b[1m")
    assert _coloured("  a") == "  a"
    monkeypatch.setenv("NO_COLOR", "1")
    assert _coloured("- a") == "- a"


def test_a_pull_request_of_anybody_is_compared(lane: Lane) -> None:
    head = forged.commit(lane.repo, {VALUES: (story.show(lane.repo, VALUES) or b"") + b"replicas: 1\n"})
    number = forged.pushed(lane.repo, head, "people/y", move=None)

    assert lane.run("diff", "--pr", number).stderr == "· nothing changes in the cluster\n"
