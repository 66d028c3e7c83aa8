"""shiplane.yaml: the lane, its environments and where a service's files lie, read into frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.document import Document, read
from generator.errors import Problem, ShiplaneError, given
from generator.schema import did_you_mean
from gitops import labels, lane, layout_problems
from gitops import layout as layouts
from gitops.exceptions import EXCEPTIONS, POLICY, PolicyException, declared
from gitops.gates import settings
from gitops.gates.settings import Gates
from gitops.layout import Layout
from gitops.pull_request import person

PATH = "shiplane.yaml"
_LABEL = {"type": "string", "pattern": r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"}
_ENVIRONMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cluster"],
    "properties": {
        "from": {
            "type": ["string", "array"],
            "pattern": _LABEL["pattern"],
            "minItems": 2,
            "uniqueItems": True,
            "items": _LABEL,
            "description": "an environment, or several, each of which must have it",
        },
        "hotfix": _LABEL,
        "merge": {"enum": ["auto", "review"]},
        "cluster": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
        "namespace": {"type": "string", "pattern": r"^([a-z0-9-]|\{service\})+$"},
        "registry": {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9._-]+)*$"},
        "kubernetes": {"type": "string", "pattern": r"^1\.[0-9]{1,2}(\.[0-9]{1,2})?$"},
        "gates": settings.SCHEMA,
    },
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "environments"],
    "properties": {
        "version": {"const": 1},
        "forge": {"enum": ["embedded", "github"]},
        "teams": settings.TEAMS,
        "environments": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": _LABEL,
            "additionalProperties": _ENVIRONMENT,
        },
        "layout": layouts.SCHEMA,
        "policy": POLICY,
        "exceptions": EXCEPTIONS,
        "labels": labels.SCHEMA,
    },
}
"""The shape of shiplane.yaml as a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One stage of the lane.

    `source` is the environment it is promoted from, None for where releases enter; `also` are the others that must have
    a release too, where `from` names several; `hotfix` is one more that it may be promoted from, past all of these.
    `merge` is `merge: auto`: nobody has to press the button.
    """

    name: str
    source: str | None
    merge: bool
    cluster: str
    namespace: str
    registry: str
    kubernetes: str | None
    gates: Gates
    guarded: bool = False
    hotfix: str | None = None
    also: tuple[str, ...] = ()

    @property
    def before(self) -> tuple[str, ...]:
        """The environments that must have a release before this one: all of `from`."""
        return (self.source, *self.also) if self.source else ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The environments that it may be promoted from, the usual one first."""
        return (*self.before, self.hotfix) if self.hotfix else self.before

    def namespace_of(self, service: str) -> str:
        """The namespace that `service` has here."""
        return self.namespace.replace("{service}", service)


@dataclass(frozen=True)
class Config:
    """All of shiplane.yaml. `server` is where people read sources, as the repository's own address tells it."""

    environments: Mapping[str, Environment]
    layout: Layout
    forge: str | None = None
    owner_label: str = ""
    exceptions: tuple[PolicyException, ...] = ()
    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    server: str = "https://github.com"
    labels: tuple[str, ...] = ()

    def environment(self, name: str, option: str = "--to") -> Environment:
        """The environment called `name`; raises ShiplaneError, placed at `option`, where there is none."""
        if name not in self.environments:
            rule = f"no such environment in {PATH}{did_you_mean(name, self.environments)}"
            raise ShiplaneError(Problem(given(option, name), rule))
        return self.environments[name]


def load(data: bytes | None) -> Config:
    """The configuration in `data`; raises ShiplaneError with file, line and key of all that is wrong."""
    if data is None:
        raise ShiplaneError(Problem(PATH, "not found on the default branch", "make a repository: gitops init DIR"))
    document = read(data, PATH, SCHEMA)
    raw = document.data["environments"]
    layout = document.data.get("layout", {})
    forge, teams = document.data.get("forge"), document.data.get("teams")
    known = {} if teams is None and forge == "embedded" else teams  # another forge may know teams of its own
    wrong = [
        *lane.problems(document, raw),
        *layout_problems.problems(document, layout, raw),
        *_gate_problems(document, raw, known),
        *labels.problems(document, document.data.get("labels", ()), raw),
    ]
    if wrong:
        raise ShiplaneError(wrong)
    sources = {source for name in raw for source in lane.sources(raw, name)}
    environments = {name: _environment(raw, name, name in sources) for name in raw}
    read_by = layouts.parsed(layout)
    wrong = [problem for each in environments.values() for problem in _environment_problems(document, each, read_by)]
    if wrong:
        raise ShiplaneError(wrong)
    people = {team: frozenset(map(person, each)) for team, each in (teams or {}).items()}
    return Config(
        environments,
        read_by,
        forge,
        owner_label=document.data.get("policy", {}).get("owner_label", ""),
        exceptions=declared(document, environments),
        teams=people,
        labels=tuple(document.data.get("labels", ())),
    )


def _gate_problems(
    document: Document, raw: Mapping[str, Mapping[str, Any]], teams: Mapping[str, Any] | None
) -> Iterator[Problem]:
    for name, values in raw.items():
        at = ("environments", name)
        for path, rule in settings.mistakes(values.get("gates", {}), teams):
            yield Problem(document.at((*at, "gates", *path)), rule)
        for gate in ("soak", "health"):
            if gate in values.get("gates", {}) and "from" not in values:
                yield Problem(document.at((*at, "gates", gate)), "nothing is promoted into it that could wait")


def _environment(raw: Mapping[str, Mapping[str, Any]], name: str, goes_on: bool) -> Environment:
    """Where nobody says otherwise, namespace, registry and Kubernetes version are those of the environment before."""
    values, before = raw[name], lane.sources(raw, name)
    up = [raw[each] for each in lane.line(raw, name)]

    def inherited(key: str, default: Any) -> Any:
        return next((each[key] for each in up if key in each), default)

    guarded = re.match(r"prod(uction)?(-|$)", name) is not None or (bool(before) and not goes_on)
    return Environment(
        name=name,
        source=next(iter(before), None),
        also=before[1:],
        merge=values.get("merge", "review") == "auto",
        cluster=values["cluster"],
        namespace=inherited("namespace", "{service}"),
        registry=inherited("registry", ""),
        kubernetes=inherited("kubernetes", None),
        gates=settings.parsed(values.get("gates", {}), guarded=guarded),
        guarded=guarded,
        hotfix=values.get("hotfix"),
    )


def _environment_problems(document: Document, environment: Environment, layout: Layout) -> Iterator[Problem]:
    path = ("environments", environment.name)
    approvals = document.at((*path, "gates", "approvals"))
    production = "production changes only with a person's approval"
    if environment.guarded and environment.merge:
        yield Problem(document.at((*path, "merge")), production, "merge: review")
    elif environment.merge and environment.gates.approvals:
        yield Problem(approvals, "nobody could give them before it merges by itself", "merge: review")
    if environment.guarded and environment.gates.approvals < 1:
        yield Problem(approvals, production, "approvals: 1, or more")
    if layout.render and layout.render.helm and layout.render.whole and "{service}" in environment.namespace:
        rule = "its namespace must be said: one release of helm's has all services"
        yield Problem(document.at(path), rule, "namespace: shop")
    if not environment.registry:
        yield Problem(
            document.at(path), "no registry here nor in a `from` before it", "registry: registry.acme.example"
        )
