"""Reads a repository that is not Shiplane's yet, from disk or by its address; writes a proposal into a work tree."""

from __future__ import annotations

import os
from pathlib import Path

from generator.errors import Problem, ShiplaneError
from gitops.adopt import SUFFIXES, Proposal, proposal
from gitops.apply import entered
from gitops.model import EXECUTABLE, FILE
from gitops.yamledit import LARGEST

_MOST = 50_000  # files of YAML; more is no repository that people look through
_SKIPPED = frozenset({".git", "node_modules", ".terraform"})


def adopted(where: str) -> Proposal:
    """The proposal for the work tree at `where`, or for the repository at that address; it changes nothing."""
    folder = Path(where)
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    files, others = _on_disk(folder) if folder.is_dir() and not bare else _at_address(where)
    return proposal(files, where, others)


def write(where: str, made: Proposal) -> None:
    """Put the proposed files into the work tree at `where`; raises ShiplaneError, before any, where one is there."""
    folder = Path(where)
    if not folder.is_dir() or not (folder / ".git").exists():
        mend = "clone it, and run this in the clone: what it writes is reviewed like any other change"
        raise ShiplaneError(Problem("--write", f"{where} is no work tree", mend))
    there = [path for path in made.files if os.path.lexists(folder / path)]
    if there:
        raise ShiplaneError(Problem(path, "is there already", "move it away, or write it by hand") for path in there)
    for path, data in made.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(data)
        beside.replace(target)


def _on_disk(root: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files of YAML below `root`, and the paths of all others; no link is followed."""
    found: dict[str, bytes] = {}
    others: list[str] = []
    for folder, inside, names in os.walk(root):
        inside[:] = sorted(name for name in inside if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            if not name.endswith(SUFFIXES) or path.stat().st_size > LARGEST:
                others.append(path.relative_to(root).as_posix())
            else:
                found[path.relative_to(root).as_posix()] = path.read_bytes()
                if len(found) > _MOST:
                    raise ShiplaneError(
                        Problem(str(root), f"has more than {_MOST} files of YAML", "name a folder in it")
                    )
    return found, others


def _at_address(url: str) -> tuple[dict[str, bytes], list[str]]:
    with entered(url) as repository:
        listing = repository.listing(None)
        plain = [path for path, entry in listing.entries.items() if entry.mode in (FILE, EXECUTABLE)]
        wanted = [path for path in plain if path.endswith(SUFFIXES)]
        if len(wanted) > _MOST:
            raise ShiplaneError(Problem(url, f"has more than {_MOST} files of YAML"))
        snapshot = repository.read_all([(listing, wanted)])[0]
        others = [path for path in plain if not path.endswith(SUFFIXES)]
        return {path: snapshot.data(path) or b"" for path in wanted}, others
