"""What about a repository keeps promotions from starting, or is not as Shiplane needs it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from generator.errors import ShiplaneError, printable
from gitops import catalog, holds, pins, status
from gitops.config import Config
from gitops.doctor import checks, ruleset, settings
from gitops.doctor.finding import REFUSES, WAITING, Finding, named, of
from gitops.gates.pinning import moment
from gitops.gates.windows import closed_until
from gitops.model import Snapshot
from gitops.protection import Protection, Rule
from gitops.pull_request import PullRequest

NOTIFICATIONS = "notifications/health.yaml"
_SYNCS = timedelta(hours=1)  # Argo CD asks git every three minutes; a rollout may take many more
Merged = Mapping[tuple[str, str], PullRequest]


def lane(config: Config, snapshot: Snapshot, now: datetime) -> Iterator[Finding]:
    """What the tree and the clock tell: services that nobody knows, what cannot be read, holds and freezes."""
    services = status.services(config, snapshot)
    yield from dict.fromkeys(each for service in services for each in _service(config, snapshot, service))
    for path, entry in snapshot.entries.items():
        parts = path.split("/")
        if parts[0] == "holds" and len(parts) == 3 and parts[1] in config.environments and path.endswith(".yaml"):
            yield _hold(path, entry.data or b"")
    for environment in config.environments.values():
        closed = closed_until(environment.gates.freeze, now)
        if closed:
            until, window = closed
            reason = f": {window.reason}" if window.reason else ""
            why = f"nothing merges into {environment.name} until {moment(until)}{reason}"
            yield Finding("freeze", why, f"wait until {moment(until)}", state=WAITING, until=until)


def unreleased(config: Config, snapshot: Snapshot) -> list[str]:
    """The services of the catalog that no environment has: there is nothing of them to promote."""
    return [
        service
        for service in status.services(config, snapshot)
        if not any(snapshot.get(path) for name in config.environments for path in pins.files(config, name, service))
    ]


def _service(config: Config, snapshot: Snapshot, service: str) -> Iterator[Finding]:
    name = printable(service)
    where = []
    for environment in config.environments:
        try:
            if pins.pin(snapshot, config, environment, service):
                where.append(environment)
        except ShiplaneError as error:
            yield from (of("unreadable-pin", each) for each in error.problems)
    if snapshot.get(catalog.path(service)) is None:
        if where:
            why = f"{name} is pinned in {' and '.join(where)}, and the catalog does not know it: all of it is refused"
            known = f"gitops onboard {named(service)} --source OWNER/REPOSITORY --image REPOSITORY"
            mend = f"{known}\ngitops retire {named(service)}"
            yield Finding("unknown-service", why, mend)
        return
    try:
        catalog.lookup(snapshot, service)
    except ShiplaneError as error:
        yield from (of("unreadable-service", each) for each in error.problems)


def _hold(path: str, data: bytes) -> Finding:
    """One that cannot be read holds all the same."""
    _, environment, name = path.split("/")
    service = name.removesuffix(".yaml")
    held = holds.parsed(data, path)
    why = f"{held.told(service)} from {environment} by {held.who}: {held.reason}"
    return Finding("hold", why, f"gitops unhold {named(service)} --env {environment}", (path,), REFUSES)


def guarded(config: Config, found: Protection, ours: Sequence[Rule]) -> Iterator[Finding]:
    """How the repository is guarded on the forge, against the rules that are `ours`."""
    yield from settings.token(found)
    yield from settings.always(found)
    yield from ruleset.findings(ours, found)
    auto = [each.name for each in config.environments.values() if each.merge]
    if auto and not found.auto_merge:
        yield settings.auto_merge_off(found, auto)
    yield from _owners(found)
    yield from checks.verify(found)


def _owners(found: Protection) -> Iterator[Finding]:
    asks = any(each.parameters.get("require_code_owner_review") for each in found.of("pull_request"))
    if found.owners is None and asks:
        why = "the rules ask for a review by code owners, and there is no .github/CODEOWNERS: nobody is asked"
        yield Finding("code-owners-wrong", why, "write it, as gitops init does")
    elif found.owners:
        why = "GitHub cannot read all of .github/CODEOWNERS: whom it does not know is never asked"
        mend = "let the team write to the repository (Settings, Collaborators and teams), or mend its name"
        yield Finding("code-owners-wrong", why, mend, found.owners)


def health(config: Config, snapshot: Snapshot, merged: Merged, now: datetime, *, statuses: bool) -> Iterator[Finding]:
    """Whether Argo CD tells what it has found, and of which pins it has not, though that is waited for.

    `statuses`: it tells it on the forge by commit statuses; else somebody records it there.
    """
    asked = waited_for(config)
    text = snapshot.data(NOTIFICATIONS) or b""
    if asked and statuses and re.search(rb"^\s*(appID|installationID): 0\s*$", text, re.MULTILINE):
        where = " and ".join(asked)
        why = f"{NOTIFICATIONS} names no App: nobody tells what is healthy in {where}, and gates wait for it"
        yield Finding("health-unset", why, "docs/github.md, as gitops init writes it: Health")
    for (service, environment), request in merged.items():
        yield from synced(config, service, environment, request, now, statuses=statuses)


def synced(
    config: Config, service: str, environment: str, request: PullRequest, now: datetime, *, statuses: bool
) -> Iterator[Finding]:
    """Whether what `request` has brought has ever been found healthy, where a gate waits for that."""
    waiting = waited_for(config).get(environment)
    if not waiting or request.healthy or not request.merged or now - request.merged < _SYNCS:
        return
    why = (
        f"{service} in {environment} was merged {status.age(now - request.merged)} ago, by #{request.number}, "
        f"and has never been found healthy: {' and '.join(waiting)} will wait for it"
    )
    awaited = f"no good status shiplane/health/{environment}/{service} on {request.merge[:7]} or after it"
    told = (
        f"where it renders as the one before it, nothing is synced and told: argocd app sync {service}-{environment}"
        if statuses
        else f"gitops healthy {named(service)} --env {environment}, once it runs well"
    )
    mend = f"argocd app get {named(service)}-{environment}: is it synced, and healthy?\n{told}"
    yield Finding("never-synced", why, mend, (awaited,) if statuses else ())


def waited_for(config: Config) -> dict[str, list[str]]:
    """The environments whose health a gate waits for, each with those that wait."""
    found: dict[str, list[str]] = {}
    for each in config.environments.values():
        if each.gates.health:
            for source in each.sources:
                found.setdefault(source, []).append(each.name)
    return found
