"""A chart's variants: the files of values in its `ci/`, each of them one more way to set it that has to work."""

from __future__ import annotations

from generator.errors import Problem, ShiplaneError, printable
from generator.tree import Tree

VARIANTS = "ci/"
"""Their folder below the chart's."""


def split(chart: Tree) -> tuple[Tree, Tree]:
    """`chart` without its variants, and the variants by their names; raises ShiplaneError for what is neither."""
    below = {path: file for path, file in chart.items() if path.startswith(VARIANTS)}
    names = {path: path.removeprefix(VARIANTS) for path in below}
    odd = [path for path, name in names.items() if "/" in name or not name.endswith(".yaml")]
    if odd:
        rule = f"is no variant: a variant is a .yaml file in {VARIANTS} itself"
        raise ShiplaneError(Problem(printable(f"chart/{path}"), rule) for path in odd)
    rest = {path: file for path, file in chart.items() if path not in below}
    return rest, {names[path]: file for path, file in below.items()}
