"""Texts that look like credentials: a few known formats, and random values under the name of a secret.

What is found is never repeated: only where it stands and of which kind it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from generator.errors import Problem, printable
from generator.tree import Tree

MEND = "take it out; its value belongs into AWS Secrets Manager, and its name alone under secrets"
_KNOWN: dict[str, tuple[bytes, bytes]] = {  # what every text of the kind holds, one of it, and its pattern
    # AWS IAM user guide, "unique identifiers": long-lived keys, temporary keys, STS service tokens
    "an AWS access key id": (b"AKIA ASIA ABIA", rb"\b(?:AKIA|ASIA|ABIA)[A-Z0-9]{16}\b"),
    # GitHub, "about authentication", token formats; dots and dashes since the stateless tokens of 2026
    "a GitHub token": (
        b"ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        rb"\b(?:gh[pousr]_[A-Za-z0-9._-]{36,}|github_pat_[A-Za-z0-9_]{50,})",
    ),
    # RFC 7468 (PKCS 1 and 8, EC), OpenSSH's PROTOCOL.key, and RFC 4880 6.2 for OpenPGP's BLOCK
    "a private key": (b"-----BEGIN", rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    # Slack, "token types", and "incoming webhooks", whose address is the secret
    "a Slack token": (
        b"xox xapp- hooks.slack.com",
        rb"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}"
        rb"|hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,}",
    ),
    # RFC 7519 and 7515: two JSON objects in base64url (which begin with `{"`) and a signature
    "a JSON web token": (b"eyJ", rb"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
}
_FORMATS = [(kind, marks.split(), re.compile(pattern)) for kind, (marks, pattern) in _KNOWN.items()]
_VALUE = rb"[\"']?[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}[\"']?([^\s\"'`,;]{16,})"
_ASSIGNED = [re.compile(word + _VALUE) for word in (b"key", b"secret", b"token", b"password", b"passwd")]
"""One pattern a word, of small letters and with a plain beginning: twenty times faster than one for all."""
_KEY = re.compile(rb"(?:[_-]|api|access|private|secret)$")  # other keys are no secrets
_SECRETIVE = re.compile(r"(?:[_-]key|(?:api|access|private|secret)key|secret|token|passw(?:or)?d)s?$", re.IGNORECASE)
RANDOM = "a value under the name of a secret"
_SHORTEST, _LEAST = 16, 3.0
"""Characters, and bits of Shannon's entropy in each: detect-secrets' limit for hexadecimal digits, its lowest."""
# a placeholder or an expression is no value; nor is an address, a path or a name with its parts
_REFERENCE = re.compile(rb"[$<%({*/.]|.*(?:\$\{|\{\{|\$\(|\(|\[|://)|arn:|sha256:|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")
_PARTS = re.compile(rb"[-_./:+=]")


def kinds(data: bytes) -> Iterator[tuple[int, str]]:
    """Where a credential begins in `data`, and what it looks like; each kind by itself."""
    for kind, marks, pattern in _FORMATS:
        if any(mark in data for mark in marks):
            yield from ((match.start(), kind) for match in pattern.finditer(data))
    small = data.lower()
    for pattern in _ASSIGNED:
        for match in pattern.finditer(small):
            named = match[0][:3] != b"key" or _KEY.search(small, max(0, match.start() - 8), match.start())
            if named and _random(data[slice(*match.span(1))]):
                yield match.start(), RANDOM


def kind(text: str) -> str:
    """What `text` looks like, or nothing when it looks like no credential."""
    return next((found for _, found in kinds(text.encode("utf-8", "replace"))), "")


def secretive(name: str) -> bool:
    """Whether `name` names a secret, so that its value is not repeated either."""
    return _SECRETIVE.search(name) is not None


def no_name(text: str) -> bool:
    """Whether `text`, which stands where a variable's name belongs, is rather a value: a known format, or random."""
    parts = text.encode("utf-8", "replace").split(b"_")
    return bool(kind(text)) or any(
        len(part) >= _SHORTEST and sum(c in b"0123456789" for c in part) > 2 and _entropy(part) >= _LEAST
        for part in parts
    )


def scan(files: Tree) -> list[Problem]:
    """Every line of `files` that looks like a credential."""
    problems = {
        (path, file.data.count(b"\n", 0, start) + 1): found
        for path, file in sorted(files.items())
        for start, found in kinds(file.data)
    }
    return [Problem(f"{printable(path)}:{line}", f"holds {found}", MEND) for (path, line), found in problems.items()]


def _random(value: bytes) -> bool:
    if _REFERENCE.match(value):
        return False
    mixed = any(len(part) > 3 and not part.isalpha() and not part.isdigit() for part in _PARTS.split(value))
    return mixed and any(c in b"0123456789" for c in value) and _entropy(value) >= _LEAST


def _entropy(value: bytes) -> float:
    return -sum(each / len(value) * math.log2(each / len(value)) for each in Counter(value).values())
