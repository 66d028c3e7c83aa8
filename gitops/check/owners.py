"""CODEOWNERS: whether what decides what runs has an owner whose review it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gitops.check.told import error
from gitops.config import PATH, Config
from gitops.model import TREE, Snapshot
from gitops.policy.finding import Finding, Place

FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for it, in this order ("About code owners")."""
_FIX = "name its owners there; the last line that matches is the one that counts"
_Lines = Sequence[tuple[int, re.Pattern[str], bool]]
"""Each line's number, what it matches, and whether it names anybody."""


def findings(config: Config, snapshot: Snapshot) -> Iterator[Finding]:
    """The administrators' paths that have no owner, those of today and those that may come; each folder once."""
    file = next((each for each in FILES if snapshot.get(each)), None)
    if file is None:
        fix = "write one: gitops init DIR shows it"
        yield error("code-owners", Place(file=FILES[0]), "is not there: no path has an owner", fix)
        return
    lines = _lines((snapshot.data(file) or b"").decode("utf-8", "replace"))
    for folder in _administered(config):
        inside = [p for p, e in snapshot.entries.items() if p.startswith(f"{folder}/") and e.mode != TREE]
        for path in [folder, *inside] if folder in (PATH, *FILES) else [f"{folder}/any/file.yaml", *inside]:
            number, owned = _last(lines, path)
            if not owned:
                told = f"gives {path} no owner" if number else f"has no line for {path}"
                yield error("code-owners", Place(file=file, line=number), told, _FIX)
                break


def _administered(config: Config) -> Iterator[str]:
    yield from (PATH, FILES[0], ".github/workflows", "bootstrap", "projects", "services")
    for name, environment in config.environments.items():
        yield from (f"apps/{name}", f"defaults/{name}")
        if environment.guarded:
            yield config.layout.folder(name, "").rstrip("/")


def _lines(text: str) -> _Lines:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.split(r"(?<!\\)\s+", line.partition(" #")[0].strip())
        if words[0] and not words[0].startswith("#"):
            owned = any("@" in word for word in words[1:])
            found.append((number, re.compile(_pattern(words[0])), owned))
    return found


def _last(lines: _Lines, path: str) -> tuple[int, bool]:
    """The number of the last line that matches, 0 where none does, and whether it names anybody."""
    return next(((number, owned) for number, line, owned in reversed(lines) if line.fullmatch(path)), (0, False))


def _pattern(glob: str) -> str:
    """A line's pattern as a regular expression: gitignore's rules, but that `folder/*` does not go deeper."""
    anchored = "/" in glob.rstrip("/")
    plain = re.sub(r"\*{3,}", "**", re.sub(r"(\*\*/)+", "**/", glob.strip("/").replace("\\", "")))
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", plain)
    told = {"**/": "(?:.*/)?", "/**": "/.*", "**": "[^/]*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(told.get(part) or re.escape(part) for part in parts)
    deeper = "/.*" if glob.endswith("/") else "" if anchored and glob.endswith("/*") else "(?:/.*)?"
    return f"{'' if anchored else '(?:.*/)?'}{body}{deeper}"
