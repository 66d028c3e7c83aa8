"""What enters an image's build, decided by the very library with which Docker decides it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blueprints.rendered import MADE, Made, service
from tests.images.building import sent

GO = shutil.which("go")
SOURCE = Path(__file__).parent / "context"
CACHE = Path(__file__).parents[2] / ".tools" / "go-cache"
SECRETS = (
    ".env", ".env.production", "id_rsa", "id_ed25519", "key.pem", "tls.key", "store.p12", "store.jks", ".npmrc",
    ".pypirc", ".netrc", ".git-credentials", ".dockercfg", ".aws/credentials", ".kube/config", "kubeconfig.yaml",
    "terraform.tfstate", "secrets.yaml", "credentials.json", "service-account.json", "dump.sql", "backup.tar.gz",
    ".htpasswd", "vault-token",
)  # fmt: skip
"""One file of each class that holds secrets; `.git/config` is planted beside them."""

Listed = Callable[[Path], set[str]]


@pytest.fixture(scope="session")
def lister(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that tells what Docker would send of a folder."""
    if GO is None:
        pytest.skip("no go: Docker's own library cannot be asked what .dockerignore lets through")
    program = tmp_path_factory.mktemp("context") / "context"
    environment = {
        **os.environ,
        "GOPATH": str(CACHE),
        "GOCACHE": str(CACHE / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw",
    }
    command = [GO, "build", "-o", str(program), "."]
    done = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"go could not build it: {done.stderr.strip()[-300:]}")
    return str(program)


@pytest.fixture(scope="session")
def listed(lister: str) -> Listed:
    """What Docker would send of a folder."""
    return lambda root: set(sent(lister, root))


@pytest.fixture(params=MADE, ids=str)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made: Made = request.param
    return service(tmp_path, made)


def test_no_secret_enters_wherever_it_lies(listed: Listed, root: Path) -> None:
    before = listed(root)
    folders = {Path(path).parent for path in before} | {Path(), Path("chart"), Path(".git"), Path("src/new")}
    for folder in folders:
        for name in (*SECRETS, "config"):
            path = root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("not for an image\n")

    assert listed(root) == before


def test_nothing_enters_that_the_build_does_not_use(listed: Listed, root: Path) -> None:
    outside = {
        "chart",
        "docs",
        ".github",
        ".newservice",
        "README.md",
        "Makefile",
        "Dockerfile",
        ".dockerignore",
        ".gitignore",
    }
    copied = {
        word
        for line in (root / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY")
        for word in line.split()
    }
    assert not {path for path in listed(root) if path.split("/")[0] in outside - copied}


def test_code_of_ones_own_enters_without_an_edit(listed: Listed, root: Path) -> None:
    """A new file of code in a new folder, as those are called that are there."""
    code = next(path for path in sorted(listed(root)) if path.startswith(("src/", "internal/", "cmd/")))
    new = Path(code).parent / "more" / f"new{Path(code).suffix}"
    (root / new).parent.mkdir()
    (root / new).write_text("\n")

    assert str(new) in listed(root)
