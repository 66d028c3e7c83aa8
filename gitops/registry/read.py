"""Reads all that the image gate asks of a registry, within a deadline. Never raises for what a registry does."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Callable

from gitops.registry import credentials, ecr, manifest, signature
from gitops.registry.facts import CannotRead, Identity, ImageFacts, Unread
from gitops.registry.manifest import Manifest
from gitops.registry.oci import Registry
from gitops.registry.reference import Reference, parse
from gitops.registry.wire import Wire

DEADLINE = 30.0
"""Seconds for one image, whatever the registry does."""
_PREFERRED = "linux/amd64"


def read(
    image_repository: str,
    tag: str,
    digest: str,
    *,
    want_signature: Identity | None = None,
    deadline: float = DEADLINE,
) -> ImageFacts:
    """What the registry says of `tag` and `digest` in `image_repository` (`host[:port]/repository`).

    Credentials come from AWS's own chain for ECR, and from where `docker login` puts them for others. Signatures are
    looked for only with `want_signature`. All trouble is in the facts, as `unread`: `gate.verdict` never passes it.
    """
    asked = ImageFacts(image_repository, tag, digest, want_signature)
    ends = time.monotonic() + deadline
    host = image_repository.partition("/")[0]
    late = dataclasses.replace(asked, unread=Unread(f"no whole answer from {host} within {deadline:g} s", True))
    return _within(deadline, late, lambda: _facts(asked, ends))


def _facts(asked: ImageFacts, ends: float) -> ImageFacts:
    try:
        reference = parse(asked.image, asked.tag, asked.digest)
        if asked.wanted and not signature.available():
            raise CannotRead("signatures cannot be verified without sigstore: pipx inject shiplane sigstore")
        wire = Wire(reference.host, reference.local, ends)
        if reference.account and ecr.available():
            return _from_ecr(asked, reference, wire)
        known_login = credentials.find(reference.host) if reference.account else None
        if reference.account and known_login is None:
            raise CannotRead(f"{reference.host} cannot be read without boto3: pipx inject shiplane boto3")
        registry = Registry(reference, wire, lambda: known_login or credentials.find(reference.host))
        tagged, known = registry.tagged(asked.tag)
        exists = (tagged is not None and tagged.digest == asked.digest) or (known and registry.has(asked.digest))
        found = dataclasses.replace(asked, repository=known, exists=exists)
        return _described(found, tagged, registry)
    except CannotRead as ended:
        return dataclasses.replace(asked, unread=ended.unread)


def _from_ecr(asked: ImageFacts, reference: Reference, wire: Wire) -> ImageFacts:
    client = ecr.client(reference)
    tagged, exists, known = ecr.tagged(client, reference, asked.tag, asked.digest)
    immutable = ecr.immutable(client, reference, asked.tag) if known else None
    found = dataclasses.replace(asked, repository=known, exists=exists, immutable=immutable)
    return _described(found, tagged, Registry(reference, wire, lambda: ecr.login(client, reference)))


def _described(facts: ImageFacts, tagged: Manifest | None, registry: Registry) -> ImageFacts:
    """What the tag leads to; of an index, the commit is read from its image for linux/amd64, else from its first."""
    if tagged is None:
        return facts
    facts = dataclasses.replace(facts, resolved=tagged.digest)
    if tagged.digest != facts.digest:
        return facts  # refused already, whatever else it holds
    place = f"{facts.image}:{facts.tag}"
    listed = manifest.platforms(tagged)
    if tagged.is_index and not listed:
        return facts  # an image for no platform at all
    image = registry.manifest(listed.get(_PREFERRED) or next(iter(listed.values()))) if listed else tagged
    if image is None or image.is_index:
        raise CannotRead(f"{place} lists an image that is not there")
    config = manifest.json_object(
        registry.blob(manifest.config_digest(image, place), manifest.LIMIT), f"{place}'s configuration"
    )
    signatures, dismissed = signature.read(registry, facts.digest) if facts.wanted else ((), ())
    return dataclasses.replace(
        facts,
        platforms=tuple(listed) or tuple(filter(None, [manifest.platform(config)])),
        revision=manifest.revision(config),
        signatures=signatures,
        dismissed=dismissed,
    )


def _within(seconds: float, late: ImageFacts, work: Callable[[], ImageFacts]) -> ImageFacts:
    """The result of `work`, or `late`: names that do not resolve and servers that send a byte a second know no other
    end. The thread that is left behind holds nothing and does not keep the process alive.
    """
    done: queue.SimpleQueue[ImageFacts | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except BaseException as error:  # a bug of ours is raised where it was asked, not in a thread
            done.put(error)

    threading.Thread(target=run, name="image", daemon=True).start()
    try:
        result = done.get(timeout=seconds)
    except queue.Empty:
        return late
    if isinstance(result, BaseException):
        raise result
    return result
