"""`promote`: carries exactly what one environment has pinned to the next, by object ids alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import REFUSED, Problem, ShiplaneError
from generator.service import check_name
from gitops import catalog, holds, keyed, messages, pins
from gitops.config import Config, Environment
from gitops.gates.case import Case, Known
from gitops.gates.judge import pin_verdicts, standing, telling
from gitops.gates.verdict import Verdict
from gitops.model import Change, Draft, Move, Nothing, Override, Pin, Snapshot
from gitops.result import applied, branch_of, rendering, replaced


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was asked for. `source` None is the environment that `to` names as its `from`."""

    service: str
    to: str
    source: str | None = None
    overrides: tuple[Override, ...] = ()


def asked(
    services: Sequence[str], to: str, source: str | None, overrides: Sequence[str] = (), reason: str | None = None
) -> list[Promotion]:
    """A request for each service, once; raises ShiplaneError with all that is wrong in these options."""
    problems = [problem for service in services for problem in check_name(service)]
    problems += holds.reason_problems(reason or "")
    if overrides and not (reason or "").strip():
        problems.append(Problem("--override", "say why", '--reason "INC-7: deposits are stuck"'))
    if reason is not None and not overrides:
        problems.append(Problem("--reason", "is told to a break-glass team, with --override GATE"))
    if problems:
        raise ShiplaneError(problems)
    opened = tuple(Override(gate, (reason or "").strip()) for gate in dict.fromkeys(overrides))
    return [Promotion(service, to, source, opened) for service in dict.fromkeys(services)]


def lane(config: Config, request: Promotion) -> tuple[Environment, Environment]:
    """The environments to promote from and to; raises ShiplaneError where the lane has no such step."""
    to = config.environment(request.to)
    if to.source is None:
        mend = f"gitops release {request.service} --to {to.name} --tag SHA --digest sha256:... --chart DIR"
        raise ShiplaneError(
            Problem(f"--to {to.name}", "nothing is promoted into it: releases enter the lane here", mend)
        )
    if request.source is not None and request.source not in to.sources:
        config.environment(request.source, "--from")
        raise ShiplaneError(Problem(f"--from {request.source}", f"{to.name} is promoted from {to.source}, in order"))
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
    return [
        catalog.path(request.service),
        holds.path(to.name, request.service),
        *pins.paths(config, source.name, request.service),
        *pins.paths(config, to.name, request.service),
        *others,
        f"defaults/{to.name}",
        f"apps/{to.name}/{request.service}.yaml",
    ]


@dataclass(frozen=True)
class Step:
    """A promotion as it would be: what it writes where, `starts` as the first one there, and what each gate says."""

    case: Case
    source: Environment
    old: Pin | None
    new: Pin
    starts: tuple[Change, ...]
    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]


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
        return Nothing(reason, branch_of(to.name, service.name))
    starts = catalog.starting_changes(snapshot, config, to, service)
    changes = (*starts, *keyed.carried(config.layout, snapshot, source.name, snapshot, to.name, service.name))
    case = Case(config, to, service, snapshot, applied(snapshot, changes, {}), known, now)
    return Step(case, source, old, new, starts, changes, pin_verdicts(case))


def plan(config: Config, snapshot: Snapshot, request: Promotion, known: Known, now: datetime) -> Draft | Nothing:
    """The draft that copies the pin; nothing when both environments hold the same objects.

    Raises ShiplaneError, with exit code 3, when a gate refuses that waiting will not mend.
    """
    found = step(config, snapshot, request, known, now)
    if isinstance(found, Nothing):
        return found
    case, old, new, changes = found.case, found.old, found.new, found.changes
    if stands := standing(case, found.verdicts, request.overrides):
        raise ShiplaneError(stands, REFUSED)
    to, service, told = case.to, case.service, telling(case, found.verdicts)
    move = Move(service.name, to.name, old.release if old else None, new.release)
    return Draft(
        branch_of(to.name, service.name),
        messages.title(move, "promote"),
        messages.body(
            messages.Facts(
                service,
                to,
                old,
                new,
                case.folder,
                [each.path for each in found.starts],
                found.source,
                told,
                overrides=request.overrides,
            )
        ),
        changes,
        (*messages.steps(old, new), *(each.line for each in told if not each.passed)),
        merge=to.merge and all(each.passed for each in found.verdicts),
        move=move,
        renders=rendering(snapshot, config, to, service.name, changes, case.head.files(f"{case.folder}/chart")),
        replaces=replaced(snapshot, changes),
        overrides=request.overrides,
    )


def _unreleased(config: Config, source: Environment, service: str) -> Problem:
    """The way out is the step before: a release where releases enter, else the promotion into `source`."""
    if source.source is None:
        mend = f"gitops release {service} --to {source.name} --tag SHA --digest sha256:... --chart DIR"
    else:
        mend = f"promote {service} --to {source.name}"
    return Problem("order", f"{source.name} has no release of {service} that could be carried on", mend)
