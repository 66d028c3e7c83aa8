"""What gates ask and no tree tells: times from the forge, the past from git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitops import landed
from gitops.config import Config, Environment
from gitops.forge import Facts, Forge
from gitops.gates.case import Identity, Place, Since, kept
from gitops.model import Release
from gitops.pull_request import PullRequest
from gitops.repo import Repository
from gitops.result import branch_of
from gitops.step import Seen, Step

_RUNS = 20  # pull requests of a place in which the run of what it has is looked for: rollbacks have none


def since(forge: Facts, to: Environment, service: str, last: int | None = 1) -> dict[Place, tuple[Since, ...]]:
    """Since when the environments that `to` is promoted from have their releases, if a gate of `to` asks.

    The `last` so many of each: where it is still pinned, the newest one tells.
    """
    if not (to.gates.soak or to.gates.health):
        return {}
    return {(service, each): _times(forge.history(service, each, last), (service, each)) for each in to.sources}


def runs(forge: Forge, config: Config, places: Sequence[Place]) -> dict[str, dict[Release, int]]:
    """By service, the CI runs of what was last released into these places, in a layout whose files do not say them.

    What did not come by a pull request of Shiplane, or came before the last few, has none.
    """
    if config.layout.own or not places:
        return {}
    forge.find([branch_of(environment, service) for service, environment in places])  # all that follows, in one read
    found: dict[str, dict[Release, int]] = {}
    for service, environment in places:
        moves = [move for request in forge.history(service, environment, _RUNS) for move in request.moves]
        found[service] = {
            move.after: move.run
            for move in reversed(moves)
            if (move.service, move.environment) == (service, environment) and move.run is not None
        }
    return found


def told(forge: Facts, step: Step, seen: Seen) -> Seen:
    """`seen` with what only the forge knows: the source's commits, and since when it is where it comes from."""
    old, new = (step.new, step.old) if step.back else (step.old, step.new)
    compared = since = None
    if old and new and old.origin.source == new.origin.source and old.release.tag != new.release.tag:
        compared = forge.compare(new.origin.source, old.release.tag, new.release.tag)
    if step.source:
        setter = forge.last(step.service, step.source.name)
        times = _times([setter] if setter else [], (step.service, step.source.name))
        since = next((each for each in times if each.release == step.new.release), None)
    return replace(seen, compared=compared, since=since)


def _times(requests: Sequence[PullRequest], place: Place) -> tuple[Since, ...]:
    """The times of a place's releases, the newest first: each ends where the next one was merged."""
    found: list[Since] = []
    for request in requests:
        move = next((each for each in request.moves if (each.service, each.environment) == place), None)
        if move and request.merged:
            until = found[-1].merged if found else None
            found.append(Since(move.after, request.number, request.merged, request.healthy, until))
    return tuple(found)


def kept_at(repository: Repository, config: Config, place: Place) -> Mapping[Identity, frozenset[str]]:
    """The releases that a place has had and not left for an older one, with the ids of their settings there."""
    past = [(each.identity, each.settings) for each in reversed(landed.past(repository, config, place))]
    return {
        identity: frozenset(settings for each, settings in past if each == identity and settings)
        for identity in kept(identity for identity, _ in past)
    }
