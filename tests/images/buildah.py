"""The one way to buildah: its storage, what it says, and what an image is made of."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import TOOLS

ROOT = TOOLS / "images"
SECONDS = 900


def buildah(*arguments: str | Path) -> str:
    """What buildah says on stdout; its failure is the test's."""
    done = _asked(_driver(), *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def images() -> set[str]:
    """The names of the images that are there."""
    listed = json.loads(buildah("images", "--json") or "null") or []
    return {name for image in listed for name in image.get("names") or ()}


def about(image: str) -> dict[str, Any]:
    """How the image is configured: User, Env, Labels, Entrypoint, Healthcheck, StopSignal, WorkingDir..."""
    found: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    return found


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """The file system of a container of `image`, as a folder."""
    container = buildah("from", "--pull-never", image).strip()
    try:
        yield Path(buildah("mount", container).strip())
    finally:
        buildah("umount", container)
        buildah("rm", container)


def layers(image: str, folder: Path) -> list[Path]:
    """The layers of `image` as tar archives in `folder`, the lowest first."""
    shutil.rmtree(folder, ignore_errors=True)
    buildah("push", "--quiet", "--disable-compression", image, f"dir:{folder}")
    manifest = json.loads((folder / "manifest.json").read_text())
    found = [folder / layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]
    assert all(tarfile.is_tarfile(path) for path in found)
    return found


@cache
def _driver() -> str:
    """overlay where this machine lets it; vfs, which copies every layer whole, elsewhere."""
    ROOT.mkdir(parents=True, exist_ok=True)
    made = _asked("overlay", "from", "scratch")
    if made.returncode != 0:
        return "vfs"
    tried = _asked("overlay", "mount", made.stdout.strip())
    _asked("overlay", "rm", made.stdout.strip())
    return "overlay" if tried.returncode == 0 else "vfs"


def _asked(driver: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    storage = ["--root", str(ROOT / driver), "--runroot", str(ROOT / f"{driver}-run"), "--storage-driver", driver]
    command = ["buildah", *storage, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
