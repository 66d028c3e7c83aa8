"""Makes repositories on this disk: a bare one from files, and a clone of it to work in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitops.model import Change
from gitops.repo.git import git, signing
from gitops.repo.text import built, imported


def bare(folder: Path, files: Mapping[str, tuple[str, bytes]], message: str) -> None:
    """A new bare repository with `files` as the first commit on `main`; it serves partial clones and atomic pushes."""
    folder.mkdir()
    at = str(folder)
    git(at, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", ".")
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "receive.fsckObjects"):
        git(at, "config", setting, "true")
    changes = [Change(path, mode, data) for path, (mode, data) in files.items()]
    (tree,) = built(git(at, "fast-import", "--quiet", "--force", "--done", stdin=imported([(changes, None)])))
    commit = git(at, "commit-tree", *signing(at), tree, stdin=message.encode()).decode().strip()
    git(at, "update-ref", "refs/heads/main", commit)
    git(at, "update-ref", "-d", "refs/shiplane-build")


def checkout(source: Path, folder: Path, origin: str) -> None:
    """A clone of `source` in `folder` whose `origin` is the address that it will have."""
    git(str(source.parent), "clone", "--quiet", "--template=", "--", str(source), str(folder))
    git(str(folder), "remote", "set-url", "origin", origin)
