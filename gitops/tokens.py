"""Paths and names with `{environment}` and `{service}` in them, as a layout writes them."""

from __future__ import annotations

import re

PATH = re.compile(r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9_.{}-]+(/[A-Za-z0-9_.{}-]+)*")
"""A path inside a repository: nothing leads up, and nothing is absolute."""
_NAME = r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?"
_TOKEN = re.compile(r"\{(\w*)\}")


def filled(template: str, environment: str, service: str) -> str:
    """`template` with the names in the place of its tokens."""
    return template.replace("{environment}", environment).replace("{service}", service)


def unknown(template: str) -> bool:
    """Whether braces in `template` stand for anything else."""
    return not {*_TOKEN.findall(template)} <= {"environment", "service"} or "{" in _TOKEN.sub("", template)


def both(template: str) -> bool:
    """Whether it tells services and environments apart."""
    return "{environment}" in template and "{service}" in template


def path(template: str) -> bool:
    """Whether it is a path whose tokens are known."""
    return PATH.fullmatch(template) is not None and not unknown(template)


def pattern(template: str, end: str = "") -> re.Pattern[str]:
    """What a path of `template` looks like; a token that comes again stands for the same name."""
    text = re.escape(template)
    for token in ("environment", "service"):
        first, *more = text.split(re.escape(f"{{{token}}}"))
        parts = [f"(?P<{token}>{_NAME})", *[f"(?P={token})"] * (len(more) - 1)]
        text = first + "".join(part + rest for part, rest in zip(parts, more, strict=True)) if more else first
    return re.compile(text + end)
