"""How a string is written so that every reader reads that string: PyYAML, Go's yaml 2 and 3, Helm and JSON's readers.

They disagree about plain scalars: `12e4567` is text to PyYAML and infinity to Helm, `y` is text to one and true to the
other, `1234567` reaches a template as 1.234567e+06. So a string stays plain only where nobody could take it for
anything else, and a commit's SHA never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"})
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-[0-9A-Za-z.-]+)?")  # two dots: a number to nobody
_NUMERIC = frozenset("+-.0123456789~=<")  # how numbers, times, nothing, defaults and merges begin
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*")
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*")
_TOKEN = re.compile(r"[A-Za-z0-9_.+~-]+(?::[A-Za-z0-9_.+-]+)*|")  # what is carried as it stands
_HEX = re.compile(r"[0-9a-fA-F]{7,64}")
_LONGEST = 200  # characters of a plain scalar that we write
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A scalar without quotes that some reader takes for no string (`3`, `true`, `1.10`): carried as it stands."""

    text: str

    def fits(self) -> bool:
        """Whether it can be written at all: one word of a number, a time, a truth or of nothing."""
        return _TOKEN.fullmatch(self.text) is not None


Value = str | Plain
"""What a scalar says: a string, whatever it looks like, or what readers may take in their own ways."""


def ambiguous(text: str) -> bool:
    """Whether some reader could take `text`, written without quotes, for anything but that string."""
    if not text or text.lower() in _WORDS:
        return True
    return text[0] in _NUMERIC and not _VERSION.fullmatch(text)


def plain(text: str, *, flow: bool) -> bool:
    """Whether `text` may be written without quotes, `flow` inside brackets or braces."""
    if ambiguous(text) or len(text) > _LONGEST or _HEX.fullmatch(text):
        return False
    return bool((_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(text) or _VERSION.fullmatch(text))


def written(value: Value, style: str, *, flow: bool) -> str:
    """`value` in the style that is wanted (nothing for plain, or a quote), or in one that can hold it."""
    if isinstance(value, Plain):
        return value.text
    if style == "" and plain(value, flow=flow):
        return value
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    """As YAML and, but for what lies beyond 16 bits, JSON write it between double quotes."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
