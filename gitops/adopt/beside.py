"""Services that share a file: the names in a pin's key, or its document's name, that could be the service's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gitops.adopt.sites import Site
from gitops.yamledit.path import Match, Path, parse, shown

# keys that say what is below them, and not whose it is
_GENERIC = frozenset({
    "app", "application", "applications", "apps", "charts", "common", "components", "containers", "defaults",
    "deployment", "deployments", "global", "helm", "image", "images", "kustomize", "microservices", "parameters",
    "release", "releases", "service", "services", "source", "sources", "spec", "tag", "tags", "values", "valuesobject",
    "versions", "workloads",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apart:
    """How a pin is told apart from those beside it: its key, digest and document with `{service}` for the name."""

    service: str
    key: str
    digest: str
    document: str


def apart(site: Site, environment: str, known: Collection[str]) -> Iterator[Apart]:
    """Each name in the key of `site` that could be its service's, outermost first; a generic word where it is `known`.

    The last step says what is pinned, and never whose. An Application is a service by its own name, too, whether or not
    others stand beside it in this environment.
    """
    steps = parse(site.key)
    for index, step in enumerate(steps[:-1]):
        for head, name, tail in _words(step):
            for service, token in _called(name, environment):
                if service in known or service.lower() not in _GENERIC:
                    text = f"{head}{token}{tail}"
                    here = Match(step.key, text) if isinstance(step, Match) else text
                    yield _apart(site, service, (*steps[:index], here, *steps[index + 1 :]), site.document)
    for service, token in _called(site.application, environment):
        named = (Match("chart", "{service}") if each == Match("chart", service) else each for each in steps)
        yield _apart(site, service, tuple(named), f"kind=Application,metadata.name={token}")


def _called(name: str, environment: str) -> Iterator[tuple[str, str]]:
    """The services that `name` may be of, with the token in its place: an environment's name may belong to it."""
    for service in dict.fromkeys((name.removesuffix(f"-{environment}").removeprefix(f"{environment}-"), name)):
        if service not in ("", environment):
            yield service, name.replace(service, "{service}", 1)


def _apart(site: Site, service: str, steps: Path, document: str) -> Apart:
    return Apart(service, shown(steps), shown((*steps[:-1], "digest")) if site.digest else "", document)


def _words(step: str | int | Match) -> Iterator[tuple[str, str, str]]:
    """The names in a step of a key, with what stands before and behind: of an image's repository the last part."""
    if not isinstance(step, int):
        head, mark, name = (step.value if isinstance(step, Match) else step).rpartition("/")
        parameter = isinstance(step, Match) and not mark  # its name is a key, too: wallet.image.tag
        words = name.split(".") if parameter else [name]
        for index, word in enumerate(words):
            before, behind = words[:index], words[index + 1 :]
            yield head + mark + "".join(f"{each}." for each in before), word, "".join(f".{each}" for each in behind)
