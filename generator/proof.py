"""The proof that what was rendered works and holds no credential, before anything of it is placed."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import credentials, helm
from generator.errors import Problem, ShiplaneError, printable
from generator.tree import Tree
from generator.variants import VARIANTS, split

_SAMPLE = {"image": {"tag": "0" * 40, "digest": f"sha256:{'0' * 64}"}}
"""A release such as CI gives: without one the chart refuses to render."""
_SOURCE = re.compile(rb"^# Source: [^/\n]*/(.*)$", re.MULTILINE)
_VALUES = re.compile(rb"^(?:data|stringData):[ \t]*(?:\{[^}]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Proof:
    """What was proved, each in a word or two; and why the chart could not be, nothing when it was.

    `results` tell the same in sentences, for the service's README.
    """

    checks: tuple[str, ...]
    missing: str = ""
    results: tuple[str, ...] = ()

    def __str__(self) -> str:
        proved = f"proved: {', '.join(self.checks)}"
        return f"{proved}; not proved: {self.missing}" if self.missing else proved


def prove(rendered: Tree, name: str, variants: Tree | None = None) -> Proof:
    """Scan `rendered` for credentials; lint and render its chart with its own values, then with each of `variants`.

    A variant is a file of values by its name; those that the chart itself holds below `ci/` are proved too. helm checks
    the values against the chart's schema each time. Raises ShiplaneError with all that the first failing step found.
    """
    if leaks := credentials.scan(rendered):
        raise ShiplaneError(leaks)
    scanned = ("secrets scan",)
    clean = f"no credential stands in the {len(rendered)} files"
    if "chart/Chart.yaml" not in rendered:
        return Proof(scanned, "there is no chart", (clean,))
    found = helm.find()
    if found is None:
        missing = "helm is not here; install helm 3.16 or newer, or name it: SHIPLANE_HELM=/path/to/helm"
        return Proof(scanned, missing, (clean,))
    inside = {path.removeprefix("chart/"): file for path, file in rendered.items() if path.startswith("chart/")}
    ways = {**(variants or {}), **split(inside)[1]}
    with tempfile.TemporaryDirectory(prefix="newservice-") as folder:
        _write({f"chart/{path}": file.data for path, file in inside.items()}, Path(folder))
        release = {"release.yaml": json.dumps(_SAMPLE).encode()}
        _write({**release, **{f"variants/{path}": file.data for path, file in ways.items()}}, Path(folder))
        _prove(found, Path(folder), name, [()])
        _prove(found, Path(folder), name, [(path,) for path in sorted(ways)])
    rendering = f"render with {len(ways)} variant{'s' * (len(ways) > 1)}" if ways else "render"
    schema = ("schema",) if "values.schema.json" in inside else ()
    named = ", ".join(path.removesuffix(".yaml") for path in sorted(ways))
    results = (
        f"`helm lint --strict` finds nothing, by helm {helm.version(found)}",
        f"the chart renders with its own values{f', and with those of {len(ways)} variants: {named}' if ways else ''}",
        *(["the values fit `chart/values.schema.json` each time"] if schema else []),
        f"{clean}, nor in what helm renders",
    )
    return Proof(("helm lint", rendering, *schema, *scanned), "", results)


def _prove(found: Path, folder: Path, name: str, ways: Sequence[tuple[str, ...]]) -> None:
    """Each way on its own, some at once; raises ShiplaneError with what all of them found, in the order of `ways`."""
    from concurrent.futures import ThreadPoolExecutor  # 10 ms, and only helm's proof needs it

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        problems = list(pool.map(lambda way: _problems(found, folder, name, way), ways))
    if any(problems):
        raise ShiplaneError(problem for each in problems for problem in each)


def _problems(found: Path, folder: Path, name: str, way: tuple[str, ...]) -> list[Problem]:
    values = [folder / "release.yaml", *(folder / "variants" / path for path in way)]
    using = "".join(f" with {VARIANTS}{printable(path)}" for path in way)
    try:
        helm.lint(found, folder / "chart", values)
        manifests = helm.template(found, folder / "chart", release=name, namespace=name, values=values)
    except ShiplaneError as error:
        return [Problem(f"{each.place}{using}", each.rule, each.mend) for each in error.problems]
    return [Problem(f"{place} as rendered{using}", rule, credentials.MEND) for place, rule in _leaks(manifests)]


def _leaks(manifests: bytes) -> Iterator[tuple[str, str]]:
    """What looks like a credential in rendered manifests, and every Secret with values: base64 hides what they are."""
    sources = [(match.start(), match[1].decode("utf-8", "replace")) for match in _SOURCE.finditer(manifests)]
    for start, kind in credentials.kinds(manifests):
        source = next((path for at, path in reversed(sources) if at < start), "manifest")
        yield f"chart/{printable(source)}", f"holds {kind}"
    for (start, path), (end, _) in zip(sources, [*sources[1:], (len(manifests), "")], strict=True):
        document = manifests[start:end]
        if re.search(rb"^kind: [\"']?Secret\b", document, re.MULTILINE) and _VALUES.search(document):
            yield f"chart/{printable(path)}", "holds a Secret with values, and what is rendered is no secret"


def _write(files: dict[str, bytes], folder: Path) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
