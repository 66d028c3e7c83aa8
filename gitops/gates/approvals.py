"""Approvals: who has to agree, and who has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops.config import PATH, Config, Environment
from gitops.gates.verdict import Verdict, passed, unjudged, waiting
from gitops.pull_request import PullRequest, person

Teams = Mapping[str, frozenset[str]]
"""The people of each team, by names as `person` gives them."""


_RULES = (f"{PATH}/", ".github/", "apps/", "bootstrap/", "defaults/", "projects/")
"""What decides what runs where, and who has to agree: an Application in any folder can be told to go to any cluster."""


@dataclass(frozen=True, slots=True)
class Asked:
    """So many approvals, from people of `teams` where any are named."""

    count: int
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Eased:
    """What is known to be harmless about a pull request.

    `starts` are Applications exactly as a first release adds them; `ends` are paths that go with a service's end in an
    environment; `holds` are holds that hold back more than before; `back`: everything pinned is a way back. `everyones`
    are files of a layout of somebody else's that decide what runs where, and in which more than a pin is changed.
    """

    starts: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    everyones: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    back: bool = False


def asked(config: Config, paths: Iterable[str], eased: Eased = Eased()) -> list[Asked]:
    """What the changed paths ask for, each in its own right.

    A path of an environment (its pins and settings, its holds, the Application that a first release adds) asks for what
    the environment asks for, a hold that is set for one. Every other path is the administrators' and asks for one; and
    what decides about all environments for what each of them asks, too.
    """
    found: dict[Asked, None] = {}
    for path in paths:
        environment = environment_of(config, path, eased)
        if environment:
            gates = environment.gates
            count = gates.rollback if eased.back else gates.approvals
            # what ends is reviewed everywhere: nothing stands in the way of it afterwards
            found[Asked(max(1, count) if path in eased.ends else count, gates.teams)] = None
            continue
        found[Asked(1)] = None
        if f"{path}/".startswith(_RULES) or path in eased.everyones or _elsewhere(config, path):
            everywhere = (each.gates for each in config.environments.values())
            found |= dict.fromkeys(Asked(gates.approvals, gates.teams) for gates in everywhere)
    return [*found] or [Asked(1)]


def approvals(
    config: Config, request: PullRequest, paths: Iterable[str], eased: Eased = Eased(), teams: Teams | None = None
) -> Verdict:
    """Whether enough people approved the present head: `PullRequest.approvers` tells who counts, `asked` how many.

    `teams` are the people of the teams that environments name; by themselves the configuration's.
    """
    who, known = request.approvers(), config.teams if teams is None else teams
    needs = sorted(asked(config, paths, eased), key=lambda each: -each.count)
    for each in needs:
        given = _of(who, each.teams, known)
        if len(given) < each.count:
            if not request.requester:
                return waiting("approvals", "no approval counts: nobody has recorded who asked for it")
            among = f" from {' or '.join(each.teams)}" if each.teams else ""
            told = f"{len(given)} of {each.count}{among}"
            return waiting("approvals", f"{told}: not counted are author, requester, committers, bots and older heads")
    count = needs[0].count
    if not count:
        return unjudged("approvals", "none needed")
    return passed("approvals", f"{count} needed, given by {', '.join(who)}")


def _elsewhere(config: Config, path: str) -> bool:
    """In a layout of somebody else's what is in no environment, as a base of them all, may be part of each."""
    return not config.layout.own and not re.fullmatch(r"services/[a-z0-9-]+\.yaml|holds/.+", path)


def environment_of(config: Config, path: str, eased: Eased = Eased()) -> Environment | None:
    """The environment that alone decides about `path`."""
    if path in eased.holds or path in eased.everyones:
        return None
    if not config.layout.own:
        held = path.split("/")[1] if path.startswith("holds/") and path.count("/") > 1 else ""
        return config.environments.get(config.layout.environment(path, config.environments) or held)
    for environment in config.environments.values():
        roots = (config.layout.folder(environment.name, ""), f"holds/{environment.name}/")
        if f"{path}/".startswith(roots):  # a file can stand where the folder was
            return environment
        if path in eased.starts | eased.ends and path.startswith(f"apps/{environment.name}/"):
            return environment
    return None


def _of(who: Iterable[str], wanted: Iterable[str], teams: Teams) -> list[str]:
    """Those of `who` who are in one of the `wanted` teams; everybody where none is named."""
    names = list(wanted)
    if not names:
        return list(who)
    members = frozenset[str]().union(*(teams.get(name, frozenset()) for name in names))
    return [each for each in who if person(each) in members]
