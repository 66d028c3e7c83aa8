"""Founds a GitOps repository on disk: the initial tree as the first commit on `main`, and the forge beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from generator.errors import Problem, ShiplaneError
from gitops.initial import initial_tree
from gitops.repo.create import bare, checkout


def found(folder: Path, remote: str | None, owner: str, *, shiplane: str | None = None, app_id: int = 0) -> None:
    """Make the repository in `folder`, and, without a remote, its bare twin `folder`.git as the embedded forge.

    Everything is made beside the target and placed by renames, the bare twin first: killed in between, what is there is
    whole. Raises ShiplaneError naming what is in the way.
    """
    folder = folder.absolute()
    twin = folder.parent / f"{folder.name}.git"
    embedded = remote is None
    in_the_way = [path for path in (folder, *((twin,) if embedded else ())) if os.path.lexists(path)]
    if in_the_way:
        raise ShiplaneError(Problem(str(path), "is in the way", "choose another DIR") for path in in_the_way)
    address = twin.as_uri() if remote is None else remote
    tree = initial_tree(
        repository_url=address,
        name=folder.name,
        owner=owner,
        forge="embedded" if embedded else None,
        shiplane=shiplane,
        app_id=app_id,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".shiplane-", dir=folder.parent))
    try:
        bare(beside / "bare", tree, f"Found the GitOps repository {folder.name}\n")
        checkout(beside / "bare", beside / "clone", str(twin) if remote is None else remote)
        if embedded:
            (beside / "bare").rename(twin)
        (beside / "clone").rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
