"""`gitops retire`: the pull requests that take a service out again, one step at a time, the last environment first.

In each environment the Application goes first, with a hold that nothing is released or promoted past; once that is
merged, the folder goes. When no environment has anything left, the catalog entry goes, and the holds with it.

In a layout of somebody else's all that it names as the service's own goes in one step: without these files nothing is
released or promoted. Which Application reads them it does not say, unless they are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.document import parse
from generator.errors import REFUSED, Problem, ShiplaneError
from generator.service import require_name
from gitops import catalog, holds, keyed, notices
from gitops.config import Config, Environment
from gitops.holds import Hold
from gitops.model import FILE, GONE, Change, Draft, Nothing, Snapshot
from gitops.result import replaced

_WHY = "retired: it is being taken out"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_OPTIONS = "argocd.argoproj.io/sync-options"


@dataclass(frozen=True, slots=True)
class Retiring:
    """What was asked for: the next step of all, or the next one in an environment; `who` holds back what would come."""

    service: str
    environment: str | None = None
    who: str = ""


def asked(service: str, environment: str | None) -> Retiring:
    """The request in these options; raises ShiplaneError for a name that no service has."""
    return Retiring(require_name(service), environment)


def order(config: Config) -> list[Environment]:
    """The environments in the order in which a service leaves them: each after all that are promoted from it."""

    def depth(environment: Environment) -> int:
        return 1 + max(map(depth, following(config, environment.name)), default=0)

    return sorted(config.environments.values(), key=depth)


def following(config: Config, name: str) -> list[Environment]:
    """The environments that are promoted from `name`."""
    return [each for each in config.environments.values() if name in each.before]


def left(config: Config, snapshot: Snapshot, environment: str, service: str) -> str:
    """What an environment still has of a service: its Application, else its folder; empty when it has neither."""
    own = (catalog.starting_paths(config, environment, service)[0], config.layout.folder(environment, service))
    paths = own if config.layout.own else config.layout.alone(environment, service)
    return next((path for path in paths if snapshot.get(path)), "")


def needs(config: Config, request: Retiring) -> Sequence[str]:
    """The paths to read before planning."""
    if request.environment is not None:
        config.environment(request.environment, "--env")
    found = [catalog.path(request.service)]
    for name in config.environments:
        own = (catalog.starting_paths(config, name, request.service)[0], config.layout.folder(name, request.service))
        found += own if config.layout.own else config.layout.paths(name, request.service)
        found += () if config.layout.own else config.layout.alone(name, request.service)
        found.append(holds.path(name, request.service))
    return found


def beside(config: Config, snapshot: Snapshot, environment: str, service: str) -> list[str]:
    """The files of an environment in which a service stands beside others: nothing there is taken away by itself."""
    layout, place, found = config.layout, (service, environment), []
    for name in filter(layout.shares, layout.keys):
        path = layout.path(environment, service, name)
        entry = snapshot.get(path)
        if entry and any(keyed.values(layout, place, name, keyed.regular(entry, path)).values()):
            found.append(path)
    return found


def plan(config: Config, snapshot: Snapshot, request: Retiring) -> Draft | Nothing:
    """The draft of the next step; nothing when no step is left.

    Raises ShiplaneError, with exit code 3, where an environment that comes later in the lane has the service still.
    """
    service = request.service
    for environment in order(config):
        if request.environment not in (None, environment.name):
            continue
        if left(config, snapshot, environment.name, service):
            _in_order(config, snapshot, environment, service)
            draft = _draft if config.layout.own else _elsewhere
            return draft(config, snapshot, environment, request)
    stays = [path for name in config.environments for path in beside(config, snapshot, name, service)]
    if request.environment is not None:
        if mine := beside(config, snapshot, request.environment, service):
            rule = f"{service} stands beside others in {' and '.join(mine)}: no file there is its own"
            mend = f"gitops retire {service}, then take it out there by hand"
            raise ShiplaneError(Problem(f"--env {request.environment}", rule, mend), REFUSED)
        return Nothing(f"{request.environment} has nothing of {service}: it is retired there")
    entry = catalog.path(service)
    if snapshot.get(entry) is None and stays:
        return Nothing(f"the catalog does not know {service}: take it out of {', '.join(stays)} by hand")
    if snapshot.get(entry) is None:
        return Nothing(f"nothing is left of {service}: no environment has it, and the catalog does not know it")
    held = (holds.path(name, service) for name in config.environments)
    changes = tuple(Change(path, GONE, b"") for path in (entry, *(each for each in held if snapshot.get(each))))
    return Draft(
        f"shiplane/retire-entry/{service}",
        f"retire {service}: its catalog entry",
        notices.forgetting_body(service, [each.path for each in changes], stays),
        changes,
        (*(f"removes {each.path}" for each in changes), *(f"then    take it out of {each}, by hand" for each in stays)),
        replaces=replaced(snapshot, changes),
    )


def _in_order(config: Config, snapshot: Snapshot, environment: Environment, service: str) -> None:
    later = [each.name for each in following(config, environment.name) if left(config, snapshot, each.name, service)]
    if later:
        rule = f"{' and '.join(later)}, promoted from {environment.name}, has {service} still"
        mend = f"gitops retire {service} --env {later[0]}"
        raise ShiplaneError(Problem(f"--env {environment.name}", rule, mend), REFUSED)


def _draft(config: Config, snapshot: Snapshot, environment: Environment, request: Retiring) -> Draft:
    service, name = request.service, environment.name
    application, _ = catalog.starting_paths(config, name, service)
    there = snapshot.get(application)
    if there is None:
        folder = config.layout.folder(name, service)
        changes = [Change(folder, GONE, b"")]
        title, body = f"retire {service} from {name}: its files", notices.emptying_body(service, name, folder)
    else:
        changes = [Change(application, GONE, b""), *_hold(snapshot, environment, request)]
        title = f"retire {service} from {name}: its Application"
        body = notices.retiring_body(service, name, application, _told(there.data or b"", application))
    return Draft(
        f"shiplane/retire/{name}/{service}",
        title,
        body,
        tuple(changes),
        (
            *(f"{'removes' if each.mode == GONE else 'holds  '} {each.path}" for each in changes),
            f"then    gitops retire {service}, again, once this is merged",
        ),
        replaces=replaced(snapshot, changes),
    )


def _elsewhere(config: Config, snapshot: Snapshot, environment: Environment, request: Retiring) -> Draft:
    """The step that takes away what a layout of somebody else's names as the service's own, and nothing else."""
    service, name = request.service, environment.name
    paths = [path for path in config.layout.alone(name, service) if snapshot.get(path)]
    changes = tuple(Change(path, GONE, b"") for path in paths)
    files = {path: entry.data for path, entry in snapshot.below(paths).entries.items() if entry.data}
    runs = [leaving for path, data in files.items() for leaving in _applications(data, path)]
    by_hand = "first   take away the Application that reads this, by hand: the layout does not say which it is"
    first = () if runs else (by_hand,)
    return Draft(
        f"shiplane/retire/{name}/{service}",
        f"retire {service} from {name}: its files",
        notices.leaving_body(service, name, paths, runs),
        changes,
        (
            *first,
            *(f"removes {path}" for path in paths),
            f"then    gitops retire {service}, again, once this is merged",
        ),
        replaces=replaced(snapshot, changes),
    )


def _applications(data: bytes, place: str) -> Iterator[notices.Leaving]:
    """What the end of each Application in a file means."""
    from gitops.policy.reading import read  # 30 ms, and only this needs it

    try:
        found = [each.data for each in read(data, place) if (each.group, each.kind) == ("argoproj.io", "Application")]
    except ShiplaneError:
        return
    yield from (_leaving(each.get("metadata")) for each in found)


def _hold(snapshot: Snapshot, environment: Environment, request: Retiring) -> Iterator[Change]:
    """A build that lands meanwhile, or a promotion, would write the Application anew."""
    path = holds.path(environment.name, request.service)
    entry = snapshot.get(path)
    before = holds.parsed(entry.data or b"", path) if entry else None
    hold = Hold(_WHY, request.who)
    if before is None or not before.covers(hold):
        yield Change(path, FILE, holds.hold_yaml(holds.joined(before, hold)))


def _told(data: bytes, place: str) -> notices.Leaving:
    """What the end of an Application means, as its own file says."""
    try:
        metadata = parse(data, place).data.get("metadata")
    except ShiplaneError:
        metadata = None
    return _leaving(metadata)


def _leaving(metadata: Any) -> notices.Leaving:
    if not isinstance(metadata, Mapping):
        return notices.Leaving("", None, confirms=True)
    finalizers = metadata.get("finalizers") or ()
    options = _annotations(metadata).get(_OPTIONS)
    return notices.Leaving(
        str(metadata.get("name", "")),
        any(str(each).startswith(_FINALIZER) for each in finalizers) if isinstance(finalizers, list | tuple) else None,
        confirms="Prune=confirm" in str(options).split(","),
    )


def _annotations(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    found = metadata.get("annotations")
    return found if isinstance(found, Mapping) else {}
