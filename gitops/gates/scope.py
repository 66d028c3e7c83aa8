"""The gate `scope`: a pull request that pins changes nothing besides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generator.errors import ShiplaneError, printable
from gitops import catalog, holds, keyed
from gitops.config import Config
from gitops.gates import paths
from gitops.gates.case import Place
from gitops.gates.subject import Subject, comes
from gitops.gates.verdict import Verdict, passed, refused
from gitops.model import EXECUTABLE, FILE, Snapshot

_TOLD = 5  # paths that a refusal names; the rest is counted


def scope(config: Config, base: Snapshot, head: Snapshot, about: Subject, changed: Sequence[str]) -> Verdict:
    """A pull request that pins changes nothing besides; and none changes what readers of a tree see differently.

    What it may change: what is carried; what a first release adds, byte for byte as the defaults give it; the settings
    of the same service in the same environment; and its hold there, if more is held back then than before. `head` is
    all of the result.
    """
    charts = tuple(f"{config.layout.folder(*reversed(place))}/chart/" for place in about.pins)
    if odd := [*paths.wrong(head, changed, charts)]:
        return refused("scope", _told(f"{printable(path)} {rule}" for path, rule in odd), *(path for path, _ in odd))
    for service, environment in about.ends:
        application = f"apps/{environment}/{service}.yaml"
        if head.get(application):
            return refused("scope", f"takes {service} out of {environment}, where {application} still is", application)
    if about.ends and (more := [*_besides(config, about, changed)]):
        rule = f"takes a service out of an environment, and changes more: {_told(map(printable, more))}"
        return refused("scope", rule, *more)
    if not about.pins:
        return passed("scope", "pins nothing")
    wrong = [*about.others, *beyond_keys(config, base, head, about.pins)]
    wrong += [path for path, place in about.settings.items() if place not in about.pins]
    wrong += [
        path
        for path, place in about.applications.items()
        if place not in about.pins or not as_defaults_say(config, base, head, place, path)
    ]
    wrong += [
        path for path, place in about.holds.items() if place not in about.pins or not holds_more(base, head, path)
    ]
    if wrong:
        return refused("scope", f"changes more than it pins: {_told(map(printable, wrong))}", *wrong)
    told = f"only {', '.join(f'{service} in {environment}' for service, environment in about.pins)}"
    own = [path for path, place in about.settings.items() if not as_defaults_say(config, base, head, place, path)]
    come = [place for place in about.pins if comes(config, base, place)]
    own += sorted({path for place in come for path in config.layout.paths(*reversed(place)) if path in {*changed}})
    return passed("scope", f"{told}, with settings of a person: {', '.join(own)}" if own else told)


def beyond_keys(config: Config, base: Snapshot, head: Snapshot, places: Iterable[Place]) -> list[str]:
    """The files in which more than the values that are carried of `places` is changed."""
    layout, found = config.layout, []
    files: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        for name in layout.keys:
            files.setdefault((layout.path(place[1], place[0], name), name), []).append(place)
    for (path, name), mine in files.items():
        before, after = base.get(path), head.get(path)
        new = before is None or any(comes(config, base, place) for place in mine)
        if before == after or (new and after and after.mode in (FILE, EXECUTABLE)):
            continue  # what is new is people's, as a whole; what it pins is judged as any pin
        kept = before and after and before.mode == after.mode and after.mode in (FILE, EXECUTABLE)
        one, other = base.data(path) or b"", head.data(path) or b""
        if not kept or not keyed.only_keys(layout, mine, name, one, other):
            found.append(path)
    return found


def _besides(config: Config, about: Subject, changed: Iterable[str]) -> Iterable[str]:
    """What is changed besides the services that leave: their folders, Applications and holds."""
    of_theirs = {path for paths in (about.applications, about.holds) for path, at in paths.items() if at in about.ends}
    return (path for path in changed if path not in of_theirs and not leaves(config, about, path))


def leaves(config: Config, about: Subject, path: str) -> bool:
    """Whether `path` lies in what is a service's own in an environment that it leaves."""
    every = [own for place in about.ends for own in config.layout.alone(*reversed(place))]
    return any(path == own or path.startswith(f"{own}/") for own in every)


def _told(found: Iterable[str]) -> str:
    listed = [*found]
    more = f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else ""
    return f"{', '.join(listed[:_TOLD])}{more}"


def as_defaults_say(config: Config, base: Snapshot, head: Snapshot, place: Place, path: str) -> bool:
    """Whether `path` is written anew exactly as the defaults of the environment and the catalog give it."""
    service, environment = place
    entry = head.get(path)
    if base.get(path) is not None or entry is None or entry.mode != FILE:
        return False
    try:
        known = catalog.lookup(base, service)
        given = catalog.starting_changes(base, config, config.environments[environment], known)
    except ShiplaneError:
        return False
    return any(change.path == path and change.content == entry.data for change in given)


def holds_more(base: Snapshot, head: Snapshot, path: str) -> bool:
    """Whether the hold at `path` holds back all that it did before, or is new."""
    before, after = base.get(path), head.get(path)
    if after is None or after.mode != FILE:
        return False
    now = holds.parsed(after.data or b"", path)
    return before is None or now.covers(holds.parsed(before.data or b"", path))
