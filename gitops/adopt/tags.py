"""What the tags of a repository look like: the strictest form that most of them have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops.adopt.shape import Placed
from gitops.adopt.sites import Unread
from gitops.layout import FULL_SHA

_FORMS = (
    FULL_SHA,
    "sha-[0-9a-f]{40}",
    "[0-9a-f]{7,40}",
    r"v[0-9]+\.[0-9]+\.[0-9]+",
    r"[0-9]+\.[0-9]+\.[0-9]+",
    r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?",
    r"[a-z]+-[0-9a-f]{7,40}",
    r"[a-z]+-[0-9a-f]{7,40}-[0-9]+",
)
"""What tags look like, the strictest first."""


def fixed(tag: str) -> bool:
    """Whether `tag` looks like one that does not move."""
    return any(re.fullmatch(like, tag) for like in _FORMS)


def form(group: Sequence[Placed]) -> tuple[str, list[Unread]]:
    """The strictest form that most tags have; what does not fit is no release: a tag that moves, most of all."""
    fits = {like: sum(re.fullmatch(like, each.site.tag) is not None for each in group) for like in _FORMS}
    best = max(fits, key=lambda like: fits[like])
    wrong = [each for each in group if not re.fullmatch(best, each.site.tag)]
    told = [Unread(each.site.file, f"{each.site.key} is {each.site.tag}, which does not fit {best}") for each in wrong]
    return best, told
