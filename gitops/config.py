"""shiplane.yaml: the lane, its environments and where a service's files lie, read into frozen values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.document import Document, read
from generator.errors import Problem, ShiplaneError

PATH = "shiplane.yaml"
_LABEL = {"type": "string", "pattern": r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"}
_PART = r"([a-z0-9._-]+|\{environment\}|\{service\})"
_ENVIRONMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cluster"],
    "properties": {
        "from": _LABEL,
        "merge": {"enum": ["auto", "review"]},
        "cluster": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
        "namespace": {"type": "string", "pattern": r"^([a-z0-9-]|\{service\})+$"},
        "registry": {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9._-]+)*$"},
        "kubernetes": {"type": "string", "pattern": r"^1\.[0-9]{1,2}(\.[0-9]{1,2})?$"},
        "gates": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"approvals": {"type": "integer", "minimum": 0, "maximum": 20}},
        },
    },
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "environments"],
    "properties": {
        "version": {"const": 1},
        "forge": {"enum": ["embedded", "github"]},
        "environments": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": _LABEL,
            "additionalProperties": _ENVIRONMENT,
        },
        "layout": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "service": {
                    "type": "string",
                    "pattern": rf"^{_PART}(/{_PART})*$",
                },
                "carries": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {
                            kind: {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$"}
                            for kind in ("file", "tree")
                        },
                    },
                },
            },
        },
    },
}
"""The shape of shiplane.yaml as a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One stage of the lane.

    `source` is the environment it is promoted from, None for where releases enter; `merge` says that nothing has to be
    waited for: `merge: auto`, and no approvals asked.
    """

    name: str
    source: str | None
    merge: bool
    cluster: str
    namespace: str
    registry: str
    kubernetes: str | None
    approvals: int

    def namespace_of(self, service: str) -> str:
        """The namespace that `service` has here."""
        return self.namespace.replace("{service}", service)


@dataclass(frozen=True)
class Layout:
    """Where a service's files lie in an environment, and which of them a promotion carries."""

    service: str = "environments/{environment}/{service}"
    carries: tuple[str, ...] = ("release.yaml", "origin.yaml", "chart")

    def folder(self, environment: str, service: str) -> str:
        """The folder of `service` in `environment`."""
        return self.service.replace("{environment}", environment).replace("{service}", service)


@dataclass(frozen=True)
class Config:
    """All of shiplane.yaml."""

    environments: Mapping[str, Environment]
    layout: Layout
    forge: str | None = None

    def environment(self, name: str, option: str = "--to") -> Environment:
        """The environment called `name`; raises ShiplaneError, placed at `option`, where there is none."""
        if name in self.environments:
            return self.environments[name]
        near = difflib.get_close_matches(name, self.environments, 1)
        known = ", ".join(self.environments)
        meant = f'did you mean "{near[0]}"?' if near else f"one of: {known}"
        raise ShiplaneError(Problem(f"{option} {name}", f"no such environment in {PATH}; {meant}"))


def load(data: bytes | None) -> Config:
    """The configuration in `data`; raises ShiplaneError with file, line and key of all that is wrong."""
    if data is None:
        raise ShiplaneError(Problem(PATH, "not found on the default branch", "make a repository: gitops init DIR"))
    document = read(data, PATH, SCHEMA)
    raw = document.data["environments"]
    _check_lane(document, raw)
    sources = {values["from"] for values in raw.values() if "from" in values}
    environments = {name: _environment(document, raw, name, name in sources) for name in raw}
    layout = document.data.get("layout", {})
    carries = tuple(name for carried in layout.get("carries", ()) for name in carried.values())
    return Config(
        environments,
        Layout(layout.get("service", Layout.service), carries or Layout.carries),
        document.data.get("forge"),
    )


def _check_lane(document: Document, raw: Mapping[str, Mapping[str, Any]]) -> None:
    problems = []
    for name in raw:
        at = document.at(("environments", name, "from"))
        seen = [name]
        while (source := raw[seen[-1]].get("from")) is not None:
            if source not in raw:
                if seen == [name]:
                    problems.append(Problem(at, f'no environment is called "{source}"; one of: {", ".join(raw)}'))
                break
            if source in seen:
                problems.append(Problem(at, "the lane goes round in a circle: " + " from ".join([*seen, source])))
                break
            seen.append(source)
    if problems:
        raise ShiplaneError(problems)


def _environment(document: Document, raw: Mapping[str, Mapping[str, Any]], name: str, goes_on: bool) -> Environment:
    """Where nobody says otherwise, namespace, registry and Kubernetes version are those of the environment before."""
    values = raw[name]
    lane = [values]
    while "from" in lane[-1]:
        lane.append(raw[lane[-1]["from"]])

    def inherited(key: str, default: Any) -> Any:
        return next((each[key] for each in lane if key in each), default)

    guarded = name == "prod" or name.startswith("prod-") or ("from" in values and not goes_on)
    approvals = values.get("gates", {}).get("approvals", 1 if guarded else 0)
    merge = values.get("merge", "review") == "auto"
    if guarded and (merge or approvals < 1):
        key = ("environments", name, "merge") if merge else ("environments", name, "gates", "approvals")
        raise ShiplaneError(Problem(document.at(key), "production changes only with a person's approval"))
    registry = inherited("registry", "")
    if not registry:
        raise ShiplaneError(Problem(document.at(("environments", name)), "no registry here nor in a `from` before it"))
    return Environment(
        name,
        values.get("from"),
        merge and not approvals,
        values["cluster"],
        inherited("namespace", "{service}"),
        registry,
        inherited("kubernetes", None),
        approvals,
    )
