"""Many releases in one file, as a pipeline that builds many services writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.document import Document, read
from generator.errors import Problem, ShiplaneError, printable
from gitops.release import Chart, Releasing, asked, mistakes
from gitops.repo.source import chart_at

_TEXT = {"type": "string", "minLength": 1}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "required": ["tag"],
        "properties": {"tag": _TEXT, "digest": _TEXT, "chart": _TEXT, "run": {"type": "integer", "minimum": 0}},
    },
}
"""The shape of the file as a JSON Schema: by service what `gitops release` takes as options."""


def requests(path: Path, run: int | None, environment: str | None) -> list[Releasing]:
    """A request for each service of the file, in its order; `run` is for those that name none.

    A chart's folder is looked for from where the file lies. Raises ShiplaneError with all that is wrong in any of them.
    """
    try:
        document = read(path.read_bytes(), printable(str(path)), SCHEMA)
    except OSError as error:
        raise ShiplaneError(
            Problem(f"--from-file {printable(str(path))}", f"cannot be read: {error.strerror}")
        ) from None
    found, problems = [], []
    for service, facts in document.data.items():
        try:
            found.append(_request(path, service, facts, run, environment))
        except ShiplaneError as error:
            problems += [_placed(document, service, each) for each in error.problems]
    if problems:
        raise ShiplaneError(problems)
    return found


def _request(path: Path, service: str, facts: Mapping[str, Any], run: int | None, environment: str | None) -> Releasing:
    run = facts.get("run", run)
    tag, digest = facts["tag"], facts.get("digest", "")
    if wrong := mistakes(service, tag, digest, run, bare="chart" not in facts):
        raise ShiplaneError(wrong)
    chart = None
    if "chart" in facts:  # another layout carries none
        folder = path.parent / facts["chart"]
        chart = Chart(printable(str(folder)), *chart_at(folder, tag))
    return asked(service, tag, digest, run, environment, chart)


def _placed(document: Document, service: str, problem: Problem) -> Problem:
    """A mistake of one service, where it stands in the file."""
    return Problem(f"{document.at((service,))}: {problem.place}", problem.rule, problem.mend)
