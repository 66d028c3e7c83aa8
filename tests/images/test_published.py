"""The workflow's jobs that build: with buildah behind `docker`, and a registry on loopback behind ECR."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import requests

from tests.blueprints.rendered import MADE, Made, service
from tests.blueprints.test_workflow_steps import Place, passed
from tests.conftest import ROOT
from tests.gitops import story
from tests.gitops.oci import docker_registry
from tests.images.buildah import buildah, mounted
from tests.images.building import LISTER
from tests.images.test_built import pytestmark
from tests.images.test_context import lister

__all__ = ["lister", "pytestmark"]  # what these tests need is what those of images do
SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(params=[made for made in MADE if made.kind == "http"], ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


def test_what_the_workflow_pushes_is_what_it_tells(made: Made, lister: str, tmp_path: Path) -> None:
    root = service(tmp_path, made)
    story.git(root, "init", "--quiet", "--initial-branch=main")
    docker = tmp_path / "docker-builds"
    docker.write_text(f'#!/bin/bash\nexec env PYTHONPATH={ROOT} {sys.executable} -m tests.images.building "$@"\n')
    docker.chmod(0o755)
    (tmp_path / "runner").mkdir()
    with docker_registry(tmp_path) as registry:
        tools = {LISTER: lister, "BLUEPRINT": made.blueprint, "LOCAL_REGISTRY": registry, "DOCKER_BUILDS": str(docker)}
        place = Place(made, root, root, tmp_path / "runner", tools)
        sha = place.commit()
        passed(place.run("test"))  # its own tests in the image's stage among them
        done = place.run("publish")
        passed(done)
        again = place.run("publish")["Build and push"]
        answer = requests.get(f"http://{registry}/v2/wallet/manifests/{sha}", headers={"Accept": SCHEMA2}, timeout=10)
        answer.raise_for_status()
        pushed, known = done["Build and push"], answer.headers["Docker-Content-Digest"]
        assert pushed is not None
        assert again is not None
        assert pushed.outputs == again.outputs == {"digest": known}
        assert not [line for line in place.asked if line.startswith("docker push")]  # the second time
        name = f"docker://{registry}/wallet@{known}"
        buildah("pull", "--quiet", "--tls-verify=false", name)
        pulled = f"{registry}/wallet@{known}"
        config = json.loads(buildah("inspect", "--type", "image", pulled))["Docker"]["config"]
        assert f"VERSION={sha}" in config["Env"]
        assert config["Labels"]["org.opencontainers.image.revision"] == sha
        with mounted(pulled) as there:
            assert (there / {"go": "service", "node": "app/main.js", "python": "app/service"}[made.blueprint]).exists()
        buildah("rmi", pulled)
