"""Other layouts as they are rendered: what pull requests show, what the policy judges, what is not rendered here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitops import desk
from gitops.kustomize import run
from tests.gitops import forged, story
from tests.gitops.gated import Lane
from tests.gitops.story import digest, show
from tests.gitops.test_layouts import DEPLOYMENT, ONE, SHAPES, TWO, Shape, built, release

needs_kustomize = pytest.mark.usefixtures("kustomize")
OVERLAYS, VALUES = SHAPES["kustomize"], SHAPES["values"]
BASE = "base/wallet/deployment.yaml"
DEPLOYED = DEPLOYMENT.replace("{service}", "wallet").replace("IMAGE", "acme/wallet")


def lane_of(folder: Path, shape: Shape, files: Mapping[str, bytes | None] | None = None) -> Lane:
    """A repository of that shape, with these files in it besides."""
    lane = Lane(built(shape, folder / "gitops.git"))
    if files:
        story.write(lane.repo, files)
    return lane


def edited(lane: Lane, path: str, old: str, new: str) -> dict[str, bytes]:
    """The change of a file that replaces `old` in it."""
    text = (show(lane.repo, path) or b"").decode()
    assert old in text, text
    return {path: text.replace(old, new).encode()}


def told(lane: Lane, changes: Mapping[str, forged.Change]) -> str:
    """What verify says, as text, of a pull request of Eve's with these changes."""
    number = forged.pushed(lane.repo, forged.commit(lane.repo, changes))
    return story.gitops("verify", str(number), "--repo", str(lane.repo)).stdout


@needs_kustomize
def test_what_a_settings_change_does_is_shown_and_judged(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    path = OVERLAYS.file("staging")
    number = forged.pushed(lane.repo, forged.commit(lane.repo, edited(lane, path, "count: 3", "count: 4")))

    assert lane.verdicts(number)["renders"] == (
        "passed", f"{path}: by kustomize, with staging's files as they will be",
    )  # fmt: skip
    assert "spec.replicas: 4" in lane.run("diff", "--pr", number).stdout

    broken = forged.pushed(lane.repo, forged.commit(lane.repo, edited(lane, path, "base/wallet", "base/none")))
    state, why = lane.verdicts(broken)["renders"]
    assert (state, "base/none is not there" in why) == ("refused", True)


@needs_kustomize
def test_a_base_is_rendered_and_judged_for_each_place_that_it_reaches(tmp_path: Path) -> None:
    """Its change pins nothing and is in no environment: the policy of each is asked all the same."""
    lane = lane_of(tmp_path, OVERLAYS)
    story.write(lane.repo, {"shiplane.yaml": (show(lane.repo, "shiplane.yaml") or b"").replace(
        b"c, gates: {policy: false}", b"c, gates: {policy: true}")})  # fmt: skip

    said = told(lane, {BASE: DEPLOYED.replace("8080", "9090").encode()})
    comment = told(lane, {BASE: b"# nothing else\n" + DEPLOYED.encode()})
    other = told(lane, {"base/other/x.yaml": b"x: 1\n"})

    for name in ("dev", "staging", "prod-eu", "prod-us"):
        assert f"wallet in {name}, by {BASE}: by kustomize" in said
    assert f"wallet in prod-eu, by {BASE}: requests: Deployment/wallet, container app" in said
    assert said.count("policy") == 1
    assert "ledger" not in said
    assert "wallet in" not in comment
    assert "wallet in" not in other


@needs_kustomize
def test_a_base_that_breaks_a_place_is_refused(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)

    said = told(lane, {BASE: b"kind: [\n"})

    assert f"wallet in prod-us, by {BASE}: the result does not render" in said


@needs_kustomize
def test_what_production_is_built_from_is_not_for_staging_alone_to_change(tmp_path: Path) -> None:
    """prod-eu takes staging's overlay for its base: what staging's people change there is production's, too."""
    lane = lane_of(tmp_path, OVERLAYS)
    prod, staging = OVERLAYS.file("prod-eu"), OVERLAYS.file("staging")
    story.write(lane.repo, edited(lane, prod, "../../../base/wallet", "../../staging/wallet"))

    def asked(changes: Mapping[str, bytes]) -> tuple[str, str]:
        return lane.verdicts(forged.pushed(lane.repo, forged.commit(lane.repo, changes)))["approvals"]

    assert asked(edited(lane, staging, "name: wallet\n  count: 3", "name: wallet\n  count: 3 # x"))[0] == "passed"
    state, why = asked(edited(lane, staging, "namespace: wallet-staging", "nameSuffix: -x\nnamespace: wallet-staging"))
    assert (state, why[:6]) == ("waiting", "0 of 1")
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(tmp_path / "clone"))
    assert "lane: is staging's, and prod-eu is built from it" in story.gitops("check", str(tmp_path / "clone")).stdout


@needs_kustomize
def test_a_release_that_changes_production_too_does_not_merge_by_itself(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    prod, dev = OVERLAYS.file("prod-us"), OVERLAYS.file("dev")
    before = show(lane.repo, dev)
    story.write(lane.repo, {prod: b"resources: [../../dev/wallet]\nimages: [{name: acme/wallet, newTag: '%s'}]\n"
                            % ONE.encode()})  # fmt: skip

    done = lane.run("release", "wallet", "--tag", TWO, "--digest", digest(TWO))
    number = int(done.stdout.rpartition("#")[2])

    assert show(lane.repo, dev) == before
    told = f"changes wallet in prod-us, too, built from {dev}: it does not merge by itself"
    body = desk.shown(str(lane.repo), number)[0].body
    assert f"| approvals | ⏳ | {told} |\n" in body
    assert "\n| merge | ⏳ | by a person |" in body
    assert "asks for none" not in body
    state, why = lane.verdicts(number)["approvals"]
    assert (state, why[:6]) == ("waiting", "0 of 1")
    lane.merge(number, "rev")
    assert show(lane.repo, dev) != before


@needs_kustomize
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("- ../../../base/wallet", "- https://acme.example/base.yaml", "https://acme.example/base.yaml is fetched"),
        ("- ../../../base/wallet", "- ../../../base/wallet\nhelmCharts: [{name: redis}]", "its charts lie elsewhere"),
        ("- ../../../base/wallet", "- ../../../base/wallet\ncrds: [../../../../x]", "leads out of the repository"),
    ],
)  # fmt: skip
def test_what_is_not_rendered_here_is_said_and_no_policy_is_skipped(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    story.write(lane.repo, edited(lane, OVERLAYS.file("staging"), old, new))
    release(lane, OVERLAYS, TWO)

    done = lane.run("promote", "wallet", "--to", "staging")
    number = int(done.stdout.rpartition("#")[2])

    assert "· changes COULD NOT BE TOLD: nothing is rendered here: " in done.stderr
    body = desk.shown(str(lane.repo), number)[0].body
    assert why in body
    assert "Nothing dangerous" not in body
    state, said = lane.verdicts(number)["renders"]
    assert (state, said.startswith("not rendered: "), why in said) == ("passed", True, True)
    diff = lane.run("diff", "--pr", number)
    assert (
        f"wallet in staging: could not be told: as it is now it is not rendered here: {OVERLAYS.file('staging')}"
        in diff.stderr
    )
    assert "files change that are not rendered: overlays/staging/wallet/kustomization.yaml" in diff.stderr
    assert why in lane.run("diff", "wallet", "--to", "staging").stderr

    text = (show(lane.repo, "shiplane.yaml") or b"").replace(b"cluster: b}", b"cluster: b, gates: {policy: true}}")
    story.write(lane.repo, {"shiplane.yaml": text})
    state, said = lane.verdicts(number)["policy"]
    assert (state, "cannot be judged, since nothing is rendered here: say policy: false" in said) == ("refused", True)
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(tmp_path / "clone"))
    assert (
        f"wallet in staging is not rendered here: {OVERLAYS.file('staging')}: "
        in story.gitops("check", str(tmp_path / "clone")).stderr
    )


def test_without_kustomize_nothing_is_proved_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_KUSTOMIZE", "/nowhere/kustomize")
    lane = lane_of(tmp_path, OVERLAYS)
    release(lane, OVERLAYS, TWO)

    number = lane.promote("staging")

    assert lane.verdicts(number)["renders"] == ("passed", f"not rendered: {run.MISSING}")
    assert run.MISSING in lane.run("diff", "--pr", number).stderr
    assert f"nothing is rendered here: {run.MISSING}" in desk.shown(str(lane.repo), number)[0].body
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(tmp_path / "clone"))
    assert (
        f"wallet in prod-us is not rendered here: {run.MISSING}"
        in story.gitops("check", str(tmp_path / "clone")).stderr
    )


@needs_kustomize
def test_what_nobody_could_build_is_not_promoted(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    story.write(lane.repo, {BASE: None})
    before = story.refs(lane.repo)

    done = lane.run("release", "wallet", "--tag", TWO, "--digest", digest(TWO), code=3)

    assert (
        "cannot be built: base/wallet/kustomization.yaml: resources base/wallet/deployment.yaml is not there"
        in done.stderr
    )
    assert story.refs(lane.repo) == before


@needs_kustomize
def test_an_overlay_that_is_not_built_from_what_is_carried_proves_nothing(tmp_path: Path) -> None:
    shape = replace(OVERLAYS, layout=OVERLAYS.layout.replace(
        'kustomize: "overlays/{environment}/{service}"', 'kustomize: "built/{environment}/{service}"'))  # fmt: skip
    lane = lane_of(tmp_path, shape)
    story.write(lane.repo, {f"built/{name}/wallet/kustomization.yaml": b"resources: [../../../base/wallet]\n"
                            for name in ("dev", "staging")})  # fmt: skip
    release(lane, shape, TWO)

    said = lane.run("promote", "wallet", "--to", "staging").stderr

    assert "nothing is rendered here: built/staging/wallet does not build from overlays/staging/wallet/kust" in said


@needs_kustomize
def test_production_is_judged_by_the_policy_on_what_kustomize_makes(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    text = (show(lane.repo, "shiplane.yaml") or b"").replace(b"cluster: c, gates: {policy: false}", b"cluster: c")
    story.write(lane.repo, {"shiplane.yaml": text})
    release(lane, OVERLAYS, TWO)
    lane.merge(lane.promote("staging"), "rev")

    refused = lane.run("promote", "wallet", "--to", "prod-eu", code=3).stderr
    lane.merge(lane.promote("prod-us"), "rev")

    assert "policy: requests: Deployment/wallet, container app: requests no cpu and no memory" in refused
    assert "why" not in lane.why("prod-us")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"charts/wallet/Chart.yaml": b"name: w\nversion: 1.0.0\ndependencies: [{name: redis, version: 1.0.0}]\n"},
         "depends on redis, which is not in charts/"),
        ({"charts/wallet/values.schema.json": b'{"$ref": "https://acme.example/x"}'}, "its $ref leads out of it"),
        ({"charts/wallet/.argocd-source.yaml": b"x: 1\n"}, "Argo CD would take its own settings from it"),
    ],
)  # fmt: skip
def test_a_chart_that_helm_must_not_see_is_not_rendered(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    lane = lane_of(tmp_path, VALUES, files)
    release(lane, VALUES, "v1.3.0")

    said = lane.run("promote", "wallet", "--to", "staging").stderr

    assert "COULD NOT BE TOLD: nothing is rendered here: helm is not shown this chart: charts/wallet/" in said
    assert why in said


def test_a_link_in_a_chart_is_not_followed(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, VALUES)
    linked = forged.commit(lane.repo, {"charts/wallet/templates/x.yaml": ("120000", b"/etc/passwd")})
    story.git(lane.repo, "update-ref", "refs/heads/main", linked)

    release(lane, VALUES, "v1.3.0")

    assert (
        "charts/wallet/templates/x.yaml is a symbolic link" in lane.run("promote", "wallet", "--to", "staging").stderr
    )


def test_values_are_rendered_in_their_order_and_one_that_is_missing_is_refused(tmp_path: Path) -> None:
    both = 'values: [charts/common.yaml, "charts/{service}/values-{environment}.yaml"]'
    shape = replace(VALUES, layout=VALUES.layout.replace(
        'values: ["charts/{service}/values-{environment}.yaml"]', both))  # fmt: skip
    lane = lane_of(tmp_path, shape, {"charts/common.yaml": b"image: {tag: v0.0.1, repository: acme/common}\n"})
    release(lane, shape, "v1.3.0")
    number = lane.promote("staging")

    assert lane.verdicts(number)["renders"][0] == "passed"
    assert "nothing but the image" in desk.shown(str(lane.repo), number)[0].body
    story.write(lane.repo, {"charts/common.yaml": None})
    assert lane.verdicts(number)["renders"] == ("refused", "cannot be rendered: charts/common.yaml is not there")


def test_a_shared_chart_is_judged_for_all_that_use_it(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, VALUES)
    path = "charts/wallet/templates/deployment.yaml"

    said = told(lane, edited(lane, path, "8080", "9090"))
    shown = lane.run("diff", "--pr", 1).stdout

    assert f"wallet in prod-us, by {path}: by helm" in said
    assert "wallet in prod-us: 1 resource changed" in shown
    assert "Deployment/wallet-prod-us changed" in shown
    assert "ledger" not in said + shown


@needs_kustomize
def test_several_go_together_and_each_is_rendered(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, OVERLAYS)
    for service in ("wallet", "ledger"):
        lane.run("release", service, "--tag", TWO, "--digest", digest(TWO))
    story.write(lane.repo, {"base/ledger/deployment.yaml": None})

    refused = lane.run("promote", "wallet", "ledger", "--to", "staging", "--together", code=3).stderr
    story.write(lane.repo, {"base/ledger/deployment.yaml": DEPLOYED.replace("wallet", "ledger").encode()})
    number = lane.number("promote", "wallet", "ledger", "--to", "staging", "--together")

    assert "ledger in staging: cannot be built: base/ledger/kustomization.yaml: resources base/ledger" in refused
    assert {state for state, _ in lane.verdicts(number).values()} == {"passed"}
    assert (
        "What changes in the cluster by the others: nothing but the image" in desk.shown(str(lane.repo), number)[0].body
    )
    shown = lane.run("diff", "--pr", number).stdout
    assert ("wallet in staging" in shown, "ledger in staging" in shown) == (True, True)


@needs_kustomize
def test_settings_and_a_pin_that_meet_in_one_file_are_judged_as_they_merge(tmp_path: Path) -> None:
    """The merged file is nobody's yet: no remote has it."""
    lane = lane_of(tmp_path, OVERLAYS)
    path = OVERLAYS.file("dev")
    number = forged.pushed(lane.repo, forged.commit(lane.repo, edited(lane, path, "count: 3", "count: 4")))
    release(lane, OVERLAYS, TWO)

    verdicts = lane.verdicts(number)

    assert verdicts["scope"] == ("passed", "pins nothing")
    assert verdicts["renders"][0] == "passed"
    shown = lane.run("diff", "--pr", number).stdout
    assert "spec.replicas: 4" in shown
    assert "image" not in shown
    lane.merge(number)
    merged = (show(lane.repo, path) or b"").decode()
    assert ("count: 4" in merged, f"newTag: '{TWO}'" in merged) == (True, True)
