"""How a service's files stand between their blueprint as it was, as it is now, and what its people made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import answers, record, tree
from generator.answers import Given
from generator.around import parted, root_of
from generator.blueprint import Blueprint
from generator.errors import Problem, ShiplaneError, printable
from generator.record import Record
from generator.render import render
from generator.tree import File, Tree

STATES = ("current", "edited", "behind", "both", "deleted", "new")
"""What a file can be: as its blueprint renders it; changed by people; changed by the blueprint; by both; deleted by
people; or not there yet."""
_WAITING = ("behind", "both", "new")  # the blueprint has something that the service has not


@dataclass(frozen=True)
class Standing:
    """One file's state; `managed` is a file of the golden chart, which is the same in every service."""

    path: str
    state: str
    managed: bool

    @property
    def fails(self) -> bool:
        """Whether a check in CI fails by it: something waits to be taken over, or a managed file was changed."""
        return self.state in _WAITING or (self.managed and self.state != "current")


@dataclass(frozen=True)
class Report:
    """A service compared with the blueprint that is installed; `version` is the one that it was rendered by."""

    service: str
    blueprint: str
    version: str
    installed: str
    unasked: tuple[str, ...]
    files: tuple[Standing, ...]

    @property
    def fails(self) -> bool:
        """Whether any file fails."""
        return any(file.fails for file in self.files)


def check(folder: Path, rendered_by: Record, blueprint: Blueprint) -> Report:
    """Compare the service in `folder` with what `blueprint` renders from the same answers; writes nothing there.

    Its files are read and never run. Raises ShiplaneError where the record and the blueprint do not belong together.
    """
    given, unasked = _answers(rendered_by, blueprint)
    now = render(blueprint, rendered_by.service, given, rendered_by.proof)
    own, shared = parted({**rendered_by.base, **now}, str(given.get("folder", "")))
    there = {**tree.found(folder, own), **tree.found(root_of(folder, str(given.get("folder", ""))), shared)}
    files = compare(rendered_by.base, now, there, _managed(blueprint.kind(given).chart, now))
    return Report(rendered_by.service, blueprint.name, rendered_by.version, blueprint.version, unasked, files)


def compare(base: Tree, now: Tree, there: Tree, managed: frozenset[str] = frozenset()) -> tuple[Standing, ...]:
    """The state of each file that was rendered then or would be now, by path; a file of nobody but people is none."""
    states = {path: _state(base.get(path), now.get(path), there.get(path)) for path in sorted({*base, *now})}
    return tuple(Standing(path, state, path in managed) for path, state in states.items() if state)


def _state(base: File | None, now: File | None, there: File | None) -> str:
    if there == now:
        return "current" if now else ""  # gone on both sides: nothing is left to tell
    if there == base:
        return "behind" if base else "new"
    if there is None:
        return "deleted"
    return "edited" if base == now else "both"


def _managed(chart: Tree | None, now: Tree) -> frozenset[str]:
    golden = {f"chart/{path}": file for path, file in (chart or {}).items()}
    return frozenset(path for path, file in golden.items() if now.get(path) == file)


def _answers(rendered_by: Record, blueprint: Blueprint) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The recorded answers as the blueprint asks today, and the keys that it asks no more."""
    places, questions = rendered_by.places, blueprint.questions
    if rendered_by.blueprint != blueprint.name:
        rule = f"is {printable(rendered_by.blueprint)}, and not {printable(blueprint.name)}"
        raise ShiplaneError(Problem(places["blueprint"], rule))
    if _order(rendered_by.version) > _order(blueprint.version):
        rule = f"{rendered_by.version} is newer than the blueprint that is installed here, {blueprint.version}"
        raise ShiplaneError(Problem(places["version"], rule, "install the newest Shiplane"))
    missing = [
        Problem(places["answers"], f"has no answer to {key}, and the blueprint needs one now: {question['title']}")
        for key, question in questions.items()
        if key not in rendered_by.answers and "default" not in question
    ]
    if missing:
        raise ShiplaneError(missing)
    given = {
        key: Given(value, places[f"answers.{key}"]) for key, value in rendered_by.answers.items() if key in questions
    }
    unasked = tuple(key for key in rendered_by.answers if key not in questions)
    return answers.complete(given, blueprint.schema, blueprint.marks, rendered_by.service), unasked


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def locate(name: str | None, output: Path) -> Path:
    """The folder of the service: NAME below `output`, or a path; without one, where we stand or the nearest above.

    Raises ShiplaneError where no service of newservice is.
    """
    if name is not None:
        folder = output / name
        if (folder / record.LOCK).exists() or folder.is_dir():
            return folder
        rule, mend = "there is no such folder", "newservice --check, inside the service\nnewservice ./FOLDER --check"
        raise ShiplaneError(Problem(printable(str(folder)), rule, mend))
    above = [output, *output.resolve().parents]
    found = next((folder for folder in above if (folder / record.LOCK).exists()), None)
    if found is None:
        rule = f"no {record.LOCK} here or above: this is no service of newservice"
        raise ShiplaneError(Problem(printable(str(output)), rule, "newservice NAME --check"))
    return found
