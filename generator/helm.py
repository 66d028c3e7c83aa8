"""The one door to helm: find it, lint a chart, render a chart."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from generator.errors import Problem, ShiplaneError, printable

_NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
"""Where helm's requests end: a chart's schema can ask for any address (port 9 is that of discard, RFC 863)."""
_UNHURRIED = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
"""helm ends before its memory is worth collecting: a fifth of its time goes into that otherwise. A chart that takes
more than this is collected for as ever (Go: runtime, GOGC and GOMEMLIMIT); the golden chart takes 60 MB."""
_DEADLINE = 60  # seconds; a chart that renders longer than this is broken or hostile


def find() -> Path | None:
    """The helm that `SHIPLANE_HELM` names, else the one on PATH, else None."""
    found = shutil.which(os.environ.get("SHIPLANE_HELM") or "helm")
    return Path(found) if found else None


def require() -> Path:
    """As `find`; refuses with the way out where there is none."""
    helm = find()
    if helm is None:
        raise ShiplaneError(
            Problem(
                "helm",
                "not found, and the result must be rendered before it is shown",
                "install helm 3.16 or newer, or name it: SHIPLANE_HELM=/path/to/helm",
            )
        )
    return helm


def version(helm: Path) -> str:
    """What helm calls itself, as 4.1.4."""
    said = _run(helm, Path(), "version", ["--template", "{{.Version}}"])
    return printable(said.decode("utf-8", "replace").strip().removeprefix("v"))


def lint(helm: Path, chart: Path, values: Sequence[Path] = ()) -> None:
    """`helm lint --strict`; raises ShiplaneError with helm's own findings."""
    _run(helm, chart, "lint", ["--strict", "--quiet", str(chart), *_files(values)])


def template(
    helm: Path,
    chart: Path,
    *,
    release: str,
    namespace: str,
    values: Sequence[Path] = (),
    kubernetes: str | None = None,
) -> bytes:
    """The manifests that `chart` renders with `values`, later files win; raises ShiplaneError with helm's words."""
    version = ["--kube-version", kubernetes] if kubernetes else []
    arguments = [release, str(chart), "--namespace", namespace, *version, *_files(values)]
    return _run(helm, chart, "template", arguments)


def _files(values: Sequence[Path]) -> list[str]:
    """helm reads each as a line of CSV: in quotes, a comma in the path of a temporary folder stays one."""
    quoted = (str(path).replace('"', '""') for path in values)
    return [argument for path in quoted for argument in ("--values", f'"{path}"')]


def _run(helm: Path, chart: Path, verb: str, arguments: Sequence[str]) -> bytes:
    """helm sees no cluster, no plugin, no network and no repository of the user's: all that counts is the chart."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "TMPDIR", "LANG")}
    try:
        with tempfile.TemporaryDirectory(prefix="shiplane-helm-") as home:
            done = subprocess.run(
                [str(helm), verb, *arguments],
                env={**kept, **_NOWHERE, **_UNHURRIED, "HOME": home, "KUBECONFIG": f"{home}/none"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_DEADLINE,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise ShiplaneError(Problem(f"helm {verb}", f"no answer within {_DEADLINE} s")) from None
    if done.returncode != 0:
        said = (done.stderr + (done.stdout if verb == "lint" else b"")).decode("utf-8", "replace")
        lines = [printable(line) for line in said.replace(f"{chart.parent}{os.sep}", "").splitlines() if line.strip()]
        raise ShiplaneError(Problem(f"helm {verb}", "\n  ".join(lines) or f"ended with {done.returncode}"))
    return done.stdout
