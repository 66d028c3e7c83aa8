"""Layouts of somebody else's, end to end: release, promote, merge, status, rollback; and what verify lets through."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops import config, desk
from gitops.catalog import Service, entry_yaml
from gitops.kustomize import run
from gitops.layout import Layout
from gitops.model import FILE
from gitops.repo.create import bare
from tests.gitops import forged, story
from tests.gitops.gated import Lane
from tests.gitops.story import digest, show, tag

ONE, TWO = tag("one"), tag("two")
LANE = """\
version: 1
forge: embedded
environments:
  dev: {merge: auto, cluster: a, registry: registry.acme.example}
  staging: {from: dev, cluster: b}
  prod-eu: {from: staging, cluster: c, gates: {policy: false}}
  prod-us: {from: staging, cluster: d, gates: {policy: false}}
"""


KEYED = "carries: [{file: a, keys: [b]}]"
SHARED = "service: '{environment}', carries: [{file: a, keys: ['{service}.b']}]"


@dataclass(frozen=True)
class Shape:
    """A repository's form: its `layout`, where a service's file lies, and that file with `@TAG@` in it.

    `by` is what renders it, with `extra` beside it; where nothing does, `untold` is why.
    """

    layout: str
    path: str
    text: str
    tags: tuple[str, str, str] = (ONE, TWO, tag("three"))
    pinned: str = ""  # with the digest, where there is one
    extra: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    untold: str = "shiplane.yaml does not say how this layout renders: layout.render"

    def file(self, environment: str, service: str = "wallet") -> str:
        return self.path.replace("{environment}", environment).replace("{service}", service)

    def said(self, text: str, environment: str, word: str, service: str = "wallet") -> bytes:
        names = text.replace("{environment}", environment).replace("{service}", service)
        return names.replace("@TAG@", word).replace("@DIGEST@", digest(word)).encode()

    def beside(self, service: str) -> dict[str, bytes]:
        """The files that all environments of a service share."""
        return {
            path.replace("{service}", service): self.said(text, "", "", service) for path, text in self.extra.items()
        }


POD = """\
      automountServiceAccountToken: false
      containers:
        - name: app
          image: IMAGE
          ports: [{containerPort: 8080}]
"""
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {{service}}, labels: {{app: {{service}}}}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {{service}}}}}}
  template:
    metadata: {{labels: {{app: {{service}}}}}}
    spec:
{POD}"""
SHAPES = {
    "kustomize": Shape(
        """\
layout:
  service: overlays/{environment}/{service}
  carries:
    - {file: kustomization.yaml, keys: ["images[name=acme/{service}].newTag", "images[name=acme/{service}].digest"]}
  render: {kustomize: "overlays/{environment}/{service}"}
""",
        "overlays/{environment}/{service}/kustomization.yaml",
        """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {service}-{environment}   # of {environment} alone
resources:
- ../../../base/{service}
images:
- name: acme/proxy
  newTag: "1.2"
- name: acme/{service}   # CI sets this
  newName: registry.acme.example/{environment}/{service}
  newTag: '@TAG@'   # keep
  digest: "@DIGEST@"
replicas:
- name: {service}
  count: 3
""",
        pinned="digest",
        extra={
            "base/{service}/kustomization.yaml": "resources: [deployment.yaml]\n",
            "base/{service}/deployment.yaml": DEPLOYMENT.replace("IMAGE", "acme/{service}"),
        },
        by="kustomize",
    ),
    "values": Shape(
        """\
layout:
  service: "charts/{service}"
  carries:
    - {file: "values-{environment}.yaml", keys: [image.tag]}
  tag: {pattern: 'v[0-9]+\\.[0-9]+\\.[0-9]+'}
  render:
    helm: "charts/{service}"
    values: ["charts/{service}/values-{environment}.yaml"]
    release: "{service}-{environment}"
""",
        "charts/{service}/values-{environment}.yaml",
        "# {environment}\r\nimage: {repository: acme/{service}, tag: @TAG@, pullPolicy: Always}\r\nhost: x",
        ("v1.2.3", "v1.3.0", "v1.4.0"),
        extra={
            "charts/{service}/Chart.yaml": "apiVersion: v2\nname: {service}\nversion: 1.0.0\n",
            "charts/{service}/templates/deployment.yaml": DEPLOYMENT.replace(
                "IMAGE", '"{{ .Values.image.repository }}:{{ .Values.image.tag }}"'
            ).replace("metadata: {name: {service},", "metadata: {name: {{ .Release.Name }},"),
        },
        by="helm",
    ),
    "parameters": Shape(
        """\
layout:
  service: argocd/{environment}
  carries:
    - file: "{service}.yaml"
      document: kind=Application
      keys: ["spec.source.helm.parameters[name=image.tag].value"]
""",
        "argocd/{environment}/{service}.yaml",
        """\
---
# {service} in {environment}
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {service}-{environment}
spec:
  source:
    repoURL: https://git.acme.example/charts.git
    path: charts/{service}
    helm:
      parameters:
        - name: image.repository
          value: acme/{service}
        - {name: image.tag, value: "@TAG@"}
  destination: {name: {environment}}
---
apiVersion: v1
kind: Namespace
metadata: {name: {service}}
""",
        untold="it is rendered from charts/wallet in https://git.acme.example/charts.git",
    ),
    "values-object": Shape(
        """\
layout:
  service: apps/{environment}
  carries:
    - {file: "{service}/application.yaml", keys: [spec.source.helm.valuesObject.image.tag]}
""",
        "apps/{environment}/{service}/application.yaml",
        """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: {service}}
spec:
  source:
    helm:
      valuesObject:
        image:
          tag: "@TAG@"
        env: {LEVEL: {environment}}
""",
    ),
    "oci-chart": Shape(
        """\
layout:
  service: clusters/{environment}/{service}
  carries:
    - {file: app.yaml, keys: ["spec.sources[chart={service}].targetRevision"]}
  tag: {pattern: '[0-9]+\\.[0-9]+\\.[0-9]+'}
""",
        "clusters/{environment}/{service}/app.yaml",
        """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: {service}-{environment}}
spec:
  sources:
  - repoURL: registry.acme.example/charts
    chart: {service}
    targetRevision: @TAG@  # the chart's version is the release
    helm: {valueFiles: [$values/{environment}.yaml]}
  - repoURL: https://git.acme.example/values.git
    targetRevision: main
    ref: values
""",
        ("1.2.3", "1.10.0", "2.0.0"),
        untold="the chart wallet lies in registry.acme.example/charts",
    ),
    "service-first": Shape(
        """\
layout:
  service: "{service}/{environment}"
  carries:
    - {file: deploy.yaml, keys: [image.tag, image.digest, env.FEATURE]}
""",
        "{service}/{environment}/deploy.yaml",
        'image:\n    tag: "@TAG@"\n    digest: "@DIGEST@"\nenv:\n    FEATURE: 3\n    STAGE: {environment}\n',
        pinned="digest",
    ),
}


@pytest.fixture(scope="module", params=SHAPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shape, Path]:
    if SHAPES[request.param].by == "kustomize" and not run.find():
        pytest.skip(run.MISSING)
    return SHAPES[request.param], built(SHAPES[request.param], tmp_path_factory.mktemp("made") / "made.git")


def built(shape: Shape, folder: Path) -> Path:
    """wallet and ledger everywhere with the first release."""
    files: dict[str, bytes] = {"shiplane.yaml": (LANE + shape.layout).encode()}
    for service in ("wallet", "ledger"):
        entry = Service(service, "payments", f"acme/{service}", f"acme/{service}", "standard")
        files[f"services/{service}.yaml"] = entry_yaml(entry)
        for name in ("dev", "staging", "prod-eu", "prod-us"):
            files[shape.file(name, service)] = shape.said(shape.text, name, shape.tags[0], service)
        files |= shape.beside(service)
    bare(folder, {path: (FILE, data) for path, data in files.items()}, "Found gitops\n")
    return folder


@pytest.fixture
def at(made: tuple[Shape, Path], tmp_path: Path) -> tuple[Shape, Lane]:
    shape, repo = made
    return shape, Lane(Path(shutil.copytree(repo, tmp_path / "gitops.git")))


def release(lane: Lane, shape: Shape, word: str) -> None:
    words = ["--digest", digest(word)] if shape.pinned else []
    lane.run("release", "wallet", "--tag", word, *words)


def changed(lane: Lane, before: str) -> list[str]:
    return story.git(lane.repo, "diff", "--name-only", before, "main").splitlines()


def head(lane: Lane) -> str:
    return story.git(lane.repo, "rev-parse", "main")


def test_a_release_goes_through_the_lane_and_back(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    one, two, _ = shape.tags
    before = head(lane)

    release(lane, shape, two)
    assert changed(lane, before) == [shape.file("dev")]
    for to, people in (("staging", ("rev",)), ("prod-eu", ("rev",)), ("prod-us", ("rev",))):
        before = head(lane)
        number = lane.promote(to)
        lane.merge(number, *people)
        assert changed(lane, before) == [shape.file(to)]
        # every other byte as it was, in the very style in which it was
        quoted = shape.said(shape.text, to, two)
        assert show(lane.repo, shape.file(to)) == quoted
        assert (
            f"has {two[:7] if len(two) == 40 else two} of wallet already"
            in lane.run("promote", "wallet", "--to", to).stderr
        )

    rows = {each["service"]: each["environments"] for each in json.loads(lane.run("status", "--json").stdout)["items"]}
    assert {name: cell["tag"] for name, cell in rows["wallet"].items()} == dict.fromkeys(rows["wallet"], two)
    assert {cell["tag"] for cell in rows["ledger"].values()} == {one}
    assert not any(cell["problem"] or cell["behind"] for row in rows.values() for cell in row.values())

    before = head(lane)
    lane.merge(lane.number("rollback", "wallet", "--env", "prod-us", "--reason", "fees"), "rev")
    assert sorted(changed(lane, before)) == sorted(["holds/prod-us/wallet.yaml", shape.file("prod-us")])
    assert show(lane.repo, shape.file("prod-us")) == shape.said(shape.text, "prod-us", one)
    assert show(lane.repo, shape.file("prod-eu")) == shape.said(shape.text, "prod-eu", two)
    assert (
        f"hold: wallet {two[:7] if len(two) == 40 else two} is held back"
        in lane.run("promote", "wallet", "--to", "prod-us", code=3).stderr
    )

    moments = json.loads(lane.run("history", "wallet", "--env", "prod-us", "--json").stdout)["items"]
    assert [each["tag"] for each in moments] == [one, two, one]


def test_a_promotion_passes_by_every_gate(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, shape, shape.tags[1])

    number = lane.promote("staging")

    verdicts = lane.verdicts(number)
    assert {gate for gate, (state, _) in verdicts.items() if state != "passed"} <= {"approvals"}
    assert "dev has pinned this very release" in verdicts["order"][1]
    told = {
        "kustomize": "by kustomize, with staging's files as they will be",
        "helm": "by helm, with staging's settings as they will be",
        "": f"not rendered: {shape.untold}",
    }
    assert verdicts["renders"] == ("passed", told[shape.by])
    shown = lane.run("show", number).stdout
    assert f"| renders | {'✅' if shape.by else '–'} | " in shown
    assert told[shape.by] in shown
    assert ("What changes in the cluster could not be told" in shown) == (not shape.by)
    assert ("### What changes in the cluster: " in shown) == bool(shape.by)
    lines = lane.run("verify", number).stdout.splitlines()
    checked = {line.split()[0] for line in lines if " ✓ " in line}
    assert checked == {"scope", "order", "hold", *(["renders"] if shape.by else []), *(["parity"] * bool(shape.pinned))}
    plan = lane.run("promote", "wallet", "--to", "staging", "--dry-run").stdout
    assert f"\ngates   order ✓  renders {'✓' if shape.by else '–'}\n" in plan
    assert shape.by or f"\nchanges COULD NOT BE TOLD: nothing is rendered here: {shape.untold}\n" in plan


def test_a_promotion_may_change_nothing_besides(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, shape, shape.tags[1])
    path = shape.file("staging")
    honest = shape.said(shape.text, "staging", shape.tags[1])

    for more in (honest + b"\nextra: 1\n", honest.replace(b"\n", b"\n\n", 1), b"# x\n" + honest):
        commit = forged.commit(lane.repo, {path: more})
        verdicts = lane.verdicts(forged.pushed(lane.repo, commit, reviews=("rev@acme.example",)))
        assert verdicts["scope"][0] == "refused", verdicts
        assert path in verdicts["scope"][1]

    commit = forged.commit(lane.repo, {path: honest})
    passes = lane.verdicts(forged.pushed(lane.repo, commit, reviews=("rev@acme.example",)))
    assert {state for state, _ in passes.values()} == {"passed"}


def test_a_tag_that_is_not_before_it_is_out_of_order(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    path = shape.file("prod-eu")
    commit = forged.commit(lane.repo, {path: shape.said(shape.text, "prod-eu", shape.tags[2])})

    verdicts = lane.verdicts(forged.pushed(lane.repo, commit, reviews=("rev@acme.example",)))

    assert verdicts["order"] == ("refused", f"is not what staging has pinned: {path} differs")


def test_a_slow_old_build_that_lands_last_changes_nothing(at: tuple[Shape, Lane]) -> None:
    """No file here says which run built a release: the pull requests do."""
    shape, lane = at
    _, two, three = shape.tags

    def run(word: str, *number: object, code: int = 0) -> str:
        digests = ["--digest", digest(word)] if shape.pinned else []
        return lane.run("release", "wallet", "--tag", word, *digests, *number, code=code).stderr

    run(two, "--run", 7)
    before = head(lane)
    short = two[:7] if len(two) == 40 else two
    assert f"superseded: dev has pinned {short} of run 7, newer than run 5" in run(three, "--run", 5)
    assert "without a number nobody knows which is newer" in run(three, code=1)
    assert head(lane) == before

    lane.merge(lane.number("rollback", "wallet", "--env", "dev"), "rev")
    lane.merge(lane.number("unhold", "wallet", "--env", "dev"), "rev")
    run(two, "--run", 8)  # what was there first came by no pull request: nobody knows its run
    lane.merge(lane.number("hold", "wallet", "--env", "staging", "--reason", "x"), "rev")
    assert "superseded" in run(three, "--run", 7)
    run(three, "--run", 9)
    assert show(lane.repo, shape.file("dev")) == shape.said(shape.text, "dev", three)


def test_a_tag_that_moves_is_no_release(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    words = ["--digest", digest("x")] if shape.pinned else []

    done = lane.run("release", "wallet", "--tag", "latest", *words, code=1)

    assert "--tag latest: does not fit layout.tag.pattern" in done.stderr
    story.write(lane.repo, {shape.file("dev"): shape.said(shape.text, "dev", "latest")})
    assert "unreadable" in lane.run("status").stdout
    assert "is latest, which pins nothing" in lane.run("promote", "wallet", "--to", "staging", code=1).stderr


@pytest.mark.parametrize("tag", ["1.4.0-SNAPSHOT", "v1.4.0-latest", "1.4.0-rc.latest"])
def test_a_version_that_is_built_again_is_no_release_whatever_the_pattern_takes(tag: str) -> None:
    layout = Layout(form=r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")

    assert layout.fits("v1.4.0-rc.1")
    assert not layout.fits(tag)


def test_settings_beside_the_pin_are_its_environments_and_applications_everybodys(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    path = shape.file("dev")
    edited = (show(lane.repo, path) or b"").replace(b"{environment}", b"x") + b"\nmore: 1\n"
    head_of = forged.commit(lane.repo, {path: edited})

    verdicts = lane.verdicts(forged.pushed(lane.repo, head_of))

    assert verdicts["scope"] == ("passed", "pins nothing")
    expected = "0 of 1" if b"argoproj.io" in edited else "none needed"
    assert verdicts["approvals"][1].startswith(expected)


def test_what_all_environments_share_is_everybodys(at: tuple[Shape, Lane]) -> None:
    _, lane = at
    head_of = forged.commit(lane.repo, {"base/wallet/deployment.yaml": b"x: 1\n"})

    assert lane.verdicts(forged.pushed(lane.repo, head_of))["approvals"][1].startswith("0 of 1")


def test_a_service_comes_to_an_environment_by_a_file_that_people_write(at: tuple[Shape, Lane]) -> None:
    """What it pins has to be what the environment before has; and who may say what runs where is asked."""
    shape, lane = at
    path = shape.file("prod-eu")
    data = show(lane.repo, path) or b""
    story.write(lane.repo, {path: None})

    honest = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, {path: data})))
    other = shape.said(shape.text, "prod-eu", shape.tags[2])
    wrong = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, {path: other})))

    assert {gate for gate, (state, _) in honest.items() if state != "passed"} == {"approvals"}
    assert wrong["order"][0] == "refused"


def test_a_file_goes_only_after_those_promoted_from_it(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    staging, prod = shape.file("staging"), shape.file("prod-us")

    early = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, {staging: None})))
    last = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, {prod: None})))
    more: dict[str, forged.Change] = {prod: None, shape.file("prod-us", "ledger"): b"x: 1\n"}
    besides = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, more)))

    assert early["order"][1].startswith("takes wallet out of staging, and prod-eu, promoted from staging, has it still")
    assert {gate for gate, (state, _) in last.items() if state != "passed"} == {"approvals"}
    assert last["approvals"][1].startswith("0 of 1")
    assert "changes more" in besides["scope"][1]


@pytest.mark.parametrize("link", ["120000", "160000"])
def test_a_link_in_the_place_of_a_file_is_refused(at: tuple[Shape, Lane], link: str) -> None:
    shape, lane = at
    path = shape.file("prod-eu")
    target: bytes | str = b"../x" if link == "120000" else "1" * 40

    verdicts = lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, {path: (link, target)})))

    assert verdicts["scope"][0] == "refused"
    assert path in verdicts["scope"][1]


def test_retire_takes_what_is_the_services_own_the_last_environment_first(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    others = set(story.git(lane.repo, "ls-tree", "-r", "--name-only", "main").splitlines())
    mine = {shape.file(name) for name in ("dev", "staging", "prod-eu", "prod-us")} | {"services/wallet.yaml"}

    refused = lane.run("retire", "wallet", "--env", "dev", code=3)
    assert "staging, promoted from dev, has wallet still" in refused.stderr
    for name in ("prod-eu", "prod-us", "staging", "dev"):
        done = lane.run("retire", "wallet")
        number = int(done.stdout.strip().rpartition("#")[2])
        shown = desk.shown(str(lane.repo), number)[0]
        assert shown.title == f"retire wallet from {name}: its files"
        application = "argoproj.io" in shape.text
        assert ("Which Application reads them is not said here" in shown.body) != application
        assert ("Argo CD prunes the Application `wallet" in shown.body) == application
        assert ("first   take away the Application that reads this" in done.stderr) != application
        verdicts = lane.verdicts(number)
        assert {gate for gate, (state, _) in verdicts.items() if state != "passed"} == {"approvals"}, verdicts
        lane.merge(number, "rev")
    number = lane.number("retire", "wallet")
    assert lane.verdicts(number)["order"][1] == "takes wallet out of the catalog, and no environment has it"
    lane.merge(number, "rev")

    left = set(story.git(lane.repo, "ls-tree", "-r", "--name-only", "main").splitlines())
    assert others - left == mine
    assert "nothing is left of wallet" in lane.run("retire", "wallet").stderr


def test_where_a_lane_joins_the_last_environment_goes_first_and_its_teams_are_named(tmp_path: Path) -> None:
    shape = SHAPES["values"]
    joined = shape.layout + "teams: {sre: [sue@acme.example]}\n"
    lane = Lane(built(replace(shape, layout=joined), tmp_path / "gitops.git"))
    text = (show(lane.repo, "shiplane.yaml") or b"").replace(b"  prod-us: {from: staging", b"  prod-us: {from: dev")
    last = b"prod: {from: [prod-eu, prod-us], cluster: e, gates: {policy: false, approvals: {count: 2, teams: [sre]}}}"
    story.write(lane.repo, {
        "shiplane.yaml": text.replace(b"layout:", b"  " + last + b"\nlayout:"),
        shape.file("prod"): shape.said(shape.text, "prod", shape.tags[0]),
    })  # fmt: skip
    lane.run("release", "wallet", "--tag", shape.tags[1])
    for to in ("staging", "prod-eu", "prod-us"):
        lane.merge(lane.promote(to), "rev")

    body = desk.shown(str(lane.repo), lane.promote("prod"))[0].body
    assert "| approvals | ⏳ 2 | from sre, not by author, requester, a committer or a bot |" in body
    refused = lane.run("retire", "wallet", "--env", "prod-us", code=3).stderr
    assert "prod, promoted from prod-us, has wallet still" in refused
    assert "retire wallet from prod: its files" in lane.run("retire", "wallet").stderr


def test_retire_takes_all_of_a_folder_that_is_the_services_own(tmp_path: Path) -> None:
    """Patches go with it, and what ends with an Application that lies there is told."""
    shape = SHAPES["kustomize"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    application = (
        b"apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
        b"metadata: {name: wallet-eu, finalizers: [resources-finalizer.argocd.argoproj.io]}\n"
    )
    more = {"overlays/prod-eu/wallet/patch.yaml": b"x: 1\n", "overlays/prod-eu/wallet/argocd/app.yaml": application}
    story.write(lane.repo, more)
    before = head(lane)

    done = lane.run("retire", "wallet", "--env", "prod-eu")
    number = int(done.stdout.strip().rpartition("#")[2])

    assert "removes overlays/prod-eu/wallet\n" in done.stderr
    body = desk.shown(str(lane.repo), number)[0].body
    assert "Argo CD prunes the Application `wallet-eu`, where the one that applies it prunes." in body
    assert "again: what is left in other environments, and the catalog entry last of all." in body
    assert "**All that wallet runs in prod-eu is deleted with it**" in body
    lane.merge(number, "rev")
    assert {*changed(lane, before)} == {*more, shape.file("prod-eu")}


def test_a_file_that_is_not_there_yet_is_peoples_to_write(tmp_path: Path) -> None:
    shape = SHAPES["kustomize"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    release(lane, shape, TWO)
    story.write(lane.repo, {shape.file("staging"): None})

    done = lane.run("promote", "wallet", "--to", "staging", code=1)

    assert f"{shape.file('staging')}: is not there" in done.stderr
    assert "people write it first" in done.stderr


def test_a_carried_number_stays_one_and_a_key_that_only_the_target_has_is_refused(tmp_path: Path) -> None:
    shape = SHAPES["service-first"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    dev = (show(lane.repo, shape.file("dev")) or b"").replace(b"FEATURE: 3", b"FEATURE: 0x10")
    story.write(lane.repo, {shape.file("dev"): dev})
    lane.merge(lane.promote("staging"), "rev")
    assert b"    FEATURE: 0x10\n    STAGE: staging\n" in (show(lane.repo, shape.file("staging")) or b"")

    story.write(lane.repo, {shape.file("dev"): re.sub(rb"    FEATURE: 0x10\n", b"", dev)})
    done = lane.run("promote", "wallet", "--to", "staging", code=1)

    assert "is set, and what is carried does not set it: env.FEATURE" in done.stderr


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("{service: x, carries: [{file: a.yaml, keys: [tag]}]}", "{environment} must stand in its path, or in"),
        ("{service: '{environment}', carries: [{file: a, keys: ['{service}.b', c]}]}", "in each of its keys"),
        ("{service: '{service}', carries: [{file: a, keys: ['{service}.b']}]}", "{environment} must stand in its path"),
        ("{service: '{environment}', carries: [{file: a, keys: [b]}, {tree: chart}]}", "in each of its keys"),
        ("carries: [{file: ../a, keys: [tag]}]", "must be a path"),
        ("carries: [{file: a, keys: ['a..b']}]", "is no path to a value"),
        ("carries: [{file: a, keys: ['a.{x}']}]", "may have {environment} and"),
        ("{service: '/{environment}/{service}', carries: [{file: a, keys: [b]}]}", "must be folders"),
        ("carries: [{file: a, keys: [b], document: c}]", "selects no document"),
        ("carries: [{file: a, tree: chart, keys: [b]}]", "must be a file, a file"),
        ("carries: [{file: a, keys: [b]}], tag: {key: c}", "must be one of the keys"),
        ("carries: [{file: a, keys: [b]}], tag: {pattern: '.*'}", "takes latest"),
        ("carries: [{file: a, keys: [b]}], tag: {pattern: 'v.*'}", "takes v1, a tag"),
        ("carries: [{file: a, keys: [b]}], tag: {pattern: '('}", "no regular"),
        (KEYED + ", render: {}", "must be kustomize, a folder, or helm, a chart's folder"),
        (KEYED + ", render: {kustomize: a, helm: b}", "must be kustomize, a folder, or helm"),
        (KEYED + ", render: {kustomize: ../a}", "render.kustomize: must be a folder"),
        (KEYED + ", render: {kustomize: '{x}'}", "render.kustomize: must be a folder"),
        (KEYED + ", render: {kustomize: 'a/{service}'}", "each has a folder of its own to build"),
        (f"{KEYED}, render: {{kustomize: '{{environment}}/{{service}}', release: a}}", "release: is helm's"),
        (f"{KEYED}, render: {{helm: /a, values: ['{{environment}}/{{service}}/a']}}", "render.helm: must be a folder"),
        (f"{{{SHARED}, render: {{kustomize: a}}}}", "{environment} and {service} must stand in it"),
        (f"{{{SHARED}, render: {{helm: a, values: ['{{environment}}/a']}}}}", "its release must be the one"),
        (f"{KEYED}, render: {{helm: a}}", "must have {environment}/{service}/a among its values"),
        (f"{KEYED}, render: {{helm: a, values: [../b, '{{environment}}/{{service}}/a']}}", "values.0: must be a path"),
        (f"{KEYED}, render: {{helm: a, values: ['{{environment}}/{{service}}/a'], release: A}}", "must be a name of"),
        (f"{KEYED}, render: {{jsonnet: a}}", "render.jsonnet: is not known here"),
        ("{render: {kustomize: '{environment}/{service}'}}", "is for another layout: Shiplane's own renders its chart"),
        ("{carries: [{file: release.yaml}]}", "without keys it must be release.yaml, origin.yaml and the tree chart"),
    ],
)  # fmt: skip
def test_a_layout_that_cannot_work_is_refused_with_its_line(layout: str, told: str) -> None:
    whole = layout if layout[0] == "{" else f"{{service: '{{environment}}/{{service}}', {layout}}}"
    with pytest.raises(ShiplaneError) as caught:
        config.load(f"{LANE}layout: {whole}\n".encode())

    assert told in str(caught.value)
    assert str(caught.value).startswith("shiplane.yaml:8: layout")


def test_one_release_of_helms_for_all_services_has_one_namespace() -> None:
    layout = f"layout: {{{SHARED}, render: {{helm: a, values: ['{{environment}}/a'], release: shop}}}}\n"

    with pytest.raises(ShiplaneError, match="its namespace must be said"):
        config.load(f"{LANE}{layout}".encode())
    told = LANE.replace("registry: registry.acme.example", "registry: registry.acme.example, namespace: shop")
    assert config.load(f"{told}{layout}".encode()).environments["prod-eu"].namespace_of("wallet") == "shop"


def test_each_layout_of_the_documentation_can_be_read() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "layouts.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(layout:.*?)^```", text, re.MULTILINE | re.DOTALL)

    read = [config.load((LANE + each).encode()).layout for each in examples]

    assert [each.own for each in read] == [False] * 5
    assert [bool(each.render) for each in read] == [True, True, True, False, False]
    assert [each.digest for each in read] == ["images[name=acme/{service}].digest", "", "", "", ""]


def test_a_version_is_held_and_returned_to_by_its_name(tmp_path: Path) -> None:
    shape = SHAPES["values"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    release(lane, shape, "v1.2.30")
    release(lane, shape, "v1.14.10")
    told = lane.run("history", "wallet", "--env", "dev").stdout.splitlines()
    assert [each.split()[3] for each in told[:2]] == ["v1.14.10", "v1.2.30"]

    lane.merge(lane.number("hold", "wallet", "--env", "staging", "--reason", "x", "--release", "v1.14.10"), "rev")
    assert "wallet v1.14.10 is held back by" in lane.run("promote", "wallet", "--to", "staging", code=3).stderr
    words = ["hold", "wallet", "--env", "staging", "--reason", "x", "--release", "latest"]
    assert "expected a release's tag: one that fits v[0-9]" in lane.run(*words, code=1).stderr

    lane.merge(lane.number("rollback", "wallet", "--env", "dev", "--to", "v1.2.3"), "rev")
    assert b"tag: v1.2.3," in (show(lane.repo, shape.file("dev")) or b"")


def test_check_says_what_it_can_judge(at: tuple[Shape, Lane], tmp_path: Path) -> None:
    shape, lane = at
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(tmp_path / "clone"))

    done = story.gitops("check", str(tmp_path / "clone"))
    assert ("this layout is not rendered here" in done.stderr) == (not shape.by)
    assert done.returncode == bool(shape.by), done
    if shape.by:
        assert "8 objects judged" in done.stderr
        assert "error    run-as-non-root: container app: may run as root" in done.stdout

    (tmp_path / "clone" / shape.file("dev")).write_bytes(shape.said(shape.text, "dev", "latest"))
    done = story.gitops("check", str(tmp_path / "clone"))
    assert done.returncode != 0
    assert "is latest, which pins nothing" in done.stdout


def test_why_tells_what_a_release_waits_for(at: tuple[Shape, Lane]) -> None:
    shape, lane = at
    release(lane, shape, shape.tags[1])

    assert "nobody has asked for it" in lane.why("staging")["not-asked"]
    assert "staging has it" not in str(lane.why("prod-eu"))


def test_desk_shows_them_like_any_other(tmp_path: Path) -> None:
    shape = SHAPES["values"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    release(lane, shape, "v1.3.0")

    number = lane.promote("staging")

    shown = desk.shown(str(lane.repo), number)[0]
    assert shown.title == "promote wallet to staging: v1.2.3 → v1.3.0"
    assert "| image | `v1.2.3` | `v1.3.0` |" in shown.body


@pytest.mark.parametrize(
    ("name", "options"),
    [("values", "--tag TAG"), ("parameters", "--tag SHA"), ("service-first", "--tag SHA --digest sha256:...")],
)
def test_the_release_that_a_hint_names_is_one_that_the_layout_takes(tmp_path: Path, name: str, options: str) -> None:
    shape = SHAPES[name]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    hint = f"gitops release wallet --to dev {options}"
    typed = {"TAG": shape.tags[1], "SHA": shape.tags[1], "sha256:...": digest("x")}

    assert f"try: {hint}\n" in lane.run("promote", "wallet", "--to", "dev", code=1).stderr
    assert lane.why("dev")["entrance"].endswith(f": {hint}")
    number = lane.number("onboard", "fees", "--source", "acme/fees", "--image", "acme/fees")
    then = f"`gitops release fees {options}`, by its CI, once people have written `{shape.file('dev', 'fees')}`: a "
    assert then in desk.shown(str(lane.repo), number)[0].body
    lane.run(*(typed.get(word, word) for word in hint.split()[1:]))
    story.write(lane.repo, {shape.file("dev", "fees"): None, shape.file("dev"): None})
    lane.merge(number, "rev")
    refused = lane.run("promote", "fees", "--to", "staging", code=3).stderr
    assert f"try: gitops release fees --to dev {options}\n" in refused


def test_each_way_back_can_be_gone_as_it_is_told(tmp_path: Path) -> None:
    """The commands that pull requests name are typed as they stand there."""
    lane = Lane(built(SHAPES["oci-chart"], tmp_path / "gitops.git"))
    typed = {"TEXT": "fees"}

    def way(number: int) -> list[list[str]]:
        told = desk.shown(str(lane.repo), number)[0].body.partition("### Way back\n")[2]
        return [[typed.get(word, word) for word in each.split()] for each in re.findall("`gitops ([^`]+)`", told)]

    def body(number: int) -> str:
        return desk.shown(str(lane.repo), number)[0].body

    lane.run("release", "wallet", "--tag", "1.10.0")
    back = lane.number(*way(1)[0])
    assert "wallet** goes back in **dev** to what it has had there, with all else in dev's files as it is" in body(back)
    assert body(back).count("| merge | ⏳ | by a person |") == 1
    assert "`gitops unhold wallet --env dev`, and release it again." in body(back)
    lane.merge(back, "rev")
    held = lane.run("release", "wallet", "--tag", "1.10.0", code=3).stderr
    assert "hold: wallet 1.10.0 is held back by" in held
    assert "try: gitops unhold wallet --env dev, once what was wrong is mended" in held
    assert "What it names is not promoted" in (show(lane.repo, "holds/dev/wallet.yaml") or b"").decode()

    lifting = lane.number(*way(back)[0])
    assert "**wallet** 1.10.0 may be released into **dev** again." in body(lifting)
    assert "It asks for no approval, as dev itself" in body(lifting)
    lane.merge(lifting)
    holding = lane.number(*way(lifting)[0])
    assert "**wallet** 1.10.0 is not released into **dev**" in body(holding)
    assert "A roll-back to another release passes it." in body(holding)
    lane.merge(holding, "rev")
    lane.merge(lane.number(*way(holding)[0]))
    lane.run("release", "wallet", "--tag", "1.10.0")

    lane.merge(lane.promote("staging"))
    number = lane.promote("prod-us")
    assert "what staging has pinned, with all else in prod-us's files as it is." in body(number)
    lane.merge(number, "rev")
    back = lane.number(*way(number)[0])
    assert "`gitops unhold wallet --env prod-us`, and promote it again." in body(back)
    refused = lane.run("rollback", "wallet", "--env", "prod-us", "--steps", 2, code=3).stderr
    assert "can go back 1 step at most" in refused


def test_what_is_carried_besides_the_release_is_told(tmp_path: Path) -> None:
    """Where nothing is rendered, no other word of the pull request shows it."""
    shape = SHAPES["service-first"]
    shape = replace(shape, layout=shape.layout.replace("env.FEATURE", "env.FEATURE, env.API_TOKEN"))
    lane = Lane(built(shape, tmp_path / "gitops.git"))

    def by_hand(environment: str, feature: str) -> None:
        text = shape.said(shape.text, environment, shape.tags[0])
        more = f"FEATURE: {feature}\n    API_TOKEN: hunter-{environment}".encode()
        story.write(lane.repo, {shape.file(environment): text.replace(b"FEATURE: 3", more)})

    by_hand("dev", "4")
    by_hand("staging", r'"4 \U0001F600 \e[2J"')
    done = lane.run("promote", "wallet", "--to", "staging")
    body = desk.shown(str(lane.repo), 1)[0].body

    before = r"4 😀 \x1b[2J"  # what a terminal would act on is shown, and does nothing
    assert f"· with    env.FEATURE: {before} → 4\n· with    env.API_TOKEN: (hidden) → (hidden)\n" in done.stderr
    assert f"### What goes with it: 2 values\n```diff\n- env.FEATURE: {before}\n+ env.FEATURE: 4\n" in body
    assert "hunter" not in f"{done}{body}"

    values = tmp_path / "values.yaml"
    values.write_text("a: 1\n")
    refused = lane.run("promote", "wallet", "--to", "staging", "--with-values", values, code=1).stderr
    assert "--with-values: is for a layout with settings of its own for each service" in refused


def test_a_chart_that_no_digest_pins_is_refused_where_images_are_asked_for(tmp_path: Path) -> None:
    lane = Lane(built(SHAPES["oci-chart"], tmp_path / "gitops.git"))
    lane.run("release", "wallet", "--tag", "1.10.0")
    text = show(lane.repo, "shiplane.yaml") or b""
    asks = text.replace(b"{from: dev, cluster: b}", b"{from: dev, cluster: b, gates: {image: {registry: true}}}")
    story.write(lane.repo, {"shiplane.yaml": asks})

    refused = lane.run("promote", "wallet", "--to", "staging", code=3).stderr

    assert "image: this layout pins no digest: the registry may give another chart any day" in refused


def test_the_first_release_of_another_layout_is_taken_back_by_its_merge(tmp_path: Path) -> None:
    """What is carried may lie in files that others share: no search for the last commit there finds it."""
    shape = SHAPES["values"]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    text = shape.said(shape.text, "dev", "v1.2.3").replace(b"v1.2.3", b"''")
    story.write(lane.repo, {shape.file("dev"): text})

    lane.run("release", "wallet", "--tag", "v1.3.0")

    body = desk.shown(str(lane.repo), 1)[0].body
    assert "\n### Way back\nRevert the merge of this pull request.\n" in body


@pytest.mark.parametrize(("name", "many"), [("values", 2), ("oci-chart", 2), ("oci-chart", 13)])
def test_many_releases_of_another_layout_by_one_file(tmp_path: Path, name: str, many: int) -> None:
    shape = SHAPES[name]
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    services = ["ledger", "wallet", *(f"more-{number}" for number in range(many - 2))]
    for service in services[2:]:
        entry = entry_yaml(Service(service, "payments", f"acme/{service}", f"acme/{service}", "standard"))
        pin = shape.said(shape.text, "dev", shape.tags[0], service)
        story.write(lane.repo, {f"services/{service}.yaml": entry, shape.file("dev", service): pin})
    listed = tmp_path / "releases.yaml"
    listed.write_text("".join(f"{service}: {{tag: {shape.tags[1]}}}\n" for service in services))

    (plan,) = json.loads(lane.run("release", "--from-file", listed, "--dry-run", "--json").stdout)["items"]
    assert (plan["tag"], plan["digest"]) == (shape.tags[1], None)
    lane.run("release", "--from-file", listed)
    body = desk.shown(str(lane.repo), 1)[0].body

    rows = {each["service"]: each["environments"] for each in json.loads(lane.run("status", "--json").stdout)["items"]}
    assert {cells["dev"]["digest"] for cells in rows.values()} == {None}
    assert {service: cells["dev"]["tag"] for service, cells in rows.items()} == dict.fromkeys(services, shape.tags[1])
    assert body.startswith(f"**{many} services** are released into **dev**. ")
    unrendered = f"### What changes in the cluster could not be told of {many} services\n- ledger: nothing is rendered"
    assert (unrendered in body) == (not shape.by)
    assert ("all others" in body) == (many > 12 and bool(shape.by))


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "kind"),
    [
        ("oci-chart", "", b"", b"", "chart"),
        ("oci-chart", "spec.source.targetRevision", b"sources:\n  - ", b"source:\n    ", "chart"),
        ("oci-chart", "spec.sources[0].targetRevision", b"chart: wallet", b"path: wallet", "revision"),
        ("values", "", b"", b"", "image"),
        ("parameters", "", b"", b"", "image"),
    ],
)
def test_what_is_pinned_is_called_what_it_is(
    tmp_path: Path, name: str, path: str, old: bytes, new: bytes, kind: str
) -> None:
    """A chart's version is no image, and where no chart travels none is spoken of."""
    shape = SHAPES[name]
    if path:
        text = shape.text.encode().replace(b"{service}", b"wallet").replace(old, new)
        text = text[: text.index(b"  - repoURL: https")] if b"source:" in new else text
        layout = shape.layout.replace("spec.sources[chart={service}].targetRevision", path)
        shape = replace(shape, layout=layout, text=text.decode())
    lane = Lane(built(shape, tmp_path / "gitops.git"))
    one, two = (each[:7] if len(each) == 40 else each for each in shape.tags[:2])

    done = lane.run("release", "wallet", "--tag", shape.tags[1])
    body = desk.shown(str(lane.repo), 1)[0].body

    assert f"· {kind:7} {one} → {two}\n" in done.stderr
    assert f"| {kind} | `{one}` | `{two}` |" in body
    assert [other for other in ("image", "chart") if f"| {other} |" in body] == ([] if kind == "revision" else [kind])
    message = story.git(lane.repo, "log", "-1", "--format=%B", "main^2")
    assert f"\n\nRelease: {shape.tags[1]}\nShiplane-Service: wallet\n" in message

    lane.run("release", "ledger", "--tag", shape.tags[1])
    together = lane.number("promote", "wallet", "ledger", "--to", "staging", "--together")
    assert "| service | staging now | after merge | source |\n" in desk.shown(str(lane.repo), together)[0].body
