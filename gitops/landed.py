"""What a place has had: each state of what is carried there, as it landed on the default branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import ShiplaneError
from gitops import keyed, pins
from gitops.config import Config
from gitops.gates.case import Identity, Place
from gitops.repo import Repository
from gitops.repo.past import landings


@dataclass(frozen=True, slots=True)
class State:
    """What stood in a place from a commit on; the `tag` is empty where nobody can read it, `settings` are an id."""

    commit: str
    at: datetime
    title: str
    identity: Identity
    tag: str
    settings: str = ""


def past(repository: Repository, config: Config, place: Place) -> list[State]:
    """Each change of the place's release or of its settings, the newest first; what is not whole is left out."""
    paths = [*config.layout.paths(*reversed(place))]
    if config.layout.own:
        paths.append(f"{config.layout.folder(*reversed(place))}/values.yaml")
    found = landings(repository, paths)
    count = len(config.layout.carries)
    identities = said(repository, config, place, [each.oids[:count] for each in found])
    states = [
        State(each.commit, each.at, each.title, identity, "", "".join(each.oids[count:]))
        for each, identity in zip(found, identities, strict=True)
        if all(identity)
    ]
    return tagged(repository, config, states)


def said(repository: Repository, config: Config, place: Place, found: Sequence[Identity]) -> list[Identity]:
    """The identities (see `Pin`) that these object ids stand for: of a file with keys what its values say."""
    layout = config.layout
    wanted = {
        (name, oid)
        for oids in found
        for name, oid in zip(layout.carries, oids, strict=True)
        if name in layout.keys and oid
    }
    blobs = repository.blobs({oid for _, oid in wanted})
    states = {}
    for name, oid in wanted:
        try:
            states[name, oid] = keyed.state(layout, place, name, blobs[oid])
        except ShiplaneError:  # a state of nonsense is one all the same, and like no other
            states[name, oid] = oid
    return [
        tuple(states.get((name, oid), oid) for name, oid in zip(layout.carries, oids, strict=True)) for oids in found
    ]


def tagged(repository: Repository, config: Config, states: Sequence[State]) -> list[State]:
    """`states` with their tags."""
    tags = tags_of(repository, config, [each.identity for each in states])
    return [
        State(each.commit, each.at, each.title, each.identity, tag, each.settings)
        for each, tag in zip(states, tags, strict=True)
    ]


def tags_of(repository: Repository, config: Config, identities: Sequence[Identity]) -> list[str]:
    """The tag in each identity; empty where it has none, or where nobody can read it."""
    if not config.layout.own:
        return [keyed.tag_in(config.layout, each) if any(each) else "" for each in identities]
    blobs = repository.blobs({each[0] for each in identities} - {""})
    tags = {oid: pins.tag(data) for oid, data in blobs.items()}
    return [tags.get(each[0], "") for each in identities]
