"""What a draft leads to: the files that helm would render after the merge, and what stood there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from generator.errors import Problem, ShiplaneError
from gitops.config import Config, Environment
from gitops.model import EXECUTABLE, FILE, Change, Entry, Rendering, Snapshot


def branch_of(environment: str, service: str) -> str:
    """The branch of the one pull request that may pin `service` in `environment`."""
    return f"shiplane/pin/{environment}/{service}"


def replaced(snapshot: Snapshot, changes: Iterable[Change]) -> tuple[str, ...]:
    """The ids of what the changes stand on; a path that does not exist yet gives an empty one."""
    entries = (snapshot.get(change.path) for change in changes)
    return tuple(entry.oid if entry else "" for entry in entries)


def rendering(
    snapshot: Snapshot,
    config: Config,
    to: Environment,
    service: str,
    changes: Iterable[Change],
    chart: Mapping[str, Entry],
) -> Rendering:
    """What helm gets once `changes` are merged: `chart`, then values.yaml and release.yaml as they will be.

    Raises ShiplaneError where one of these is a link: Argo CD would follow it, to what nobody has rendered.
    """
    folder = config.layout.folder(to.name, service)
    written = {change.path: _content(snapshot, change) for change in changes}
    values = []
    for name in ("values.yaml", "release.yaml"):
        path = f"{folder}/{name}"
        entry = snapshot.get(path)
        if path not in written and entry and entry.mode not in (FILE, EXECUTABLE):
            raise ShiplaneError(Problem(path, "is not a regular file", "write the settings themselves there"))
        values.append((name, written.get(path, snapshot.data(path)) or b""))
    return Rendering(
        service,
        to.name,
        to.namespace_of(service),
        to.kubernetes,
        {path: (entry.mode, entry.data or b"") for path, entry in chart.items()},
        tuple(values),
    )


def _content(snapshot: Snapshot, change: Change) -> bytes:
    """The bytes of a change; those of an object that is carried are read where the snapshot has it."""
    if isinstance(change.content, bytes):
        return change.content
    known = (
        entry.data for entry in snapshot.entries.values() if entry.oid == change.content and entry.data is not None
    )
    return next(known, b"")
