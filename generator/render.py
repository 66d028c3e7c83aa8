"""From a blueprint and answers to the files of a service: cookiecutter renders, and its traps are closed here."""

from __future__ import annotations

import copy
import tempfile
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator import tree
from generator.blueprint import Blueprint
from generator.errors import Problem, ShiplaneError, printable
from generator.layer import Layer
from generator.service import module
from generator.tree import OURS, File, Tree

VALUES = "chart/values.yaml"
DEFAULTS = b"# ---- defaults"
"""The line of a golden chart's values.yaml that parts one service's facts from what is the same for all."""


def render(blueprint: Blueprint, name: str, answers: Mapping[str, Any], proof: Sequence[str] = ()) -> Tree:
    """The files of the service `name`; the same input gives the same bytes. Raises ShiplaneError with file and line.

    `proof` are the sentences that tell what was proved of them, for a template that lists these.

    Writes below the system's temporary folder only, and leaves nothing there.
    """
    kind = blueprint.kind(answers)
    result = {f"chart/{path}": file for path, file in (kind.chart or {}).items()}
    golden = result.pop(VALUES, None)
    writer = dict.fromkeys(result, "the golden chart")
    problems: list[Problem] = []
    for layer, context in contexts(blueprint, name, answers, proof):
        rendered = _rendered(layer, context)
        problems += _leftovers(layer, rendered)
        for path, file in rendered.items():
            if path in writer and path not in layer.replaces:
                mend = "list it under replaces in the layer's blueprint.yaml, or leave it out"
                problems.append(Problem(_place(layer, path), f"is written by {writer[path]} already", mend))
            writer[path] = layer.name
            result[path] = file
    problems += [Problem(printable(path), f"a file that {rule}") for path, rule in _refused(result)]
    if problems:
        raise ShiplaneError(problems)
    if golden is not None:
        result[VALUES] = _joined(blueprint, result.get(VALUES), golden)
    return dict(sorted(result.items()))


def contexts(
    blueprint: Blueprint, name: str, answers: Mapping[str, Any], proof: Sequence[str] = ()
) -> Iterator[tuple[Layer, dict[str, Any]]]:
    """Each layer of the service's kind, lowest first, with the context that cookiecutter renders it with."""
    about = {"name": name, "module": module(name), "blueprint": blueprint.name, "version": blueprint.version}
    for layer in blueprint.kind(answers).layers:
        settings = {
            **layer.settings,
            "_extensions": [*layer.settings.get("_extensions", ()), "generator.braces.PlainJson"],
            "_copy_without_render": [*layer.settings.get("_copy_without_render", ()), f"*{tree.LEFT_BY_PIP}"],
        }
        given = copy.deepcopy(dict(answers))
        yield layer, {"cookiecutter": {**given, **about, "proof": list(proof), **settings}}


def _rendered(layer: Layer, context: dict[str, Any]) -> Tree:
    from cookiecutter.generate import generate_files  # type: ignore[import-untyped] # it ships no types
    from jinja2 import TemplateError

    with tempfile.TemporaryDirectory(prefix="newservice-") as folder:
        try:
            _check_names(layer, context)
            top = generate_files(layer.folder, context, folder, accept_hooks=False)
        except ShiplaneError:
            raise
        except Exception as error:  # a template may raise anything; whatever it is, the file and line are told
            if isinstance(error, OSError) and not isinstance(error, TemplateError):  # "template not found" is both
                place = printable(tempfile.gettempdir())
                mend = "make room there, or choose another folder: TMPDIR=DIR"
                raise ShiplaneError(Problem(place, f"cannot be rendered in: {error.strerror}", mend)) from None
            raise ShiplaneError(_broken(layer, error)) from None
        return tree.read(Path(top), str(layer.folder))


def _check_names(layer: Layer, context: dict[str, Any]) -> None:
    """Renders the names that are templates before cookiecutter does: it would write wherever they lead."""
    from cookiecutter.utils import create_env_with_context  # type: ignore[import-untyped] # it ships no types

    templated = {path for path in layer.sources if any(mark in path for mark in layer.marks)}
    environment: Any = create_env_with_context(context) if templated else None
    names = []
    for path in layer.sources:
        rendered = environment.from_string(path).render(**context) if path in templated else path
        if rendered and not rendered.endswith("/"):  # a name that renders to nothing: cookiecutter leaves it out
            names.append(rendered)
    problems = [Problem(_place(layer, path), f"would be a file that {rule}") for path, rule in _refused(names)]
    if problems:
        raise ShiplaneError(problems)


def _refused(paths: Collection[str]) -> Iterator[tuple[str, str]]:
    yield from tree.unsafe(paths)
    yield from ((path, "is the generator's own") for path in paths if path.casefold().startswith(f"{OURS}/"))


def _leftovers(layer: Layer, rendered: Tree) -> Iterator[Problem]:
    """Marks that were not rendered: a binary file, a copied folder, a slip of the template's writer."""
    for path, file in rendered.items():
        for number, line in enumerate(file.data.split(b"\n"), 1):
            left = next((mark for mark in layer.marks if mark.encode() in line), None)
            if left:
                yield Problem(f"{_place(layer, path)}:{number}", f"{left} is left in the rendered file")


def _broken(layer: Layer, error: BaseException) -> Problem:
    """Where in a template an error arose; jinja puts the template's own frames into the traceback."""
    cause: Any = getattr(error, "error", error)  # cookiecutter wraps what jinja says
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(cause.__traceback__)]
    if getattr(cause, "filename", None):
        lines.append((cause.filename, cause.lineno))
    said = printable(getattr(cause, "message", None) or f"{type(cause).__name__}: {cause}")
    for filename, number in reversed(lines):
        if not Path(filename).is_absolute() and (layer.folder / layer.root / filename).is_file():
            return Problem(f"{_place(layer, filename.removeprefix('./'))}:{number}", said)
    return Problem(printable(layer.name), f"cannot be rendered: {said}")


def _joined(blueprint: Blueprint, facts: File | None, golden: File) -> File:
    """One service's facts, then the golden chart's defaults, word for word."""
    import yaml

    start = golden.data.find(b"\n" + DEFAULTS) + 1
    if facts is None or not start:
        rule = f"has no line {DEFAULTS.decode()!r}" if facts else f"is written by no layer of {blueprint.name}"
        raise ShiplaneError(Problem(VALUES, rule))
    defaults = golden.data[start:]
    try:
        both = set(yaml.safe_load(facts.data) or {}) & set(yaml.safe_load(defaults) or {})
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ShiplaneError(Problem(VALUES, f"is not YAML: {printable(str(error))}")) from None
    if both:
        rule = f"stands among one service's facts and among the defaults: {', '.join(sorted(map(str, both)))}"
        raise ShiplaneError(Problem(VALUES, rule))
    return File(golden.mode, facts.data.rstrip(b"\n") + b"\n\n" + defaults)


def _place(layer: Layer, path: str) -> str:
    return printable(f"{layer.name}/{path}")
