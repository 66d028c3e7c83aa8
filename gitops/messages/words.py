"""How words of strangers stand in what people read: shown, and unable to act. GitHub acts on much of a text.

It pings whoever is named after an `@`, closes issues (`fixes #1`, by address too), follows links, and takes markup and
HTML. Inside of code it does none of that.
"""

from __future__ import annotations

import re

from generator.errors import printable
from gitops.model import NO_CHART, Pin, Release

LONGEST = 100
"""Characters of a stranger's word that are shown."""
WHOLE = 1000
"""The same of a reason, which is read whole."""
_ACTS = frozenset("\\`*_~<>[|$@&")  # what Markdown and GitHub act on, apart from numbers and addresses
_BLOCK = re.compile(r"\W|\d+[.)]|$")  # what a line begins with that is a list, a heading, a quotation, or nothing
_REFERS = re.compile(r"#|GH-|://|www\.", re.IGNORECASE)
_OURS = re.compile(r"\bby #\d+")  # the number of a pull request, as our own sentences have it


def shown(text: str, longest: int = LONGEST) -> str:
    """A stranger's word on one line, cut where it is long."""
    return printable(text if len(text) <= longest else f"{text[:longest]}…")


def code(text: str, longest: int = LONGEST) -> str:
    """A stranger's word as code: neither markup, nor a mention, nor the end of a table's cell works in it."""
    return f"`{shown(text, longest).replace('`', '´').replace('|', '¦') or ' '}`"


def sentence(text: str) -> str:
    """A sentence of ours: as it is, unless a stranger's word in it could act."""
    marked = not text.isprintable() or not _ACTS.isdisjoint(text) or _BLOCK.match(text)
    return code(text, WHOLE) if marked or _REFERS.search(_OURS.sub("", text)) else text


def quiet(text: str) -> str:
    """A stranger's word for a commit's message, which has no code: what would refer to anything is taken apart."""
    return re.sub(r"(://|[@#]|GH-)(?=\S)", r"\1 ", shown(text, WHOLE), flags=re.IGNORECASE)


def change(old: Release | None, new: Release, kind: str = "image") -> str:
    """From which release to which, by their first digits; `kind` says what they are."""
    if old is None:
        return f"{new.short}, its first release there"
    if old.tag == new.tag:
        return f"{new.short}, {f'{kind} unchanged' if old.digest == new.digest else 'built again'}"
    return f"{old.short} → {new.short}"


def chart_change(old: Pin | None, new: Pin) -> str:
    """From which version of the chart to which."""
    chart = shown(new.origin.chart)
    if old is None:
        return chart
    if old.origin.chart == new.origin.chart:
        return f"{chart}{chart_remark(old, new)}"
    return f"{shown(old.origin.chart)} → {chart}"


def chart_remark(old: Pin, new: Pin) -> str:
    """What its version does not say of a chart."""
    if new.origin.chart == NO_CHART:
        return ""
    if old.identity[-1] == new.identity[-1]:
        return " (unchanged)"
    return " (changed, under the same version)" if old.origin.chart == new.origin.chart else ""


def short_digest(digest: str) -> str:
    """A digest as people compare it."""
    return f"{digest[:11]}…{digest[-4:]}" if digest else ""


def count(number: int, word: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
