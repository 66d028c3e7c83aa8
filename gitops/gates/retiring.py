"""What a pull request takes out altogether, a service of an environment or its catalog entry: the last goes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from generator.document import parse
from generator.errors import ShiplaneError
from gitops import catalog, retire
from gitops.config import Config
from gitops.gates.case import Place
from gitops.gates.scope import leaves
from gitops.gates.subject import Subject
from gitops.gates.verdict import Verdict, passed, refused
from gitops.model import Snapshot


def applications(head: Snapshot, about: Subject) -> dict[str, Place]:
    """The Applications that the pull request takes away."""
    return {path: place for path, place in about.applications.items() if head.get(path) is None}


def paths(config: Config, base: Snapshot, head: Snapshot, about: Subject, changed: Iterable[str]) -> frozenset[str]:
    """The changed paths that do nothing but end a service in an environment.

    An Application is among them only where it says itself that it runs in the environment's own cluster.
    """
    own = (
        []
        if not config.layout.own
        else [
            path
            for path, (_, name) in applications(head, about).items()
            if _cluster(base.data(path), path) == config.environments[name].cluster
        ]
    )
    return frozenset([*own, *(path for path in changed if leaves(config, about, path))])


def verdicts(config: Config, head: Snapshot, about: Subject) -> Iterator[Verdict]:
    """Whether what is taken out of an environment, or of the catalog, is left behind nowhere later in the lane."""
    gone = dict.fromkeys([*about.ends, *applications(head, about).values()])
    for service, environment in gone:
        later = [each.name for each in retire.following(config, environment)]
        told = f"takes {service} out of {environment}"
        yield _after(config, head, service, later, told, f", promoted from {environment},")
    for path in about.others:
        service = path.removeprefix("services/").removesuffix(".yaml")
        if path == catalog.path(service) and "/" not in service and head.get(path) is None:
            yield _after(config, head, service, [*config.environments], f"takes {service} out of the catalog", "")


def _cluster(data: bytes | None, place: str) -> object:
    """The name of the cluster that an Application goes to; None where it names none, or cannot be read."""
    try:
        spec = parse(data or b"", place).data.get("spec")
    except ShiplaneError:
        return None
    target = spec.get("destination") if isinstance(spec, Mapping) else None
    return target.get("name") if isinstance(target, Mapping) else None


def _after(config: Config, head: Snapshot, service: str, later: Iterable[str], told: str, whose: str) -> Verdict:
    for name in later:
        if place := retire.left(config, head, name, service):
            return refused("order", f"{told}, and {name}{whose} has it still: {place}", place)
    return passed("order", f"{told}, and no environment {'after it ' if whose else ''}has it")
