"""Services beside each other in one file of an environment, told apart by their keys or by their documents."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import ShiplaneError
from gitops import config as configuration
from gitops.catalog import Service, entry_yaml
from gitops.kustomize import run
from gitops.model import FILE
from gitops.repo.create import bare
from tests.gitops import forged, story
from tests.gitops.gated import Lane
from tests.gitops.story import show, tag

ONE, TWO, THREE, FOUR = (tag(word) for word in ("one", "two", "three", "four"))
NAMES = ("ledger", "wallet", "rates")
LANE = """\
version: 1
forge: embedded
environments:
  dev: {merge: auto, cluster: a, registry: registry.acme.example, gates: {policy: false}}
  staging: {from: dev, cluster: b, gates: {policy: false, approvals: 1}}
  prod: {from: staging, cluster: c, gates: {policy: false, approvals: 2}}
"""


@dataclass(frozen=True)
class Shape:
    """A `layout`; the file of an environment is `head`, `each` for every service, and `tail`."""

    layout: str
    path: str
    head: str
    each: str
    tail: str = ""

    def file(self, environment: str) -> str:
        return self.path.replace("{environment}", environment)

    def said(self, environment: str, **pinned: str) -> bytes:
        """The file with these services pinned, in this order."""
        parts = [self.each.replace("{service}", name).replace("@TAG@", word) for name, word in pinned.items()]
        return (self.head + "".join(parts) + self.tail).replace("{environment}", environment).encode()


SHAPES = {
    "kustomize": Shape(
        """\
layout:
  service: overlays/{environment}
  carries:
    - {file: kustomization.yaml, keys: ["images[name=acme/{service}].newTag"]}
""",
        "overlays/{environment}/kustomization.yaml",
        """\
kind: Kustomization
namespace: shop-{environment}   # of {environment} alone
resources: [../../base]
images:
  - {name: acme/proxy, newTag: "1.2"}   # nobody's release
""",
        "  - name: acme/{service}\n    newTag: '@TAG@'   # keep\n",
        "replicas:\n  - {name: wallet, count: 3}\n",
    ),
    "values": Shape(
        """\
layout:
  service: deploy
  carries:
    - {file: "values-{environment}.yaml", keys: ["services.{service}.image.tag"]}
""",
        "deploy/values-{environment}.yaml",
        "global: {stage: {environment}}\r\nservices:\r\n",
        '  {service}:\r\n    image: {repository: acme/{service}, tag: "@TAG@"}\r\n',
        "host: x",
    ),
    "applications": Shape(
        """\
layout:
  service: argocd/{environment}
  carries:
    - file: apps.yaml
      document: "kind=Application,metadata.name={service}"
      keys: ["spec.source.helm.parameters[name=image.tag].value"]
""",
        "argocd/{environment}/apps.yaml",
        "# all of {environment}\n",
        """\
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: {service}}
spec:
  source:
    helm:
      parameters:
        - {name: image.tag, value: "@TAG@"}
""",
    ),
}


def built(shape: Shape, folder: Path, lane: str = LANE) -> Path:
    """Every service everywhere with the first release."""
    files = {"shiplane.yaml": (lane + shape.layout).encode()}
    for name in NAMES:
        entry = Service(name, "payments", f"acme/{name}", f"acme/{name}", "standard")
        files[f"services/{name}.yaml"] = entry_yaml(entry)
    for environment in ("dev", "staging", "prod"):
        files[shape.file(environment)] = shape.said(environment, **dict.fromkeys(NAMES, ONE))
    bare(folder, {path: (FILE, data) for path, data in files.items()}, "Found gitops\n")
    return folder


@pytest.fixture(scope="module", params=SHAPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shape, Path]:
    return SHAPES[request.param], built(SHAPES[request.param], tmp_path_factory.mktemp("made") / "made.git")


@pytest.fixture
def at(made: tuple[Shape, Path], tmp_path: Path) -> tuple[Shape, Lane]:
    shape, repo = made
    return shape, Lane(Path(shutil.copytree(repo, tmp_path / "gitops.git")))


def release(lane: Lane, service: str, word: str, *words: object) -> None:
    lane.run("release", service, "--tag", word, *words)


def has(lane: Lane, shape: Shape, environment: str, **pinned: str) -> bool:
    """Whether the environment's file is as it was, byte for byte, but for these pins."""
    every = {**dict.fromkeys(NAMES, ONE), **pinned}
    return show(lane.repo, shape.file(environment)) == shape.said(environment, **every)


def judged(lane: Lane, changes: dict[str, forged.Change], *reviews: str) -> dict[str, tuple[str, str]]:
    people = tuple(f"{each}@acme.example" for each in reviews)
    return lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, changes), reviews=people))


def states(verdicts: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {gate: state for gate, (state, _) in verdicts.items() if state != "passed"}


def test_each_goes_through_the_lane_by_itself_and_back(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, "wallet", TWO)
    assert has(lane, shape, "dev", wallet=TWO)

    for to, people in (("staging", ("rev",)), ("prod", ("rev", "sue"))):
        number = lane.promote(to)
        assert states(lane.verdicts(number)) == {"approvals": "waiting"}
        lane.merge(number, *people)
        assert has(lane, shape, to, wallet=TWO)
        assert "has" in lane.run("promote", "wallet", "--to", to).stderr

    rows = {each["service"]: each["environments"] for each in json.loads(lane.run("status", "--json").stdout)["items"]}
    assert {name: {cell["tag"] for cell in rows[name].values()} for name in NAMES} == {
        "ledger": {ONE}, "wallet": {TWO}, "rates": {ONE},
    }  # fmt: skip
    assert rows["wallet"]["prod"]["since"]
    assert not any(cell["problem"] or cell["behind"] for row in rows.values() for cell in row.values())

    lane.merge(lane.number("rollback", "wallet", "--env", "prod", "--reason", "fees"), "rev", "sue")
    assert has(lane, shape, "prod", wallet=ONE)
    moments = json.loads(lane.run("history", "wallet", "--env", "prod", "--json").stdout)["items"]
    assert [each["tag"] for each in moments] == [ONE, TWO, ONE]
    assert len(json.loads(lane.run("history", "ledger", "--env", "prod", "--json").stdout)["items"]) == 1


def test_the_way_back_of_one_is_not_that_of_its_neighbours(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    for service, word in (("wallet", TWO), ("ledger", TWO), ("rates", TWO), ("ledger", THREE)):
        release(lane, service, word)

    lane.merge(lane.number("rollback", "wallet", "--env", "dev", "--reason", "fees"), "rev")
    assert has(lane, shape, "dev", ledger=THREE, rates=TWO)
    lane.merge(lane.number("rollback", "ledger", "--env", "dev", "--reason", "fees"), "rev")
    assert has(lane, shape, "dev", ledger=TWO, rates=TWO)

    moments = json.loads(lane.run("history", "ledger", "--env", "dev", "--json").stdout)["items"]
    assert [each["tag"] for each in moments] == [TWO, THREE, TWO, ONE]
    assert [bool(each["number"]) for each in moments] == [True, True, True, False]


def test_two_wait_side_by_side_and_both_land(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, "ledger", TWO)
    release(lane, "rates", THREE)
    first, second = (lane.number("promote", each, "--to", "staging") for each in ("ledger", "rates"))

    lane.merge(first, "rev")
    assert states(lane.verdicts(second)) == {"approvals": "waiting"}
    lane.merge(second, "rev")

    assert has(lane, shape, "staging", ledger=TWO, rates=THREE)


def test_neighbours_that_git_cannot_merge_are_promoted_anew(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, "ledger", TWO)
    release(lane, "wallet", THREE)
    first, second = (lane.number("promote", each, "--to", "staging") for each in ("ledger", "wallet"))
    lane.merge(first, "rev")

    assert lane.number("promote", "wallet", "--to", "staging") == second
    lane.merge(second, "rev")

    assert has(lane, shape, "staging", ledger=TWO, wallet=THREE)


def test_several_go_together_in_one_pull_request(at: tuple[Shape, Lane], tmp_path: Path) -> None:
    shape, lane = at
    listed = tmp_path / "releases.yaml"
    listed.write_text(f"wallet: {{tag: {TWO}}}\nrates: {{tag: {THREE}}}\n", encoding="utf-8")
    lane.run("release", "--from-file", listed)
    assert has(lane, shape, "dev", wallet=TWO, rates=THREE)

    number = lane.number("promote", "wallet", "rates", "--to", "staging", "--together")
    assert states(lane.verdicts(number)) == {"approvals": "waiting"}
    lane.merge(number, "rev")

    assert has(lane, shape, "staging", wallet=TWO, rates=THREE)


def test_by_themselves_where_they_merge_by_themselves_each_would_undo_the_other(tmp_path: Path) -> None:
    shape = SHAPES["values"]
    lane = Lane(
        built(
            shape,
            tmp_path / "gitops.git",
            LANE.replace(
                "cluster: b, gates: {policy: false, approvals: 1}", "cluster: b, merge: auto, gates: {policy: false}"
            ),
        )
    )
    release(lane, "wallet", TWO)
    release(lane, "rates", THREE)

    told = lane.run("promote", "wallet", "rates", "--to", "staging", code=1).stderr
    assert "deploy/values-staging.yaml: holds wallet and rates, and staging merges by itself" in told
    assert has(lane, shape, "staging")

    lane.run("promote", "wallet", "rates", "--to", "staging", "--together")
    assert has(lane, shape, "staging", wallet=TWO, rates=THREE)


def test_a_promotion_changes_nothing_of_the_others(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, "wallet", TWO)
    path = shape.file("staging")
    every = dict.fromkeys(NAMES, ONE)
    honest = shape.said("staging", **{**every, "wallet": TWO})

    others = shape.said("staging", **{**every, "wallet": TWO, "ledger": THREE})
    more = honest.replace(b"staging", b"elsewhere", 1)
    gone = honest.replace(shape.each.replace("{service}", "rates").replace("@TAG@", ONE).encode(), b"")

    assert states(judged(lane, {path: honest}, "rev")) == {}
    assert judged(lane, {path: others}, "rev")["order"][0] == "refused"
    assert judged(lane, {path: more}, "rev")["scope"] == ("refused", f"changes more than it pins: {path}")
    assert {*states(judged(lane, {path: gone}, "rev")).values()} == {"refused"}


def test_the_pin_of_a_service_whose_catalog_entry_goes_is_no_setting(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    data = shape.said("prod", **{**dict.fromkeys(NAMES, ONE), "wallet": THREE})

    verdicts = judged(lane, {shape.file("prod"): data, "services/wallet.yaml": None}, "rev", "sue")

    assert verdicts["order"][0] == "refused"
    assert verdicts["scope"][0] == "refused"


def test_settings_are_for_their_environment_to_decide(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    told = {}
    for environment in ("dev", "prod"):
        path = shape.file(environment)
        data = (show(lane.repo, path) or b"").replace(environment.encode(), b"elsewhere", 1)
        verdicts = judged(lane, {path: data})
        assert verdicts["scope"] == ("passed", "pins nothing")
        told[environment] = verdicts["approvals"][1]

    assert told["prod"].startswith("0 of 2")
    assert told["dev"].startswith("0 of 2" if b"argoproj" in data else "none needed")


def test_a_service_that_an_environment_does_not_have_yet(at: tuple[Shape, Lane]) -> None:
    """People write its place there, and may pin in it only what the environment before has."""
    shape, lane = at
    path = shape.file("prod")
    without = {name: ONE for name in NAMES if name != "wallet"}
    story.write(lane.repo, {path: shape.said("prod", **without)})

    cells = {row["service"]: row["environments"]["prod"] for row in _status(lane)}
    assert (cells["wallet"]["tag"], cells["wallet"]["problem"], cells["ledger"]["tag"]) == (None, None, ONE)
    assert path in lane.run("promote", "wallet", "--to", "prod", code=1).stderr

    honest = judged(lane, {path: shape.said("prod", **without, wallet=ONE)}, "rev", "sue")
    wrong = judged(lane, {path: shape.said("prod", **without, wallet=THREE)}, "rev", "sue")
    assert states(honest) == {}
    assert wrong["order"][0] == "refused"


def test_a_new_application_in_a_file_that_is_there_is_for_everybody_to_decide(tmp_path: Path) -> None:
    shape = SHAPES["applications"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    without = {name: ONE for name in NAMES if name != "wallet"}
    story.write(lane.repo, {shape.file("dev"): shape.said("dev", **without)})

    verdicts = judged(lane, {shape.file("dev"): shape.said("dev", **without, wallet=TWO)})

    assert verdicts["approvals"][1].startswith("0 of 2")


def test_one_that_is_retired_leaves_the_catalog_first(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    path = shape.file("prod")
    without = shape.said("prod", **{name: ONE for name in NAMES if name != "wallet"})
    assert "refused" in states(judged(lane, {path: without}, "rev", "sue")).values()

    number = lane.number("retire", "wallet")
    told = lane.run("show", number).stdout
    assert "services/wallet.yaml" in told
    assert "No environment has anything of it" not in told
    assert all(f"- `{shape.file(name)}`\n" in told for name in ("dev", "staging", "prod"))
    refused = lane.run("retire", "wallet", "--env", "prod", code=3).stderr
    assert f"--env prod: wallet stands beside others in {path}: no file there is its own" in refused
    lane.merge(number, "rev", "sue")
    assert f"take it out of {shape.file('dev')}, " in lane.run("retire", "wallet").stderr

    verdicts = judged(lane, {path: without}, "rev", "sue")
    assert states(verdicts) == {}


def test_what_is_changed_is_shown_by_service(at: tuple[Shape, Lane]) -> None:
    _, lane = at
    release(lane, "wallet", TWO)
    number = lane.promote("staging")

    items = json.loads(lane.run("diff", "--pr", number, "--json").stdout)["items"]

    assert [(each["service"], each["environment"]) for each in items if each["service"]] == [("wallet", "staging")]


def test_check_names_what_cannot_be_rendered(at: tuple[Shape, Lane], tmp_path: Path) -> None:
    _, lane = at
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), "clone")

    done = story.gitops("check", str(tmp_path / "clone"))

    assert done.returncode == 0, done


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: NAME}}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: app, image: IMAGE}]
"""
RENDERED = {
    "kustomize": (
        '  render: {kustomize: "overlays/{environment}"}\n',
        {
            "base/kustomization.yaml": "resources: [ledger.yaml, wallet.yaml, rates.yaml]\n",
            **{f"base/{name}.yaml": POD.replace("NAME", name).replace("IMAGE", f"acme/{name}") for name in NAMES},
        },
    ),
    "values": (
        '  render: {helm: chart, values: ["deploy/values-{environment}.yaml"], release: shop}\n',
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
            "chart/templates/all.yaml": (
                "{{- range $name, $each := .Values.services }}\n---\n"
                + POD.replace("NAME", "{{ $name }}").replace(
                    "IMAGE", '"{{ $each.image.repository }}:{{ $each.image.tag }}"'
                )
                + "{{- end }}\n"
            ),
        },
    ),
}


@pytest.fixture(params=RENDERED)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Shape, Lane]:
    """What is rendered has all services of an environment."""
    if request.param == "kustomize" and not run.find():
        pytest.skip(run.MISSING)
    shape, (render, files) = SHAPES[request.param], RENDERED[request.param]
    lane = LANE.replace("registry: registry.acme.example", "registry: registry.acme.example, namespace: shop")
    repo = built(replace(shape, layout=shape.layout + render), tmp_path / "gitops.git", lane)
    story.write(repo, {path: text.encode() for path, text in files.items()})
    return shape, Lane(repo)


def test_one_rendering_of_all_services_shows_what_one_of_them_changes(whole: tuple[Shape, Lane]) -> None:
    _, lane = whole
    release(lane, "wallet", TWO)
    release(lane, "rates", THREE)

    number = lane.promote("staging")

    assert lane.verdicts(number)["renders"][0] == "passed"
    items = json.loads(lane.run("diff", "--pr", number, "--json").stdout)["items"]
    assert [(each["service"], each["environment"]) for each in items] == [("wallet", "staging")]
    assert [each["name"] for each in items[0]["resources"]] == ["wallet"]
    assert "rates" not in lane.run("show", number).stdout

    lane.merge(number, "rev")
    both = lane.number("promote", "rates", "wallet", "--to", "staging", "--together")
    assert lane.verdicts(both)["renders"][0] == "passed"
    release(lane, "wallet", THREE)
    both = lane.number("promote", "rates", "wallet", "--to", "staging", "--together")
    (item,) = json.loads(lane.run("diff", "--pr", both, "--json").stdout)["items"]
    assert (item["service"], item["environment"]) == (None, "staging")
    assert sorted(each["name"] for each in item["resources"]) == ["rates", "wallet"]
    assert "all services in staging" in lane.run("diff", "--pr", both).stdout


def test_a_base_is_rendered_once_for_each_environment(whole: tuple[Shape, Lane]) -> None:
    shape, lane = whole
    path = "base/wallet.yaml" if "kustomization" in shape.path else "chart/templates/all.yaml"
    data = (show(lane.repo, path) or b"").replace(b"name: app,", b"name: main,")
    head = forged.commit(lane.repo, {path: data})
    number = forged.pushed(lane.repo, head)

    done = json.loads(story.gitops("verify", str(number), "--json", "--repo", str(lane.repo)).stdout)["items"]
    told = [each["why"] for each in done if each["gate"] == "renders"]
    assert sorted(each.split(",")[0] for each in told) == [
        f"all services in {name}" for name in ("dev", "prod", "staging")
    ]
    assert next(each for each in done if each["gate"] == "approvals")["why"].startswith("0 of 2")

    items = json.loads(lane.run("diff", "--pr", number, "--json").stdout)["items"]
    assert [(each["service"], each["environment"]) for each in items] == [
        (None, "dev"),
        (None, "staging"),
        (None, "prod"),
    ]


def test_the_policy_judges_all_that_is_rendered_once(whole: tuple[Shape, Lane], tmp_path: Path) -> None:
    shape, lane = whole
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), "clone")

    done = story.gitops("check", str(tmp_path / "clone"))

    for name in NAMES:
        assert f"Deployment/{name} (all services in dev" in done.stdout
        assert f"({name} in " not in done.stdout
    found = re.findall(r"no memory\b|no limit of memory", done.stdout)
    environments = 3 if "kustomization" in shape.path else 1  # these differ in their namespace, and are told apart
    assert len(found) == 2 * environments * len(NAMES)


def test_a_hundred_writers_lose_nothing_to_each_other(tmp_path: Path) -> None:
    """A release is planned on what is there then: of one file many may be written at once."""
    from concurrent.futures import ThreadPoolExecutor

    shape = SHAPES["kustomize"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    with ThreadPoolExecutor(len(NAMES)) as pool:
        list(pool.map(lambda name: release(lane, name, TWO), NAMES))

    assert has(lane, shape, "dev", **dict.fromkeys(NAMES, TWO))


@pytest.mark.parametrize(
    "item",
    [
        "{<<: *w, newTag: '@'}",
        "{name: acme/other, <<: *w, newTag: '@'}",
        "{name: *n, newTag: '@'}",
        "{*k : acme/wallet, newTag: '@'}",
        "{name: !!binary YWNtZS93YWxsZXQ=, newTag: '@'}",
        "{!!binary bmFtZQ==: acme/wallet, newTag: '@'}",
    ],
)
def test_an_item_that_is_the_service_by_what_stands_elsewhere(item: str, tmp_path: Path) -> None:
    """kustomize takes the last item of a name, however that is written."""
    shape = SHAPES["kustomize"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    data = shape.said("prod", **dict.fromkeys(NAMES, ONE))
    data = data.replace(b"replicas:", f"  - {item}\nreplicas:".replace("@", THREE).encode())

    verdicts = judged(lane, {shape.file("prod"): b"w: &w {&k name: &n acme/wallet}\n" + data}, "rev", "sue")

    assert verdicts["read"][0] == "refused"
    assert "readers differ" in verdicts["read"][1]


@pytest.mark.parametrize("metadata", ["{name: *n}", "{<<: *m}", "{name: !!binary d2FsbGV0}", "{name: x, name: wallet}"])
def test_a_document_that_is_the_service_by_what_stands_elsewhere(metadata: str, tmp_path: Path) -> None:
    shape = SHAPES["applications"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    data = shape.said("prod", **dict.fromkeys(NAMES, ONE))
    more = shape.said("prod", wallet=THREE).replace(b"{name: wallet}", metadata.encode())
    more = more.replace(b"---\n", b"---\nx: &m {name: &n wallet}\n")

    verdicts = judged(lane, {shape.file("prod"): data + more}, "rev", "sue")

    assert verdicts["read"][0] == "refused"
    assert "readers differ" in verdicts["read"][1]


def test_what_people_write_with_a_new_entry_is_no_way_back(tmp_path: Path) -> None:
    """A way back asks for fewer people, and passes a freeze: for a pin that the environment has had, and no more."""
    shape = SHAPES["kustomize"]
    lane = Lane(
        built(shape, tmp_path / "gitops.git", LANE.replace("approvals: 2", "approvals: {count: 2, rollback: 1}"))
    )
    path, without = shape.file("prod"), {name: ONE for name in NAMES if name != "wallet"}
    story.write(lane.repo, {path: shape.said("prod", **without)})
    data = shape.said("prod", **without, wallet=ONE).replace(b"../../base", b"../../another")

    verdicts = judged(lane, {path: data}, "rev")

    assert verdicts["approvals"][1].startswith("1 of 2")
    assert verdicts["scope"] == ("passed", f"only wallet in prod, with settings of a person: {path}")


def test_a_neighbour_in_disorder_keeps_nobody_from_what_is_theirs(tmp_path: Path) -> None:
    shape = SHAPES["kustomize"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    path, double = shape.file("staging"), b"  - {name: acme/wallet, newTag: x}\nreplicas:"
    good = shape.said("staging", **dict.fromkeys(NAMES, ONE))
    bad = good.replace(b"replicas:", double)
    story.write(lane.repo, {path: bad})
    release(lane, "ledger", TWO)

    number = lane.number("promote", "ledger", "--to", "staging")
    assert states(lane.verdicts(number)) == {"approvals": "waiting"}
    more = bad.replace(f"{ONE}'".encode(), f"{TWO}'".encode(), 1)
    assert states(judged(lane, {path: more}, "rev")) == {}
    for smuggled in (more.replace(b"newTag: x", b"newTag: y"), bad.replace(b"newTag: x", b"newTag: y")):
        assert judged(lane, {path: smuggled}, "rev")["read"][0] == "refused"

    assert states(judged(lane, {path: good}, "rev")) == {}
    wrong = good.replace(f"wallet\n    newTag: '{ONE}".encode(), f"wallet\n    newTag: '{THREE}".encode())
    assert judged(lane, {path: wrong}, "rev")["order"][0] == "refused"


@pytest.mark.parametrize("others", [ONE, TWO], ids=["in-disguise", "and-nothing-against-it"])
def test_a_merge_of_lines_gives_nobody_the_tag_of_a_neighbour(others: str, tmp_path: Path) -> None:
    """Sorted meanwhile: git sees the lines of names change, and the tag on the line where it was."""
    shape = replace(SHAPES["kustomize"], each="  - newTag: '@TAG@'\n    # keep\n    name: acme/{service}\n")
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    pins = {**dict.fromkeys(NAMES, others), "rates": TWO}
    for environment in ("dev", "staging"):
        story.write(lane.repo, {shape.file(environment): shape.said(environment, **pins)})
    number = lane.number("promote", "rates", "--to", "prod")
    assert states(lane.verdicts(number)) == {"approvals": "waiting"}
    story.write(lane.repo, {shape.file("prod"): shape.said("prod", rates=ONE, wallet=ONE, ledger=ONE)})

    assert states(lane.verdicts(number)) == {"conflict": "refused"}

    assert lane.number("promote", "rates", "--to", "prod") == number
    lane.merge(number, "rev", "sue")
    assert show(lane.repo, shape.file("prod")) == shape.said("prod", rates=TWO, wallet=ONE, ledger=ONE)


def test_applications_before_any_service_is_known_are_for_everybody_to_decide(tmp_path: Path) -> None:
    shape = SHAPES["applications"]
    files = {"shiplane.yaml": (LANE + shape.layout).encode(), shape.file("dev"): shape.said("dev", ledger=ONE)}
    bare(tmp_path / "gitops.git", {path: (FILE, data) for path, data in files.items()}, "Found gitops\n")

    verdicts = judged(Lane(tmp_path / "gitops.git"), {shape.file("dev"): shape.said("dev", ledger=ONE, wallet=TWO)})

    assert verdicts["approvals"][1].startswith("0 of 2")


def test_a_file_that_is_carried_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    """The keys of the first entry were forgotten, and nothing was ever pinned."""
    layout = (
        SHAPES["values"].layout + '    - {file: "values-{environment}.yaml", keys: ["services.{service}.digest"]}\n'
    )

    with pytest.raises(ShiplaneError, match=r"shiplane.yaml:11: layout.carries.1: carries values-\{environment\}.yaml"):
        configuration.load((LANE + layout).encode())


def test_a_new_entry_in_two_files_that_services_share(tmp_path: Path) -> None:
    """What stands beside a tag is null before there is one: that is no release."""
    shape = SHAPES["kustomize"]
    layout = shape.layout + '    - {file: "flags.yaml", keys: ["flags.{service}"]}\n'
    lane = Lane(built(replace(shape, layout=layout), tmp_path / "gitops.git"))
    flags, without = b"flags: {ledger: a, rates: b}\n", {name: ONE for name in NAMES if name != "wallet"}
    for name in ("dev", "staging", "prod"):
        story.write(lane.repo, {f"overlays/{name}/flags.yaml": flags.replace(b"}", b", wallet: c}")})
    story.write(lane.repo, {shape.file("prod"): shape.said("prod", **without), "overlays/prod/flags.yaml": flags})

    def told(flag: bytes, word: str) -> dict[str, str]:
        data = {"overlays/prod/flags.yaml": flags.replace(b"}", b", wallet: %s}" % flag)}
        return states(
            judged(lane, {**data, shape.file("prod"): shape.said("prod", **without, wallet=word)}, "rev", "sue")
        )

    assert told(b"c", ONE) == {}
    assert told(b"d", ONE) == told(b"c", TWO) == {"order": "refused"}


def test_one_broken_file_is_told_once(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    story.write(lane.repo, {shape.file("staging"): b"images: [\n"})

    done = lane.run("status")

    assert done.stdout.count("unreadable") == len(NAMES)
    assert done.stderr.count("is not YAML") == 1
    assert lane.run("doctor", code=1).stdout.count("is not YAML") == 1
    for words in (("promote", "wallet", "--to", "prod"), ("rollback", "wallet", "--env", "staging", "--reason", "x")):
        assert f"{shape.file('staging')}:2: is not YAML" in lane.run(*words, code=1).stderr


def test_a_file_is_read_once_for_all_that_stand_in_it(at: tuple[Shape, Lane], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred of them took minutes."""
    shape, lane = at
    parse, read = yaml.parse, list[str]()
    for environment in ("dev", "staging", "prod"):
        story.write(lane.repo, {shape.file(environment): shape.said(environment, **dict.fromkeys(NAMES, FOUR))})

    def counted(text: str, loader: Any) -> Any:
        read.append(text)
        return parse(text, loader)

    monkeypatch.setattr("yaml.parse", counted)

    assert {row["environments"]["prod"]["tag"] for row in _status(lane)} == {FOUR}

    assert len([text for text in read if FOUR in text]) == 3


def _status(lane: Lane) -> list[Any]:
    return list(json.loads(lane.run("status", "--json").stdout)["items"])
