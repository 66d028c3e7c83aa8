"""Images built for real by buildah, on a stand-in for their base, and the service in them asked.

A stand-in is Debian's own toolchain (debootstrap), since no registry of images is asked here: what is shown is that the
Dockerfile's steps work, that its user can run what they leave, and that the service in it answers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.blueprints.rendered import MADE, Made, service
from tests.images.test_context import Listed, listed

__all__ = ["listed"]  # a fixture that is used here
ASKED = os.environ.get("SHIPLANE_BUILD_IMAGES") == "1"
MISSING = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
ROOT = Path(__file__).parents[2] / ".tools" / "images"
STORAGE = ["--root", str(ROOT / "root"), "--runroot", str(ROOT / "run"), "--storage-driver", "vfs"]
CERTIFICATES = "/etc/ssl/certs"
STAND_IN = "localhost/stand-in"
PACKAGES = {"python": "python3-minimal,python3-venv,python3-pip,ca-certificates"}
"""What Debian calls the toolchain of a blueprint; for others there is no stand-in here."""
PORT = "18080"

pytestmark = [
    pytest.mark.skipif(not ASKED, reason="images take minutes to build: make audit builds them"),
    pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}"),
    pytest.mark.skipif(os.getuid() != 0, reason="buildah --isolation chroot needs root here"),
]


def buildah(*arguments: str | Path) -> str:
    """What buildah says on stdout; its failure is the test's."""
    command = ["buildah", *STORAGE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def base() -> dict[str, str]:
    """The stand-in of each blueprint, by its name; made once and kept below .tools/."""
    ROOT.mkdir(parents=True, exist_ok=True)
    names = json.loads(buildah("images", "--json") or "null") or []
    there = {name for image in names for name in image.get("names") or ()}
    found = {}
    for blueprint, packages in PACKAGES.items():
        name = f"{STAND_IN}/{blueprint}:1"
        if name not in there:
            _made(name, packages)
        found[blueprint] = name
    return found


def _made(name: str, packages: str) -> None:
    folder = ROOT / "rootfs"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        pytest.skip(f"debootstrap could not make a base: {done.stdout.strip()[-300:]}")
    (folder / "usr" / "bin" / "python").symlink_to("python3")
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, folder, "/")
    buildah("commit", "--quiet", container, name)
    buildah("rm", container)
    shutil.rmtree(folder)


@pytest.fixture(params=[made for made in MADE if made.blueprint in PACKAGES], ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture
def context(listed: Listed, made: Made, base: dict[str, str], tmp_path: Path) -> Path:
    """The files that Docker would send: buildah 1.28 reads .dockerignore otherwise. Beside it its Dockerfile."""
    root = service(tmp_path, made)
    sent = tmp_path / "context"
    for path in listed(root):
        (sent / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, sent / path)
    text = (root / "Dockerfile").read_text()
    replaced, count = re.subn(r"^FROM \S+@sha256:[0-9a-f]{64}", f"FROM {base[made.blueprint]}", text, flags=re.M)
    assert count >= 1
    (tmp_path / "Dockerfile").write_text(replaced)
    return sent


def build(context: Path, target: str) -> str:
    name = f"localhost/built-{context.parent.name}-{target}:1".lower()
    trust = ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro", "--env", f"PIP_CERT={CERTIFICATES}/ca-certificates.crt"]
    how = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers", *trust]
    dockerfile = context.parent / "Dockerfile"
    buildah(
        "bud", *how, "--build-arg", f"REVISION={'1f' * 20}", "--target", target, "-f", dockerfile, "-t", name, context
    )
    return name


@contextmanager
def running(image: str) -> Iterator[subprocess.Popen[str]]:
    """The image's own program, as its own user."""
    about = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    container = buildah("from", image).strip()
    variables = ["--env", f"PORT={PORT}", "--env", "HOST=127.0.0.1", "--env", "LOG_LEVEL=INFO"]
    command = ["run", "--isolation", "chroot", *variables, container, "--", *about["Entrypoint"]]
    started = ["buildah", *STORAGE, *command]
    with subprocess.Popen(started, stdout=subprocess.DEVNULL, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the service is a child of buildah's child
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    buildah("rm", container)


def test_the_test_stage_passes_and_the_service_answers(context: Path, made: Made) -> None:
    build(context, "test")
    image = build(context, "service")
    config = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.revision"] == "1f" * 20
    assert f"VERSION={'1f' * 20}" in config["Env"]
    with running(image) as process:
        until = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
