"""Where a service is rendered from, in a layout that does not say it: what the Application among its files names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.errors import ShiplaneError

_UNSAID = "shiplane.yaml does not say how this layout renders: layout.render"
_PASSWORD = re.compile(r"(?<=//)[^/@]*@")


def named(files: Mapping[str, bytes]) -> str:
    """Why nothing is rendered of these files, by path: the place that the first Application in them names, if any."""
    return next((each for path, data in files.items() for each in _named(path, data)), _UNSAID)


def _named(path: str, data: bytes) -> Iterator[str]:
    from gitops.policy.finding import safe  # 30 ms, in which git could wait for the server
    from gitops.policy.reading import read

    try:
        found = [each for each in read(data, path) if (each.group, each.kind) == ("argoproj.io", "Application")]
    except ShiplaneError:
        return
    for each in found:
        spec = each.data.get("spec")
        for source in _sources(spec) if isinstance(spec, Mapping) else ():
            address = _PASSWORD.sub("", str(source.get("repoURL", "")))
            if address and source.get("chart"):
                yield f"the chart {safe(str(source['chart']))} lies in {safe(address)}"
            elif address and source.get("path"):
                yield f"it is rendered from {safe(str(source['path']))} in {safe(address)}"


def _sources(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    many = spec.get("sources")
    every = [spec.get("source"), *(many if isinstance(many, Sequence) and not isinstance(many, str) else ())]
    return [each for each in every if isinstance(each, Mapping)]
