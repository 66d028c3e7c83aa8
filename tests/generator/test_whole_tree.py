"""`newservice wallet --no-input`, whole: each byte of it is read before it is accepted as the snapshot."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped] # it ships no types

from generator.record import BASE, LOCK
from tests.conftest import ROOT
from tests.generator.conftest import Run

HASH = re.compile(rb"\b[0-9a-f]{64}\b")
NAMED = re.compile(rb"{= cookiecutter\.(name|organisation \| lower) =}")
PYTHON = Path(__file__).parent / "snapshots/test_whole_tree/test_the_whole_tree_of_a_python_service/tree/wallet"


def nested(files: dict[str, bytes]) -> dict[str, Any]:
    """`{a/b: data}` as `{a: {b: data}}`, the shape of a snapshot's folder."""
    tree: dict[str, Any] = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        below = tree
        for folder in folders:
            below = below.setdefault(folder, {})
        below[name] = data
    return tree


def test_the_whole_tree_of_a_python_service(run: Run, work: Path, snapshot: Snapshot) -> None:
    assert run("wallet", "--no-input")[0] == 0
    files = {str(path.relative_to(work)): path for path in work.rglob("*") if path.is_file()}
    contents = {path: file.read_bytes() for path, file in files.items()}
    base = contents.pop(f"wallet/{BASE}")  # its bytes are zlib's; what is in it is not

    lock = contents[f"wallet/{LOCK}"]
    contents[f"wallet/{LOCK}"] = HASH.sub(b"(sha256)", lock)  # the files themselves are read below

    snapshot.assert_match_dir(nested(contents), "tree")

    del contents[f"wallet/{LOCK}"]
    with tarfile.open(fileobj=io.BytesIO(base), mode="r:gz") as tar:
        packed = {f"wallet/{each.name}": (each.mode, found.read()) for each in tar if (found := tar.extractfile(each))}
    hashes = {path: f"sha256:{hashlib.sha256(data).hexdigest()}" for path, data in contents.items()}
    assert {f"wallet/{path}": found for path, found in yaml.safe_load(lock)["files"].items()} == hashes
    assert packed == {path: (stat.S_IMODE(files[path].stat().st_mode), data) for path, data in contents.items()}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} <= {0o644, 0o755}


@pytest.mark.parametrize("blueprint", ["node", "go"])
def test_the_whole_tree_of_the_other_services(run: Run, work: Path, snapshot: Snapshot, blueprint: str) -> None:
    """Each file is that of a service in Python, or of its blueprint but for the service's name, or it is read here."""
    assert run("wallet", "--no-input", "--blueprint", blueprint)[0] == 0
    root, source = work / "wallet", ROOT / "blueprints" / blueprint
    rendered = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    del rendered[BASE]
    rendered[LOCK] = HASH.sub(b"(sha256)", rendered[LOCK])
    own = {
        str(path.relative_to(top)): NAMED.sub(
            lambda found: {b"name": b"wallet"}.get(found[1], b"acme"), path.read_bytes()
        )
        for top in (source / "{= cookiecutter.name =}", source / "http" / "{= cookiecutter.name =}")
        for path in top.rglob("*")
        if path.is_file()
    }

    def of(path: str) -> str:
        if (PYTHON / path).is_file() and (PYTHON / path).read_bytes() == rendered[path]:
            return "python"
        return "blueprint" if own.get(path) == rendered[path] else "read"

    listed = {path: of(path) for path in sorted(rendered)}
    told = "".join(f"{how:9}  {path}\n" for path, how in listed.items()).encode()
    read = {path: rendered[path] for path, how in listed.items() if how == "read"}
    snapshot.assert_match_dir(nested({"tree.txt": told, **read}), "files")
