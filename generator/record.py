"""The records in a service's repository: how it was rendered, and the files as they were rendered."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import document, tree
from generator.errors import Problem, ShiplaneError, printable
from generator.service import NAME
from generator.tree import OURS, File, Tree

LOCK, BASE = f"{OURS}/lock.yaml", f"{OURS}/base.tar.gz"
_HEAD = (
    "# How newservice wrote this repository: commit it and leave it as it is.\n"
    "# With it, and with the files as rendered in base.tar.gz, a later blueprint can be merged with your changes.\n"
)
_RESTORE = f"git checkout -- {OURS}"
_SHA = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_TEXT = {"type": "string", "minLength": 1}
_VERSION = {"type": "string", "pattern": r"^\d{1,9}\.\d{1,9}\.\d{1,9}$"}
_KEYS: dict[str, Any] = {
    "service": {"type": "string", "pattern": NAME},
    "blueprint": _TEXT,
    "version": _VERSION,
    "digest": _SHA,
    "generator": _TEXT,
    "proved": {"type": "boolean"},
    "proof": {"type": "array", "items": _TEXT},
    "answers": {"type": "object"},
    "files": {"type": "object", "additionalProperties": _SHA},
    "seal": _SHA,
}
_SCHEMA = {"type": "object", "additionalProperties": False, "required": list(_KEYS), "properties": _KEYS}


@dataclass(frozen=True)
class Record:
    """How a service was rendered; `places` has where each answer stands, `base` the files as they were rendered."""

    service: str
    blueprint: str
    version: str
    answers: Mapping[str, Any]
    proof: tuple[str, ...]
    base: Tree
    places: Mapping[str, str]


def written(about: Mapping[str, Any], answers: Mapping[str, Any], rendered: Tree) -> Tree:
    """The two records of a render, by path; the same input gives the same bytes."""
    import yaml

    files = {path: _sha(file) for path, file in sorted(rendered.items())}
    told = {**about, "answers": dict(answers), "files": files}
    lock = yaml.safe_dump({**told, "seal": _seal(told, rendered)}, sort_keys=False, allow_unicode=True, width=10**6)
    return {LOCK: File(tree.PLAIN, (_HEAD + lock).encode()), BASE: File(tree.PLAIN, archive(rendered))}


def read(folder: Path) -> Record:
    """The records in `folder`; raises ShiplaneError with file, line and key where they are not as they were written."""
    found = {path: _there(folder, path) for path in (LOCK, BASE)}
    place = printable(f"{folder / LOCK}")
    lock = document.read(found[LOCK].data, place, _SCHEMA)
    told = lock.data
    base = _unpacked(found[BASE].data, printable(f"{folder / BASE}"))
    problems = []
    for path in sorted({*told["files"], *base}):
        if path not in base or path not in told["files"]:
            rule = "is not in base.tar.gz" if path in told["files"] else "is in base.tar.gz, and not here"
            problems.append(Problem(f"{lock.at(('files',))}: {printable(path)}", rule, _RESTORE))
        elif _sha(base[path]) != told["files"][path]:
            problems.append(Problem(lock.at(("files", path)), "is not the file in base.tar.gz", _RESTORE))
    without = {key: value for key, value in told.items() if key != "seal"}
    if not problems and _seal(without, base) != told["seal"]:
        rule = "does not fit: lock.yaml or base.tar.gz is not as newservice wrote it"
        problems.append(Problem(lock.at(("seal",)), rule, _RESTORE))
    if problems:
        raise ShiplaneError(problems)
    places = {key: lock.at((key,)) for key in told} | {
        f"answers.{key}": lock.at(("answers", key)) for key in told["answers"]
    }
    return Record(
        told["service"], told["blueprint"], told["version"], told["answers"], tuple(told["proof"]), base, places
    )


def _there(folder: Path, path: str) -> File:
    file = tree.found(folder, [path]).get(path)
    if file is None or not file.mode:
        rule = "is not there: no service of newservice" if file is None else "is no plain file"
        raise ShiplaneError(Problem(printable(f"{folder / path}"), rule, _RESTORE))
    return file


def _sha(file: File) -> str:
    """With its prefix: gitleaks takes a bare hash after `externalsecret.yaml:` for a key."""
    return f"sha256:{hashlib.sha256(file.data).hexdigest()}"


def _seal(told: Mapping[str, Any], base: Tree) -> str:
    """What ties the lock's words to the base's files, modes too: a slip of hand or of a merge is found by it."""
    words = json.dumps(told, sort_keys=True, default=str).encode()
    return tree.digest({"lock": {"": File(tree.PLAIN, words)}, "base": base})


def archive(files: Tree) -> bytes:
    """`files` as a .tar.gz that depends on their paths, modes and bytes alone."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, (mode, data) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=zipped, mtime=0) as out:
        out.write(packed.getvalue())
    return zipped.getvalue()


def _unpacked(data: bytes, place: str) -> Tree:
    """The files in a .tar.gz, in memory and bounded: nothing of it is written anywhere."""
    files: Tree = {}
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as zipped:
            packed = zipped.read(tree.LARGEST + 1)
        if len(packed) > tree.LARGEST:
            raise ShiplaneError(Problem(place, f"unpacks to more than {tree.LARGEST} bytes", _RESTORE))
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or entry.mode not in (tree.PLAIN, tree.PROGRAM):
                    raise ShiplaneError(Problem(place, f"holds {printable(entry.name)}, no plain file", _RESTORE))
                files[entry.name] = File(entry.mode, content.read())
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise ShiplaneError(Problem(place, f"is damaged: {printable(str(error))}", _RESTORE)) from None
    unsafe = [Problem(f"{place}: {printable(path)}", rule, _RESTORE) for path, rule in tree.unsafe(files)]
    if unsafe:
        raise ShiplaneError(unsafe)
    return files
