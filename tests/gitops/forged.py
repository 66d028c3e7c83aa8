"""Pull requests that no command of ours has made: commits and records by git's plumbing, as anybody could push them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gitops.forge.record import written
from gitops.forge.refs import LAST, numbered, opened
from gitops.model import FILE, Move, Release
from gitops.pull_request import PullRequest, Review
from tests.gitops.literal import NOW
from tests.gitops.story import git, records

Change = bytes | None | tuple[str, bytes | str]
"""A file's bytes, None to delete it, or its mode with bytes or with the id of an object."""
EVE = "eve@acme.example"


def commit(
    repo: Path, changes: Mapping[str, Change], base: str = "main", message: str = "promote wallet to prod"
) -> str:
    """A commit of Eve's on `base`; answers with its id. No ref names it."""
    lines = [
        b"commit refs/forged",
        b"committer Eve <%s> 1767787200 +0000" % EVE.encode(),
        b"data %d\n%s" % (len(message.encode()), message.encode()),
        b"from %s" % git(repo, "rev-parse", base).encode(),
    ]
    for path, change in changes.items():
        name = b'"' + path.encode("utf-8", "surrogateescape").replace(b"\n", b"\\n") + b'"'
        if change is None:
            lines.append(b"D " + name)
            continue
        mode, content = change if isinstance(change, tuple) else (FILE, change)
        if isinstance(content, str):
            lines.append(b"M %s %s %s" % (mode.encode(), content.encode(), name))
        else:
            lines.append(b"M %s inline %s\ndata %d\n%s" % (mode.encode(), name, len(content), content))
    git(repo, "fast-import", "--quiet", "--force", "--date-format=raw", stdin=b"\n".join([*lines, b"done", b""]))
    made = git(repo, "rev-parse", "refs/forged")
    git(repo, "update-ref", "-d", "refs/forged")
    return made


def tree(repo: Path, entries: Iterable[tuple[str, str, bytes]]) -> str:
    """The id of a tree with these entries (mode, id, name) as they come: doubled, unsorted or oddly named."""
    raw = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, oid, name in entries)
    return git(repo, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=raw)


def entries(repo: Path, treeish: str) -> list[tuple[str, str, bytes]]:
    """The entries of a tree, for `tree`."""
    lines = git(repo, "ls-tree", "-z", treeish).split("\0")
    parts = [line.partition("\t") for line in lines if line]
    return [(head.split()[0].lstrip("0"), head.split()[2], name.encode()) for head, _, name in parts]


def replaced(repo: Path, folder: str, tree_id: str, base: str = "main") -> str:
    """A commit of Eve's that puts a tree in the place of a folder of `base`, by trees alone."""
    names, oid = folder.split("/"), tree_id
    for depth in reversed(range(len(names))):
        parent, here = "/".join(names[:depth]), names[depth].encode()
        old = [each for each in entries(repo, f"{base}:{parent}") if each[2] != here]
        oid = tree(repo, sorted([*old, ("40000", oid, here)], key=lambda e: e[2] + (b"/" if e[0] == "40000" else b"")))
    return git(repo, "commit-tree", oid, "-p", base, "-m", "promote wallet to prod")


def pushed(
    repo: Path, head: str, branch: str = "shiplane/pin/prod/wallet", reviews: Iterable[str | Review] = (), **facts: Any
) -> int:
    """The number of a pull request that claims to be Eve's promotion of wallet to prod, from `head`."""
    number = max(records(repo), default=0) + 1
    base = git(repo, "rev-parse", "main")
    claim: dict[str, Any] = {
        "number": number,
        "url": "",
        "state": "open",
        "title": "promote wallet to prod",
        "body": "",
        "branch": branch,
        "base": base,
        "head": head,
        "fingerprint": "0" * 64,
        "author": EVE,
        "requester": EVE,
        "committers": (EVE,),
        "opened": NOW,
        "move": Move("wallet", "prod", None, Release("a" * 40, f"sha256:{'a' * 64}")),
        "reviews": tuple(each if isinstance(each, Review) else Review(each, head, NOW) for each in reviews),
    }
    record(repo, PullRequest(**{**claim, **facts}))
    git(repo, "update-ref", f"refs/heads/{branch}", head)
    return number


def record(repo: Path, request: PullRequest) -> None:
    """Put a record where the embedded forge looks for it."""
    body = git(repo, "hash-object", "-w", "--stdin", stdin=request.body.encode())
    tree_id = git(repo, "mktree", stdin=f"100644 blob {body}\tbody.md\n".encode())
    text = written(request, f"#{request.number} opened by {request.author}")
    oid = git(repo, "commit-tree", tree_id, stdin=text.encode())
    for ref in (numbered(request.number), opened(request.branch), LAST):
        git(repo, "update-ref", ref, oid)
