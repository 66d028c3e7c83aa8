"""What the templates' language is told beyond cookiecutter's own settings; imported by jinja alone."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment  # noqa: TID253 # jinja itself imports this module, by its name
from jinja2.ext import Extension  # noqa: TID253 # the same


class PlainJson(Extension):
    """`tojson` writes text as it is.

    Escaped, a character beyond the basic plane becomes two halves: right in JSON, wrong in YAML and TOML.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        policy: dict[str, Any] = {"ensure_ascii": False, "sort_keys": True}
        environment.policies["json.dumps_kwargs"] = policy
