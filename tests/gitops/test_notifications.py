"""What Argo CD says of a release's health, by the notifications that `gitops init` writes, at each stage of a sync."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.blueprints import golang
from tests.gitops.crds import ARGOCD_VERSIONS, CRDS, crd_errors
from tests.gitops.trees import new, populated

NOTIFIED = Path(__file__).with_name("notified")
COMMIT, LATER = "1a" * 20, "2b" * 20
STARTED, FINISHED, RECONCILED = (f"2026-10-25T00:59:{second}Z" for second in ("01", "30", "31"))
CONFIG: dict[str, str] = yaml.safe_load(new()["notifications/health.yaml"])["data"]


def application(environment: str = "staging", status: dict[str, Any] | None = None) -> dict[str, Any]:
    """wallet's Application as its first promotion writes it, with a status."""
    found: dict[str, Any] = yaml.safe_load(populated(new())[f"apps/{environment}/wallet.yaml"])
    return found if status is None else {**found, "status": status}


def status(
    phase: str = "Succeeded",
    health: str = "Healthy",
    sync: str = "Synced",
    reconciled: str = RECONCILED,
    finished: str | None = FINISHED,
) -> dict[str, Any]:
    source = application()["spec"]["source"]
    return {
        "reconciledAt": reconciled,
        "health": {"status": health},
        "sync": {"status": sync, "revision": LATER},
        "operationState": {
            "phase": phase,
            "startedAt": STARTED,
            **({"finishedAt": finished} if finished else {}),
            "operation": {"sync": {"revision": COMMIT}},
            "syncResult": {"revision": COMMIT, "source": source},
        },
    }


STATUSES = {
    "runs well": (status(), "shiplane-healthy"),
    "not compared again since": (status(reconciled=FINISHED), None),
    "starts": (status(health="Progressing"), None),
    "changed meanwhile": (status(sync="OutOfSync"), None),
    "still syncs": (status(phase="Running", finished=None), None),
    "crashes": (status(health="Degraded"), "shiplane-unhealthy"),
    "crashed before": (status(health="Degraded", reconciled=STARTED), None),
    "cannot be applied": (status(phase="Failed", sync="OutOfSync"), "shiplane-unhealthy"),
    "never synced": ({"sync": {"status": "OutOfSync"}, "health": {"status": "Missing"}}, None),
    "no status yet": (None, None),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that evaluates conditions and texts as Argo CD does; a skip without a go."""
    root = tmp_path_factory.mktemp("notified") / "root"
    shutil.copytree(NOTIFIED, root)
    golang.build(root, ".")
    return root / "service"


def sent(engine: Path, app: dict[str, Any], context: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], str]:
    """What is sent about `app`, and what the engine complains of."""
    templates = {}
    for key, text in CONFIG.items():
        if key.startswith("template."):
            said = yaml.safe_load(text)
            templates[key.removeprefix("template.")] = {
                "message": said["message"],
                **said["github"]["status"],
                "repository": "{{.app.spec.source.repoURL}}",  # where the engine posts, unless told otherwise
                "revision": "{{.app.status.operationState.syncResult.revision}}",
            }
    trigger = yaml.safe_load(CONFIG["trigger.shiplane-health"])
    case = {"trigger": trigger, "templates": templates, "vars": {"app": app, "context": context or {}}}
    done = subprocess.run([engine], input=json.dumps(case), capture_output=True, text=True, check=True)
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("name", STATUSES)
def test_when_something_is_said(engine: Path, name: str) -> None:
    given, expected = STATUSES[name]
    found, complaints = sent(engine, application(status=given))

    assert [each["template"] for each in found] == ([expected] if expected else [])
    assert complaints == ""


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_what_is_said(engine: Path, environment: str) -> None:
    ((said,), _) = sent(engine, application(environment, status()), {"argocdUrl": "https://argocd.acme.example"})

    assert said["oncePer"] == COMMIT
    assert said["texts"] == {
        "message": "synced, and healthy",
        "state": "success",
        "label": f"shiplane/health/{environment}/wallet",
        "targetURL": f"https://argocd.acme.example/applications/argocd/wallet-{environment}",
        "repository": "https://github.com/acme/gitops.git",
        "revision": COMMIT,  # what was synced, and not what main has by now
    }


def test_without_an_address_of_argo_cd_there_is_no_link(engine: Path) -> None:
    ((said,), _) = sent(engine, application(status=status()))

    assert said["texts"]["targetURL"] == ""  # GitHub refuses "<no value>/..." and with it the whole status


def test_what_is_said_of_a_failure(engine: Path) -> None:
    ((said,), _) = sent(engine, application(status=status(health="Degraded")))

    assert (said["texts"]["state"], said["texts"]["message"]) == ("failure", "sync Succeeded, health Degraded")


def test_a_text_fits_into_a_status() -> None:
    labels = [
        yaml.safe_load(CONFIG[f"template.shiplane-{each}"])["github"]["status"]["label"]
        for each in ("healthy", "unhealthy")
    ]

    assert labels[0] == labels[1]  # one line of GitHub's, that is mended by the next sync
    assert len("shiplane/health/" + "e" * 40 + "/" + "s" * 40) < 255


def test_an_application_subscribes_to_what_there_is() -> None:
    for environment in ("dev", "staging", "prod"):
        annotations = application(environment)["metadata"]["annotations"]
        (key,) = [each for each in annotations if each.startswith("notifications.argoproj.io/")]
        trigger, service = key.removeprefix("notifications.argoproj.io/subscribe.").split(".")

        assert annotations[key] == ""
        assert f"trigger.{trigger}" in CONFIG
        assert f"service.github.{service}" in CONFIG


def test_a_trigger_sends_templates_that_there_are() -> None:
    sends = [name for each in yaml.safe_load(CONFIG["trigger.shiplane-health"]) for name in each["send"]]

    assert {f"template.{name}" for name in sends} == {key for key in CONFIG if key.startswith("template.")}


def test_it_takes_nothing_that_others_may_have_there() -> None:
    document = yaml.safe_load(new()["notifications/health.yaml"])

    assert (document["kind"], document["metadata"]) == (
        "ConfigMap",
        {"name": "argocd-notifications-cm", "namespace": "argocd"},
    )
    assert all("shiplane" in key for key in CONFIG)  # server-side apply owns these keys and no other
    assert re.findall(r"\$[\w-]+", CONFIG["service.github.shiplane"]) == ["$shiplane-health-private-key"]


def test_no_application_of_the_repository_applies_it() -> None:
    files = new()
    applied = re.findall(rb"path: (\S+)", b"\n".join(files[path] for path in files if path.startswith("bootstrap/")))

    assert set(applied) == {b"projects", b"bootstrap", b"apps/dev", b"apps/staging", b"apps/prod"}


@pytest.mark.skipif(not CRDS.is_dir(), reason="no CRDs beside the repository: ../shared/crds")
@pytest.mark.parametrize("version", ARGOCD_VERSIONS)
@pytest.mark.parametrize("name", STATUSES)
def test_these_statuses_are_argo_cds(name: str, version: str) -> None:
    assert crd_errors(application(status=STATUSES[name][0]), version) == []
