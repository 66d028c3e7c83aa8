"""What an environment asks of what comes in: the `gates` of shiplane.yaml, read into frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from generator.schema import did_you_mean
from gitops.gates.windows import DAILY, DAYS, MOMENT, ONCE, WEEKLY, Window

OVERRIDABLE = ("soak", "freeze", "hold", "image", "policy", "parity")
"""The gates that a break-glass team may open; order, scope, tree, renders and approvals are never among them."""
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_TEAM = {"type": "string", "pattern": r"^[A-Za-z0-9]([A-Za-z0-9_.-]*/)?[A-Za-z0-9_.-]{0,99}$"}
_BOUND = {"type": "string", "pattern": MOMENT, "description": 'in quotes, as "16:00", "fri 16:00", "2026-12-24 16:00"'}
WORKFLOW = (
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}/\.github/workflows/[A-Za-z0-9._-]{1,100}\.ya?ml"
    r"@(refs/(heads|tags)/[A-Za-z0-9._/-]{1,200}|[0-9a-f]{40})$"
)
"""A workflow of another repository, at a ref, as a certificate names it."""
_COUNT = {"type": "integer", "minimum": 0, "maximum": 20}
TEAMS: Mapping[str, Any] = {
    "type": "object",
    "propertyNames": _TEAM,
    "additionalProperties": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
}
"""The shape of `teams`: who is in which, where the forge does not know."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "approvals": {
            "type": ["integer", "object"],
            "minimum": 0,
            "maximum": 20,
            "additionalProperties": False,
            "required": ["count"],
            "properties": {
                "count": _COUNT,
                "teams": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEAM},
                "rollback": _COUNT,
            },
        },
        "soak": {"type": "string", "pattern": r"^[1-9]\d{0,4}[mhd]$", "description": "as 30m, 24h or 7d"},
        "health": {"type": "boolean"},
        "freeze": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["from", "to", "zone"],
                "properties": {
                    "from": _BOUND,
                    "to": _BOUND,
                    "zone": {"type": "string", "description": "of the time zone database, as Europe/London"},
                    "reason": {"type": "string", "minLength": 1, "maxLength": 200},
                },
            },
        },
        "image": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "registry": {"type": "boolean"},
                "signature": {"type": "boolean"},
                "workflows": {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {
                        "type": "string",
                        "pattern": WORKFLOW,
                        "description": "as acme/shared/.github/workflows/build.yaml@refs/heads/main",
                    },
                },
            },
        },
        "policy": {"type": "boolean"},
        "override": {
            "type": "object",
            "additionalProperties": False,
            "required": ["gates", "team"],
            "properties": {
                "gates": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": list(OVERRIDABLE)}},
                "team": _TEAM,
            },
        },
    },
}
"""The shape of `gates` as a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True)
class Gates:
    """The gates of one environment.

    `approvals` people are needed, from `teams` where any are named; for a rollback to what has run there `rollback` of
    them. `soak` is how long a release has to be where it comes from, and `health` counts that from its first success.
    `workflows` are those of other repositories that may sign, called by the source's own.
    """

    approvals: int
    rollback: int
    teams: tuple[str, ...] = ()
    soak: timedelta = timedelta()
    health: bool = False
    freeze: tuple[Window, ...] = ()
    registry: bool = False
    signature: bool = False
    workflows: tuple[str, ...] = ()
    policy: bool = False
    overridable: tuple[str, ...] = ()
    break_glass: str = ""


def parsed(raw: Mapping[str, Any], *, guarded: bool) -> Gates:
    """The gates in `raw`, which fits the schema; a guarded environment asks for an approval and policy by itself."""
    asked = raw.get("approvals", 1 if guarded else 0)
    approvals: Mapping[str, Any] = asked if isinstance(asked, Mapping) else {"count": asked}
    image, override = raw.get("image", {}), raw.get("override", {})
    return Gates(
        approvals=approvals["count"],
        rollback=approvals.get("rollback", approvals["count"]),
        teams=tuple(approvals.get("teams", ())),
        soak=length(raw["soak"]) if "soak" in raw else timedelta(),
        health=raw.get("health", False),
        freeze=tuple(
            Window(each["from"], each["to"], each["zone"], each.get("reason", "")) for each in raw.get("freeze", ())
        ),
        registry=image.get("registry", False) or image.get("signature", False),
        signature=image.get("signature", False),
        workflows=tuple(image.get("workflows", ())),
        policy=raw.get("policy", guarded),
        overridable=tuple(override.get("gates", ())),
        break_glass=override.get("team", ""),
    )


def length(text: str) -> timedelta:
    """The time that `30m`, `24h` or `7d` says."""
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


def mistakes(
    raw: Mapping[str, Any], teams: Mapping[str, Sequence[str]] | None
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What no schema says of `raw`: the path inside it, and the rule. `teams` None: only the forge knows them."""
    for index, window in enumerate(raw.get("freeze", ())):
        yield from (((*("freeze", index), key), rule) for key, rule in _window_mistakes(window))
    approvals = raw.get("approvals")
    if isinstance(approvals, Mapping):
        if approvals.get("rollback", 0) > approvals["count"]:
            yield ("approvals", "rollback"), f"must not be more than count, {approvals['count']}"
        if approvals["count"] and approvals.get("rollback") == 0:
            yield ("approvals", "rollback"), "a way back needs somebody's eyes, too: 1 or more"
        for index, team in enumerate(approvals.get("teams", ())):
            if teams is not None and team not in teams:
                yield ("approvals", "teams", index), f"no such team under teams{did_you_mean(team, teams)}"
    if "workflows" in raw.get("image", {}) and not raw["image"].get("signature"):
        yield ("image", "workflows"), "is for signatures, and none are asked for: signature: true"
    override = raw.get("override", {})
    if override and teams is not None and override["team"] not in teams:
        yield ("override", "team"), f"no such team under teams{did_you_mean(override['team'], teams)}"


def _window_mistakes(window: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(window["zone"])
    except (OSError, ValueError, LookupError):  # what zoneinfo raises for a path, for a folder, for an unknown name
        yield "zone", "is no time zone that the time zone database knows, as Europe/London"
    start, end = window["from"], window["to"]
    if not any(re.fullmatch(form, start) and re.fullmatch(form, end) for form in (DAILY, WEEKLY, ONCE)):
        yield "to", f"must be written as from is: both a time, both a weekday ({DAYS[0]} to {DAYS[-1]}), or both a date"
    elif re.fullmatch(ONCE, start):
        moments = {key: _day(window[key]) for key in ("from", "to")}
        yield from ((key, "is no day of the calendar") for key, moment in moments.items() if moment is None)
        if moments["from"] and moments["to"] and moments["to"] <= moments["from"]:
            yield "to", "must be later than from"
    elif start == end:
        yield "to", "is from again: this would never open"


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
