"""Which trees may be carried: a chart in the GitOps repository is untrusted input to Argo CD and helm."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from generator.document import parse, read
from generator.errors import Problem, ShiplaneError, printable
from gitops import references
from gitops.model import EXECUTABLE, FILE, TREE, Entry, above

MOST_TOLD = 10
"""Mistakes of one chart that are told; the rest is counted."""
MOST_FILES = 1000
MOST_BYTES = 10 * 1024 * 1024
"""Bounds far over any honest chart: helm itself refuses a release over 1 MiB compressed (a Secret's size)."""
VERSION = r"^v?[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
"""A chart's version, as helm takes it: SemVer 2, less strict about its number of parts."""
_LONGEST = 200  # bytes of a path: with all that stands before it, every file system takes it
_KINDS = {"120000": "a symbolic link", "160000": "a submodule", TREE: "a folder"}

_CHART: Mapping[str, Any] = {
    "type": "object",
    "required": ["name", "version"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string", "pattern": VERSION, "maxLength": 100, "description": "a version, as 1.4.0"},
        "dependencies": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "pattern": r"^[A-Za-z0-9._-]+$"}},
            },
        },
    },
}


def check(tree: Mapping[str, Entry], place: str) -> list[Problem]:
    """What forbids to carry `tree` ({path inside it: entry with its bytes}); `place` says where it comes from.

    Only regular files; nothing that Argo CD or git reads as its own settings (`.argocd-source*.yaml` overrides the
    Application: argo-cd user guide, "Parameter Overrides"; `.gitattributes` changes what a checkout writes); no two
    paths that some disks hold for one; no schema that leads out of itself; bounded.
    """
    if "Chart.yaml" not in tree:
        mend = "name the folder that holds Chart.yaml: --chart DIR"
        return [Problem(place, "is no chart: it has no Chart.yaml", mend)]
    problems = []
    seen: dict[str, str] = {}
    for path, entry in sorted(tree.items()):
        at = f"{place}/{printable(path)}"
        if entry.mode not in (FILE, EXECUTABLE):
            problems.append(Problem(at, f"is {kind(entry.mode)}; only regular files are carried"))
        problems += [Problem(at, rule) for rule in misnamed(path)]
        for name in above(path):
            first = seen.setdefault(folded(name), name)
            if first != name:
                rule = f"differs from {printable(first)} only in case, or in how Unicode spells it"
                problems.append(Problem(f"{place}/{printable(name)}", rule))
                break
    size = sum(len(entry.data or b"") for entry in tree.values())
    if len(tree) > MOST_FILES or size > MOST_BYTES:
        problems.append(
            Problem(place, f"{len(tree)} files, {size} bytes: over {MOST_FILES} files or {MOST_BYTES} bytes")
        )
    problems = list(dict.fromkeys(problems)) or incomplete(tree, place)
    if not problems:
        files = {path: entry.data or b"" for path, entry in tree.items()}
        problems = [Problem(f"{place}/{printable(path)}", rule) for path, rule in references.outward(files)]
    more = len(problems) - MOST_TOLD
    return [*problems[:MOST_TOLD], Problem(place, f"and {more} more")] if more > 0 else problems


def version(tree: Mapping[str, Entry]) -> str:
    """The chart's own version, of a tree that passed `check`."""
    return str(parse(tree["Chart.yaml"].data or b"", "Chart.yaml").data["version"])


def kind(mode: str) -> str:
    """What an entry is that is no regular file."""
    return _KINDS.get(mode, "not a regular file")


def misnamed(path: str) -> Iterator[str]:
    """What is wrong about a path, whatever lies there."""
    parts = path.lower().split("/")
    if any(part.startswith(".argocd-source") for part in parts):
        yield "Argo CD would take its own settings from it; it is not carried"
    if not {".git", ".gitattributes"}.isdisjoint(parts):
        yield "git would take its own settings from it; it is not carried"
    if not {"", ".", ".."}.isdisjoint(parts):
        yield "is no place inside a chart"
    if any(not c.isprintable() or c == "\\" for c in path):
        yield "a file name must be printable and without a backslash"
    if len(path.encode("utf-8", "surrogateescape")) > _LONGEST:
        yield f"is longer than {_LONGEST} bytes"


def folded(name: str) -> str:
    """Equal for names that a disk which ignores case and Unicode's spelling holds for one (Unicode 3.13, D145)."""
    if name.isascii():
        return name.lower()  # the same, for the many names that are plain
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def incomplete(tree: Mapping[str, Entry], place: str) -> list[Problem]:
    """A chart has a Chart.yaml with name and version; what it depends on lies in it: nothing is fetched later."""
    at = f"{place}/Chart.yaml"
    try:
        chart = read(tree["Chart.yaml"].data or b"", at, _CHART).data
    except ShiplaneError as error:
        return list(error.problems)
    return [
        Problem(at, f"depends on {name}, which is not in charts/", "helm dependency update, and commit what it adds")
        for name in (each["name"] for each in chart.get("dependencies") or ())
        if not any(path.startswith((f"charts/{name}/", f"charts/{name}-")) for path in tree)
    ]
