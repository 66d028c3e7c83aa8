"""The proof that a rendered chart works, before anything of it is placed."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from generator import helm
from generator.tree import Tree

_SAMPLE = {"image": {"tag": "0" * 40, "digest": f"sha256:{'0' * 64}"}}
"""A release such as CI gives: without one the chart refuses to render."""


def prove(rendered: Tree, name: str) -> str:
    """Lint and render the chart in `rendered`; raises ShiplaneError with helm's words.

    Returns why that could not be done; nothing when it was.
    """
    if "chart/Chart.yaml" not in rendered:
        return "there is no chart"
    found = helm.find()
    if found is None:
        return "helm is not here; install helm 3.16 or newer, or name it: SHIPLANE_HELM=/path/to/helm"
    with tempfile.TemporaryDirectory(prefix="newservice-") as folder:
        chart = Path(folder, "chart")
        for path, file in rendered.items():
            if path.startswith("chart/"):
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.data)
        release = Path(folder, "release.yaml")
        release.write_text(json.dumps(_SAMPLE), encoding="utf-8")
        helm.lint(found, chart, [release])
        helm.template(found, chart, release=name, namespace=name, values=[release])
    return ""
