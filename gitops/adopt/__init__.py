"""`gitops adopt`: what a repository of somebody else's looks like to Shiplane, and the shiplane.yaml that says so.

Pure: files in, a proposal out. What is read is read again through the proposed layout, by the code that will read it
from then on; what that cannot read is told. Each thing that was assumed is listed, to be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from generator.errors import Problem, ShiplaneError
from gitops import catalog, config, keyed, pins, tokens
from gitops.adopt import renders, tags
from gitops.adopt.aside import aside
from gitops.adopt.choice import MOST, chosen, some
from gitops.adopt.shape import NAME, Placed, environment_of, lane, placed
from gitops.adopt.sites import Site, Unread, by_reason, found, unproposed
from gitops.adopt.written import services, shiplane_yaml
from gitops.config import Config
from gitops.layout import Layout
from gitops.model import FILE, Entry, Release, Snapshot
from gitops.tokens import filled
from gitops.yamledit import Edit, parse_path, parse_selector, set_scalars

SUFFIXES = (".yaml", ".yml", "Kustomization")
"""How the names of files end that are read."""


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
    every: list[list[Placed]] = []
    for site in (each for each in sites if isinstance(each, Site)):
        where = placed(site)
        if isinstance(where, Unread):
            unread += unproposed(site) if site.bare else [where]
        elif mine := [each for each in where if each.shared or not site.bare]:
            every.append(mine)
        else:
            unread += unproposed(site)
    unread += aside(files, others)
    group, outside = chosen(every)
    unread += outside
    if not group:
        raise _refusal(place, "has no pins that a layout can be proposed for", unread)
    form, moving = tags.form(group)
    fitting = [each for each in group if re.fullmatch(form, each.site.tag)]
    if not fitting:
        rule = "has no tag of a form that can be told from one that moves; where one is fixed, write layout.tag.pattern"
        raise _refusal(place, rule, [Unread(each.site.file, f"{each.site.key} is {each.site.tag}") for each in group])
    return _proposed(files, place, others, fitting, form, unread + moving)


def _refusal(place: str, rule: str, unread: Iterable[Unread]) -> ShiplaneError:
    told = by_reason(dict.fromkeys(unread))
    more = [f"and for {len(told) - MOST} reasons more"] if len(told) > MOST else []
    mend = "\n".join([*told[:MOST], *more]) or "no file of YAML in it pins an image or a chart"
    return ShiplaneError(Problem(place, rule, mend))


def _proposed(
    files: Mapping[str, bytes],
    place: str,
    others: Iterable[str],
    group: Sequence[Placed],
    form: str,
    unread: list[Unread],
) -> Proposal:
    names = list(dict.fromkeys(each.environment for each in group))
    for name in [name for name in names if not NAME.fullmatch(name)]:
        names.remove(name)
        unread.append(Unread(name, "no name for an environment: small letters, digits and dashes"))
    group = [each for each in group if each.environment in names]
    if not group:
        raise _refusal(place, "has no environment whose name would do", unread)
    sources, assumed = lane(
        names, {name: {each.service for each in group if each.environment == name} for name in names}
    )
    order = ", ".join(
        f"{name} from {source}" if source else f"releases enter at {name}" for name, source in sources.items()
    )
    assumed.insert(0, f"the lane, by the environments' names: {order}")
    recipe, untold = renders.proposed(files, others, group)
    unread += untold
    assumed += [renders.assumed(recipe)] if recipe else []
    text = shiplane_yaml(files, group, sources, form, recipe, assumed)
    table, untrue = _table(files, config.load(text), group, {each.file for each in unread})
    known = [each for each in group if each.environment in table.get(each.service, {})]
    if not known:
        raise _refusal(place, "has no pin that could be read through the layout that it seems to have", unread + untrue)
    entries = {catalog.path(each.name): catalog.entry_yaml(each) for each in services(known, files, assumed)}
    assumed += _skipping(table, sources)
    told = tuple(dict.fromkeys([*unread, *untrue]))
    return Proposal(tuple(sources), table, {config.PATH: text, **entries}, told, tuple(assumed))


def _skipping(table: Mapping[str, Mapping[str, Release]], sources: Mapping[str, str]) -> Iterator[str]:
    """The services that the lane leads to an environment from one that does not have them."""
    for name, source in sources.items():
        if source and (lacking := [each for each, cells in table.items() if name in cells and source not in cells]):
            yield f"{name} from {source}, which has no {some(lacking)}: nothing can be promoted before it has"


def _table(
    files: Mapping[str, bytes], read: Config, group: Sequence[Placed], told: Collection[str]
) -> tuple[dict[str, dict[str, Release]], list[Unread]]:
    """What is read of `group` through the layout; what is not, what no command could change, and what has no pin."""
    snapshot = Snapshot("", {path: Entry(FILE, "", data) for path, data in files.items()})
    table: dict[str, dict[str, Release]] = {}
    unread: list[Unread] = []
    known: dict[str, list[Placed]] = {}
    for each in group:
        try:
            pin = pins.pin(snapshot, read, each.environment, each.service)
        except ShiplaneError as error:
            unread.append(Unread(each.site.file, error.problems[0].rule))
            continue
        if pin is None or pin.release.tag != each.site.tag:
            unread.append(Unread(each.site.file, "says something else when it is read through the layout"))
            continue
        table.setdefault(each.service, {})[each.environment] = pin.release
        known.setdefault(each.site.file, []).append(each)
    for path, mine in known.items():
        if not _settable(files[path], read.layout, mine):
            unread += [why for each in mine for why in _fixed(files, read.layout, each)]
    for path in sorted(files.keys() - {*told, *(each.site.file for each in group)}):
        service, environment, name = read.layout.placed(path, read.environments) or ("", "", "")
        if name in read.layout.keys:
            unread.append(Unread(path, f"lies where the layout has {service} in {environment}, and has no pin for it"))
        elif environment := _bare(path, group[0], read.environments):
            rule = f"lies where the layout has the environment {environment}, and has no pin for it"
            unread.append(Unread(path, rule))
    return table, unread


def _bare(path: str, one: Placed, environments: Collection[str]) -> str:
    """The environment of a file that services would share, as that of `one`, where no file of it pins anything."""
    found = tokens.pattern(one.path).fullmatch(path) if one.shared else None
    name = found["environment"] if found else ""
    return name if name not in environments and environment_of([name]) else ""


def _settable(data: bytes, layout: Layout, mine: Sequence[Placed]) -> bool:
    """Whether one edit could set what all of `mine` pin in their file: an edit for each takes long where many do."""
    keys = layout.keys[layout.carries[0]]
    edits = []
    for each in mine:
        fill = partial(filled, environment=each.environment, service=each.service)
        select = parse_selector(fill(keys.document)) if keys.document else None
        edits += [Edit(parse_path(fill(key)), "0", select) for key in keys.paths]
    try:
        set_scalars(data, edits, mine[0].site.file)
    except ShiplaneError:
        return False
    return True


def _fixed(files: Mapping[str, bytes], layout: Layout, each: Placed) -> Iterator[Unread]:
    """Why no command could change a pin that can be read."""
    new = {key: value for key, value in ((layout.tag, "0"), (layout.digest, "0")) if key}
    try:
        keyed.edited(layout, (each.service, each.environment), layout.carries[0], files[each.site.file], new)
    except ShiplaneError as error:
        why = "; ".join(filter(None, (error.problems[0].rule, error.problems[0].mend)))
        yield Unread(each.site.file, f"is read, and no release could change it: {each.site.key} {why}")
