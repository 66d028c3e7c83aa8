"""Write each chart's README.md from its values.schema.json and values.yaml; `--check` only tells whether they agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parent.parent / "charts"
HEAD = """\
# Settings

What `values.yaml`, here and in an environment, may say. Any other key is refused. This page is made from
`values.schema.json` and the defaults in `values.yaml`, and is the same for every service.
"""
NONE = "(none: must be given)"
OPTIONAL = "(none: may be left out)"
FACT = "(the service's own)"
DEFAULTS = "# ---- defaults"
"""The line of values.yaml that parts one service's facts from what is the same for all."""


def readme(chart: Path) -> str:
    """The text of the README of `chart`: one table of all keys, in the schema's order, with their defaults."""
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    facts = set(yaml.safe_load(text.partition(DEFAULTS)[0]))
    rows = ""
    for key, meaning, default in _rows(schema, yaml.safe_load(text), ""):
        own = key.split(".")[0] in facts and default not in ("", NONE, OPTIONAL)
        rows += f"| `{key}` | {meaning} | {FACT if own else default} |\n"
    return f"{HEAD}\n| key | meaning | default |\n|---|---|---|\n{rows}"


def _rows(schema: dict[str, Any], values: Any, place: str) -> Iterator[tuple[str, str, str]]:
    for key, below in schema.get("properties", {}).items():
        given = values.get(key, NONE) if isinstance(values, dict) else NONE
        if "properties" in below:
            yield f"{place}{key}", _cell(below["description"]), ""
            yield from _rows(below, given, f"{place}{key}.")
        else:
            text = _cell(below["description"] + _choices(below))
            yield f"{place}{key}", text, NONE if given is NONE else f"`{_cell(json.dumps(given))}`"
            yield from _entries(below, f"{place}{key}")


def _entries(schema: dict[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    """The keys of what a list or a free-form map holds: nobody has said any yet."""
    for each, mark in (schema.get("items", {}), "[]"), (schema.get("additionalProperties", {}), ".NAME"):
        for key, below in (each or {}).get("properties", {}).items():
            must = NONE if key in each["required"] else OPTIONAL
            yield f"{place}{mark}.{key}", _cell(below["description"] + _choices(below)), must


def _choices(schema: dict[str, Any]) -> str:
    """The words that may be said, or the limits of a number."""
    words = [word for word in schema.get("enum", []) if word]
    if words:
        return f" One of {', '.join(f'`{word}`' for word in words)}."
    if "minimum" in schema and "maximum" in schema:
        return f" From {schema['minimum']} to {schema['maximum']}."
    return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write, or check; the exit code."""
    check, stale = "--check" in sys.argv[1:], []
    for schema in sorted(CHARTS.glob("*/values.schema.json")):
        path = schema.parent / "README.md"
        text = readme(schema.parent)
        if check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            stale.append(path)
        elif not check:
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path.relative_to(CHARTS.parent)}: run scripts/chart_readme.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
