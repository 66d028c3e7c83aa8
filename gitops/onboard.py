"""`gitops onboard`: the pull request that makes a service known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError, given
from generator.service import check_name
from gitops import catalog, notices
from gitops.catalog import Service
from gitops.config import Config
from gitops.model import FILE, Change, Draft, Nothing, Snapshot


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What was asked for: a catalog entry."""

    service: Service


def asked(name: str, source: str, image: str, owner: str, tier: str, source_id: str | None = None) -> Onboarding:
    """The request in these options; raises ShiplaneError with all that is wrong in them."""
    problems = [*check_name(name)]
    for option, value, pattern, rule in (
        ("--source", source, catalog.SOURCE, "expected OWNER/REPOSITORY, as acme/wallet"),
        (
            "--image",
            image,
            catalog.IMAGE,
            "expected a repository inside the registry, as acme/wallet, without host or tag",
        ),
        ("--owner", owner, catalog.OWNER, "expected a team's name: small letters, digits and dashes"),
    ):
        if not re.fullmatch(pattern, value):
            problems.append(Problem(given(option, value), rule))
    if source_id is not None and not re.fullmatch(catalog.SOURCE_ID, source_id):
        rule = "expected the repository's number: gh api repos/OWNER/REPOSITORY --jq .id"
        problems.append(Problem(given("--source-id", source_id), rule))
    if problems:
        raise ShiplaneError(problems)
    return Onboarding(Service(name, owner, source, image, tier, source_id or ""))


def branch(request: Onboarding) -> str:
    """The branch of the one pull request that onboards this service."""
    return f"shiplane/onboard/{request.service.name}"


def needs(config: Config, request: Onboarding) -> Sequence[str]:
    """The paths to read before planning."""
    return [catalog.path(request.service.name)]


def plan(config: Config, snapshot: Snapshot, request: Onboarding) -> Draft | Nothing:
    """The draft of the catalog entry; nothing when it is there already as asked for."""
    service = request.service
    path = catalog.path(service.name)
    if snapshot.get(path) is not None:
        if catalog.lookup(snapshot, service.name) == service:
            return Nothing(f"{service.name} is in the catalog already, exactly so")
        raise ShiplaneError(Problem(path, "exists with other facts", f"edit {path} in a pull request of your own"))
    return Draft(
        branch(request),
        f"onboard {service.name}",
        notices.onboarding_body(service, config),
        (Change(path, FILE, catalog.entry_yaml(service)),),
        (f"catalog {service.source} → {service.image}, owner {service.owner}",),
    )
