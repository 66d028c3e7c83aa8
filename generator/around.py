"""The repository that a new service is placed in, where there is one already: a monorepo of several services."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.tree import File, Tree

SHARED = ".github/"
"""What belongs to the whole repository: GitHub reads workflows at its root alone."""
_ORIGIN = re.compile(r'^\[remote "origin"\]\s*$(.*?)(?=^\[|\Z)', re.MULTILINE | re.DOTALL)
_GITHUB = re.compile(r"^\s*url\s*=\s*\S*github\.com[:/]([A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Around:
    """The repository's root and the service's folder in it, as `services/wallet`; its OWNER/REPO where origin tells."""

    root: Path
    folder: str
    repository: str


def around(target: Path, environment: Mapping[str, str] = os.environ) -> Around | None:
    """What `target` would be placed in; None where it begins a repository of its own.

    GIT_CEILING_DIRECTORIES ends the search upwards, as it does for git (git(1)).
    """
    ceilings = {Path(each) for each in environment.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep) if each}
    place = target.parent.resolve() / target.name
    for folder in place.parents:
        if os.path.lexists(folder / ".git"):
            return Around(folder, place.relative_to(folder).as_posix(), _repository(folder / ".git" / "config"))
        if folder.parent in ceilings:
            return None
    return None


def parted(files: Tree, folder: str) -> tuple[Tree, Tree]:
    """What lies in the service's `folder`, and what at the root of the repository; all in the first where it is ''."""
    shared: dict[str, File] = {path: file for path, file in files.items() if folder and path.startswith(SHARED)}
    return {path: file for path, file in files.items() if path not in shared}, shared


def root_of(service: Path, folder: str) -> Path:
    """The root of the repository in whose `folder` the service lies."""
    place = service.resolve()
    return place.parents[folder.count("/")] if folder else place


def _repository(config: Path) -> str:
    try:
        text = config.read_text("utf-8", "replace")
    except OSError:
        return ""
    origin = _ORIGIN.search(text)
    found = _GITHUB.search(origin[1]) if origin else None
    return found[1] if found else ""
