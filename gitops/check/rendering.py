"""Renders what is to be judged: several at once, and what is equal once."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace

from generator.errors import Problem, ShiplaneError
from gitops.model import Rendering
from gitops.policy.finding import Finding
from gitops.policy.objects import Object
from gitops.policy.reading import read
from gitops.proof import key, render

CHART = "chart"
"""The folder that the templates of rendered objects are said to be in."""
Rendered = list[Object] | ShiplaneError
"""The objects of a rendering, or why there are none."""


def rendered(renderings: Iterable[Rendering]) -> Mapping[Hashable, Rendered]:
    """The objects of each rendering by its key."""
    from concurrent.futures import ThreadPoolExecutor  # 10 ms, and only what renders needs it

    distinct = {key(each): each for each in renderings}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(zip(distinct, pool.map(_objects, distinct.values()), strict=True))


def inside_of(folder: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings in rendered objects, their templates where they lie: in the chart at `folder`."""
    for each in findings:
        file = f"{folder}{each.place.file.removeprefix(CHART)}".removeprefix("./")
        yield replace(each, place=replace(each.place, file=file))


def _objects(rendering: Rendering) -> Rendered:
    try:
        found = read(render(rendering), f"what {rendering.by} renders", CHART)
    except ShiplaneError as refusal:
        return refusal
    return found or ShiplaneError(Problem(CHART, "renders no object, so there is nothing to judge"))
