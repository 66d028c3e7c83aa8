"""`promote`: carries exactly what one environment has pinned to the next, by object ids alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from generator import credentials
from generator.document import parse
from generator.errors import REFUSED, Problem, ShiplaneError, given
from generator.service import check_name
from gitops import catalog, holds, keyed, pins
from gitops.config import Config, Environment
from gitops.gates.case import Case, Known
from gitops.gates.judge import pin_verdicts, standing
from gitops.model import FILE, Change, Nothing, Override, Snapshot
from gitops.result import applied, branch_of
from gitops.step import Step


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was asked for. `source` None is the environment that `to` names as its `from`.

    `values` are the settings that go with it, in place of those that are there.
    """

    service: str
    to: str
    source: str | None = None
    overrides: tuple[Override, ...] = ()
    values: bytes | None = None


def asked(
    services: Sequence[str],
    to: str,
    source: str | None,
    overrides: Sequence[str] = (),
    reason: str | None = None,
    values: tuple[str, bytes] | None = None,
) -> list[Promotion]:
    """A request for each service, once; raises ShiplaneError with all that is wrong in these options.

    `values` are the name and the bytes of a file of settings, for one service.
    """
    problems = [problem for service in services for problem in check_name(service)]
    problems += holds.reason_problems(reason or "")
    if overrides and not (reason or "").strip():
        problems.append(Problem("--override", "say why", '--reason "INC-7: deposits are stuck"'))
    if reason is not None and not overrides:
        problems.append(Problem("--reason", "is told to a break-glass team, with --override GATE"))
    names = list(dict.fromkeys(services))
    if values is not None:
        problems += _values_problems(*values, names)
    if problems:
        raise ShiplaneError(problems)
    opened = tuple(Override(gate, (reason or "").strip()) for gate in dict.fromkeys(overrides))
    return [Promotion(service, to, source, opened, values[1] if values else None) for service in names]


def _values_problems(name: str, data: bytes, services: Sequence[str]) -> Iterator[Problem]:
    """Settings are of one service; they are a file that all readers read alike, and hold no secret."""
    place = given("--with-values", name)
    if len(services) != 1:
        yield Problem(place, "are the settings of one service", "promote it by itself")
    try:
        parse(data, place)
    except ShiplaneError as error:
        yield from error.problems
    for start, kind in credentials.kinds(data):
        line = data.count(b"\n", 0, start) + 1
        yield Problem(f"{place}:{line}", f"holds {kind}", "keep it in a store, and name it in an ExternalSecret")


def lane(config: Config, request: Promotion) -> tuple[Environment, Environment]:
    """The environments to promote from and to; raises ShiplaneError where the lane has no such step."""
    to = config.environment(request.to)
    if to.source is None:
        mend = f"gitops release {request.service} --to {to.name} {config.layout.options}"
        raise ShiplaneError(
            Problem(f"--to {to.name}", "nothing is promoted into it: releases enter the lane here", mend)
        )
    if request.source is not None and request.source not in to.sources:
        config.environment(request.source, "--from")
        raise ShiplaneError(
            Problem(f"--from {request.source}", f"{to.name} is promoted from {' and '.join(to.before)}, in order")
        )
    closed = [each.gate for each in request.overrides if each.gate not in to.gates.overridable]
    if closed:
        allowed = ", ".join(to.gates.overridable) or "none"
        raise ShiplaneError(Problem(f"--override {closed[0]}", f"{to.name} lets these be overridden: {allowed}"))
    return config.environments[request.source or to.source], to


def branch(config: Config, request: Promotion) -> str:
    """The branch of the one pull request for this service and environment."""
    return branch_of(lane(config, request)[1].name, request.service)


def needs(config: Config, request: Promotion) -> Sequence[str]:
    """The paths to read before planning."""
    source, to = lane(config, request)
    others = [path for each in config.environments for path in pins.files(config, each, request.service)]
    others += [path for each in to.also for path in pins.paths(config, each, request.service)]  # each must have it
    return [
        catalog.path(request.service),
        holds.path(to.name, request.service),
        *pins.paths(config, source.name, request.service),
        *pins.paths(config, to.name, request.service),
        *others,
        f"defaults/{to.name}",
        f"apps/{to.name}/{request.service}.yaml",
    ]


def step(config: Config, snapshot: Snapshot, request: Promotion, known: Known, now: datetime) -> Step | Nothing:
    """The copy of the pin; nothing when both environments hold the same objects."""
    source, to = lane(config, request)
    service = catalog.lookup(snapshot, request.service)
    new = pins.pin(snapshot, config, source.name, service.name)
    if new is None:
        raise ShiplaneError(_unreleased(config, source, service.name), REFUSED)
    old = pins.pin(snapshot, config, to.name, service.name)
    if old and old.identity == new.identity:
        reason = f"nothing to promote: {to.name} has {new.release.short} of {service.name} already"
        if request.values is not None:
            reason += "; settings by themselves are a pull request of your own"
        return Nothing(reason, branch_of(to.name, service.name))
    starts = catalog.starting_changes(snapshot, config, to, service)
    carried = keyed.carried(config.layout, snapshot, source.name, snapshot, to.name, service.name)
    if request.values is not None and not config.layout.own:
        rule = "is for a layout with settings of its own for each service, which this is not"
        raise ShiplaneError(Problem("--with-values", rule, "change the files by a pull request of your own"))
    settings = _settings(snapshot, f"{config.layout.folder(to.name, service.name)}/values.yaml", request.values)
    starts = tuple(each for each in starts if each.path not in {change.path for change in settings})
    changes = (*starts, *settings, *carried)
    case = Case(config, to, service, snapshot, applied(snapshot, changes, {}), known, now)
    added = tuple(each.path for each in starts)
    person = settings[0].path if settings else ""
    return Step("promote", case, old, new, changes, pin_verdicts(case), source, added, person, request.overrides)


def _settings(snapshot: Snapshot, path: str, values: bytes | None) -> tuple[Change, ...]:
    """The change that puts a person's settings in their place; none where they are there already."""
    return () if values is None or values == snapshot.data(path) else (Change(path, FILE, values),)


def plan(config: Config, snapshot: Snapshot, request: Promotion, known: Known, now: datetime) -> Step | Nothing:
    """The same; raises ShiplaneError, with exit code 3, when a gate refuses that waiting will not mend."""
    found = step(config, snapshot, request, known, now)
    if isinstance(found, Step) and (stands := standing(found.case, found.verdicts, found.overrides)):
        raise ShiplaneError(stands, REFUSED)
    return found


def _unreleased(config: Config, source: Environment, service: str) -> Problem:
    """The way out is the step before: a release where releases enter, else the promotion into `source`."""
    if source.source is None:
        mend = f"gitops release {service} --to {source.name} {config.layout.options}"
    else:
        mend = f"promote {service} --to {source.name}"
    return Problem("order", f"{source.name} has no release of {service} that could be carried on", mend)
