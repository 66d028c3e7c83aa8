"""What git reads and writes on its pipes, as pure functions on bytes."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence

from generator.errors import REFUSED, Problem, ShiplaneError, printable
from gitops.model import GONE, TREE, Change, Entry

_SEEN = (b"stale info", b"[rejected] (fetch first)", b"[rejected] (non-fast-forward)")  # by our git, before it pushed
_RACES = (
    b"fetch first",
    b"non-fast-forward",
    b"failed to update ref",
    b"failed to lock",
    b"cannot lock ref",
    b"reference already exists",
    b"incorrect old value",
)
# What the remote says beside "atomic transaction failed", which blames no ref and hides a full disk just as well.
_LOCKED = ("but expected", "reference already exists", "unable to resolve reference", "File exists")
_COLLATERAL = (b"atomic push failed", b"atomic transaction failed", b"atomic push failure")

Build = tuple[Sequence[Change], str | None]
"""The changes to make, and the commit to whose tree; None for an empty one."""


class Rejection(enum.Enum):
    """Why the remote did not take a ref."""

    STALE = "the remote has this ref otherwise than was expected"
    LOST = "another writer was first"
    REFUSED = "the remote does not allow it"
    COLLATERAL = "another ref of the same atomic push was not taken"


def listed(out: bytes) -> dict[str, Entry]:
    """The entries of `git ls-tree -r -t -z`; a path that is not UTF-8 keeps its bytes as surrogates.

    Raises ShiplaneError for a tree that holds a name twice: each reader would take another of the two.
    """
    entries: dict[str, Entry] = {}
    for record in out.split(b"\0"):
        if record:
            head, _, path = record.partition(b"\t")
            mode, _, oid = head.decode("ascii").split(" ")
            name = path.decode("utf-8", "surrogateescape")
            if name in entries:
                raise _twice(name)
            entries[name] = Entry(mode, oid)
    return entries


def _twice(name: str) -> ShiplaneError:
    return ShiplaneError(Problem(printable(name), "stands twice in its folder", "git fsck"), REFUSED)


def inside(folder: str, oid: str, tree: bytes) -> dict[str, Entry]:
    """The entries of the tree object `oid`, whose content is `tree`, as they lie in `folder`; raises as `listed`."""
    entries: dict[str, Entry] = {}
    at, size = 0, len(oid) // 2
    while at < len(tree):
        space = tree.index(b" ", at)
        end = tree.index(b"\0", space)
        mode, name = tree[at:space].decode("ascii"), tree[space + 1 : end].decode("utf-8", "surrogateescape")
        at = end + 1 + size
        if f"{folder}/{name}" in entries:
            raise _twice(f"{folder}/{name}")
        entries[f"{folder}/{name}"] = Entry(mode.zfill(len(TREE)), tree[end + 1 : at].hex())
    return entries


def exported(out: bytes) -> dict[str, bytes]:
    """The objects of `git cat-file --batch`, by id."""
    objects = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        oid, _, size = out[at:end].decode("ascii").split(" ")
        start, at = end + 1, end + 1 + int(size) + 1
        objects[oid] = out[start : at - 1]
    return objects


def told(out: bytes) -> list[tuple[str, bytes] | None]:
    """The id and the content of each name that `git cat-file --batch` was asked for; None for what is no tree."""
    found: list[tuple[str, bytes] | None] = []
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        head, at = out[at:end], end + 1
        if head.endswith((b" missing", b" ambiguous")):
            found.append(None)
            continue
        oid, kind, size = head.decode("ascii").split(" ")
        found.append((oid, out[at : at + int(size)]) if kind == "tree" else None)
        at += int(size) + 1
    return found


def imported(builds: Iterable[Build]) -> bytes:
    """The `git fast-import` stream that builds the tree of each of `builds`; its answer is for `built`."""
    return b"\n".join([*(line for each in builds for line in _steps(*each)), b"done", b""])


def _steps(changes: Sequence[Change], commit: str | None) -> Iterator[bytes]:
    yield from (b"reset refs/shiplane-build", b"commit refs/shiplane-build", b"committer shiplane <shiplane> 0 +0000")
    yield b"data 0"
    if commit:
        yield f"from {commit}".encode()
    for change in changes:
        path = _quoted(change.path)
        if change.mode == GONE:
            yield b"D " + path
        elif isinstance(change.content, str):
            yield f"M {change.mode} {change.content} ".encode() + path
        else:
            yield f"M {change.mode} inline ".encode() + path
            yield f"data {len(change.content)}".encode() + b"\n" + change.content
    yield b'ls ""'


def built(out: bytes) -> list[str]:
    """The ids of the trees that such a stream has built, from what fast-import said, in order."""
    return [line.split()[2].decode("ascii") for line in out.splitlines()]


def _quoted(path: str) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def rejections(out: bytes) -> dict[str, Rejection]:
    """The refs that `git push --porcelain` lists as not taken, with the reason."""
    told = {}
    for line in out.splitlines():
        if line.startswith(b"!\t"):
            _, spec, reason = [*line.split(b"\t"), b""][:3]
            ref = spec.split(b":")[-1].decode("utf-8", "replace")
            told[ref] = _reason(reason)
    return told


def raced(stderr: str) -> bool:
    """Whether a remote that took no ref of an atomic push says that another push was in its way."""
    return any("cannot lock ref" in line and any(words in line for words in _LOCKED) for line in stderr.splitlines())


def _reason(reason: bytes) -> Rejection:
    if any(words in reason for words in _COLLATERAL):
        return Rejection.COLLATERAL
    if any(words in reason for words in _SEEN):
        return Rejection.STALE
    return Rejection.LOST if any(words in reason for words in _RACES) else Rejection.REFUSED
