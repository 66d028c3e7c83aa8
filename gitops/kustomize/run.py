"""The one door to kustomize: find it, build a folder of a copy that holds nothing but what was read for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.errors import Problem, ShiplaneError, printable

MISSING = "neither kustomize nor kubectl is here: install one, or name it: SHIPLANE_KUSTOMIZE=/path/to/kustomize"
_NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")  # as helm's: see generator.helm
_DEADLINE = 60  # seconds; what builds longer than this is broken or hostile
_LOGGED = re.compile(r'^E\d{4} \S+ +\d+ \S+\] (?:"command failed" err=)?')  # klog's head, in some builds of kubectl


def find() -> list[str]:
    """The command that builds a folder: what `SHIPLANE_KUSTOMIZE` names, else kustomize, else kubectl; [] for none."""
    named = os.environ.get("SHIPLANE_KUSTOMIZE")
    for name in [named] if named else ["kustomize", "kubectl"]:
        if found := shutil.which(name):
            return [found, "kustomize" if Path(found).name.startswith("kubectl") else "build"]
    return []


def build(files: Mapping[str, bytes], folder: str) -> bytes:
    """The manifests that kustomize makes of `folder` among `files`; raises ShiplaneError with its words.

    It sees no cluster, no plugin, no network, no git and no file but these: a path that it is given and that leads to
    another is an error of its own.
    """
    command = find()
    if not command:
        raise ShiplaneError(Problem("kustomize", MISSING))
    with tempfile.TemporaryDirectory(prefix="shiplane-") as copy:
        root, home = Path(copy, "repository"), Path(copy, "home")
        home.mkdir()
        for path, data in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return _run(command, root, folder, home)


def _run(command: list[str], root: Path, folder: str, home: Path) -> bytes:
    said = f"kustomize build {printable(folder) or '.'}"
    kept = {key: value for key, value in os.environ.items() if key in ("TMPDIR", "LANG")}
    nothing = {"PATH": str(home), "HOME": str(home), "XDG_CONFIG_HOME": str(home), "KUBECONFIG": str(home / "none")}
    try:
        done = subprocess.run(
            [*command, str(root / folder)],
            env={**kept, **_NOWHERE, **nothing},
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ShiplaneError(Problem(said, f"no answer within {_DEADLINE} s")) from None
    except OSError as error:
        raise ShiplaneError(Problem(command[0], f"cannot be run: {error.strerror}")) from None
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").replace(f"{root}{os.sep}", "").replace(str(root), ".")
        told = (line for line in text.splitlines() if line.strip() and not line.startswith("# Warning: "))
        lines = [printable(_LOGGED.sub("", line)) for line in told]
        raise ShiplaneError(Problem(said, "\n  ".join(lines) or f"ended with {done.returncode}"))
    return done.stdout
