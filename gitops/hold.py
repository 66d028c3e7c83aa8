"""`gitops hold` and `gitops unhold`: the pull requests that record a "do not promote", and that take it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError, given
from generator.service import check_name, require_name
from gitops import catalog, holds, messages, notices
from gitops.config import Config
from gitops.holds import Hold
from gitops.layout import FULL_SHA
from gitops.model import FILE, GONE, Change, Draft, Nothing, Snapshot


@dataclass(frozen=True, slots=True)
class Holding:
    """What is to be held back where: everything of a service, or those releases alone."""

    service: str
    environment: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class Lifting:
    """Whose hold is to be lifted where."""

    service: str
    environment: str


def asked(service: str, environment: str, reason: str, tag: str | None) -> Holding:
    """The request in these options; raises ShiplaneError with all that is wrong in them."""
    problems = [*check_name(service)]
    if not reason.strip():
        problems.append(Problem("--reason", "say why: whoever is held up reads it", '--reason "INC-7: fees are wrong"'))
    problems += holds.reason_problems(reason)
    if problems:
        raise ShiplaneError(problems)
    return Holding(service, environment, Hold(reason.strip(), "", (tag,) if tag else ()))


def lifting(service: str, environment: str) -> Lifting:
    """The request to lift a hold; raises ShiplaneError for a name that no service has."""
    return Lifting(require_name(service), environment)


def needs(config: Config, request: Holding | Lifting) -> Sequence[str]:
    """The paths to read before planning."""
    config.environment(request.environment, "--env")
    for tag in request.hold.tags if isinstance(request, Holding) else ():
        if not config.layout.fits(tag):
            form = (
                "a full commit SHA (40 hex digits)"
                if config.layout.form == FULL_SHA
                else f"one that fits {config.layout.form}"
            )
            raise ShiplaneError(Problem(given("--release", tag), f"expected a release's tag: {form}"))
    return [catalog.path(request.service), holds.path(request.environment, request.service)]


def plan(config: Config, snapshot: Snapshot, request: Holding | Lifting) -> Draft | Nothing:
    """The draft of the hold, beside what is held back already, or of its end; nothing where it is so already."""
    service, environment = catalog.lookup(snapshot, request.service), config.environment(request.environment, "--env")
    path = holds.path(environment.name, service.name)
    there = snapshot.get(path)
    before = holds.parsed(there.data or b"", path) if there else None
    branch, place = f"shiplane/hold/{environment.name}/{service.name}", f"{service.name} in {environment.name}"
    if isinstance(request, Lifting):
        if before is None:
            return Nothing(f"nothing is held back: {place} has no hold", branch)
        held, title, change = before, f"unhold {place}", Change(path, GONE, b"")
    else:
        if before and before.covers(request.hold):
            return Nothing(f"{place} is held back already, {before.named()}: {before.reason}", branch)
        held = holds.joined(before, request.hold)
        title, change = f"hold {place}: {request.hold.reason}", Change(path, FILE, holds.hold_yaml(held))
    lifted = change.mode == GONE
    return Draft(
        branch,
        title[: messages.LONGEST_TITLE],
        notices.hold_body(service.name, environment, held, path, lifting=lifted),
        (change,),
        (f"{'lifts' if lifted else 'sets'}   {path}",),
        replaces=(there.oid if there else "",),
    )
