"""Paths to a scalar: `spec.source.helm.parameters[name=image.tag].value`, `images[0].newTag`, `annotations["a.b/c"]`.

A key that holds a dot, a bracket, a quote or a blank stands in brackets and double quotes, as JSON writes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError, printable

_KEY = re.compile(r'[^\s.\[\]"=,]+')
_STRING = r'"(?:[^"\\]|\\.)*"'
_BRACKET = re.compile(rf'\[(?:(?P<index>[0-9]{{1,6}})|(?P<quoted>{_STRING})|(?P<key>[^\s.\[\]"=,]+)='
                      rf'(?P<value>{_STRING}|[^\]"]+))\]')  # fmt: skip
_PAIR = re.compile(rf'(?P<path>[^=,]+)=(?P<value>{_STRING}|[^,"]+)(?:,|$)')
_MEND = 'write it as image.tag, images[0].newTag, images[name=wallet].newTag or annotations["acme.example/tag"]'


@dataclass(frozen=True, slots=True)
class Match:
    """The one item of a list that is a map in which `key` is the text `value`."""

    key: str
    value: str


Path = tuple[str | int | Match, ...]
"""Keys of maps, numbers of list items from 0, and matches of list items, outermost first."""
Selector = int | tuple[tuple[Path, str], ...]
"""One document of several: its number from 0, or what stands in it at certain paths."""


def parse(text: str) -> Path:
    """The path that `text` says; raises ShiplaneError where it says none."""
    found: list[str | int | Match] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            step = _BRACKET.match(text, at)
        else:
            at += text[at] == "." and at > 0
            step = _KEY.match(text, at)
        try:
            found.append(_step(step))
        except ValueError:
            raise _unreadable(text) from None
        at = step.end() if step else at
    if not found:
        raise _unreadable(text)
    return tuple(found)


def _step(found: re.Match[str] | None) -> str | int | Match:
    if found is None:
        raise ValueError
    parts = found.groupdict()
    if not parts:
        return found[0]
    if parts["index"]:
        return int(parts["index"])
    if parts["quoted"]:
        return _string(parts["quoted"])
    return Match(parts["key"], _string(parts["value"]))


def _string(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


def selector(text: str) -> Selector:
    """The selector in `text`: `1`, or `kind=Application,metadata.name=wallet`; raises ShiplaneError otherwise."""
    if text.isascii() and text.isdigit():
        return int(text)
    pairs, at = [], 0
    while at < len(text):
        found = _PAIR.match(text, at)
        if not found:
            break
        try:
            pairs.append((parse(found["path"]), _string(found["value"])))
        except ValueError:
            break
        at = found.end()
    if not pairs or at < len(text) or text.endswith(","):
        mend = "write it as kind=Application,metadata.name=wallet, or as the document's number from 0"
        raise ShiplaneError(Problem(printable(text), "selects no document", mend))
    return tuple(pairs)


def shown(path: Path) -> str:
    """`path` as people write it: `parse` gives the same one back."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif isinstance(step, Match):
            plain = step.value and not {'"', "]"} & {*step.value} and step.value.isprintable()
            parts.append(f"[{step.key}={step.value if plain else json.dumps(step.value)}]")
        elif _KEY.fullmatch(step) and step.isprintable():
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{json.dumps(step)}]")
    return "".join(parts)


def _unreadable(text: str) -> ShiplaneError:
    return ShiplaneError(Problem(printable(text) or '""', "is no path to a value", _MEND))
