"""Manifests and indexes of the OCI image specification and of Docker before it: bytes in, facts out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.errors import printable
from gitops.registry.facts import CannotRead

IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
TYPES = (*IMAGES, *INDEXES)
LIMIT = 4 * 1024 * 1024
"""The most bytes of a manifest: what the distribution specification asks registries to take."""
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
LABEL = "org.opencontainers.image.revision"
"""The label by which an image names its commit (the OCI image specification's annotations)."""


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, and the digest of its bytes."""

    digest: str
    media_type: str
    body: Mapping[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether it lists images of several platforms."""
        return self.media_type in INDEXES


def sha256(data: bytes) -> str:
    """The digest of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def parse(data: bytes, media_type: str, claimed: str | None, place: str) -> Manifest:
    """The manifest that `data` is; `claimed` is the digest that it should have, by its reference or by a header.

    Raises CannotRead where the bytes have another digest, or can be read as two things (CVE-2021-41190).
    """
    digest = sha256(data)
    if claimed is not None and claimed != digest:
        raise CannotRead(f"{place}: the registry says {printable(claimed[:80])}, but its bytes are {digest}")
    body = json_object(data, place)
    kind = media_type.partition(";")[0].strip().lower()
    own = body.get("mediaType", kind)
    if own != kind or kind not in TYPES:
        raise CannotRead(f"{place} is not an image's manifest but {printable(str(own)[:80]) or 'of no type'}")
    foreign = ("config", "layers") if kind in INDEXES else ("manifests",)
    if any(key in body for key in foreign):
        raise CannotRead(f"{place} can be read as a manifest and as an index: not to be trusted")
    return Manifest(digest, kind, body)


def json_object(data: bytes, place: str) -> dict[str, Any]:
    """The JSON object that `data` is; raises CannotRead where it is none."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise CannotRead(f"{place} is not a JSON object")
    return body


def descriptors(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The descriptors in the list `key`: those that have a digest and a media type."""
    listed = body.get(key)
    return [one for one in listed if _described(one)] if isinstance(listed, list) else []


def platforms(tagged: Manifest) -> dict[str, str]:
    """`{platform: digest}` of the images that an index lists, else empty; attestations have no known platform."""
    found: dict[str, str] = {}
    for one in descriptors(tagged.body, "manifests"):
        named = platform(one.get("platform"))
        if named and one["mediaType"] in IMAGES:
            found.setdefault(named, str(one["digest"]))
    return found


def platform(told: object) -> str:
    """`os/architecture`, and the variant where there is one; empty where that is not told."""
    if not isinstance(told, dict):
        return ""
    parts = [told.get("os"), told.get("architecture"), told.get("variant") or None]
    if not all(isinstance(part, str) and part not in ("", "unknown") for part in parts[:2]):
        return ""
    return printable("/".join(part for part in parts if isinstance(part, str)))


def config_digest(image: Manifest, place: str) -> str:
    """The digest of the image's configuration; raises CannotRead where this is something else than an image."""
    config = image.body.get("config")
    if not isinstance(config, dict) or not _described(config) or config["mediaType"] not in _CONFIGS:
        kind = config.get("mediaType") if isinstance(config, dict) else None
        raise CannotRead(f"{place} is not a container's image but {printable(str(kind)[:80])}")
    return str(config["digest"])


def revision(config: Mapping[str, Any]) -> str | None:
    """The commit that the image says it was built from."""
    inner = config.get("config")
    labels = inner.get("Labels") if isinstance(inner, dict) else None
    told = labels.get(LABEL) if isinstance(labels, dict) else None
    return printable(told[:100]) if isinstance(told, str) and told else None


def _described(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("digest"), str) and isinstance(one.get("mediaType"), str)
