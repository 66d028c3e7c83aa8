"""All of the default branch's history: copied, or of a repository on this disk read where it lies."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitops.repo import Repository
from gitops.repo.access import address


def bring(repository: Repository) -> None:
    """Have all commits and trees of the default branch here, no contents of files; once is enough.

    Beside a repository on this disk nothing is copied: git reads its objects there (gitrepository-layout(5),
    `objects/info/alternates`), as it reads them for the copy that this one is.
    """
    git = repository._git
    if git("rev-parse", "--is-shallow-repository").strip() != b"true":
        return
    beside = objects_of(repository.url)
    if beside is None:
        git(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--unshallow", "origin",
            f"+refs/heads/{repository.branch}:refs/heads/{repository.branch}",
        )  # fmt: skip
        return
    git("config", "core.alternateRefsCommand", ":")  # else each fetch would first list the refs over there
    copy = Path(repository._folder)
    (copy / "objects" / "info").mkdir(exist_ok=True)
    (copy / "objects" / "info" / "alternates").write_text(f"{beside}\n", encoding="utf-8", errors="surrogateescape")
    (copy / "shallow").unlink()


def objects_of(url: str) -> Path | None:
    """Where the repository at `url` keeps its objects, if it lies on this disk, has all of them, and lets us read."""
    parts = urlsplit(address(url))
    if parts.scheme != "file" or parts.netloc:
        return None
    root = Path(unquote(parts.path))
    folder = root / ".git" if (root / ".git").is_dir() else root
    found = folder / "objects"
    partly = (folder / "shallow").exists() or any((found / "pack").glob("*.promisor"))
    readable = found.is_dir() and os.access(found, os.R_OK | os.X_OK)
    return found if readable and not partly and str(found).isprintable() else None
