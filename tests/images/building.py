"""Building a service's image: as `docker build` does, by buildah, on a stand-in for its base.

`python -m tests.images.building build|push ...` takes docker's own arguments, from a workflow's steps.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.images.bases import on_stand_in
from tests.images.buildah import buildah

LISTER = "CONTEXT_LISTER"
"""The variable that names the program which tells what Docker would send: see tests/images/context."""
_CERTIFICATES = "/etc/ssl/certs"
# where packages come from, and whose word counts there, is this machine's business
_SETTINGS = {
    "/etc/pip.conf": f"[global]\ncert = {_CERTIFICATES}/ca-certificates.crt\n",
    "/usr/local/etc/npmrc": f"cafile={_CERTIFICATES}/ca-certificates.crt\n",
}


def sent(lister: str, root: Path) -> list[str]:
    """The paths of the files that Docker would send of `root`."""
    return subprocess.run([lister, str(root)], capture_output=True, text=True, check=True).stdout.splitlines()


def build(lister: str, root: Path, blueprint: str, name: str, target: str, revision: str | None = None) -> str:
    """Build a stage of what lies in `root` under `name`."""
    with tempfile.TemporaryDirectory(prefix="shiplane-image-") as folder:
        context, dockerfile = Path(folder, "context"), Path(folder, "Dockerfile")
        for path in sent(lister, root):  # buildah 1.28 reads .dockerignore otherwise
            (context / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, context / path)
        text = on_stand_in((root / "Dockerfile").read_text(), blueprint)
        dockerfile.write_text(_told_apart(text, context, revision))
        mounts = [f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]
        for number, (path, text) in enumerate(_SETTINGS.items()):
            Path(folder, str(number)).write_text(text)
            mounts.append(f"{folder}/{number}:{path}:ro")
        volumes = [word for mount in mounts for word in ("--volume", mount)]
        how = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers", "--target", target, *volumes]
        arguments = ["--build-arg", f"REVISION={revision}"] if revision else []
        buildah("bud", *how, *arguments, "-f", dockerfile, "-t", name, context)
    return name


def _told_apart(dockerfile: str, context: Path, revision: str | None) -> str:
    """The Dockerfile with what buildah 1.28 leaves out of the key of its cache: mounted files, and arguments in ENV."""
    files = sorted(path for path in context.rglob("*") if path.is_file())
    said = "".join(f"{path.relative_to(context)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files)
    key = hashlib.sha256(said.encode()).hexdigest()
    text, count = re.subn(r"(?m)^FROM \S+ AS build$", rf"\g<0>\nENV CONTEXT={key}", dockerfile)
    assert count == 1  # a stage that no image is made of
    return text.replace("${REVISION}", revision) if revision else text


def _docker(arguments: Sequence[str]) -> None:
    """`build` here; `push` to the registry at $LOCAL_REGISTRY, which then stands in $AWS_DIGESTS."""
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(dest="command", required=True)
    building, pushing = command.add_parser("build"), command.add_parser("push")
    building.add_argument("--target", default="service")
    building.add_argument("--tag", default="localhost/built/untagged:1")
    building.add_argument("--build-arg", default="")
    building.add_argument("--provenance", choices=["false"])
    building.add_argument("--sbom", choices=["false"])
    building.add_argument("folder", type=Path)
    pushing.add_argument("tag")
    given = parser.parse_args(arguments)
    if given.command == "build":
        revision = given.build_arg.removeprefix("REVISION=") or None
        build(os.environ[LISTER], given.folder, os.environ["BLUEPRINT"], given.tag, given.target, revision)
        return
    rest = given.tag.rpartition("/")[2]
    with tempfile.NamedTemporaryFile("r") as digest, Path(os.environ["AWS_DIGESTS"]).open("a") as digests:
        there = f"docker://{os.environ['LOCAL_REGISTRY']}/{rest}"
        buildah("push", "--quiet", "--tls-verify=false", "--digestfile", digest.name, given.tag, there)
        digests.write(f"{rest.partition(':')[2]} {digest.read().strip()}\n")


if __name__ == "__main__":
    _docker(sys.argv[1:])
