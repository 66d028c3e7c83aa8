"""What a service may be called."""

from __future__ import annotations

import re
import unicodedata

from generator.errors import Problem, ShiplaneError, printable

LONGEST = 40
"""Characters of a name at most: what Kubernetes and helm derive from it must stay below 63."""
NAME = rf"^[a-z]([-a-z0-9]{{0,{LONGEST - 2}}}[a-z0-9])?$"
"""A DNS-1035 label of at most `LONGEST` characters, as a JSON Schema writes it: a Service, a release, a host name."""

_SHOWN = 64  # characters of a wrong name that a message repeats


def check_name(text: str, place: str = "service") -> list[Problem]:
    """All that keeps `text` from being a service's name; none when it is one. `place` says where the text came from."""
    if not text:
        return [Problem(f'{place} ""', "a service needs a name", "wallet")]
    shown = printable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
    broken = [rule for rule, holds in _rules(text) if not holds]
    mend = suggestion(text) if broken else ""
    return [Problem(f'{place} "{shown}"', rule, mend if rule == broken[-1] else "") for rule in broken]


def require_name(text: str) -> str:
    """`text`, if it is a service's name; raises ShiplaneError with all that keeps it from being one."""
    if problems := check_name(text):
        raise ShiplaneError(problems)
    return text


def module(name: str) -> str:
    """The name as source code can spell it: `trading-engine` is `trading_engine`."""
    return name.replace("-", "_")


def suggestion(text: str) -> str:
    """The nearest name to `text` that would be accepted, or nothing when too little of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).lstrip("-0123456789")
    return words[:LONGEST].rstrip("-")


def _rules(text: str) -> tuple[tuple[str, bool], ...]:
    path = "/" in text or "\\" in text
    return (
        ("is a name, not a path", not path),
        ("holds small letters a-z, digits and dashes only", path or re.fullmatch(r"[-a-z0-9]*", text) is not None),
        ("starts with a small letter", path or not re.match(r"[-0-9]", text)),
        ("ends with a letter or a digit", not text.endswith("-")),
        (f"has at most {LONGEST} characters, not {len(text)}", len(text) <= LONGEST),
    )
