"""No secret in git, in no disguise. What is found is never repeated: only where it stands, and what it looks like."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from generator import credentials
from gitops.policy.finding import Mark, Subject
from gitops.policy.objects import Object, Path, mapping, text

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']{0,200}:(?![$<{(%*]|[xX*]+@)[^\s/@\"']{1,200}@")
_PASSWORD = re.compile(r"(?:passwd|password|passphrase)$", re.IGNORECASE)
_REFERENCE = re.compile(r"[$<{(%*]|/|\w+://|(?i:true|false|yes|no|none|null)$")
_PAIRED = {("data",), ("stringData",)}
_ENCRYPTED: Mapping[str, tuple[Path, ...]] = {"SealedSecret": (("spec", "encryptedData"),)}


def secret_object(subject: Subject) -> Iterator[Mark]:
    """Base64 hides nothing, and git forgets nothing: all who can read the repository can read a Secret with values.

    The Secret belongs into a store; an ExternalSecret names it.
    """
    for secret in subject.of("Secret", ""):
        for key in ("data", "stringData"):
            values = [each for each in mapping(secret.get(key)).values() if each not in (None, "")]
            encrypted = mapping(secret.get("sops")) and all(text(each).startswith("ENC[") for each in values)
            if values and not encrypted:
                yield Mark(secret, (key,), "holds values")


def plaintext_secret(subject: Subject) -> Iterator[Mark]:
    """A credential in a manifest is known to everybody who ever clones it, and has to be revoked, not deleted."""
    for each in subject.objects:
        for path, kind in _leaks(each):
            yield Mark(each, path, f"holds {kind}")


def _leaks(each: Object) -> Iterator[tuple[Path, str]]:
    """Where an object's texts look like credentials, by themselves or under their name; each place once."""
    hidden = _ENCRYPTED.get(each.kind, ())
    waiting: list[tuple[Path, Any]] = [((), each.data)]
    while waiting:
        path, value = waiting.pop()
        if path in hidden:
            continue
        if isinstance(value, str):
            if kind := _kind(value) or _named(each, path, value):
                yield path, kind
        elif isinstance(value, Mapping):
            below = list(value.items())
            yield from (((*path, str(key)), f"{kind} as a key") for key, _ in below if (kind := _kind(text(key))))
            waiting += [((*path, key if isinstance(key, str) else "?"), item) for key, item in reversed(below)]
            if kind := _variable(value):
                yield (*path, "value"), kind
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in reversed(list(enumerate(value)))]


@lru_cache(maxsize=4096)  # most texts of a service are the same in each of its environments
def _kind(value: str) -> str:
    return credentials.kind(value) or (
        "an address with a password" if "://" in value and _ADDRESS.search(value) else ""
    )


def _named(each: Object, path: Path, value: str) -> str:
    """What an entry of a Secret or ConfigMap looks like under its name, a Secret's and binary data decoded."""
    if len(path) != 2 or each.kind not in ("Secret", "ConfigMap"):
        return ""
    name = str(path[1])
    if (each.kind, path[0]) in (("Secret", "data"), ("ConfigMap", "binaryData")):
        value = _decoded(value)
        return _kind(value) or _under(name, value)
    return _under(name, value) if path[:1] in _PAIRED else ""


def _variable(entry: Mapping[Any, Any]) -> str:
    """What a container's variable, {name, value}, looks like; its value by itself is looked at as every text is."""
    name, value = text(entry.get("name")), text(entry.get("value"))
    return _under(name, value) if name and value and not _kind(value) else ""


def _under(name: str, value: str) -> str:
    """What `value` looks like once its name is known: random, or the value of a password that is no reference."""
    if "\n" in value.strip():
        return ""  # a file: its lines have been looked at
    if _PASSWORD.search(name) and value.strip() and not _REFERENCE.match(value.strip()):
        return "a value under the name of a password"
    return "" if _kind(name) else credentials.kind(f"{name}={value}")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
