"""`promote`: carries exactly what one environment has pinned to the next, by object ids alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.errors import REFUSED, Problem, ShiplaneError
from generator.service import check_name
from gitops import carried, catalog, messages, pins
from gitops.config import Config, Environment
from gitops.model import Change, Draft, Move, Nothing, Snapshot
from gitops.result import branch_of, rendering, replaced


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was asked for. `source` None is the environment that `to` names as its `from`."""

    service: str
    to: str
    source: str | None = None


def asked(services: Sequence[str], to: str, source: str | None) -> list[Promotion]:
    """A request for each service, once; raises ShiplaneError with all that is wrong in their names."""
    problems = [problem for service in services for problem in check_name(service)]
    if problems:
        raise ShiplaneError(problems)
    return [Promotion(service, to, source) for service in dict.fromkeys(services)]


def lane(config: Config, request: Promotion) -> tuple[Environment, Environment]:
    """The environments to promote from and to; raises ShiplaneError where the lane has no such step."""
    to = config.environment(request.to)
    if to.source is None:
        mend = f"gitops release {request.service} --to {to.name} --tag SHA --digest sha256:... --chart DIR"
        raise ShiplaneError(
            Problem(f"--to {to.name}", "nothing is promoted into it: releases enter the lane here", mend)
        )
    if request.source is not None and request.source != to.source:
        config.environment(request.source, "--from")
        raise ShiplaneError(Problem(f"--from {request.source}", f"{to.name} is promoted from {to.source}, in order"))
    return config.environments[to.source], to


def branch(config: Config, request: Promotion) -> str:
    """The branch of the one pull request for this service and environment."""
    return branch_of(lane(config, request)[1].name, request.service)


def needs(config: Config, request: Promotion) -> Sequence[str]:
    """The paths to read before planning."""
    source, to = lane(config, request)
    return [
        catalog.path(request.service),
        config.layout.folder(source.name, request.service),
        config.layout.folder(to.name, request.service),
        f"defaults/{to.name}",
        f"apps/{to.name}/{request.service}.yaml",
    ]


def plan(config: Config, snapshot: Snapshot, request: Promotion) -> Draft | Nothing:
    """The draft that copies the pin; nothing when both environments hold the same objects."""
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
    chart = snapshot.files(f"{before}/chart")
    wrong = carried.check(chart, f"{before}/chart")
    if wrong:
        raise ShiplaneError(wrong, REFUSED)
    starts = catalog.starting_changes(snapshot, config, to, service)
    copied = tuple(
        Change(f"{after}/{name}", entry.mode, entry.oid)
        for name in config.layout.carries
        if (entry := snapshot.get(f"{before}/{name}")) is not None
    )
    changes = (*starts, *copied)
    move = Move(service.name, to.name, old.release if old else None, new.release)
    return Draft(
        branch_of(to.name, service.name),
        messages.title(move, "promote"),
        messages.body(messages.Facts(service, to, old, new, after, [change.path for change in starts], source)),
        changes,
        messages.steps(old, new),
        merge=to.merge,
        move=move,
        renders=rendering(snapshot, config, to, service.name, changes, chart),
        replaces=replaced(snapshot, changes),
    )


def _unreleased(config: Config, source: Environment, service: str) -> Problem:
    """The way out is the step before: a release where releases enter, else the promotion into `source`."""
    if source.source is None:
        mend = f"gitops release {service} --to {source.name} --tag SHA --digest sha256:... --chart DIR"
    else:
        mend = f"promote {service} --to {source.name}"
    return Problem("order", f"{source.name} has no release of {service} that could be carried on", mend)
