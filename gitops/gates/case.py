"""What the gates of one pin look at: the default branch as it is and as the merge would leave it, facts, the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gitops import pins
from gitops.catalog import Service
from gitops.config import Config, Environment
from gitops.model import Pin, Release, Snapshot

Place = tuple[str, str]
"""A service in an environment: (service, environment)."""


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

    `since` are the releases that a place has had, the newest first; `ran` their identities (see `Pin`).
    """

    since: Mapping[Place, tuple[Since, ...]] = field(default_factory=dict)
    ran: Mapping[Place, frozenset[tuple[str, ...]]] = field(default_factory=dict)


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

    def before(self) -> Pin | None:
        """The pin as it is; raises ShiplaneError where it cannot be read."""
        return pins.pin(self.base, self.config, *reversed(self.place))

    def after(self) -> Pin | None:
        """The pin as it would be; raises ShiplaneError where it cannot be read."""
        return pins.pin(self.head, self.config, *reversed(self.place))

    def pinned_by(self) -> str:
        """The environment of `to.sources` that has pinned this very release; empty when none of them has."""
        after = self.identity(self.head, self.to.name)
        return next((each for each in self.to.sources if self.identity(self.base, each) == after), "")

    def origin(self) -> str:
        """The environment of `to.sources` that has it now, else one that has had it; empty when none has."""
        return self.pinned_by() or next((each for each in self.to.sources if self._ran(each)), "")

    def returns(self) -> bool:
        """Whether the environment has had this very release: a way back, whatever else it is."""
        return self._ran(self.to.name)

    def _ran(self, environment: str) -> bool:
        known = self.known.ran.get((self.service.name, environment), frozenset())
        return self.identity(self.head, self.to.name) in known

    def identity(self, snapshot: Snapshot, environment: str) -> tuple[str, ...]:
        """The object ids of all that is carried, as `environment` has them in `snapshot`."""
        return pins.identity(snapshot, self.config, environment, self.service.name)
