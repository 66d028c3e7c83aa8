"""The plan: what it records, and that its archive depends on content alone."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from pathlib import Path

import yaml

from generator import __version__, blueprint
from generator.plan import plan
from generator.proof import Proof
from generator.record import BASE, LOCK, archive
from generator.tree import PLAIN, PROGRAM, File, Tree
from tests.generator.trees import build_layer

FILES: Tree = {"b/run.sh": File(PROGRAM, b"#!/bin/sh\n"), "a.txt": File(PLAIN, b"text\n"), "ä" * 80: File(PLAIN, b"")}


def unpacked(data: bytes) -> Tree:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {each.name: File(each.mode, found.read()) for each in tar if (found := tar.extractfile(each))}


def test_the_archive_holds_the_files_and_nothing_of_this_machine() -> None:
    data = archive(FILES)

    assert unpacked(data) == FILES
    assert archive(dict(reversed(FILES.items()))) == data
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in tar} == {(0, 0, 0, "", "")}


def test_the_lock_records_how_the_service_came_to_be(tmp_path: Path) -> None:
    found = blueprint.load_folder(build_layer(tmp_path / "own", {"a": "x"}))
    answers = {"description": "yes: 'ü' 🚀", "port": 8080, "calls": ["on", "1"]}

    planned = plan("wallet", found, answers, FILES, Proof(("render",), results=("it renders",)))

    assert list(planned.files) == sorted([*FILES, LOCK, BASE])
    assert unpacked(planned.files[BASE].data) == FILES
    lock = yaml.safe_load(planned.files[LOCK].data)
    assert re.fullmatch("sha256:[0-9a-f]{64}", lock.pop("seal"))
    assert lock == {
        "service": "wallet",
        "blueprint": "own",
        "version": "1.0.0",
        "digest": found.digest,
        "generator": __version__,
        "proved": True,
        "proof": ["it renders"],
        "answers": answers,
        "files": {path: f"sha256:{hashlib.sha256(file.data).hexdigest()}" for path, file in FILES.items()},
    }
