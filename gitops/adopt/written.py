"""The files that `gitops adopt` proposes: shiplane.yaml and the catalog."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gitops import catalog
from gitops.adopt import renders
from gitops.adopt.choice import some
from gitops.adopt.shape import Placed
from gitops.catalog import Service
from gitops.layout import FULL_SHA
from gitops.recipe import Recipe

_UNJUDGED = "this layout is not rendered here, so no policy can judge it"
_JUDGED = "gitops check tells what the policy finds today: take this out once that is nothing"
_NOBODY = "acme"  # of whom nothing is known
_NOWHERE = "registry.example.invalid"


def shiplane_yaml(
    files: Mapping[str, bytes],
    group: Sequence[Placed],
    sources: Mapping[str, str],
    form: str,
    recipe: Recipe | None,
    assumed: list[str],
) -> bytes:
    """The proposed shiplane.yaml; what no file says is put into `assumed`."""
    first = group[0]
    folder, _, name = first.path.rpartition("/")
    lines = ["# Proposed by gitops adopt, from what the files of this repository say.", "version: 1", "environments:"]
    namespaces = renders.namespaces(files, group, assumed) if recipe else {}
    ends = set(sources) - {*sources.values()}
    for environment, source in sources.items():
        cluster = _cluster(group, environment, assumed)
        registry = _registry(group, environment)
        if not registry and not source:
            assumed.append(f"the registry of images in {environment}: no file names it; put your own for {_NOWHERE}")
            registry = _NOWHERE
        came = [f"    from: {source}"] if source else []
        lines += [f"  {environment}:", *came, f"    cluster: {json.dumps(cluster)}"]
        lines += [f"    registry: {json.dumps(registry)}"] if registry else []
        lines += [f"    namespace: {json.dumps(namespaces[environment])}"] if environment in namespaces else []
        if environment in ends or re.match(r"prod(uction)?(-|$)", environment):
            lines.append(f"    gates: {{policy: false}}  # {_JUDGED if recipe else _UNJUDGED}")
    digests = sorted({each.digest for each in group} - {""})
    if digests and (bare := [each.site.file for each in group if not each.digest]):
        assumed.append(
            f"a digest beside each tag: {bare[0]} has none yet{_more(bare)}; no rollback leads to before its first"
        )
    keys = [first.key, *digests]
    lines += ["layout:", f"  service: {json.dumps(folder)}", "  carries:", f"    - file: {json.dumps(name)}"]
    lines += [f"      document: {json.dumps(first.document)}"] if first.document else []
    lines += ["      keys:", *(f"        - {json.dumps(key)}" for key in keys)]
    lines += [f"  tag: {{pattern: '{form}'}}"] if form != FULL_SHA else []
    lines += renders.lines(recipe) if recipe else []
    return ("\n".join(lines) + "\n").encode()


def _cluster(group: Iterable[Placed], environment: str, assumed: list[str]) -> str:
    named = Counter(each.site.cluster for each in group if each.environment == environment and each.site.cluster)
    if named:
        return named.most_common(1)[0][0]
    assumed.append(f"the cluster of {environment}: no Application names it; it is called {environment}")
    return environment


def _registry(group: Iterable[Placed], environment: str) -> str:
    """The host before an image's repository, where most files say one."""
    hosts = Counter(_split(each.site.image)[0] for each in group if each.environment == environment)
    del hosts[""]
    return hosts.most_common(1)[0][0] if hosts else ""


def _split(image: str) -> tuple[str, str]:
    host, _, rest = image.partition("/")
    return (host, rest) if rest and re.search(r"[.:]|^localhost$", host) else ("", image)


def services(group: Sequence[Placed], files: Mapping[str, bytes], assumed: list[str]) -> list[Service]:
    """The catalog; what no file says about a service is assumed, and said to be."""
    made, unknown = [], []
    for name in sorted({each.service for each in group}):
        if catalog.path(name) in files:
            assumed.append(f"{catalog.path(name)} is there already, and is left as it is: is it a catalog entry?")
            continue
        images = [_split(each.site.image)[1] for each in group if each.service == name and each.site.image]
        image = next((each for each in images if re.fullmatch(catalog.IMAGE, each)), name)
        source = image
        if not re.fullmatch(catalog.SOURCE, image):
            source = f"{_NOBODY}/{name}"
            unknown.append(source)
        made.append(Service(name, "platform", source, image, "standard"))
    own = {each.service: each for each in group if each.site.image and not each.told}
    if group[0].shared:
        told = next(each for each in (group[0].key, group[0].document) if "{service}" in each)
        names = some(sorted({each.service for each in group}))
        assumed.append(
            f"services by the names that stand in {told}: {names}; where one is none of yours, take its "
            "services/NAME.yaml out"
        )
        if bare := sorted({each.site.key for each in group if each.site.bare}):
            assumed.append(f"tags with no image beside them are releases: {bare[0]}{_besides(bare)}")
    elif own:
        one = next(iter(own.values()))
        called = f"{one.service} has {one.site.image}{_besides([*own])}"
        assumed.append(f"services by their paths, where images are called otherwise: {called}")
    if made:
        entries = "1 entry" if len(made) == 1 else f"{len(made)} entries"
        assumed.append(
            f"the catalog's {entries}: owner platform, tier standard, and the source by the image's name; no file says "
            "who owns a service and where it is built"
        )
    if unknown:
        more = f", and {len(unknown) - 1} more" if unknown[1:] else ""
        assumed.append(f"where no image's name tells the source: put your own for {unknown[0]}{more}")
    return made


def _besides(names: Sequence[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""


def _more(places: Sequence[str]) -> str:
    return f", nor have {len(places) - 1} more" if len(places) > 1 else ""
