"""The catalog, `services/<service>.yaml`; and what a service starts with somewhere, `defaults/<environment>/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.document import parse, read
from generator.errors import Problem, ShiplaneError
from gitops.config import Config, Environment
from gitops.model import FILE, Change, Snapshot

SOURCE = r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$"
IMAGE = r"^(?=.{1,200}$)[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$"
OWNER = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
SOURCE_ID = r"^[1-9][0-9]{0,18}$"
TIERS = ("standard", "critical")
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["owner", "source", "image", "tier"],
    "properties": {
        "owner": {"type": "string", "pattern": OWNER},
        "source": {"type": "string", "pattern": SOURCE},
        "image": {"type": "string", "pattern": IMAGE},
        "tier": {"enum": list(TIERS)},
        "source_id": {"type": "string", "pattern": SOURCE_ID, "description": "the number, in quotes"},
    },
}
_TOKEN = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Service:
    """A catalog entry: who owns the service, the repository it is built from, its image's repository, its tier.

    `source_id` is the number that GitHub gave the source repository, where the catalog has it.
    """

    name: str
    owner: str
    source: str
    image: str
    tier: str
    source_id: str = ""


def path(service: str) -> str:
    """Where the catalog entry of `service` lies."""
    return f"services/{service}.yaml"


def names(listing: Snapshot) -> list[str]:
    """The services that have a catalog entry."""
    found = (path.removeprefix("services/") for path in listing.entries if path.startswith("services/"))
    return sorted(each.removesuffix(".yaml") for each in found if each.endswith(".yaml") and "/" not in each)


def entry_yaml(service: Service) -> bytes:
    """The catalog entry as it is written."""
    return (
        f"# {service.name}: its catalog entry. Reviewed by the platform's administrators.\n"
        f'owner: "{service.owner}"\nsource: "{service.source}"\nimage: "{service.image}"\ntier: {service.tier}\n'
        + (f'source_id: "{service.source_id}"\n' if service.source_id else "")
    ).encode()


def lookup(snapshot: Snapshot, name: str) -> Service:
    """The catalog entry of `name`; raises ShiplaneError where there is none, or where it is nonsense."""
    data = snapshot.data(path(name))
    if data is None:
        mend = f"gitops onboard {name} --source OWNER/REPOSITORY --image REPOSITORY"
        raise ShiplaneError(Problem(name, f"is not in the catalog: no {path(name)} on the default branch", mend))
    raw = read(data, path(name), _SCHEMA).data
    return Service(name, raw["owner"], raw["source"], raw["image"], raw["tier"], raw.get("source_id", ""))


def image_repository(values: bytes | None, place: str) -> str:
    """`image.repository` of an environment's settings, empty where they do not say; raises ShiplaneError on nonsense.

    Nonsense is all that helm might read in another way: aliases, and keys that stand there twice.
    """
    if values is None:
        raise ShiplaneError(Problem(place, "is no file: a service has settings of its own"))
    image = parse(values, place).data.get("image")
    found = image.get("repository") if isinstance(image, Mapping) else image
    if not isinstance(found, str | None):
        raise ShiplaneError(Problem(f"{place}: image.repository", "must be text"))
    return found or ""


def starting_paths(config: Config, environment: str, service: str) -> tuple[str, str]:
    """The two files that people own from then on: the Application, and the environment's settings."""
    return f"apps/{environment}/{service}.yaml", f"{config.layout.folder(environment, service)}/values.yaml"


def starting_changes(
    snapshot: Snapshot, config: Config, environment: Environment, service: Service
) -> tuple[Change, ...]:
    """What a first release adds in an environment: defaults with the facts put in; never over a file that is there.

    In a layout of somebody else's nothing: people write a service's first files themselves.
    """
    if not config.layout.own:
        return ()
    facts = {
        "service": service.name,
        "environment": environment.name,
        "namespace": environment.namespace_of(service.name),
        "cluster": environment.cluster,
        "registry": environment.registry,
        "image": service.image,
        "owner": service.owner,
        "tier": service.tier,
        "source": service.source,
    }
    paths = starting_paths(config, environment.name, service.name)
    changes = []
    for target, template in zip(paths, ("application.yaml", "values.yaml"), strict=True):
        if snapshot.get(target) is None:
            source = f"defaults/{environment.name}/{template}"
            changes.append(Change(target, FILE, _substituted(snapshot.data(source), source, facts)))
    return tuple(changes)


def _substituted(template: bytes | None, place: str, facts: Mapping[str, str]) -> bytes:
    """Plain substitution, so that a check can write the same bytes again and compare."""
    if template is None:
        raise ShiplaneError(Problem(place, "not found: a service's first release starts from it"))
    try:
        text = template.decode()
    except UnicodeDecodeError as error:
        raise ShiplaneError(Problem(place, f"is not UTF-8 at byte {error.start}")) from None
    unknown = sorted({name for name in _TOKEN.findall(text) if name not in facts})
    if unknown:
        known = ", ".join(facts)
        raise ShiplaneError(Problem(place, f"{{{unknown[0]}}} stands for nothing; known: {known}"))
    return _TOKEN.sub(lambda found: facts[found[1]], text).encode()
