"""What runs is what was built and reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.policy.finding import Mark, Subject, on, safe
from gitops.policy.objects import listed, mapping, text
from gitops.policy.pods import KEYS, ORDINARY

# OCI distribution's reference: [host[:port]/]path[:tag][@digest]
_REFERENCE = re.compile(r"(?P<repository>[^@]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[^@]+))?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pod_spec(subject: Subject) -> Iterator[Mark]:
    """A pod whose containers cannot be read has passed no rule at all, so it must not look as if it had."""
    for pod in subject.pods:
        for key in KEYS:
            value = pod.spec.get(key)
            if key == ORDINARY and not listed(value):
                yield on(pod, "has no list of containers", "spec", key)
            elif value is not None and not (isinstance(value, list) and all(mapping(each) for each in value)):
                yield on(pod, f"{key} is no list of containers", "spec", key)


def image_latest(subject: Subject) -> Iterator[Mark]:
    """`latest`, which is also what no tag means, is another image tomorrow: nobody can say what ran, or go back."""
    for container in subject.containers:
        _, tag, digest = _parts(container.spec.get("image"))
        if tag == "latest":
            yield on(container, "its image has the tag latest", "image")
        elif not tag and not digest:
            yield on(container, "its image has no tag, which means latest", "image")


def image_digest(subject: Subject) -> Iterator[Mark]:
    """A tag can be moved to another image after review; a digest is the content itself."""
    for container in subject.containers:
        image = container.spec.get("image")
        if not text(image):
            yield on(container, "names no image", "image")
        elif not _DIGEST.fullmatch(_parts(image)[2]):
            yield on(container, f"its image has no digest: {safe(image)}", "image")


def image_registry(subject: Subject) -> Iterator[Mark]:
    """Each environment runs what its own registry has: scanned, signed, kept, and there when others are down."""
    registry = subject.context.registry
    for container in subject.containers if registry else ():
        image = text(container.spec.get("image"))
        if image and not image.startswith(f"{registry}/"):
            yield on(container, f"its image is not from {registry}: {safe(image)}", "image")


def _parts(image: object) -> tuple[str, str, str]:
    """Repository, tag and digest of a reference; a port is no tag, since a path follows it."""
    match = _REFERENCE.fullmatch(text(image))
    return (match["repository"], match["tag"] or "", match["digest"] or "") if match else (text(image), "", "")
