"""`gitops rollback`: the pull request that returns an environment to what it has had, by object ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import REFUSED, Problem, ShiplaneError, given
from generator.service import check_name
from gitops import catalog, holds, messages, pins
from gitops.config import Config
from gitops.gates.case import Case, Known
from gitops.gates.judge import pin_verdicts, standing, telling
from gitops.holds import Hold
from gitops.model import FILE, Change, Draft, Move, Snapshot
from gitops.result import applied, branch_of, rendering, replaced


@dataclass(frozen=True, slots=True)
class Return:
    """What was asked for: so many `steps` back, or to the release whose tag begins with `tag`."""

    service: str
    environment: str
    steps: int = 1
    tag: str = ""
    reason: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """One release that the environment has had: the commit that brought it, when, its tag and its identity."""

    commit: str
    at: datetime
    tag: str
    identity: tuple[str, ...]


def asked(service: str, environment: str, steps: int, tag: str | None, reason: str, who: str) -> Return:
    """The request in these options; raises ShiplaneError with all that is wrong in them."""
    problems = [*check_name(service)]
    if steps < 1:
        problems.append(Problem(given("--steps", str(steps)), "expected 1 or more"))
    if tag is not None and not re.fullmatch("[0-9a-f]{7,40}", tag):
        problems.append(Problem(given("--to", tag), "expected a release's tag, or at least its 7 first digits"))
    if tag is not None and steps != 1:
        problems.append(Problem("--steps", "is not taken together with --to"))
    if problems:
        raise ShiplaneError(problems)
    return Return(service, environment, steps, tag or "", reason, who)


def target(past: Sequence[Past], request: Return) -> Past:
    """Where to go back to, of what there was (`past`, the newest first); raises ShiplaneError where there is nothing.

    A release that was left for an older one is not returned to by counting steps; named by its tag, it is.
    """
    place = f"{request.service} in {request.environment}"
    if not past:
        raise ShiplaneError(Problem(place, "has never had a release"), REFUSED)
    if request.tag:
        found = {each.identity: each for each in reversed(past) if each.tag.startswith(request.tag)}
        found.pop(past[0].identity, None)
        if len({each.tag for each in found.values()}) != 1:
            rule = "names several releases" if found else f"{place} has not had it before"
            raise ShiplaneError(Problem(given("--to", request.tag), rule, f"gitops history {request.service}"), REFUSED)
        return [*found.values()][-1]
    kept = [each for each in _kept(past) if each.identity != past[0].identity]
    if len(kept) < request.steps:
        rule = f"{len(kept)} releases before this one can be returned to" if kept else "has had no other release"
        raise ShiplaneError(
            Problem(place, rule, f"gitops history {request.service} --env {request.environment}"), REFUSED
        )
    return kept[-request.steps]


def _kept(past: Iterable[Past]) -> list[Past]:
    """The releases in the order in which they came, without those that were left for an older one."""
    order: list[Past] = []
    for each in reversed([*past]):
        identities = [known.identity for known in order]
        if each.identity in identities:
            order = order[: identities.index(each.identity)]
        order.append(each)
    return order


def needs(config: Config, request: Return) -> Sequence[str]:
    """The paths to read of the tip before planning."""
    config.environment(request.environment, "--env")
    folders = [config.layout.folder(each, request.service) for each in config.environments]
    others = [f"{folder}/{name}" for folder in folders for name in ("release.yaml", "origin.yaml")]
    own = config.layout.folder(request.environment, request.service)
    return [catalog.path(request.service), holds.path(request.environment, request.service), own, *others]


def plan(
    config: Config,
    snapshot: Snapshot,
    then: Snapshot,
    request: Return,
    now: datetime,
    *,
    settings: bool = False,
    warnings: Sequence[str] = (),
) -> Draft:
    """The draft that brings back what `then`, the commit of the target, had; with its `settings`, if asked.

    The release that is left is held back, so that the next promotion does not bring it again.
    """
    to, service = config.environment(request.environment, "--env"), catalog.lookup(snapshot, request.service)
    folder = config.layout.folder(to.name, service.name)
    old, new = (pins.pin(each, config, to.name, service.name) for each in (snapshot, then))
    if old is None or new is None:
        raise ShiplaneError(Problem(f"{service.name} in {to.name}", "has no release to leave"), REFUSED)
    names = [*config.layout.carries, *(["values.yaml"] if settings else [])]
    found = [(f"{folder}/{name}", then.get(f"{folder}/{name}")) for name in names]
    changes = [Change(path, entry.mode, entry.oid) for path, entry in found if entry and snapshot.get(path) != entry]
    changes += _hold(snapshot, request, to.name, old.release.tag)
    chart = then.files(f"{folder}/chart")
    trees = {entry.oid: chart for path, entry in found if entry and path.endswith("/chart")}
    blobs = {entry.oid: entry for _, entry in found if entry}
    head = applied(snapshot, changes, trees, blobs)
    known = Known(ran={(service.name, to.name): frozenset({new.identity})})
    case = Case(config, to, service, snapshot, head, known, now)
    verdicts = pin_verdicts(case)
    if stands := standing(case, verdicts):
        raise ShiplaneError(stands, REFUSED)
    move = Move(service.name, to.name, old.release, new.release)
    return Draft(
        branch_of(to.name, service.name),
        messages.title(move, "roll back"),
        messages.body(
            messages.Facts(
                service, to, old, new, folder, verdicts=telling(case, verdicts), back=True, warnings=warnings
            )
        ),
        tuple(changes),
        (*messages.steps(old, new), *(f"note    {each}" for each in warnings)),
        move=move,
        renders=rendering(head, config, to, service.name, (), chart),
        replaces=replaced(snapshot, changes),
    )


def _hold(snapshot: Snapshot, request: Return, environment: str, tag: str) -> list[Change]:
    """The hold on what is left, beside what is held back already."""
    path = holds.path(environment, request.service)
    there = snapshot.get(path)
    before = holds.parsed(there.data or b"", path) if there else None
    if before and before.holds(tag):
        return []
    reason = f"rolled back{': ' if request.reason else ''}{request.reason}"
    hold = Hold(reason, request.who, (*(before.tags if before else ()), tag))
    return [Change(path, FILE, holds.hold_yaml(hold))]
