"""`gitops adopt`: what a repository of somebody else's looks like to Shiplane, and the shiplane.yaml that says so.

Pure: files in, a proposal out. What is read is read again through the proposed layout, by the code that will read it
from then on; what that cannot read is told. Each thing that was assumed is listed, to be looked at.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from generator.errors import Problem, ShiplaneError
from gitops import catalog, config, pins
from gitops.adopt import renders, tags
from gitops.adopt.aside import aside
from gitops.adopt.shape import Placed, lane, placed
from gitops.adopt.sites import Unread, found
from gitops.catalog import Service
from gitops.layout import FULL_SHA
from gitops.model import FILE, Entry, Release, Snapshot
from gitops.recipe import Recipe

SUFFIXES = (".yaml", ".yml", "Kustomization")
"""How the names of files end that are read."""
_UNJUDGED = "this layout is not rendered here, so no policy can judge it"
_JUDGED = "gitops check tells what the policy finds today: take this out once that is nothing"
_TOLD = 10  # lines of a refusal
_NOWHERE = "registry.example.invalid"
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Proposal:
    """What was understood: `table` has the pin of each service in each environment that has one.

    `files` are what would be written; `assumed` is what to look at before that.
    """

    environments: tuple[str, ...]
    table: Mapping[str, Mapping[str, Release]]
    files: Mapping[str, bytes]
    unread: tuple[Unread, ...]
    assumed: tuple[str, ...] = field(default_factory=tuple)


def proposal(
    files: Mapping[str, bytes], place: str, others: Collection[str] = (), left: Iterable[Unread] = ()
) -> Proposal:
    """The proposal for a repository with these files of YAML, with `others` that were not read, and what is `left` out.

    Raises ShiplaneError where nothing can be proposed.
    """
    if config.PATH in files:
        raise ShiplaneError(Problem(f"{place}: {config.PATH}", "is there: this repository is Shiplane's already"))
    sites = [each for path in sorted(files) for each in found(path, files[path])]
    unread = [*sorted(left, key=lambda each: each.file), *(each for each in sites if isinstance(each, Unread))]
    each_placed = [placed(each) for each in sites if not isinstance(each, Unread)]
    unread += [*(each for each in each_placed if isinstance(each, Unread)), *aside(files, others)]
    group, outside = _chosen([each for each in each_placed if isinstance(each, Placed)])
    unread += outside
    if not group:
        raise _refusal(place, "has no pins that a layout could describe", unread)
    form, moving = tags.form(group)
    fitting = [each for each in group if re.fullmatch(form, each.site.tag)]
    if not fitting:
        rule = "has no tag of a form that can be told from one that moves; where one is fixed, write layout.tag.pattern"
        raise _refusal(place, rule, [Unread(each.site.file, f"{each.site.key} is {each.site.tag}") for each in group])
    return _proposed(files, place, others, fitting, form, unread + moving)


def _refusal(place: str, rule: str, unread: Iterable[Unread]) -> ShiplaneError:
    told = list(dict.fromkeys(f"{each.file}: {each.why}" for each in unread))
    more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
    mend = "\n".join([*told[:_TOLD], *more]) or "no file of YAML in it pins an image or a chart"
    return ShiplaneError(Problem(place, rule, mend))


def _chosen(every: Sequence[Placed]) -> tuple[list[Placed], list[Unread]]:
    """The pins that most places have in one form, and the others: one repository has one layout."""
    if not every:
        return [], []
    forms: dict[tuple[str, str, str, str], list[Placed]] = {}
    for each in every:
        forms.setdefault(each.form, []).append(each)

    def weight(form: tuple[str, str, str, str]) -> tuple[int, bool, bool]:
        mine = forms[form]
        places = {(each.service, each.environment) for each in mine}
        return len(places), all(each.told for each in mine), form[1].lower().endswith("tag")

    best = max(forms, key=weight)
    left = []
    for form, mine in forms.items():
        if form == best:
            continue
        more = f" and in {len(mine) - 1} files more" if len(mine) > 1 else ""
        same = form[0] == best[0]
        why = "pinned there too, and not carried: add its key, if it is to move along" if same else "another layout"
        left.append(Unread(mine[0].site.file, f"{form[1]}{more}: {why}"))
    return forms[best], left


def _proposed(
    files: Mapping[str, bytes],
    place: str,
    others: Iterable[str],
    group: Sequence[Placed],
    form: str,
    unread: list[Unread],
) -> Proposal:
    names = list(dict.fromkeys(each.environment for each in group))
    for name in [name for name in names if not _LABEL.fullmatch(name)]:
        names.remove(name)
        unread.append(Unread(name, "no name for an environment: small letters, digits and dashes"))
    group = [each for each in group if each.environment in names]
    if not group:
        raise _refusal(place, "has no environment whose name would do", unread)
    sources, assumed = lane(names)
    order = ", ".join(
        f"{name} from {source}" if source else f"releases enter at {name}" for name, source in sources.items()
    )
    assumed.insert(0, f"the lane, by the environments' names: {order}")
    recipe, untold = renders.proposed(files, others, group)
    unread += untold
    assumed += [renders.assumed(recipe)] if recipe else []
    text = _shiplane_yaml(files, group, sources, form, recipe, assumed)
    entries = {catalog.path(each.name): catalog.entry_yaml(each) for each in _services(group, files, assumed)}
    read = config.load(text)
    every = {path: Entry(FILE, "", data) for path, data in {**files, **entries}.items()}
    table: dict[str, dict[str, Release]] = {}
    for each in group:
        try:
            pin = pins.pin(Snapshot("", every), read, each.environment, each.service)
        except ShiplaneError as error:
            unread.append(Unread(each.site.file, error.problems[0].rule))
            continue
        if pin is None or pin.release.tag != each.site.tag:
            unread.append(Unread(each.site.file, "says something else when it is read through the layout"))
            continue
        table.setdefault(each.service, {})[each.environment] = pin.release
    return Proposal(tuple(sources), table, {config.PATH: text, **entries}, tuple(dict.fromkeys(unread)), tuple(assumed))


def _shiplane_yaml(
    files: Mapping[str, bytes],
    group: Sequence[Placed],
    sources: Mapping[str, str],
    form: str,
    recipe: Recipe | None,
    assumed: list[str],
) -> bytes:
    first = group[0]
    folder, _, name = first.path.rpartition("/")
    lines = ["# Proposed by gitops adopt, from what the files of this repository say.", "version: 1", "environments:"]
    namespaces = renders.namespaces(files, group) if recipe else {}
    ends = set(sources) - {*sources.values()}
    for environment, source in sources.items():
        cluster = _cluster(group, environment, assumed)
        registry = _registry(group, environment)
        if not registry and not source:
            assumed.append(f"the registry of {environment}: no file names it; put your own for {_NOWHERE}")
            registry = _NOWHERE
        came = [f"    from: {source}"] if source else []
        lines += [f"  {environment}:", *came, f"    cluster: {json.dumps(cluster)}"]
        lines += [f"    registry: {json.dumps(registry)}"] if registry else []
        lines += [f"    namespace: {json.dumps(namespaces[environment])}"] if environment in namespaces else []
        if environment in ends or re.match(r"prod(uction)?(-|$)", environment):
            lines.append(f"    gates: {{policy: false}}  # {_JUDGED if recipe else _UNJUDGED}")
    keys = [first.key, *([first.digest] if first.digest else [])]
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


def _services(group: Sequence[Placed], files: Mapping[str, bytes], assumed: list[str]) -> list[Service]:
    """The catalog; what no file says about a service is assumed, and said to be."""
    made = []
    for name in sorted({each.service for each in group}):
        if catalog.path(name) in files:
            assumed.append(f"{catalog.path(name)} is there already, and is left as it is: is it a catalog entry?")
            continue
        images = [_split(each.site.image)[1] for each in group if each.service == name and each.site.image]
        image = next((each for each in images if re.fullmatch(catalog.IMAGE, each)), name)
        source = image if re.fullmatch(catalog.SOURCE, image) else f"acme/{name}"
        made.append(Service(name, "platform", source, image, "standard"))
    if made:
        assumed.append(
            f"the catalog's {len(made)} entries: owner platform, tier standard, and the source by the image's "
            "name; no file says who owns a service and where it is built"
        )
    return made
