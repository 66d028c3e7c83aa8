"""`gitops rollback`: the pull request that returns an environment to what it has had, by object ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from generator.errors import REFUSED, Problem, ShiplaneError, given
from generator.service import check_name
from gitops import catalog, holds, keyed, pins
from gitops.config import Config
from gitops.gates.case import Case, Identity, Known, kept
from gitops.gates.judge import pin_verdicts, standing
from gitops.holds import Hold
from gitops.model import FILE, Change, Snapshot
from gitops.result import applied
from gitops.step import Step

_FORM = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"  # a tag, as the distribution specification has it
_EXPECTED = "expected a release's tag, or at least its 7 first digits"


@dataclass(frozen=True, slots=True)
class Return:
    """What was asked for: so many `steps` back, or to the release whose tag begins with `tag`."""

    service: str
    environment: str
    steps: int = 1
    tag: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What the environment had from some commit on: its release's tag and identity."""

    commit: str
    tag: str
    identity: Identity


def asked(service: str, environment: str, steps: int, tag: str | None, reason: str) -> Return:
    """The request in these options; raises ShiplaneError with all that is wrong in them."""
    problems = [*check_name(service), *holds.reason_problems(reason)]
    if steps < 1:
        problems.append(Problem(given("--steps", str(steps)), "expected 1 or more"))
    if tag is not None and not re.fullmatch(_FORM, tag):
        problems.append(Problem(given("--to", tag), _EXPECTED))
    if tag is not None and steps != 1:
        problems.append(Problem("--steps", "is not taken together with --to"))
    if problems:
        raise ShiplaneError(problems)
    return Return(service, environment, steps, tag or "", reason.strip())


def way(past: Sequence[Past], request: Return) -> list[Past]:
    """The way back, of what there was (`past`, the newest first): what is left, the newest first, then the target.

    Each as it was when it was there last. Never back to what was left for an older one: that was found bad. Raises
    ShiplaneError where there is nothing to go back to.
    """
    place, mend = f"{request.service} in {request.environment}", f"gitops history {request.service}"
    identities = kept(each.identity for each in reversed(past))
    order = [next(each for each in past if each.identity == identity) for identity in reversed(identities)]
    if not order:
        raise ShiplaneError(Problem(place, "has never had a release"), REFUSED)
    if not request.tag:
        if len(order) <= request.steps:
            most = len(order) - 1
            steps = f"can go back {most} step{'' if most == 1 else 's'} at most"
            some = steps if most else "has had no release before this one"
            raise ShiplaneError(Problem(place, some, f"{mend} --env {request.environment}"), REFUSED)
        return order[: request.steps + 1]
    begun = [index for index, each in enumerate(order) if index and each.tag.startswith(request.tag)]
    found = [index for index in begun if order[index].tag == request.tag] or begun
    if not found or len({order[index].tag for index in found}) > 1:
        left = any(each.tag.startswith(request.tag) and each.identity not in identities for each in past)
        rule = "names several releases" if found else f"{place} has not had it before"
        if left and not found:
            rule = f"{place} has left it for an older one"
            mend = f"gitops unhold {request.service} --env {request.environment}, and bring it there again"
        raise ShiplaneError(Problem(given("--to", request.tag), rule, mend), REFUSED)
    return order[: found[0] + 1]


def needs(config: Config, request: Return) -> Sequence[str]:
    """The paths to read of the tip before planning."""
    config.environment(request.environment, "--env")
    if request.tag and config.layout.own and not re.fullmatch("[0-9a-f]{7,40}", request.tag):
        raise ShiplaneError(Problem(given("--to", request.tag), _EXPECTED))
    others = [path for each in config.environments for path in pins.files(config, each, request.service)]
    own = pins.paths(config, request.environment, request.service)
    return [catalog.path(request.service), holds.path(request.environment, request.service), *own, *others]


def plan(
    config: Config,
    snapshot: Snapshot,
    then: Snapshot,
    request: Return,
    who: str,
    now: datetime,
    *,
    settings: bool = False,
    warnings: Sequence[str] = (),
) -> Step:
    """The step that brings back what `then`, the commit of the target, had; with its `settings`, if asked.

    The release that is left is held back in the name of `who`, so that the next promotion does not bring it again;
    unless only its chart is left, and its tag stays.
    """
    to, service = config.environment(request.environment, "--env"), catalog.lookup(snapshot, request.service)
    folder = config.layout.folder(to.name, service.name)
    old, new = (pins.pin(each, config, to.name, service.name) for each in (snapshot, then))
    if old is None or new is None:
        raise ShiplaneError(Problem(f"{service.name} in {to.name}", "has no release to leave"), REFUSED)
    if not new.origin.source:  # the catalog of its time was not read
        new = replace(new, origin=replace(new.origin, source=service.source))
    names = [*config.layout.carries, *(["values.yaml"] if settings else [])]
    found = [(f"{folder}/{name}", then.get(f"{folder}/{name}")) for name in names]
    if config.layout.own:
        changes = [
            Change(path, entry.mode, entry.oid) for path, entry in found if entry and snapshot.get(path) != entry
        ]
    else:
        changes = keyed.carried(config.layout, then, to.name, snapshot, to.name, service.name)
    if old.release.tag != new.release.tag:  # a hold names a tag: it would hold back what comes, too
        changes += _hold(snapshot, request, who, old.release.tag)
    chart = then.files(f"{folder}/chart")
    trees = {entry.oid: chart for path, entry in found if entry and path.endswith("/chart")}
    blobs = {entry.oid: entry for _, entry in found if entry}
    head = applied(snapshot, changes, trees, blobs)
    values = then.get(f"{folder}/values.yaml")
    back = {new.identity: frozenset({values.oid if values else ""})}
    case = Case(config, to, service, snapshot, head, Known(kept={(service.name, to.name): back}), now)
    verdicts = pin_verdicts(case)
    if stands := standing(case, verdicts):
        raise ShiplaneError(stands, REFUSED)
    return Step("roll back", case, old, new, tuple(changes), verdicts, warnings=tuple(warnings), back=True)


def _hold(snapshot: Snapshot, request: Return, who: str, tag: str) -> list[Change]:
    """The hold on what is left, beside what is held back already."""
    path = holds.path(request.environment, request.service)
    there = snapshot.get(path)
    before = holds.parsed(there.data or b"", path) if there else None
    if before and before.holds(tag):
        return []
    hold = Hold(f"rolled back{': ' if request.reason else ''}{request.reason}"[: holds.LONGEST], who, (tag,))
    return [Change(path, FILE, holds.hold_yaml(holds.joined(before, hold)))]
