"""Blueprints: layers of templates over a golden chart, and the questions that they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import tree
from generator.data import ROOT
from generator.document import Document
from generator.errors import Problem, ShiplaneError, printable
from generator.layer import Layer, described, questions, read_layer, sources
from generator.schema import did_you_mean
from generator.tree import Tree
from generator.variants import split


@dataclass(frozen=True)
class Blueprint:
    """What a service is rendered from. `questions` are the properties of its JSON Schema, in the order of asking.

    `chart` is what travels of the golden chart; `variants` are the settings that stay here and that it is proved with.
    """

    name: str
    title: str
    version: str
    layers: tuple[Layer, ...]
    chart: Tree | None
    variants: Tree
    questions: Mapping[str, Mapping[str, Any]]
    digest: str

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks of all its layers."""
        return tuple(dict.fromkeys(mark for layer in self.layers for mark in layer.marks))


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
    trees: dict[str, Tree] = {}
    asked: dict[str, Mapping[str, Any]] = {}
    layers = []
    for each in (*_below(top, root, (name,)), folder):
        layer = read_layer(each)
        layers.append(layer)
        trees[f"blueprints/{layer.name}"] = sources(layer)
        for key, question in questions(each).items():
            if key in asked:
                raise ShiplaneError(Problem(f"{each}/questions.json: {key}", "is asked by a layer below already"))
            asked[key] = question
    chart = _chart(top, root)
    trees["chart"] = chart or {}
    digest = tree.digest(trees)
    rest, variants = split(chart or {})
    about = (name, top.data["title"], top.data["version"], tuple(layers))
    return Blueprint(*about, rest if chart else None, variants, asked, digest)


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


def _chart(top: Document, root: Path) -> Tree | None:
    name = top.data.get("chart")
    if name is None:
        return None
    folder = root / "charts" / name
    if not (folder / "values.yaml").is_file():
        raise ShiplaneError(Problem(top.at(("chart",)), f"there is no golden chart {name}"))
    return tree.read(folder, str(folder))
