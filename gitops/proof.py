"""Renders what a draft leads to, on a copy written from git objects: what does not render is not shown."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from generator import helm
from generator.errors import REFUSED, Problem, ShiplaneError
from gitops.kustomize import run
from gitops.model import Rendering, Unrendered

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Rendered = bytes | ShiplaneError
"""The manifests of a rendering, or why there are none."""


def possible(found: Rendering | Unrendered) -> Rendering | Unrendered:
    """`found`, if there is what renders it: where kustomize is missing nothing is proved, and that is said.

    Raises ShiplaneError where helm is missing: what Shiplane writes itself is never shown unproved.
    """
    if isinstance(found, Rendering):
        if found.overlay and not run.find():
            return Unrendered(run.MISSING)
        if not found.overlay:
            helm.require()
    return found


def rendered(renderings: Iterable[Rendering], known: dict[Hashable, Rendered]) -> Mapping[Hashable, Rendered]:
    """Each rendering's manifests by its `key`: several at once, and what is equal once.

    What `known` holds already is not rendered again; what is new is added to it.
    """
    left = [each for each in renderings if key(each) not in known]
    if left:
        with ahead(left) as text:
            known.update((key(each), text(each)) for each in left)
    return known


@contextlib.contextmanager
def ahead(renderings: Iterable[Rendering]) -> Iterator[Callable[[Rendering], Rendered]]:
    """What gives each of `renderings` as soon as it is there, while those behind it are being rendered.

    They are rendered in their order, as many at once as there are cores, and what is equal once.
    """
    from concurrent.futures import ThreadPoolExecutor  # 10 ms, and only what renders needs it

    distinct = {key(each): each for each in renderings}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        waiting = {name: pool.submit(_tried, each) for name, each in distinct.items()}
        try:
            yield lambda rendering: waiting[key(rendering)].result()
        finally:
            for each in waiting.values():  # whoever was interrupted waits for none that has not begun
                each.cancel()


def proved(rendering: Rendering, known: dict[Hashable, Rendered]) -> bytes:
    """The manifests of one rendering, from `known` or added to it; raises ShiplaneError where there are none."""
    text = rendered([rendering], known)[key(rendering)]
    if isinstance(text, ShiplaneError):
        raise text
    return text


def _tried(rendering: Rendering) -> Rendered:
    try:
        return render(rendering)
    except ShiplaneError as refusal:
        return refusal


def key(rendering: Rendering) -> Hashable:
    """Equal for renderings that give the same objects, whichever environment they are for."""
    chart = tuple(sorted((path, mode, data) for path, (mode, data) in rendering.chart.items()))
    if rendering.overlay:
        return rendering.overlay, chart
    values = tuple((name, _meaning(data)) for name, data in rendering.values)
    return rendering.release or rendering.service, rendering.namespace, rendering.kubernetes, chart, values


@lru_cache(maxsize=1024)  # settings and pins are small, and asked for several times
def _meaning(data: bytes) -> Hashable:
    """All of a YAML text that any reader could heed: equal for texts that differ in comments, or in space, alone."""
    try:
        return tuple(
            (type(each).__name__, *(str(getattr(each, name, "")) for name in ("value", "implicit", "tag", "anchor")))
            for each in yaml.parse(data, _Loader)
        )
    except yaml.YAMLError:
        return data


def render(rendering: Rendering) -> bytes:
    """The manifests of `rendering`; raises ShiplaneError with the words of helm, or kustomize, where it is refused.

    Only plain files of what was checked are written (carried.check, kustomize.closure): nothing leads out of the copy.
    """
    where = f"{rendering.service} in {rendering.environment}"
    if rendering.overlay:
        try:
            return run.build({path: data for path, (_, data) in rendering.chart.items()}, rendering.overlay)
        except ShiplaneError as refusal:
            rule = f"the result does not render: {refusal.problems[0].rule}"
            raise ShiplaneError(Problem(where, rule, f"mend what {rendering.overlay} builds"), REFUSED) from None
    binary = helm.require()
    with tempfile.TemporaryDirectory(prefix="shiplane-") as folder:
        root = Path(folder)
        for path, (_, data) in rendering.chart.items():
            target = root / "chart" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for name, data in rendering.values:
            (root / name).write_bytes(data)
        try:
            return helm.template(
                binary,
                root / "chart",
                release=rendering.release or rendering.service,
                namespace=rendering.namespace,
                values=[root / name for name, _ in rendering.values],
                kubernetes=rendering.kubernetes,
            )
        except ShiplaneError as refusal:
            rule = f"the result does not render: {refusal.problems[0].rule}"
            mend = f"mend the chart and release it again, or the settings in {rendering.environment}'s values.yaml"
            if rendering.release:  # another layout, whose chart lies in the repository
                mend = f"mend the chart, or its files of values for {rendering.environment}"
            raise ShiplaneError(Problem(where, rule, mend), REFUSED) from None
