"""The gates that look beyond git, by the commands: the policy on what is rendered, the image's registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from gitops import desk, release
from gitops.apply import propose
from gitops.model import FILE, Entry
from tests.gitops import story
from tests.gitops.conftest import LaneOf
from tests.gitops.gated import Lane, configuration, staging_has_zero
from tests.gitops.oci import docker_registry, image, push
from tests.gitops.signing import SIGNED
from tests.gitops.story import CHART, tag

POD = b"""\
apiVersion: v1
kind: Pod
metadata: {name: wallet, namespace: wallet}
spec:
  containers:
    - {name: wallet, image: "{{ .Values.image.repository }}:latest"}
"""
OPEN = b"""\
apiVersion: v1
kind: Service
metadata:
  name: wallet
  namespace: wallet
  annotations: {service.beta.kubernetes.io/aws-load-balancer-ssl-cert: "arn:aws:acm:eu-west-1:1:certificate/1"}
spec: {type: LoadBalancer, selector: {app: wallet}, ports: [{port: 443}]}
"""
EXCEPTED = """\
exceptions:
  - rule: exposed-authentication
    service: wallet
    environment: prod
    owner: payments
    reason: the partner link asks for a certificate
    expires: "2026-02-01"
"""


def told(lane: Lane, number: int, gate: str) -> tuple[str, str]:
    return lane.verdicts(number)[gate]


def test_production_keeps_the_policy_and_staging_as_it_is_told(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero)
    lane.release("one", {**CHART, "templates/pod.yaml": POD})
    number = lane.promote("staging")

    story.write(lane.repo, {"shiplane.yaml": configuration(staging="{policy: true}")})
    state, why = told(lane, number, "policy")

    assert state == "refused"
    assert why.startswith("image-latest: Pod/wallet, container wallet: ")
    assert "more: gitops check" in why
    with pytest.raises(ShiplaneError, match="policy: image-latest"):
        lane.merge(number, "rev")


def test_who_promotes_is_told_by_the_same_gates(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero, staging="{policy: true, override: {gates: [policy], team: glass}}")
    lane.release("one", {**CHART, "templates/pod.yaml": POD})

    refusal = lane.run("promote", "wallet", "--to", "staging", code=3).stderr
    number = lane.promote("staging", "--override", "policy", "--reason", "INC-7")

    assert "error: wallet to staging: policy: image-latest: Pod/wallet, container wallet: " in refusal
    state, why = told(lane, number, "policy")
    assert (state, "an override waits for an approval from glass" in why) == ("refused", True)
    body = desk.shown(str(lane.repo), number)[0].body
    assert "| policy | ❌ | image-latest: Pod/wallet, container wallet: " in body
    assert "1 gate refused." in body


def test_a_release_does_not_merge_by_itself_against_the_policy(lane_of: LaneOf) -> None:
    lane = lane_of()
    text = configuration().replace(
        b"merge: auto, cluster: eks-dev", b"merge: auto, gates: {policy: true}, cluster: eks-dev"
    )
    story.write(lane.repo, {"shiplane.yaml": text})

    with pytest.raises(ShiplaneError, match="policy: image-latest"):
        lane.release("one", {**CHART, "templates/pod.yaml": POD})

    assert lane.pinned("dev") == tag("zero")


def test_what_is_there_and_does_not_render_stops_nobody_and_is_told(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero)
    broken = "environments/staging/wallet/chart/templates/cm.yaml"
    story.write(lane.repo, {broken: b"{{ fail `@acme/admins, fixes #1` }}\n"})
    lane.release("one")

    done = lane.run("promote", "wallet", "--to", "staging")
    number = int(done.stdout.rpartition("#")[2])

    assert "· changes COULD NOT BE TOLD: what staging has of wallet now cannot be rendered: " in done.stderr
    body = desk.shown(str(lane.repo), number)[0].body
    assert "**What changes in the cluster could not be told**." in body
    assert "**This could not be told:** `what staging has of wallet now cannot be rendered: " in body
    assert "Nothing dangerous" not in body
    lane.merge(number, "rev")
    assert lane.pinned("staging") == tag("one")


def test_helm_is_not_shown_what_is_there_and_must_not_be_carried(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero)
    story.write(lane.repo, {"environments/staging/wallet/chart/.argocd-source.yaml": b"x: 1\n"})
    lane.release("one")

    told = lane.run("promote", "wallet", "--to", "staging").stderr

    assert "COULD NOT BE TOLD: what staging has of wallet now cannot be rendered: Argo CD would take" in told


def test_what_would_not_render_is_refused_before_and_after_it_is_asked_for(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero)
    lane.release("one", {**CHART, "templates/stop.yaml": b"{{ if .Values.stop }}{{ fail `no way` }}{{ end }}\n"})
    number = lane.promote("staging")
    values = "environments/staging/wallet/values.yaml"
    story.write(lane.repo, {values: (story.show(lane.repo, values) or b"") + b"stop: true\n"})

    assert told(lane, number, "renders")[0] == "refused"
    assert "does not render" in lane.run("promote", "wallet", "--to", "staging", "--replace", code=3).stderr


def test_why_tells_what_the_policy_says_of_what_nobody_has_asked_for(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero, staging="{policy: true}")
    lane.release("one", {**CHART, "templates/pod.yaml": POD})

    causes = lane.why("staging")

    assert causes.keys() == {"not-asked", "policy"}
    assert causes["policy"].startswith("image-latest: Pod/wallet, container wallet: ")


def test_what_nobody_can_read_is_refused(lane_of: LaneOf) -> None:
    """What is not understood could hold anything."""
    lane = lane_of()
    twice = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\ndata: {c: d}\n"

    with pytest.raises(ShiplaneError, match="renders: cannot be read: what helm renders"):
        lane.release("one", {**CHART, "templates/twice.yaml": twice})


def test_a_rule_is_excepted_by_the_default_branch(lane_of: LaneOf) -> None:
    lane = lane_of(more=EXCEPTED)
    lane.release("one", {**CHART, "templates/open.yaml": OPEN})
    lane.carry("staging", "rev")
    number = lane.promote("prod")
    assert told(lane, number, "policy") == ("passed", "2 objects keep every rule, 1 excepted")

    lane.later(days=365)

    state, why = told(lane, number, "policy")
    assert (state, why.partition(": ")[0]) == ("refused", "exposed-authentication")


def test_what_keeps_every_rule_passes(lane_of: LaneOf) -> None:
    lane = lane_of(staging_has_zero)

    assert told(lane, lane.promote("prod"), "policy")[0] == "passed"


def released(lane: Lane, digest: str) -> None:
    files = {path: Entry(FILE, "", data) for path, data in CHART.items()}
    asked = release.asked("wallet", tag("one"), digest, 2, None, release.Chart("chart", files, True))
    propose(str(lane.repo), [asked])
    lane.carry("staging", "rev")


def test_an_image_merges_once_its_registry_has_it(lane_of: LaneOf, tmp_path: Path) -> None:
    made, moved = image(tag("one")), image(tag("one"), layer=b"another")
    with docker_registry(tmp_path) as address:
        lane = lane_of(prod="{image: {registry: true}}", hotfix=f'registry: "{address}", ')
        released(lane, made.digest)
        refusal = lane.run("promote", "wallet", "--to", "prod", code=3).stderr
        assert "wallet to prod: image: " in refusal
        assert "push it there" in refusal

        push(f"http://{address}", "acme/wallet", made, tag("one"))
        number = lane.promote("prod")
        assert "| image | ✅ | " in desk.shown(str(lane.repo), number)[0].body
        push(f"http://{address}", "acme/wallet", moved, tag("one"))
        with pytest.raises(ShiplaneError, match="not the pinned"):
            lane.merge(number, "rev")

        push(f"http://{address}", "acme/wallet", made, tag("one"))
        lane.merge(number)

    assert lane.prod() == tag("one")


def test_a_registry_that_does_not_answer_is_waited_for(lane_of: LaneOf, tmp_path: Path) -> None:
    made = image(tag("one"))
    with docker_registry(tmp_path) as address:
        lane = lane_of(prod="{image: {registry: true}}", hotfix=f'registry: "{address}", ')
    released(lane, made.digest)

    assert told(lane, lane.promote("prod"), "image")[0] == "waiting"


def test_an_unsigned_image_is_refused_where_a_signature_is_asked_for(
    lane_of: LaneOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPLANE_TRUSTED_ROOT", str(SIGNED / "trusted_root.json"))
    made = image(tag("one"))
    with docker_registry(tmp_path) as address:
        push(f"http://{address}", "acme/wallet", made, tag("one"))
        lane = lane_of(prod="{image: {signature: true}}", hotfix=f'registry: "{address}", ')
        released(lane, made.digest)
        refusal = lane.run("promote", "wallet", "--to", "prod", code=3).stderr

    assert "is not signed by acme/wallet" in refusal
