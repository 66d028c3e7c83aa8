"""The tools that are Go programs: built from exact versions into .tools/go/, and used only where built from these.

go fetches and builds them, in its own ways. Each program holds a list of the modules that it was built from, with the
hash of each (`go version -m`); the sha256 of that list is pinned here. So no checksum database is asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.audit.findings import AuditError


@dataclass(frozen=True)
class GoTool:
    """A program: the package to install, its version, and the sha256 of the list of modules it is built from."""

    name: str
    package: str
    version: str
    modules: str


PINNED = (
    GoTool(
        name="kubeconform",
        package="github.com/yannh/kubeconform/cmd/kubeconform",
        version="v0.8.0",
        modules="bef3322baa0440b6611c425645beed63e2ec97a75bccc0d039b889a42344fcef",
    ),
    GoTool(
        name="kube-score",
        package="github.com/zegl/kube-score/cmd/kube-score",
        version="v1.20.0",
        modules="86cbcaca2a8330162e1d216a568dc006583835d1e14df367cdd416507574328c",
    ),
    GoTool(
        name="actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        version="v1.7.12",
        modules="d1544e63b09c13e41641430b0c9b2297e702bfed4c2273ad564fb4188e9349c9",
    ),
)
_TOO_OLD = re.compile(r"requires go >= |invalid go version|module requires Go ")


class NotRunError(Exception):
    """Why a tool is not run, in a few words; no fault of what is judged."""


def program(tool: GoTool, folder: Path) -> Path:
    """The program in `folder`, built where it is missing.

    Raises NotRunError without a go that can build it, AuditError where go fails or builds from something else.
    """
    target = folder / f"{tool.name}-{tool.version}"
    if target.is_file():
        return target
    go = shutil.which("go")
    if go is None:
        raise NotRunError("no go")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as build:
        fresh = Path(build, tool.name)
        _install(go, tool, Path(build))
        if (found := modules(go, fresh)) != tool.modules:
            raise AuditError(f"{tool.name} {tool.version}: built from {found}, expected {tool.modules}: not used")
        fresh.replace(target)
    return target


def modules(go: str, program: Path) -> str:
    """The sha256 of the list of modules that `program` was built from; the same on every platform."""
    listed = subprocess.run([go, "version", "-m", str(program)], capture_output=True, text=True, check=True).stdout
    lines = [line for line in listed.splitlines(keepends=True) if line.split()[0] in ("mod", "dep", "=>")]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _install(go: str, tool: GoTool, into: Path) -> None:
    # GOFLAGS and GOWORK: a user's settings are meant for modules of theirs.
    settings = {"GOBIN": str(into), "GOFLAGS": "", "GOWORK": "off", "GOSUMDB": "off", "CGO_ENABLED": "0"}
    command = [go, "install", f"{tool.package}@{tool.version}"]
    done = subprocess.run(
        command, cwd=into, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        told = next((line for line in done.stderr.splitlines() if _TOO_OLD.search(line)), None)
        if told:
            raise NotRunError(told)
        raise AuditError(f"go install {tool.package}@{tool.version}: {done.stderr.strip()}")
