"""What is judged: the manifests that each chart renders in each of its ways, and the services that are generated."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types

from generator import answers, blueprint, helm
from generator.answers import Given
from generator.errors import ShiplaneError
from generator.render import render
from generator.write import place
from scripts.audit.findings import AuditError

BASELINE = "helm create"
OLDEST = "1.28"
NEWEST = ".".join(kubernetes_validate.latest_version().split(".")[:2])
RELEASE = {"image": {"tag": "1f" * 20, "digest": f"sha256:{'2e' * 32}"}}
"""What CI brings to a chart."""
ANSWERS: dict[str, Any] = {
    "owner": "payments",
    "tier": "critical",
    "calls": ["orders", "ledger"],
    "called_by": ["gateway"],
    "dependencies": ["postgres", "redis", "kafka", "s3"],
    "secrets": ["API_KEY"],
}
"""The second service of each blueprint, as far as it asks for these; the first takes every default."""
FILES = {"secretDelivery": "files"}


@dataclass(frozen=True)
class Manifests:
    """What one chart renders in one way for one version of Kubernetes: the only file in its folder."""

    subject: str
    kubernetes: str
    file: Path


@dataclass(frozen=True)
class Service:
    """A generated repository."""

    subject: str
    root: Path


def helms(tools: Path) -> list[Path]:
    """The helms to render with: both that scripts/fetch_helm.py fetches, else the one on PATH."""
    fetched = [each for major in (4, 3) if (each := tools / f"helm{major}" / "helm").is_file()]
    return fetched or [helm.require()]


def charts(root: Path, helms: Sequence[Path], work: Path) -> Iterator[Manifests]:
    """Each golden chart with its own values, and with each of its variants."""
    for chart in sorted(path.parent for path in (root / "charts").glob("*/Chart.yaml")):
        yield from _rendered(chart.name, chart, chart.name, [RELEASE], helms, work)
        for variant in sorted((chart / "ci").glob("*.yaml")):
            name = f"{chart.name} ci/{variant.stem}"
            yield from _rendered(name, chart, chart.name, [RELEASE, variant], helms, work)


def services(root: Path, work: Path) -> Iterator[Service]:
    """Two services of each kind of each blueprint: by its defaults, and by ANSWERS."""
    for name in blueprint.names(root):
        chosen = blueprint.load(name, root)
        for kind in chosen.kinds:
            for suffix, given in (("", {}), (" answers", ANSWERS)):
                own = {"kind": kind, **given}
                said = {key: Given(value, key) for key, value in own.items() if _asked(chosen, kind, key)}
                folder = work / "services" / f"{name}-{kind}{suffix}".replace(" ", "-") / "wallet"
                folder.parent.mkdir(parents=True)
                place(render(chosen, "wallet", answers.complete(said, chosen.schema, chosen.marks, "wallet")), folder)
                yield Service(f"{name} {kind}{suffix}", folder)


def _asked(chosen: blueprint.Blueprint, kind: str, key: str) -> bool:
    """Whether this kind may be told `key`: a worker is called by nobody."""
    return key in chosen.questions and (kind, key) != ("worker", "called_by")


def generated(services: Sequence[Service], helms: Sequence[Path], work: Path) -> Iterator[Manifests]:
    """The charts of generated services; where there are secrets, also with these as files."""
    for service in services:
        chart = service.root / "chart"
        if not chart.is_dir():
            continue
        yield from _rendered(service.subject, chart, "wallet", [RELEASE], helms, work)
        if service.subject.endswith(" answers"):
            yield from _rendered(f"{service.subject}, secrets as files", chart, "wallet", [RELEASE, FILES], helms, work)


def baseline(helms: Sequence[Path], work: Path) -> Iterator[Manifests]:
    """The chart that `helm create` writes, with an image; without its test, which would only add findings."""
    subprocess.run(
        [str(helms[0]), "create", "demo"],
        cwd=work,
        env={**os.environ, "HOME": str(work)},
        capture_output=True,
        check=True,
    )
    for path in (work / "demo" / "templates" / "tests").iterdir():
        path.unlink()
    image = {"image": {"repository": "registry.acme.example/demo", "tag": RELEASE["image"]["tag"]}}
    yield from _rendered(BASELINE, work / "demo", "demo", [image], helms[:1], work)


def _rendered(
    subject: str,
    chart: Path,
    release: str,
    values: Sequence[Mapping[str, Any] | Path],
    helms: Sequence[Path],
    work: Path,
) -> Iterator[Manifests]:
    """One file for each version of Kubernetes; where the helms disagree, one more for each helm after the first."""
    folder = work / "manifests" / subject.replace("/", " ")
    folder.mkdir(parents=True)
    files = [each if isinstance(each, Path) else _written(folder / f"{n}.json", each) for n, each in enumerate(values)]
    for kubernetes in (OLDEST, NEWEST):
        given: dict[str, Any] = {"values": files, "kubernetes": f"{kubernetes}.0"}
        try:
            texts = [helm.template(each, chart, release=release, namespace=release, **given) for each in helms]
        except ShiplaneError as error:
            raise AuditError(f"{subject}: {error}") from None
        if not texts[0].strip():
            raise AuditError(f"{subject}: helm renders nothing")
        for number, text in enumerate(dict.fromkeys(texts)):
            file = folder / f"{kubernetes}-{number}" / "manifests.yaml"
            file.parent.mkdir()
            file.write_bytes(text)
            yield Manifests(subject, kubernetes, file)


def _written(path: Path, values: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(values), encoding="utf-8")
    return path
