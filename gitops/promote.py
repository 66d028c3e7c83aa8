"""`promote`: carries exactly what one environment has pinned to the next, by object ids alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from generator.errors import REFUSED, Problem, ShiplaneError
from generator.service import check_name
from gitops import carried, catalog, holds, messages, pins
from gitops.config import Config, Environment
from gitops.gates.case import Case, Known
from gitops.gates.judge import pin_verdicts, standing, telling
from gitops.model import Change, Draft, Move, Nothing, Override, Snapshot
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
    if overrides and not (reason or "").strip():
        problems.append(Problem("--override", "say why", '--reason "INC-7: deposits are stuck"'))
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
    folders = {each: config.layout.folder(each, request.service) for each in config.environments}
    others = [f"{folder}/{name}" for folder in folders.values() for name in ("release.yaml", "origin.yaml")]
    return [
        catalog.path(request.service),
        holds.path(to.name, request.service),
        folders[source.name],
        folders[to.name],
        *others,
        f"defaults/{to.name}",
        f"apps/{to.name}/{request.service}.yaml",
    ]


def asks(config: Config, request: Promotion) -> tuple[str, str] | None:
    """The service and the environment of which a gate asks since when they have what they have; None when none does."""
    source, to = lane(config, request)
    return (request.service, source.name) if to.gates.soak or to.gates.health else None


def plan(
    config: Config, snapshot: Snapshot, request: Promotion, known: Known | None = None, now: datetime | None = None
) -> Draft | Nothing:
    """The draft that copies the pin; nothing when both environments hold the same objects.

    Raises ShiplaneError, with exit code 3, when a gate refuses that waiting will not mend.
    """
    source, to = lane(config, request)
    service = catalog.lookup(snapshot, request.service)
    new = pins.pin(snapshot, config, source.name, service.name)
    if new is None:
        raise ShiplaneError(_unreleased(config, source, service.name), REFUSED)
    old = pins.pin(snapshot, config, to.name, service.name)
    if old and old.identity == new.identity:
        reason = f"nothing to promote: {to.name} has {new.release.short} of {service.name} already"
        return Nothing(reason, branch_of(to.name, service.name))
    before, after = (config.layout.folder(each.name, service.name) for each in (source, to))
    wrong = carried.check(snapshot.files(f"{before}/chart"), f"{before}/chart")
    if wrong:
        raise ShiplaneError(wrong, REFUSED)
    starts = catalog.starting_changes(snapshot, config, to, service)
    copied = tuple(
        Change(f"{after}/{name}", entry.mode, entry.oid)
        for name in config.layout.carries
        if (entry := snapshot.get(f"{before}/{name}")) is not None
    )
    changes = (*starts, *copied)
    head = applied(snapshot, changes, {})
    case = Case(config, to, service, snapshot, head, known or Known(), now or datetime.now(UTC))
    verdicts = pin_verdicts(case)
    if stands := standing(case, verdicts, request.overrides):
        raise ShiplaneError(stands, REFUSED)
    move = Move(service.name, to.name, old.release if old else None, new.release)
    return Draft(
        branch_of(to.name, service.name),
        messages.title(move, "promote"),
        messages.body(
            messages.Facts(
                service, to, old, new, after, [each.path for each in starts], source, telling(case, verdicts)
            )
        ),
        changes,
        (*messages.steps(old, new), *messages.gate_steps(telling(case, verdicts))),
        merge=to.merge and all(each.passed for each in verdicts),
        move=move,
        renders=rendering(snapshot, config, to, service.name, changes, head.files(f"{after}/chart")),
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
