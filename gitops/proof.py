"""Renders what a draft leads to, on a copy written from git objects: what does not render is not shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

from generator import helm
from generator.errors import REFUSED, Problem, ShiplaneError
from gitops.model import Rendering


def render(rendering: Rendering) -> bytes:
    """The manifests of `rendering`; raises ShiplaneError with helm's words where helm refuses it.

    Only plain files of a checked tree are written (carried.check), so nothing can lead helm out of the copy.
    """
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
                release=rendering.service,
                namespace=rendering.namespace,
                values=[root / name for name, _ in rendering.values],
                kubernetes=rendering.kubernetes,
            )
        except ShiplaneError as refusal:
            where = f"{rendering.service} in {rendering.environment}"
            rule = f"the result does not render: {refusal.problems[0].rule}"
            mend = f"mend the chart and release it again, or the settings in {rendering.environment}'s values.yaml"
            raise ShiplaneError(Problem(where, rule, mend), REFUSED) from None
