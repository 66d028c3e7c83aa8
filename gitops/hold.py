"""`gitops hold` and `gitops unhold`: the pull requests that record a "do not promote", and that take it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError, given
from generator.service import check_name
from gitops import catalog, holds, messages, notices
from gitops.config import Config
from gitops.holds import Hold
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


def asked(service: str, environment: str, reason: str, who: str, tag: str | None) -> Holding:
    """The request in these options; raises ShiplaneError with all that is wrong in them."""
    problems = [*check_name(service)]
    if not reason.strip():
        problems.append(Problem("--reason", "say why: whoever is held up reads it", '--reason "INC-7: fees are wrong"'))
    elif len(reason) > holds.LONGEST or not reason.isprintable():
        problems.append(Problem(given("--reason", reason), f"must be one line of at most {holds.LONGEST} characters"))
    if tag is not None and not holds.is_tag(tag):
        problems.append(Problem(given("--release", tag), "expected a release's tag: a full commit SHA (40 hex digits)"))
    if problems:
        raise ShiplaneError(problems)
    return Holding(service, environment, Hold(reason.strip(), who, (tag,) if tag else ()))


def needs(config: Config, request: Holding | Lifting) -> Sequence[str]:
    """The paths to read before planning."""
    config.environment(request.environment, "--env")
    return [catalog.path(request.service), holds.path(request.environment, request.service)]


def plan(config: Config, snapshot: Snapshot, request: Holding | Lifting) -> Draft | Nothing:
    """The draft of the hold, or of its end; nothing where it is so already."""
    service, environment = catalog.lookup(snapshot, request.service), config.environment(request.environment, "--env")
    path = holds.path(environment.name, service.name)
    there = snapshot.get(path)
    branch, place = f"shiplane/hold/{environment.name}/{service.name}", f"{service.name} in {environment.name}"
    if isinstance(request, Lifting):
        if there is None:
            return Nothing(f"nothing is held back: {place} has no hold", branch)
        held = holds.parsed(there.data or b"", path)
        title, change = f"unhold {place}", Change(path, GONE, b"")
    else:
        held = request.hold
        written = holds.hold_yaml(held)
        if there is not None and there.data == written:
            return Nothing(f"{place} is held back already, exactly so", branch)
        title, change = f"hold {place}: {held.reason}", Change(path, FILE, written)
    lifting = isinstance(request, Lifting)
    return Draft(
        branch,
        title[: messages.LONGEST_TITLE],
        notices.hold_body(service.name, environment.name, held, path, lifting=lifting),
        (change,),
        (f"{'lifts' if lifting else 'sets'}   {path}",),
        replaces=(there.oid if there else "",),
    )
