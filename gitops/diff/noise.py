"""Differences that every release brings: the image, what names its version, and checksums of what is shown beside."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitops.diff.leaves import Leaf
from gitops.model import Release

_CHECKSUM = re.compile(r"(^|[./_-])(checksum|sha256sum|hash)([./_-]|$)", re.IGNORECASE)
_CHART_LABEL = "helm.sh/chart"
_STANDARD = ("app.kubernetes.io/", _CHART_LABEL)


@dataclass(frozen=True, slots=True)
class Releases:
    """The words that a release changes: pairs of old and new, the longest first."""

    words: tuple[tuple[str, str], ...] = ()


NO_RELEASES = Releases()
"""Nothing is expected to change."""


def between(old: Release | None, new: Release) -> Releases:
    """What differs between two releases: their digests, their tags, the first digits of their tags."""
    if old is None:
        return NO_RELEASES
    words = ((old.digest, new.digest), (old.tag, new.tag), (old.short, new.short))
    return Releases(tuple(pair for pair in words if pair[0] != pair[1]))


def expected(leaf: Leaf, releases: Releases) -> bool:
    """Whether a difference is one that every release brings, and nothing more."""
    before, after = leaf.before, leaf.after
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    if leaf.new[-2:-1] == ("annotations",) and _CHECKSUM.search(str(leaf.new[-1])):
        return True
    if leaf.new[-2:] == ("labels", _CHART_LABEL):
        return True
    return _without(before, releases, 0) == _without(after, releases, 1)


def ordinary(leaf: Leaf) -> bool:
    """Whether it is a label that everything has (Kubernetes: "Recommended Labels"): news in nothing that is new."""
    return leaf.new[-2:-1] == ("labels",) and str(leaf.new[-1]).startswith(_STANDARD)


def _without(text: str, releases: Releases, side: int) -> str:
    """`text` with each word of a release replaced by its place among them."""
    for number, words in enumerate(releases.words):
        text = text.replace(words[side], f"\0{number}\0")
    return text
