"""What the templates' language is told beyond cookiecutter's own settings; imported by jinja alone."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment  # noqa: TID253 # jinja itself imports this module, by its name
from jinja2.ext import Extension  # noqa: TID253 # the same

_INLINE = re.compile(
    r"[\\`*~<\[|$]"  # $: GitHub reads $x$ as a formula
    r"|&(?=[#A-Za-z])"  # what would be an entity
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # inside a word it is plain
)
_START = re.compile(r"^(\d{0,9})([-+=#>.)])")  # a heading, a quotation, a list, a rule


class PlainJson(Extension):
    """`tojson` writes text as it is, and `markdown` so that Markdown shows it as it is.

    Escaped, a character beyond the basic plane becomes two halves: right in JSON, wrong in YAML and TOML.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        policy: dict[str, Any] = {"ensure_ascii": False, "sort_keys": True}
        environment.policies["json.dumps_kwargs"] = policy
        environment.filters["markdown"] = markdown


def markdown(text: str) -> str:
    """One line of text as CommonMark shows it unchanged, wherever in a line it begins; spaces at its ends aside."""
    escaped = _INLINE.sub(r"\\\g<0>", text)
    return _START.sub(r"\1\\\2", escaped)
