"""`newservice --check`: what a service has changed, and what its blueprint has changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from generator import drift, record
from generator.blueprint import Blueprint
from generator.commands.main import say, show, show_json
from generator.drift import Report
from generator.errors import Problem, ShiplaneError, printable


def check(name: str | None, output: Path, load: Callable[[str], Blueprint], *, as_json: bool) -> int:
    """Show how the service stands; `load` gives the blueprint of a name. Returns the exit code: 1 where CI fails."""
    folder = drift.locate(name, output)
    found = record.read(folder)
    if name is not None and "/" not in name and name not in (".", "..") and name != found.service:
        rule = f"is {found.service}, and not {printable(name)}"
        raise ShiplaneError(Problem(found.places["service"], rule, f"newservice ./{printable(name)} --check"))
    try:
        blueprint = load(found.blueprint)
    except ShiplaneError as error:
        raise ShiplaneError(
            Problem(f"{found.places['blueprint']}: {each.place}", each.rule, each.mend) for each in error.problems
        ) from None
    report = drift.check(folder, found, blueprint)
    _show(report, folder, as_json)
    return int(report.fails)


def _show(report: Report, folder: Path, as_json: bool) -> None:
    counted = Counter(file.state for file in report.files)
    if as_json:
        files = [
            {"path": file.path, "state": file.state, "managed": file.managed, "fails": file.fails}
            for file in report.files
        ]
        about = {"service": report.service, "path": str(folder), "blueprint": report.blueprint}
        versions = {"version": report.version, "installed": report.installed}
        show_json("shiplane/check/1", [{**about, **versions, "fails": report.fails, "files": files}])
    else:
        for file in report.files:
            if file.state != "current":
                note = "  of the golden chart: the same in every service" if file.managed else ""
                show(f"{file.state:8}  {printable(file.path)}{note}")
    newer = f" → {report.installed}" if report.installed != report.version else ""
    say(f"{report.service}: blueprint {printable(report.blueprint)} {report.version}{newer}")
    if report.unasked:
        say(f"answers that the blueprint asks no more: {', '.join(map(printable, report.unasked))}")
    say(f"{len(report.files)} files: " + ", ".join(f"{counted[each]} {each}" for each in drift.STATES if counted[each]))
