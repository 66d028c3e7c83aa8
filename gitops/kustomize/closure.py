"""What kustomize reads to build a folder, told by the kustomization files alone: nothing is built or fetched here.

Only what this module knows to be a reference is followed, so a key that it does not know is not built: kustomize would
fetch an address wherever it takes a path (its fileloader), and clone a repository wherever it takes a folder.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.document import parse
from generator.errors import Problem, ShiplaneError, printable
from gitops.carried import MOST_FILES, folded, kind, misnamed
from gitops.kustomize import keys, plugins
from gitops.model import EXECUTABLE, FILE, TREE, Entry, Snapshot

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize calls the file that it looks for in a folder."""
_OUTWARD = re.compile(r"[:?@\\]|^/|github\.com", re.IGNORECASE)  # an address, `gh:`, `git@`, `git::`, a query of one


@dataclass(frozen=True)
class Closure:
    """All that a build of one folder reads: `files`, and those of them that have to be read before more is known.

    `looked` are the paths at which something was looked for, there or not. `outward` is why it is not built here,
    though Argo CD may well build it; `wrong` is what keeps anybody from building it.
    """

    files: tuple[str, ...]
    unread: tuple[str, ...]
    looked: frozenset[str]
    outward: str
    wrong: tuple[Problem, ...]


@dataclass
class _Found:
    """What has been found so far; files in their order, each once."""

    snapshot: Snapshot
    files: dict[str, None] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    looked: set[str] = field(default_factory=set)
    outward: list[str] = field(default_factory=list)
    wrong: list[Problem] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    opaque: bool = False


def closure(snapshot: Snapshot, folder: str) -> Closure:
    """What a build of `folder` reads of `snapshot`, which lists all of its commit; bytes are asked for one by one."""
    found = _Found(snapshot, waiting=[folder])
    while found.waiting:
        each = found.waiting.pop()
        if each not in found.done:
            found.done.add(each)
            _folder(found, each)
        if len(found.files) > MOST_FILES or len(found.done) > MOST_FILES:
            found.outward.append(f"takes more than {MOST_FILES} files")
            break
    seen: dict[str, str] = {}
    for path in found.files:
        if (first := seen.setdefault(folded(path), path)) != path:
            found.outward.append(f"{printable(path)} and {printable(first)} differ only in case")
        found.outward += [f"{printable(path)} {rule}" for rule in misnamed(path)]
    outward = found.outward[0] if found.outward else ""
    return Closure(tuple(found.files), tuple(found.unread), frozenset(found.looked), outward, tuple(found.wrong))


def named(snapshot: Snapshot, folder: str) -> frozenset[str] | None:
    """The paths that the kustomization of `folder` itself refers to; None where it cannot be read."""
    found = _Found(snapshot)
    _folder(found, folder)
    return None if found.opaque else frozenset(found.looked)


def _folder(found: _Found, folder: str) -> None:
    """Follow the kustomization of `folder`."""
    paths = [_inside(folder, name) for name in NAMES]
    found.looked.update(paths)
    there = [path for path in paths if found.snapshot.get(path)]
    if len(there) != 1:
        rule = (
            f"has {' and '.join(each.rpartition('/')[2] for each in there)}" if there else "has no kustomization.yaml"
        )
        found.wrong.append(Problem(printable(folder) or "the repository's root", rule))
        return
    data = _read(found, there[0])
    if data is None:
        return
    try:
        content = parse(data, printable(there[0])).data
    except ShiplaneError as error:  # kustomize may take it all the same, in its own way
        first, found.opaque = error.problems[0], True
        found.outward.append(f"{first.place}: {first.rule}")
        return
    for key, value in content.items():
        _key(found, folder, there[0], key, value)


def _key(found: _Found, folder: str, place: str, key: str, value: Any) -> None:
    """Follow what stands at one key of a kustomization."""
    at = f"{printable(place)}: {printable(str(key))}"
    if key in keys.PLAIN or value is None:
        return
    if key in keys.CHARTS:
        found.outward.append(f"{at}: its charts lie elsewhere")
    elif key == "openapi":
        for name, each in value.items() if isinstance(value, Mapping) else ((key, value),):
            if name == "path":
                _file(found, folder, f"{at}.path", each)
            elif name != "version":
                found.outward.append(f"{at}.{printable(str(name))}: is not known here")
    elif key in ("resources", *keys.FOLDERS, *keys.FILES, *keys.PLUGINS, "patchesStrategicMerge"):
        for each in _texts(found, at, value):
            _reference(found, folder, at, key, each)
    elif key in keys.ITEMS:
        for each in value if isinstance(value, list) else [value]:
            _item(found, folder, at, each, keys.ITEMS[key])
    else:
        found.outward.append(f"{at}: is not known here")


def _item(found: _Found, folder: str, at: str, item: Any, known: Mapping[str, int]) -> None:
    """Follow the files of one patch, replacement or generator of maps.

    kustomize takes keys in any case (Go's encoding/json), so only those that are spelt as it spells them are known.
    """
    if not isinstance(item, Mapping):
        found.outward.append(f"{at}: has an item that is no mapping")
        return
    for name, each in item.items():
        if name not in known:
            found.outward.append(f"{at}.{printable(str(name))}: is not known here")
        elif known[name]:
            for text in _texts(found, f"{at}.{name}", [each] if name in ("path", "env") else each):
                inside = text.partition("=")[2] if name == "files" and not _OUTWARD.search(text) else ""  # key=path
                _file(found, folder, f"{at}.{name}", inside or text)


def _reference(found: _Found, folder: str, at: str, key: str, text: str) -> None:
    if key in (*keys.PLUGINS, "patchesStrategicMerge") and ("\n" in text or text.lstrip().startswith("{")):
        if key in keys.PLUGINS:  # YAML in the place of a path, which no loader takes for an address
            _plugin(found, at, text.encode())
        return
    if key in (*keys.FILES, "patchesStrategicMerge"):
        _file(found, folder, at, text)
        return
    target = _target(found, folder, at, text)
    entry = _entry(found, at, target) if target is not None else None
    if target is None or entry is None:
        return
    if entry.mode == TREE:
        found.waiting.append(target)
    elif key in keys.FOLDERS:
        found.wrong.append(Problem(at, f"{printable(target)} is no folder"))
    else:
        found.files[target] = None
        if key in keys.PLUGINS and (data := _read(found, target)) is not None:
            _plugin(found, printable(target), data)


def _file(found: _Found, folder: str, at: str, text: Any) -> None:
    """A reference to a file, of which kustomize takes the bytes and follows nothing in them."""
    if not isinstance(text, str):
        found.outward.append(f"{at}: is no path")
        return
    target = _target(found, folder, at, text)
    entry = _entry(found, at, target) if target is not None else None
    if target is not None and entry is not None:
        if entry.mode == TREE:
            found.wrong.append(Problem(at, f"{printable(target)} is a folder"))
        else:
            found.files[target] = None


def _target(found: _Found, folder: str, at: str, text: str) -> str | None:
    """The path in the repository that `text` leads to; None where it leads out of it, or to an address."""
    if _OUTWARD.search(text):
        found.outward.append(f"{at}: {printable(text)} is fetched from elsewhere")
        return None
    target = posixpath.normpath(_inside(folder, text))
    if target == ".." or target.startswith("../"):
        found.outward.append(f"{at}: {printable(text)} leads out of the repository")
        return None
    return "" if target == "." else target


def _entry(found: _Found, at: str, target: str) -> Entry | None:
    """What lies at `target`, if that is a file or a folder."""
    found.looked.add(target)
    entry = found.snapshot.get(target) if target else Entry(TREE, "")
    if entry is None:
        found.wrong.append(Problem(at, f"{printable(target)} is not there"))
        return None
    if entry.mode not in (FILE, EXECUTABLE, TREE):
        found.outward.append(f"{printable(target)} is {kind(entry.mode)}, which is not followed")
        return None
    return entry


def _read(found: _Found, path: str) -> bytes | None:
    """The bytes of a file that decides what else is read; None where somebody has to read it first."""
    entry = _entry(found, path, path)
    if entry is None or entry.mode == TREE:
        return None
    found.files[path] = None
    if entry.data is None:
        found.unread[path] = None
    return entry.data


def _plugin(found: _Found, at: str, data: bytes) -> None:
    if why := plugins.outward(data, at):
        found.outward.append(f"{at}: {why}")


def _texts(found: _Found, at: str, value: Any) -> Sequence[str]:
    """The texts of a list; anything else is not known here."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    found.opaque = True
    found.outward.append(f"{at}: is no list of texts")
    return ()


def _inside(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
