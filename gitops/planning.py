"""What may be asked for: which files it needs, which branches it is about, and the plan it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from generator.errors import ShiplaneError
from gitops import hold, onboard, promote, release, retire
from gitops.config import Config, Environment
from gitops.gates.case import Known
from gitops.gates.settings import Gates
from gitops.hold import Holding, Lifting
from gitops.initial import ENVIRONMENTS
from gitops.layout import Layout
from gitops.model import Snapshot
from gitops.onboard import Onboarding
from gitops.promote import Promotion
from gitops.proposals import Plan
from gitops.release import Releasing
from gitops.result import branch_of, together
from gitops.retire import Retiring

Request = Onboarding | Releasing | Promotion | Holding | Lifting | Retiring


def needs(config: Config, request: Request) -> Sequence[str]:
    """The paths to read before planning; raises ShiplaneError where the lane has no such step."""
    match request:
        case Onboarding():
            return onboard.needs(config, request)
        case Releasing():
            return release.needs(config, request)
        case Promotion():
            return promote.needs(config, request)
        case Holding() | Lifting():
            return hold.needs(config, request)
        case Retiring():
            return retire.needs(config, request)


def plan(config: Config, snapshot: Snapshot, request: Request, known: Known, now: datetime) -> Plan:
    """What comes of it on `snapshot`; raises ShiplaneError for what is refused."""
    match request:
        case Holding() | Lifting():
            return hold.plan(config, snapshot, request)
        case Retiring():
            return retire.plan(config, snapshot, request)
        case Onboarding():
            return onboard.plan(config, snapshot, request)
        case Releasing():
            return release.plan(config, snapshot, request, now)
        case Promotion():
            return promote.plan(config, snapshot, request, known, now)


def likely(requests: Sequence[Request]) -> tuple[list[str], list[str]]:
    """The paths and the branches that `requests` need in a repository with the lane and the layout of a new one.

    A guess, to read these together with shiplane.yaml, which tells: where it is wrong, they are read after that.
    """
    paths: list[str] = []
    branches: list[str] = []
    for request in requests:
        try:
            paths += needs(_USUAL, request)
            branches += _branches(request)
        except ShiplaneError:  # another lane
            continue
    return paths, list(dict.fromkeys(branches))


def _branches(request: Request) -> list[str]:
    """Those of a release or promotion, as `proposals.branches` gives them once it is planned."""
    match request:
        case Releasing():
            at = [release.entrance(_USUAL, request).name]
        case Promotion():
            source, to = promote.lane(_USUAL, request)
            at = [to.name, source.name]
        case _:
            return []
    return [together(at[0]), *(branch_of(name, request.service) for name in at)]


def _usual() -> Config:
    before: tuple[str | None, ...] = (None, *ENVIRONMENTS)
    lane = {
        name: Environment(name, source, False, "", "", "", None, Gates(0, 0))
        for name, source in zip(ENVIRONMENTS, before, strict=False)
    }
    return Config(lane, Layout())


_USUAL = _usual()
