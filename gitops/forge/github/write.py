"""How the commits of drafts reach GitHub: a person's by git, so that they are theirs; an App's through the API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from generator.errors import BUG, Problem, ShiplaneError
from gitops.forge.github import queries, reading
from gitops.forge.github.reading import PLAN
from gitops.forge.github.wire import Refused, Wire
from gitops.messages import commit_message
from gitops.model import FILE, GONE, TREE, Change, Draft
from gitops.repo import Repository, Update
from gitops.repo.made import files

NO_REF = "0" * 40
"""What `updateRefs` takes for a ref that is not there."""
Wanted = Sequence[tuple[Draft, str | None]]
"""Drafts, each with the commit that its branch has now."""


def message(draft: Draft, *, keyed: bool = False) -> str:
    """The commit's message: with the fingerprint, by which the next run knows what is open already.

    `keyed`: in a layout of somebody else's, whose files do not say which run built what they pin.
    """
    said = commit_message(draft)
    told = keyed or draft.branch.startswith(reading.TOGETHER)
    pinned = "".join(map(reading.pin_trailer, draft.moves if told else ()))
    return f"{said}{'' if draft.moves else chr(10)}{pinned}{PLAN}: {draft.fingerprint}\n"


def by_git(repository: Repository, wanted: Wanted, *, keyed: bool = False) -> dict[str, str] | None:
    """The new head of each branch, all pushed at once on the tip; None when another writer was first."""
    tip, heads, updates = repository.tip, {}, []
    for draft, before in wanted:
        tree = repository.edited(tip, draft.changes)
        heads[draft.branch] = repository.commit([tip], message(draft, keyed=keyed), tree)
        updates.append(Update(f"refs/heads/{draft.branch}", before, heads[draft.branch]))
    # where main stays it is a guard: what was planned on an older tip must not replace what is newer
    updates.append(Update(f"refs/heads/{repository.branch}", tip, tip))
    return None if repository.push(updates) else heads


def by_api(
    wire: Wire, slug: str, repository_id: str, repository: Repository, wanted: Wanted, *, keyed: bool = False
) -> dict[str, str] | None:
    """The same without git: neither author nor committer is named, so GitHub signs the commits in the App's name."""
    heads, updates = {}, []
    known = {entry.oid for entry in repository.listing(None).entries.values() if entry.mode == TREE}
    for draft, before in wanted:
        entries = [_entry(wire, slug, repository, change, known) for change in draft.changes]
        body = {"base_tree": repository.tree_of(repository.tip), "tree": entries}
        tree = wire.rest("POST", f"/repos/{slug}/git/trees", body)["sha"]
        commit = {"message": message(draft, keyed=keyed), "tree": tree, "parents": [repository.tip]}
        heads[draft.branch] = wire.rest("POST", f"/repos/{slug}/git/commits", commit)["sha"]
        updates.append((draft.branch, before, heads[draft.branch]))
    on_tip = _head(wire, slug, repository.branch) == repository.tip
    return heads if on_tip and move(wire, slug, repository_id, updates) else None


def move(wire: Wire, slug: str, repository_id: str, updates: Sequence[tuple[str, str | None, str | None]]) -> bool:
    """Move branches (name, before, after; None is none), all or nothing; False when one was not as it was before."""
    refs = [
        {"name": f"refs/heads/{name}", "beforeOid": before or NO_REF, "afterOid": after or NO_REF, "force": True}
        for name, before, after in updates
    ]
    try:
        wire.graphql(queries.MOVE, {"repository": repository_id, "updates": refs})
    except Refused as refusal:
        # what a lost race is called is written nowhere: look whether it was one
        if refusal.status != 200 or all(_head(wire, slug, name) == before for name, before, _ in updates):
            raise
        return False
    return True


def _head(wire: Wire, slug: str, branch: str) -> str | None:
    try:
        return str(wire.rest("GET", f"/repos/{slug}/git/ref/heads/{quote(branch)}")["object"]["sha"])
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise


def _entry(wire: Wire, slug: str, repository: Repository, change: Change, known: set[str]) -> Mapping[str, Any]:
    """One entry of `git/trees`; what GitHub has already goes by its id."""
    if change.mode == GONE:
        return {"path": change.path, "mode": FILE, "type": "blob", "sha": None}
    if isinstance(change.content, bytes):
        return _file(wire, slug, change.path, change.mode, change.content)
    if change.mode != TREE:
        return {"path": change.path, "mode": change.mode, "type": "blob", "sha": change.content}
    if change.content not in known:
        _tree(wire, slug, repository, change.content)
    return {"path": change.path, "mode": TREE, "type": "tree", "sha": change.content}


def _tree(wire: Wire, slug: str, repository: Repository, oid: str) -> None:
    """Make a tree that GitHub may not have yet, a released chart; its id tells that it is the one that was rendered."""
    entries = [_file(wire, slug, path, mode, data) for path, (mode, data) in files(repository, oid).items()]
    made = wire.rest("POST", f"/repos/{slug}/git/trees", {"tree": entries})["sha"]
    if made != oid:
        raise ShiplaneError(Problem(slug, f"the tree {oid[:7]} became {made[:7]} there"), BUG)


def _file(wire: Wire, slug: str, path: str, mode: str, data: bytes) -> Mapping[str, Any]:
    try:
        return {"path": path, "mode": mode, "type": "blob", "content": data.decode()}
    except UnicodeDecodeError:
        body = {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
        return {
            "path": path,
            "mode": mode,
            "type": "blob",
            "sha": wire.rest("POST", f"/repos/{slug}/git/blobs", body)["sha"],
        }
