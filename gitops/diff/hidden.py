"""Which values of an object are not repeated: a Secret's, and whatever looks like a credential or is called one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator import credentials
from generator.errors import printable
from gitops.diff.leaves import MISSING
from gitops.policy.finding import Subject
from gitops.policy.objects import Object, Path, listed, mapping, mappings, text
from gitops.policy.pods import Container
from gitops.policy.scalars import plain
from gitops.policy.secrets import plaintext_secret

HIDDEN = "(hidden)"
"""What stands in place of a secret; two that differ are both called so."""
_LAST_APPLIED = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
_WHOLE: dict[str, tuple[Path, ...]] = {
    "Secret": (("data",), ("stringData",), _LAST_APPLIED),
    "SealedSecret": (("spec", "encryptedData"),),
}


def hidden(each: Object | None) -> frozenset[Path]:
    """The paths in `each` whose values, and all below them, are not repeated."""
    if each is None:
        return frozenset()
    subject = Subject((each,))
    found = [*_WHOLE.get(each.kind, ()), *(mark.path for mark in plaintext_secret(subject))]
    if each.kind == "ConfigMap":
        found += [(key, name) for key in ("data", "binaryData") for name in mapping(each.get(key)) if _secretive(name)]
    for container in subject.containers:
        found += _of_container(container)
    return frozenset(found)


def called(path: Path) -> frozenset[Path]:
    """`path` in a file of settings, where something on the way to it is called a secret."""
    return frozenset([path] if any(map(_secretive, path)) else [])


def said(value: Any, path: Path, secrets: frozenset[Path]) -> str | None:
    """`value`, which stands at `path`, as text: printable but for its line breaks, or HIDDEN; None where it is none."""
    if value is MISSING:
        return None
    if any(path[:end] in secrets for end in range(1, len(path) + 1)):
        return HIDDEN
    if not isinstance(value, str):
        return printable(json.dumps(value, default=str))
    if credentials.kind(value):
        return HIDDEN
    if "\n" in value.strip():
        return "\n".join(map(printable, value.split("\n")))
    bare = value and plain(value) == value and value == value.strip() and value[0] not in "\"'{["
    return printable(value if bare else json.dumps(value, ensure_ascii=False))


def _of_container(container: Container) -> Iterator[Path]:
    """Variables and arguments that are called secrets, whatever they look like."""
    for index, variable in mappings(container.spec.get("env")):
        if _secretive(variable.get("name")):
            yield (*container.path, "env", index, "value")
    for key in ("command", "args"):
        words = [text(word) for word in listed(container.spec.get(key))]
        for index, word in enumerate(words):
            name, given, _ = word.partition("=")
            if name.startswith("-") and credentials.secretive(name):
                yield (*container.path, key, index if given else index + 1)


def _secretive(name: object) -> bool:
    return isinstance(name, str) and credentials.secretive(name)
