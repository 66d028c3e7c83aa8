"""Manifests and charts that are no GitOps repository: one file, standard input, or a folder and all below it."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generator.document import parse
from generator.errors import Problem, ShiplaneError, printable
from gitops import carried
from gitops.check.parts import parts
from gitops.check.rendering import inside_of, rendered
from gitops.check.told import Judgement, error, refused
from gitops.check.tree import snapshot
from gitops.model import TREE, Rendering
from gitops.policy import judge
from gitops.policy.finding import Context, Finding, Place
from gitops.policy.objects import Object
from gitops.policy.reading import LARGEST, read
from gitops.proof import key

_NAMES = (".yaml", ".yml", ".json")
_SAMPLE = json.dumps({"image": {"tag": "0" * 40, "digest": f"sha256:{'0' * 64}"}}).encode()
"""A release such as CI gives, for a chart that refuses to render without one."""
_RELEASE = re.compile(r"[^a-z0-9-]+")
_NOTHING = "holds no Kubernetes object, so there is nothing to judge"


def judged(path: Path) -> Judgement:
    """The findings of a file or a folder: its manifests are judged together, each chart by itself.

    What stands there for several environments is judged for each, unless kustomize builds it from patches.
    Raises ShiplaneError where nothing was found to judge.
    """
    if not path.is_dir():
        with path.open("rb") as named:  # by its name it may be a link, or a pipe
            return piped(named.read(LARGEST + 1), _shown(path))
    objects: list[Object] = []
    findings: list[Finding] = []
    notes: list[str] = []
    others = charts = 0
    built = False
    for each in _below(path):
        shown = _shown(each)
        if each.is_dir():
            found = chart(each)
            findings += found.findings
            notes += found.notes
            charts += found.objects
            continue
        try:
            here = read(_bytes(each), shown)
        except ShiplaneError as refusal:
            findings += refused("readable", refusal)
            continue
        objects += here
        others += not here
        if each.name.startswith("kustomization."):
            built = True
            notes.append(f"{shown}: its patches are judged as they stand; to judge what it builds, pipe that in: -")
    if others:
        notes.append(f"files that hold no Kubernetes object: {others}")
    apart = [("", tuple(objects))] if built else parts(objects)
    if len(apart) > 1:
        told = ", ".join(printable(name) for name, _ in apart)
        notes.append(f"the same objects stand there several times: judged apart, {told}")
    done = _together([each for _, each in apart], findings, charts, _shown(path))
    return replace(done, notes=tuple(notes))


def piped(data: bytes, place: str) -> Judgement:
    """The findings of manifests that are at hand as bytes: of one file, or from standard input."""
    return _together([tuple(read(data, place))], [], 0, place)


def chart(folder: Path) -> Judgement:
    """The findings of a chart, rendered with its own values; with a release beside them where it refuses otherwise."""
    shown = _shown(folder)
    inside = snapshot(folder, sorted(each.name for each in folder.iterdir() if each.name != ".git"))
    files = {path: entry for path, entry in inside.entries.items() if entry.mode != TREE}
    if wrong := carried.check(files, shown):
        return Judgement(tuple(refused("carried-tree", wrong)), 0)
    name = str(parse(files["Chart.yaml"].data or b"", "Chart.yaml").data["name"])
    name = _RELEASE.sub("-", name.lower())[:53].strip("-") or "chart"  # helm: a DNS label, of 53 characters at most
    plain = Rendering(name, "", name, None, {path: (each.mode, each.data or b"") for path, each in files.items()}, ())
    notes: tuple[str, ...] = ()
    result = rendered([plain])[key(plain)]
    if isinstance(result, ShiplaneError):
        released = replace(plain, values=(("release.yaml", _SAMPLE),))
        second = rendered([released])[key(released)]
        if isinstance(second, ShiplaneError):
            fix = "mend it, or judge what your own command renders: helm template ... | gitops check -"
            place = Place(file=shown)
            return Judgement(tuple(error("renders", place, each.rule, fix) for each in result.problems), 0)
        result, notes = second, (f"{shown}: rendered with a release, image.tag and image.digest, of zeros",)
    findings = judge(result, Context(namespace=name))
    return Judgement(tuple(inside_of(shown, findings)), len(result), notes)


def _together(apart: Sequence[Sequence[Object]], findings: list[Finding], charts: int, place: str) -> Judgement:
    objects = {id(each) for part in apart for each in part}
    if not (objects or findings or charts):
        raise ShiplaneError(Problem(place, _NOTHING, "name a folder of manifests, a chart, or a GitOps repository"))
    judged = dict.fromkeys(finding for part in apart for finding in judge(part))  # of what is in several parts, once
    return Judgement((*findings, *judged), len(objects) + charts)


def _below(folder: Path) -> Iterator[Path]:
    """Every chart, and every file that may hold manifests and is in no chart; git's own folder is none of them."""
    waiting = [folder]
    while waiting:
        each = waiting.pop()
        if not each.is_dir() or (each.is_symlink() and each != folder):
            if each.suffix in _NAMES:
                yield each
        elif (each / "Chart.yaml").is_file():
            yield each
        else:
            waiting += sorted((below for below in each.iterdir() if below.name != ".git"), reverse=True)


def _bytes(path: Path) -> bytes:
    """The bytes of a plain file: a link would be followed to who knows where, and a pipe waited for."""
    shown = _shown(path)
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        kind = "a symbolic link, which is not followed" if stat.S_ISLNK(status.st_mode) else "no plain file"
        raise ShiplaneError(Problem(shown, f"is {kind}", "judge what it leads to by itself"))
    if status.st_size > LARGEST:
        raise ShiplaneError(Problem(shown, f"is larger than {LARGEST} bytes"))
    return path.read_bytes()


def _shown(path: Path) -> str:
    return printable(os.fspath(path))
