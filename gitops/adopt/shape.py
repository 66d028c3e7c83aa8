"""Which environment and which service a file belongs to, told by its path and by what it pins; and the pattern of both.

What is not certain is not decided: it is told, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from gitops import tokens
from gitops.adopt.beside import apart
from gitops.adopt.sites import Site, Unread

STAGES = (
    ("dev", "development", "sandbox"),
    ("test", "testing"),
    ("int", "integration", "qa"),
    ("uat", "acceptance"),
    ("stage", "staging", "stg"),
    ("preprod", "pre-prod", "non-prod", "nonprod"),
    ("prod", "production", "prd", "live"),
)
"""What environments are called, in the order in which a release goes through them."""
_WORDS = sorted((word for stage in STAGES for word in stage), key=len, reverse=True)
_STAGE = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_WORDS)})(?![a-z0-9])")
_ENVIRONMENT = re.compile(rf"(?:[a-z0-9]+-)*?(?:{'|'.join(_WORDS)})(?:-[a-z0-9]+)*")
NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
"""What a service or an environment may be called."""
_ACCOUNTS = ("non-prod", "nonprod")  # also a folder above environments: then the name below it is the one that counts
_VALUES = re.compile(r"^values[-._](?=.)|(?<=.)[-._]values$")  # of a file's name: what it is, not whose
# folders and files that say what is in them, and not whose it is
_GENERIC = frozenset({
    "app", "application", "applications", "apps", "argo", "argocd", "base", "charts", "chart", "cluster", "clusters",
    "config", "deploy", "deployment", "deployments", "deploys", "env", "environment", "environments", "envs", "gitops",
    "helm", "infra", "k8s", "kubernetes", "kustomization", "kustomize", "manifests", "overlay", "overlays", "release",
    "releases", "service", "services", "values", "workloads",
})  # fmt: skip
_OF_ALL = frozenset({"all", "images", "tags", "versions"})  # files that say so of all services
_EACH = "a layout needs a file for each service, or its name in each key"


@dataclass(frozen=True, slots=True)
class Placed:
    """A pin with its place: `path`, `key`, `digest` and `document` with tokens in the place of the names."""

    site: Site
    environment: str
    service: str
    path: str
    key: str
    digest: str
    document: str
    told: bool

    @property
    def form(self) -> tuple[str, str, str]:
        """Equal for pins that one layout describes."""
        return self.path, self.key, self.document

    @property
    def shared(self) -> bool:
        """Whether services stand beside each other in its file."""
        return "{service}" not in self.path


def placed(site: Site) -> list[Placed] | Unread:
    """Where `site` belongs, or may belong: to the service that its path is of, else to each that its key may name.

    `told` is whether the pin itself names the service, and not its path or key alone.
    """
    folder, _, name = site.file.rpartition("/")
    parts = [*folder.split("/"), *_stem(name, _image(site), _raw(site))] if folder else []
    if not parts:
        return Unread(site.file, "lies at the top: no folder of its path could stand for an environment")
    environment = environment_of(parts)
    if not environment:
        several = " or ".join(_environments(parts))
        none = "no part of its path names an environment, as dev, staging or prod"
        return Unread(site.file, f"its path names {several}: which is it?" if several else none)
    names = _names(site, environment)
    service = next((each for each in parts if each in names and NAME.fullmatch(each)), "")
    told = bool(service)
    if not service:
        left = [each for each in parts if each != environment and each not in _GENERIC and not _STAGE.search(each)]
        own = [each for each in left if NAME.fullmatch(each)]
        if len(own) != 1:
            how = f"{' or '.join(own)}: which is it?" if own else f"no part of it is a name, and {_EACH}"
            untold = Unread(site.file, f"its path does not say which service it is of: {how}")
            return _beside(site, environment, names) or untold
        service = own[0]
    path = template(site.file, environment, service)
    if not (tokens.path(path) and tokens.both(path)):
        return Unread(site.file, "no layout can name its path: letters, digits, dashes, dots and underscores")
    key, digest, document = (_tokens(text, environment, service) for text in (site.key, site.digest, site.document))
    found = Placed(site, environment, service, path, key, digest, document, told)
    return [found, *(_beside(site, environment, names) if service in _OF_ALL and not told else ())]


def _beside(site: Site, environment: str, names: Collection[str]) -> list[Placed]:
    """The places that a pin may have in a file which services share."""
    path = template(site.file, environment)
    if not (tokens.path(path) and "{environment}" in path):
        return []
    found = []
    site = replace(site, key=site.named or site.key)
    for each in apart(site, environment, names):
        key, digest, document = (_tokens(text, environment) for text in (each.key, each.digest, each.document))
        if not tokens.unknown(key):
            told = each.service in names
            found.append(Placed(site, environment, each.service, path, key, digest, document, told))
    return found


def rank(environment: str) -> int:
    """The place of an environment's stage in the lane."""
    word = max(_STAGE.findall(environment), key=_WORDS.index, default="")
    return next((index for index, stage in enumerate(STAGES) if word in stage), len(STAGES))


def region(environment: str) -> str:
    """What an environment's name says besides its stage."""
    return _STAGE.sub("", environment).strip("-")


def lane(
    environments: Iterable[str], services: Mapping[str, Collection[str]] | None = None
) -> tuple[dict[str, str], list[str]]:
    """`{environment: what it is promoted from}` in the order of stages, empty for the first; and what was assumed.

    Of several of the stage before, the one of the same region, else the one that alone shares most `services`; where
    none is, the lane cannot be told.
    """
    order = sorted(environments, key=lambda each: (rank(each), each))
    found: dict[str, str] = {}
    unsure: list[str] = []
    for each in order:
        before = [other for other in order if rank(other) < rank(each)]
        last = [other for other in before if rank(other) == rank(before[-1])] if before else []
        same = [other for other in last if region(other) == region(each)]
        if len(same) != 1 and services:
            shared = {other: len({*services[other]} & {*services[each]}) for other in last}
            same = [other for other in last if shared[other] == max(shared.values())]
        if len(last) > 1 and len(same) != 1:
            unsure.append(f"{each} could be promoted from {' or '.join(last)}: {last[0]} is taken")
        found[each] = (same[0] if len(same) == 1 else last[0]) if last else ""
    return found, unsure


def _stem(name: str, image: str, known: Iterable[str]) -> list[str]:
    """A file's name as parts: what stands before an environment's name, that name, and one of `known` behind it.

    An image's name is one part, also where an environment's stands in it: an image is built for all of them.
    """
    stem = _VALUES.sub("", re.sub(r"\.ya?ml$", "", name))
    match = _STAGE.search(stem)
    if not match or stem == image:
        return [stem]
    before, after = stem[: match.start()].rstrip("-._"), stem[match.start() :]
    longest = sorted(known, key=len, reverse=True)
    behind = next((each for each in longest if re.search(rf"[-._]{re.escape(each)}$", after)), "")
    after = after[: -len(behind) - 1] if behind else after
    return [each for each in (before, after, behind) if each]


def environment_of(parts: list[str]) -> str:
    """The one environment that the parts of a path name, if it is one."""
    named = _environments(parts)
    return named[0] if len(named) == 1 else ""


def _environments(parts: list[str]) -> list[str]:
    """The environments that a path names: a stage's plain name counts more than one with more in it."""
    named = list(dict.fromkeys(each for each in parts if _ENVIRONMENT.fullmatch(each)))
    named = [each for each in named if each not in _ACCOUNTS] or named
    plain = [each for each in named if not region(each)]
    return plain if len(plain) == 1 else named


def _names(site: Site, environment: str) -> set[str]:
    """What the pin itself is called."""
    raw = _raw(site)
    bare = {each.removesuffix(f"-{environment}").removeprefix(f"{environment}-") for each in raw}
    return raw | bare


def _raw(site: Site) -> set[str]:
    return {_image(site), site.name} - {""}


def _image(site: Site) -> str:
    return site.image.rpartition("/")[2].partition(":")[0]


def template(path: str, environment: str, service: str = "") -> str:
    """`path` with tokens; a name counts where it is a whole part, in a file's name also between marks."""
    folder, _, name = path.rpartition("/")
    whole = {environment: "{environment}", **({service: "{service}"} if service else {})}
    parts = [whole.get(each, each) for each in folder.split("/")] if folder else []
    return "/".join([*parts, _tokens(name, environment, service, word="A-Za-z0-9")])


def _tokens(text: str, environment: str, service: str = "", word: str = "A-Za-z0-9_") -> str:
    for name, token in ((service, "{service}"), (environment, "{environment}")):
        text = re.sub(rf"(?<![{word}{{]){re.escape(name)}(?![{word}}}])", token, text) if name else text
    return text
