"""Blueprints: layers of templates over a golden chart, for each kind of service, and the questions that they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from generator import tree
from generator.data import ROOT
from generator.document import Document
from generator.errors import Problem, ShiplaneError, printable
from generator.layer import Layer, described, kind_layers, read_layer, sources
from generator.questions import NOTHING, Schema, added, narrowed
from generator.schema import did_you_mean
from generator.tree import Tree
from generator.variants import split

KIND = "kind"
"""The question whose answer chooses among a blueprint's kinds."""


@dataclass(frozen=True)
class Kind:
    """One kind of service that a blueprint makes: its layers, lowest first, and its golden chart.

    `chart` is what travels of the chart; `variants` are the settings that stay here and that it is proved with.
    """

    title: str
    layers: tuple[Layer, ...]
    chart: Tree | None
    variants: Tree


@dataclass(frozen=True)
class Blueprint:
    """What a service is rendered from: its kinds by their names, and all that it asks.

    A blueprint without `kinds` makes one kind, and calls it as the layers below do, or nothing.
    """

    name: str
    title: str
    version: str
    kinds: Mapping[str, Kind]
    schema: Schema
    digest: str

    @property
    def questions(self) -> Mapping[str, Mapping[str, Any]]:
        """The questions by the answer's name, in the order of asking."""
        asked: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        return asked

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks of all its layers."""
        layers = [layer for kind in self.kinds.values() for layer in kind.layers]
        return tuple(dict.fromkeys(mark for layer in layers for mark in layer.marks))

    def kind(self, answers: Mapping[str, Any]) -> Kind:
        """The kind that these answers choose; they are complete and right."""
        if len(self.kinds) == 1:
            (only,) = self.kinds.values()
            return only
        return self.kinds[answers[KIND]]


def names(root: Path = ROOT) -> list[str]:
    """The blueprints that are ours; a folder that starts with `_` is a layer only."""
    folders = (root / "blueprints").glob("[a-z]*/blueprint.yaml")
    return sorted(path.parent.name for path in folders)


def load(name: str, root: Path = ROOT) -> Blueprint:
    """Our blueprint of this name; raises ShiplaneError where there is none, or with all that is wrong in it."""
    known = names(root)
    if name not in known:
        rule = f"there is no such blueprint{did_you_mean(name, known)}"
        mend = "newservice --list-blueprints\nfor a folder of your own: --blueprint ./FOLDER --trust"
        raise ShiplaneError(Problem(f"--blueprint {printable(name)}", rule, mend))
    return _assemble(name, root / "blueprints" / name, root)


def load_folder(folder: Path, root: Path = ROOT) -> Blueprint:
    """The blueprint in a folder of the user's own; the layers and the chart that it names are ours.

    To render it is to run its code: ask for trust first.
    """
    if not (folder / "blueprint.yaml").is_file():
        place = f"--blueprint {printable(str(folder))}"
        raise ShiplaneError(Problem(place, "is no blueprint: it has no blueprint.yaml", "newservice --list-blueprints"))
    return _assemble(folder.resolve().name, folder, root)


def _assemble(name: str, folder: Path, root: Path) -> Blueprint:
    top = described(folder)
    folders = (*_below(top, root, (name,)), folder)
    layers = tuple(map(read_layer, folders))
    below = reduce(added, folders[:-1], NOTHING)
    schema, told = _kinds(top, added(below, folder), asked_below=KIND in below["properties"])
    own = {layer.name: kind_layers(layer) for layer in layers}
    trees = {f"blueprints/{layer.name}": sources(layer) for layer in layers}
    kinds: dict[str, Kind] = {}
    for kind, about in told.items():
        stack = [each for layer in layers for each in (layer, own[layer.name].get(kind)) if each]
        chart = _chart(about, top.at(("kinds", kind, "chart") if "kinds" in top.data else ("chart",)), root)
        trees |= {f"kinds/{each.name}": each.sources for each in stack if each not in layers}
        trees[f"charts/{kind}" if "kinds" in top.data else "chart"] = chart or {}
        rest, variants = split(chart or {})
        kinds[kind] = Kind(about["title"], tuple(stack), rest if chart else None, variants)
    return Blueprint(name, top.data["title"], top.data["version"], kinds, schema, tree.digest(trees))


def _kinds(top: Document, schema: Schema, *, asked_below: bool) -> tuple[Schema, Mapping[str, Mapping[str, Any]]]:
    """What can be asked for the kinds of `top`, and what it says of each; raises ShiplaneError where they do not fit.

    A blueprint without `kinds` is of the kind that the layers below ask for by default.
    """
    question = schema["properties"].get(KIND, {})
    if "kinds" not in top.data:
        only = question["default"] if asked_below and "default" in question else ""
        return (narrowed(schema, KIND, [only]) if only else schema), {only: top.data}
    kinds = top.data["kinds"]
    problems = []
    if "chart" in top.data:
        problems.append(Problem(top.at(("chart",)), "stands beside kinds, and each of these names its own"))
    if not question:
        rule = "needs the question kind, which nobody asks"
        problems.append(Problem(top.at(("kinds",)), rule, "layers: [_shared], or ask it in questions.json"))
    allowed = question.get("enum", kinds)
    unasked = [kind for kind in kinds if kind not in allowed]
    problems += [
        Problem(top.at(("kinds", kind)), f"cannot be answered{did_you_mean(kind, allowed)}") for kind in unasked
    ]
    if problems:
        raise ShiplaneError(problems)
    return narrowed(schema, KIND, list(kinds)), kinds


def _below(top: Document, root: Path, above: Sequence[str]) -> list[Path]:
    """The folders of all layers below, lowest first, each once."""
    found: list[Path] = []
    for index, name in enumerate(top.data.get("layers", ())):
        folder = root / "blueprints" / name
        if name in above or not (folder / "blueprint.yaml").is_file():
            rule = f"{name} lies on itself" if name in above else f"there is no layer {name}"
            raise ShiplaneError(Problem(top.at(("layers", index)), rule))
        found += [each for each in (*_below(described(folder), root, (*above, name)), folder) if each not in found]
    return found


def _chart(about: Mapping[str, Any], place: str, root: Path) -> Tree | None:
    name = about.get("chart")
    if name is None:
        return None
    folder = root / "charts" / name
    if not (folder / "values.yaml").is_file():
        raise ShiplaneError(Problem(place, f"there is no golden chart {name}"))
    return tree.read(folder, str(folder))
