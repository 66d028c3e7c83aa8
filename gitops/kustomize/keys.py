"""The keys of a kustomization: which of them name files or folders, and which name nothing (kustomize: api/types)."""

from __future__ import annotations

from collections.abc import Mapping

CHARTS = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
PLUGINS = ("generators", "transformers", "validators")
FOLDERS = ("bases", "components")
FILES = ("crds", "configurations")
# keys of a kustomization that name no file (kustomize: api/types, Kustomization)
PLAIN = frozenset({
    "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels",
    "commonAnnotations", "images", "replicas", "vars", "generatorOptions", "sortOptions", "buildMetadata",
})  # fmt: skip
# what a generator of maps, a patch and a replacement may say; of each key whether it names a file
GENERATED = {"name": 0, "namespace": 0, "behavior": 0, "literals": 0, "options": 0, "type": 0} | dict.fromkeys(
    ("files", "envs", "env"), 1
)
PATCH = {"patch": 0, "target": 0, "options": 0, "path": 1}
REPLACEMENT = {"source": 0, "targets": 0, "path": 1}
ITEMS: Mapping[str, Mapping[str, int]] = {
    "configMapGenerator": GENERATED,
    "secretGenerator": GENERATED,
    "patches": PATCH,
    "patchesJson6902": PATCH,
    "replacements": REPLACEMENT,
}
