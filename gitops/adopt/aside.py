"""What pins a release in a way that no proposal has: a chart's dependencies, and programs that write manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from generator.document import parse
from generator.errors import ShiplaneError
from gitops.adopt.shape import environment_of
from gitops.adopt.sites import Unread, by_hand, ranged
from gitops.yamledit.path import Match, shown

_LANGUAGES = {".jsonnet": "Jsonnet", ".libsonnet": "Jsonnet", ".cue": "CUE"}


def aside(files: Mapping[str, bytes], others: Iterable[str]) -> Iterator[Unread]:
    """The dependencies of charts that an environment has for itself, and the programs among `others`."""
    for path in sorted(files):
        if path.endswith("/Chart.yaml") and environment_of(path.split("/")):
            for why in _dependencies(files[path], path):
                yield Unread(path, why)
    for path in sorted(others):
        if language := next((name for end, name in _LANGUAGES.items() if path.endswith(end)), ""):
            yield Unread(path, f"{language}: no program is read, so what it pins is not known")


def _dependencies(data: bytes, path: str) -> Iterator[str]:
    try:
        listed = parse(data, path).data.get("dependencies")
    except ShiplaneError:
        return
    for each in listed if isinstance(listed, list) else ():
        name, version = (str(each.get(key, "")) if isinstance(each, Mapping) else "" for key in ("name", "version"))
        if name and version and not ranged(version):
            yield by_hand(f"chart {name}", version, shown(("dependencies", Match("name", name), "version")))
