"""`holds/<environment>/<service>.yaml`: a recorded "do not promote", written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.document import read
from generator.errors import Problem, ShiplaneError, given, printable
from gitops.model import Release

LONGEST = 500
"""Characters of a reason."""
_TAG = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"  # a tag, as the distribution specification has it
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reason", "who"],
    "properties": {
        "reason": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "who": {"type": "string", "minLength": 1, "maxLength": 200},
        "releases": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {"type": "string", "pattern": _TAG},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing, or where there are `tags` only those releases, are promoted; and who said so."""

    reason: str
    who: str
    tags: tuple[str, ...] = ()

    def holds(self, tag: str) -> bool:
        """Whether the release with this tag is held back."""
        return not self.tags or tag in self.tags

    def covers(self, other: Hold) -> bool:
        """Whether all that `other` holds back is held back by this one, too."""
        return not self.tags or (bool(other.tags) and set(other.tags) <= set(self.tags))

    def told(self, service: str) -> str:
        """That it is held back, as a sentence begins."""
        if not self.tags:
            return f"{service} is held back as a whole"
        return f"{service} {self.named()} {'are' if len(self.tags) > 1 else 'is'} held back"

    def named(self) -> str:
        """What is held back, for a sentence."""
        return " and ".join(Release(tag, "").short for tag in self.tags) or "as a whole"


def joined(before: Hold | None, more: Hold) -> Hold:
    """A hold that holds back what both do, with both reasons; `who` is who says so now."""
    if before is None:
        return more
    reason = more.reason if more.reason in before.reason else f"{more.reason}; before that: {before.reason}"
    tags = () if not (before.tags and more.tags) else tuple(dict.fromkeys([*before.tags, *more.tags]))
    return Hold(reason[:LONGEST], more.who, tags)


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with a reason on the command line; an empty one is its command's business."""
    if len(reason) <= LONGEST and reason.isprintable():
        return []
    return [Problem(given("--reason", reason), f"must be one line of at most {LONGEST} characters")]


def path(environment: str, service: str) -> str:
    """Where the hold of a service in an environment lies."""
    return f"holds/{environment}/{service}.yaml"


def hold_yaml(hold: Hold) -> bytes:
    """The file as it is written."""
    told = {"reason": hold.reason, "who": hold.who, **({"releases": hold.tags} if hold.tags else {})}
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items())
    what = "What it names is not" if hold.tags else "Nothing is"
    return (f"# {what} promoted while this stands here; to lift it: gitops unhold.\n" + "".join(lines)).encode()


def parsed(data: bytes, place: str) -> Hold:
    """The hold in a file. One that cannot be read holds all the same: nobody gets past it by breaking it."""
    try:
        raw = read(data, place, _SCHEMA).data
    except ShiplaneError as error:
        return Hold(f"the file cannot be read: {error.problems[0].rule}", "somebody")
    return Hold(printable(raw["reason"]), printable(raw["who"]), tuple(raw.get("releases", ())))
