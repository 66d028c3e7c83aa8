"""What will be placed, decided before anything is: the rendered files and the record of how they came to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator import __version__, record
from generator.blueprint import Blueprint
from generator.proof import Proof
from generator.tree import Tree


@dataclass(frozen=True)
class Plan:
    """One service to be placed: `files` by path, the records among them; `proof` says what was proved of them.

    `folder` is where it lies in a repository of several; what belongs to all of that is placed at its root.
    """

    service: str
    blueprint: str
    version: str
    proof: Proof
    files: Tree
    folder: str = ""


def plan(name: str, blueprint: Blueprint, answers: Mapping[str, Any], rendered: Tree, proof: Proof) -> Plan:
    """The plan for the service `name`; the same input gives the same bytes."""
    about = {
        "service": name,
        "blueprint": blueprint.name,
        "version": blueprint.version,
        "digest": blueprint.digest,
        "generator": __version__,
        "proved": not proof.missing,
        "proof": list(proof.results),
    }
    files = {**rendered, **record.written(about, answers, rendered)}
    folder = str(answers.get("folder", ""))
    return Plan(name, blueprint.name, blueprint.version, proof, dict(sorted(files.items())), folder)
