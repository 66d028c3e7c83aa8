"""Reads a repository that is not Shiplane's yet, from disk or by its address; writes a proposal into a work tree."""

from __future__ import annotations

import os
from pathlib import Path

from generator.errors import Problem, ShiplaneError
from gitops.adopt import SUFFIXES, Proposal, proposal
from gitops.adopt.sites import Unread
from gitops.apply import entered
from gitops.model import EXECUTABLE, FILE
from gitops.repo.git import GitFailed, git
from gitops.yamledit import LARGEST

_MOST = 50_000  # files of YAML; more is no repository that people look through
_LINK = "a symbolic link: none is followed"
_MODULE = "a submodule: what lies in it is another repository's"
_LARGE = f"is larger than {LARGEST} bytes: not read"
_SKIPPED = frozenset({".git", "node_modules", ".terraform"})


def adopted(where: str) -> Proposal:
    """The proposal for the work tree at `where`, or for the repository at that address; it changes nothing."""
    folder = Path(where)
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    files, others, left = _on_disk(folder) if folder.is_dir() and not bare else _at_address(where)
    return proposal(files, where, others, left)


def write(where: str, made: Proposal) -> None:
    """Put the proposed files into the work tree at `where`; raises ShiplaneError, before any, where one is there."""
    folder = Path(where)
    if not folder.is_dir() or not (folder / ".git").exists():
        mend = "clone it, and run this at the top of the clone: what it writes is reviewed like any other change"
        raise ShiplaneError(Problem("--write", f"{where} is no work tree, or a folder in one", mend))
    links = [path for path in dict.fromkeys(map(os.path.dirname, made.files)) if path and (folder / path).is_symlink()]
    if links:
        raise ShiplaneError(Problem(path, f"is {_LINK}", "put a folder in its place") for path in links)
    there = [path for path in made.files if os.path.lexists(folder / path)]
    if there:
        raise ShiplaneError(Problem(path, "is there already", "move it away, or write it by hand") for path in there)
    for path, data in made.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(data)
        beside.replace(target)


def _on_disk(root: Path) -> tuple[dict[str, bytes], list[str], list[Unread]]:
    """The files of YAML below `root`, the paths of all others, and what is not followed."""
    found: dict[str, bytes] = {}
    others: list[str] = []
    left: list[Unread] = []
    ignored = _ignored(root)
    for folder, inside, names in os.walk(root):
        at = {name: Path(folder, name).relative_to(root).as_posix() for name in (*inside, *names)}
        at = {name: path for name, path in at.items() if path not in ignored}
        links = {name for name in at if Path(folder, name).is_symlink()}
        modules = (
            {name for name in {*inside} & at.keys() if os.path.lexists(Path(folder, name, ".git"))} - links - _SKIPPED
        )
        left += [Unread(at[name], _LINK) for name in sorted(links)]
        left += [Unread(at[name], _MODULE) for name in sorted(modules)]
        inside[:] = sorted({*inside} & at.keys() - _SKIPPED - links - modules)
        for name in sorted({*names} & at.keys() - links):
            path = Path(folder, name)
            if not path.is_file():
                continue
            if name.endswith(SUFFIXES) and path.stat().st_size <= LARGEST:
                found[at[name]] = path.read_bytes()
                if len(found) > _MOST:
                    raise ShiplaneError(
                        Problem(str(root), f"has more than {_MOST} files of YAML", "name a folder in it")
                    )
                continue
            others.append(at[name])
            left += [Unread(at[name], _LARGE)] if name.endswith(SUFFIXES) else []
    return found, others, left


def _ignored(root: Path) -> set[str]:
    """What the repository at `root` keeps out of itself by .gitignore: folders as a whole, and files."""
    if not (root / ".git").exists():
        return set()
    try:
        listed = git(str(root), "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    except GitFailed:  # git would not enter it, as somebody else's: then all that lies there is read
        return set()
    return {os.fsdecode(each).rstrip("/") for each in listed.split(b"\0") if each}


def _at_address(url: str) -> tuple[dict[str, bytes], list[str], list[Unread]]:
    with entered(url) as repository:
        listing = repository.listing(None)
        kinds = {"120000": _LINK, "160000": _MODULE}
        left = [Unread(path, kinds[entry.mode]) for path, entry in listing.entries.items() if entry.mode in kinds]
        plain = [path for path, entry in listing.entries.items() if entry.mode in (FILE, EXECUTABLE)]
        wanted = [path for path in plain if path.endswith(SUFFIXES)]
        if len(wanted) > _MOST:
            raise ShiplaneError(Problem(url, f"has more than {_MOST} files of YAML"))
        snapshot = repository.read_all([(listing, wanted)])[0]
        read = {path: snapshot.data(path) or b"" for path in wanted}
        large = [path for path in wanted if len(read[path]) > LARGEST]
        left += [Unread(path, _LARGE) for path in large]
        others = [path for path in plain if path not in read or path in large]
        return {path: data for path, data in read.items() if len(data) <= LARGEST}, others, left
