"""What the gates of one pin look at: the default branch as it is and as the merge would leave it, facts, the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from generator.errors import ShiplaneError
from gitops import pins
from gitops.catalog import Service
from gitops.config import Config, Environment
from gitops.model import Pin, Release, Snapshot

Place = tuple[str, str]
"""A service in an environment: (service, environment)."""
Identity = tuple[str, ...]
"""The object ids of all that is carried: see `Pin`."""


@dataclass(frozen=True, slots=True)
class Since:
    """A release's time somewhere: by which pull request, merged when, first found healthy when, replaced when."""

    release: Release
    number: int
    merged: datetime
    healthy: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Known:
    """What neither the tree nor the clock tells, of the places for which it was looked up.

    `since` are the releases that a place has had, the newest first. `kept` are the identities (see `Pin`) of those that
    it has not left for an older one, each with the ids of the settings that it had there. `runs` are the CI runs of the
    releases that one place has had, where its own files do not say them.
    """

    since: Mapping[Place, tuple[Since, ...]] = field(default_factory=dict)
    kept: Mapping[Place, Mapping[Identity, frozenset[str]]] = field(default_factory=dict)
    runs: Mapping[Release, int] = field(default_factory=dict)


def kept(past: Iterable[Identity]) -> list[Identity]:
    """Those of `past`, the oldest first, that were not left for an older one: a way back leads to these alone."""
    found: list[Identity] = []
    for each in past:
        if each in found:
            del found[found.index(each) :]
        found.append(each)
    return found


@dataclass(frozen=True)
class Case:
    """One pin that a pull request sets. `base` is the tip, `head` what the merge would leave."""

    config: Config
    to: Environment
    service: Service
    base: Snapshot
    head: Snapshot
    known: Known
    now: datetime

    @property
    def place(self) -> Place:
        """The service and the environment."""
        return self.service.name, self.to.name

    @property
    def folder(self) -> str:
        """Where the service's files lie in the environment."""
        return self.config.layout.folder(self.to.name, self.service.name)

    def after(self) -> Pin | None:
        """The pin as it would be; raises ShiplaneError where it cannot be read."""
        return pins.pin(self.head, self.config, *reversed(self.place))

    def has(self, environment: str) -> bool:
        """Whether `environment` has pinned this very release."""
        return self.identity(self.base, environment) == self.identity(self.head, self.to.name)

    def had(self, environment: str) -> bool:
        """Whether `environment` has it, or has kept it: see `Known`."""
        return self.has(environment) or self.identity(self.head, self.to.name) in self._kept(environment)

    def origins(self) -> tuple[str, ...]:
        """Where it comes from: each environment of `from`, where all have it or had it, else the one of `hotfix`.

        Empty where it comes from neither.
        """
        if self.to.before and all(map(self.had, self.to.before)):
            return self.to.before
        return (self.to.hotfix,) if self.to.hotfix and self.had(self.to.hotfix) else ()

    def returns(self) -> bool:
        """Whether this is a way back: to a release that the environment has had and not left for an older one.

        Its settings are today's, or those that it had then: a way back brings nothing new with it.
        """
        kept, here = self._kept(self.to.name), self.identity(self.head, self.to.name)
        if not self.config.layout.own:
            return here in kept and self._there()  # then what is carried is all that may change
        then = kept.get(here, frozenset())
        path = f"{self.folder}/values.yaml"
        before, after = self.base.get(path), self.head.get(path)
        return bool(then) and after is not None and (after == before or after.oid in then)

    def _there(self) -> bool:
        """Whether the environment has a place for the service: what people write anew brings more along than a pin."""
        try:
            return pins.pin(self.base, self.config, *reversed(self.place)) is not None
        except ShiplaneError:  # what nobody can read is written anew
            return False

    def _kept(self, environment: str) -> Mapping[Identity, frozenset[str]]:
        return self.known.kept.get((self.service.name, environment), {})

    def identity(self, snapshot: Snapshot, environment: str) -> Identity:
        """The object ids of all that is carried, as `environment` has them in `snapshot`."""
        return pins.identity(snapshot, self.config, environment, self.service.name)
