"""What a pull request is about, told by the paths that it changes: pins, settings, or the administrators' own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generator.errors import ShiplaneError
from generator.service import check_name
from gitops import catalog, holds
from gitops.config import Config
from gitops.gates.case import Place
from gitops.gates.verdict import Verdict, passed, refused
from gitops.model import FILE, Snapshot

_TOLD = 5  # paths that a refusal names; the rest is counted


@dataclass(frozen=True)
class Subject:
    """The changed paths, sorted by what they are."""

    pins: tuple[Place, ...]
    carried: tuple[str, ...]
    settings: tuple[tuple[Place, str], ...]
    applications: tuple[tuple[Place, str], ...]
    holds: tuple[tuple[Place, str], ...]
    others: tuple[str, ...]


def subject(config: Config, changed: Iterable[str]) -> Subject:
    """The subject of a pull request that changes these paths."""
    pins: dict[Place, None] = {}
    carried: list[str] = []
    others: list[str] = []
    settings: list[tuple[Place, str]] = []
    applications: list[tuple[Place, str]] = []
    held: list[tuple[Place, str]] = []
    for path in changed:
        place, rest = _placed(config, path)
        if place is None:
            others.append(path)
        elif rest.split("/")[0] in config.layout.carries:
            pins[place] = None
            carried.append(path)
        elif rest == "values.yaml":
            settings.append((place, path))
        elif rest == "":
            (held if path.startswith("holds/") else applications).append((place, path))
        else:
            others.append(path)
    return Subject(tuple(pins), tuple(carried), tuple(settings), tuple(applications), tuple(held), tuple(others))


def _placed(config: Config, path: str) -> tuple[Place | None, str]:
    """The service and the environment that `path` belongs to, and what follows their folder: nothing elsewhere."""
    for name in config.environments:
        root, apps = config.layout.folder(name, ""), (f"apps/{name}/", f"holds/{name}/")
        if path.startswith(root):
            service, _, rest = path[len(root) :].partition("/")
            if rest and not check_name(service):
                return (service, name), rest
        if path.startswith(apps) and path.endswith(".yaml"):
            service = path.split("/", 2)[2].removesuffix(".yaml")
            if not check_name(service):
                return (service, name), ""
    return None, ""


def scope(config: Config, base: Snapshot, head: Snapshot, about: Subject) -> Verdict:
    """A pull request that pins changes nothing besides.

    What it may change: what is carried; what a first release adds, byte for byte as the defaults give it; the settings
    of the same service in the same environment; and its hold there, if more is held back then than before.
    """
    if not about.pins:
        return passed("scope", "pins nothing")
    wrong = list(about.others)
    for place, path in (*about.applications, *about.settings):
        application = path.startswith("apps/")
        if place not in about.pins or (application and not _as_defaults_say(config, base, head, place, path)):
            wrong.append(path)
    wrong += [path for place, path in about.holds if place not in about.pins or not _holds_more(base, head, path)]
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        return refused("scope", f"changes more than it pins: {', '.join(wrong[:_TOLD])}{more}", *wrong)
    told = f"only {_listed(about.pins)}"
    settings = [path for place, path in about.settings if not _as_defaults_say(config, base, head, place, path)]
    return passed("scope", f"{told}, with settings of a person: {', '.join(settings)}" if settings else told)


def _as_defaults_say(config: Config, base: Snapshot, head: Snapshot, place: Place, path: str) -> bool:
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


def _holds_more(base: Snapshot, head: Snapshot, path: str) -> bool:
    before, after = base.get(path), head.get(path)
    if after is None or after.mode != FILE:
        return False
    now = holds.parsed(after.data or b"", path)
    return before is None or now.covers(holds.parsed(before.data or b"", path))


def _listed(pins: Sequence[Place]) -> str:
    return ", ".join(f"{service} in {environment}" for service, environment in pins)
