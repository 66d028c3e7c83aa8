"""Paths and names with `{environment}` and `{service}` in them, as a layout writes them."""

from __future__ import annotations

import re

PATH = re.compile(r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9_.{}-]+(/[A-Za-z0-9_.{}-]+)*")
"""A path inside a repository: nothing leads up, and nothing is absolute."""
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
