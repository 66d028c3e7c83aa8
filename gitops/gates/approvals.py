"""Approvals: who has to agree, and who has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gitops.config import Config, Environment
from gitops.gates.verdict import Verdict, passed, waiting
from gitops.model import PullRequest, person

Teams = Mapping[str, frozenset[str]]
"""The people of each team, by names as `person` gives them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """So many approvals, from people of `teams` where any are named."""

    count: int
    teams: tuple[str, ...] = ()


def asked(config: Config, paths: Iterable[str], *, added: Collection[str] = (), back: bool = False) -> list[Asked]:
    """What the changed paths ask for, each in its own right.

    A path of an environment (its pins, its Applications, its holds) asks for what the environment asks for; a hold that
    is set, which is one of `added`, for one; every other path is the administrators' and asks for one. `back`:
    everything pinned has run where it is pinned, so that an environment may ask for fewer.
    """
    found: dict[Asked, None] = {}
    for path in paths:
        environment = environment_of(config, path)
        if environment is None or (path.startswith("holds/") and path in added):
            found[Asked(1)] = None
        else:
            gates = environment.gates
            found[Asked(gates.rollback if back else gates.approvals, gates.teams)] = None
    return [*found] or [Asked(1)]


def approvals(
    config: Config,
    request: PullRequest,
    paths: Iterable[str],
    *,
    added: Collection[str] = (),
    back: bool = False,
    teams: Teams | None = None,
) -> Verdict:
    """Whether enough people approved the present head: `PullRequest.approvers` tells who counts, `asked` how many.

    `teams` are the people of the teams that environments name; by themselves the configuration's.
    """
    who, known = request.approvers(), config.teams if teams is None else teams
    for each in sorted(asked(config, paths, added=added, back=back), key=lambda each: -each.count):
        given = _of(who, each.teams, known)
        if len(given) < each.count:
            among = f" from {' or '.join(each.teams)}" if each.teams else ""
            told = f"{len(given)} of {each.count}{among}"
            return waiting("approvals", f"{told}: not counted are author, requester, committers, bots and older heads")
    needed = max(each.count for each in asked(config, paths, added=added, back=back))
    return passed("approvals", f"{needed} needed, given by {', '.join(who)}" if needed else "none needed")


def environment_of(config: Config, path: str) -> Environment | None:
    """The environment that `path` belongs to."""
    for environment in config.environments.values():
        roots = (config.layout.folder(environment.name, ""), f"apps/{environment.name}/", f"holds/{environment.name}/")
        if f"{path}/".startswith(roots):  # a file can stand where the folder was
            return environment
    return None


def _of(who: Iterable[str], wanted: Iterable[str], teams: Teams) -> list[str]:
    """Those of `who` who are in one of the `wanted` teams; everybody where none is named."""
    names = list(wanted)
    if not names:
        return list(who)
    members = frozenset[str]().union(*(teams.get(name, frozenset()) for name in names))
    return [each for each in who if person(each) in members]
