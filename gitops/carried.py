"""Which trees may be carried: a chart in the GitOps repository is untrusted input to Argo CD and helm."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Mapping

import yaml

from generator.errors import Problem, printable
from gitops.model import EXECUTABLE, FILE, Entry

MOST_FILES = 1000
MOST_BYTES = 10 * 1024 * 1024
"""Bounds far over any honest chart: helm itself refuses a release over 1 MiB compressed (a Secret's size)."""
_KINDS = {"120000": "a symbolic link: helm would follow it out of the chart", "160000": "a submodule"}


def check(tree: Mapping[str, Entry], place: str) -> list[Problem]:
    """What forbids to carry `tree` ({path inside it: entry with its bytes}); `place` says where it comes from.

    Only regular files; nothing that Argo CD reads as its own settings (`.argocd-source*.yaml` overrides the
    Application: argo-cd user guide, "Parameter Overrides"); no two paths that differ only in case; bounded.
    """
    problems = []
    seen: dict[str, str] = {}
    for path, entry in sorted(tree.items()):
        at = f"{place}/{printable(path)}"
        if entry.mode not in (FILE, EXECUTABLE):
            problems.append(
                Problem(at, f"{_KINDS.get(entry.mode, 'not a regular file')}; only regular files are carried")
            )
        if any(fnmatch.fnmatch(part.lower(), ".argocd-source*") for part in path.split("/")):
            problems.append(Problem(at, "Argo CD would take its own settings from it; it is not carried"))
        if any(not c.isprintable() or c == "\\" for c in path):
            problems.append(Problem(at, "a file name must be printable and without a backslash"))
        for name in _with_folders(path):
            folded = unicodedata.normalize("NFC", name).casefold()
            if seen.setdefault(folded, name) != name:
                problems.append(Problem(at, f"differs from {printable(seen[folded])} only in case"))
                break
    size = sum(len(entry.data or b"") for entry in tree.values())
    if len(tree) > MOST_FILES or size > MOST_BYTES:
        problems.append(
            Problem(place, f"{len(tree)} files, {size} bytes: over {MOST_FILES} files or {MOST_BYTES} bytes")
        )
    return problems or _check_chart(tree, place)


def version(tree: Mapping[str, Entry]) -> str:
    """The chart's own version, of a tree that passed `check`."""
    return str(yaml.safe_load(tree["Chart.yaml"].data or b"")["version"])


def _with_folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _check_chart(tree: Mapping[str, Entry], place: str) -> list[Problem]:
    """A chart has a Chart.yaml with name and version; what it depends on lies in it: nothing is fetched later."""
    mend = "name the folder that holds Chart.yaml: --chart DIR"
    if "Chart.yaml" not in tree:
        return [Problem(place, "is no chart: it has no Chart.yaml", mend)]
    try:
        chart = yaml.safe_load(tree["Chart.yaml"].data or b"")
    except (yaml.YAMLError, ValueError) as error:
        return [Problem(f"{place}/Chart.yaml", f"is not YAML: {printable(str(error).splitlines()[0])}")]
    if not isinstance(chart, dict) or not all(isinstance(chart.get(key), str) for key in ("name", "version")):
        return [Problem(f"{place}/Chart.yaml", "needs a name and a version, both text", mend)]
    wanted = [each.get("name") for each in chart.get("dependencies") or () if isinstance(each, dict)]
    absent = [name for name in wanted if not any(path.startswith(f"charts/{name}") for path in tree)]
    return [
        Problem(
            f"{place}/Chart.yaml",
            f"depends on {printable(str(name))}, which is not in charts/",
            "helm dependency update",
        )
        for name in absent
    ]
