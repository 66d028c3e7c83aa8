"""The values that are carried in a file of somebody else's: read, compared, set, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from generator.errors import REFUSED, Problem, ShiplaneError, printable
from gitops.layout import Keys, Layout
from gitops.model import EXECUTABLE, FILE, Change, Entry, Release, Snapshot
from gitops.tokens import filled
from gitops.yamledit import (
    Edit,
    Path,
    Plain,
    Selector,
    Value,
    outside,
    parse_path,
    parse_selector,
    read,
    selects,
    set_scalars,
)

_CHARTS = ("dependencies", "helmCharts")  # of a Chart.yaml, and of a kustomization
Values = Mapping[str, Value | None]
"""What stands at each key of a file, by the key as the layout writes it; None where nothing does."""


def values(layout: Layout, place: tuple[str, str], name: str, data: bytes) -> Values:
    """What the carried keys of `name` say, of a (service, environment); raises ShiplaneError where readers may differ.

    A release's own keys are text, however they are written: nobody means a number by a tag.
    """
    keys = layout.keys[name]
    paths, select = _filled(keys, place)
    file = _path(layout, place, name)
    if select is not None and layout.shares(name) and not selects(data, select, file):
        return dict.fromkeys(keys.paths)  # others have documents in it, and this service has none
    found = read(data, paths, file, select)
    return {
        key: value.text if isinstance(value, Plain) and value.text and key in (layout.tag, layout.digest) else value
        for key, value in zip(keys.paths, found, strict=True)
    }


def edited(layout: Layout, place: tuple[str, str], name: str, data: bytes, new: Values) -> bytes:
    """`data` with those values in place, every other byte as it was. What is not there is not taken away: refused."""
    path = _path(layout, place, name)
    paths, select = _filled(layout.keys[name], place)
    old = values(layout, place, name, data)
    where = dict(zip(layout.keys[name].paths, paths, strict=True))
    for key, value in new.items():
        if value is None and old[key] is not None:
            rule = f"is set, and what is carried does not set it: {filled(key, place[1], place[0])}"
            raise ShiplaneError(Problem(path, rule, "take it away, or set it where it comes from, by hand"))
    edits = [Edit(where[key], value, select) for key, value in new.items() if value is not None and value != old[key]]
    return set_scalars(data, edits, path) if edits else data


def carried(layout: Layout, here: Snapshot, source: str, there: Snapshot, target: str, service: str) -> list[Change]:
    """What brings all that is carried from the environment `source` in `here` to `target` in `there`.

    Whole objects by their ids, values by an edit of the target's own file; what is so already is left out. Raises
    ShiplaneError where something is not there.
    """
    changes = []
    names = zip(layout.carries, layout.paths(source, service), layout.paths(target, service), strict=True)
    for name, path, goal in names:
        entry, old = here.get(path), there.get(goal)
        if name not in layout.keys:
            if entry is None:
                raise ShiplaneError(Problem(path, "is not there", f"release {service} again"), REFUSED)
            changes.append(Change(goal, entry.mode, entry.oid))
            continue
        found = values(layout, (service, source), name, regular(entry, path))
        data = regular(old, goal)
        new = edited(layout, (service, target), name, data, found)
        if old and new != data:
            changes.append(Change(goal, old.mode, new))
    return changes


def joined(layout: Layout, place: tuple[str, str], path: str, before: bytes, own: bytes) -> bytes:
    """The file at `path`, which services share, as `before` has it, with the values of `place` as `own` has them."""
    name = next(name for name in layout.keys if layout.path(place[1], place[0], name) == path)
    return edited(layout, place, name, before, values(layout, place, name, own))


def only_keys(layout: Layout, places: Sequence[tuple[str, str]], name: str, before: bytes, after: bytes) -> bool:
    """Whether two states of a file differ in the values that are carried of these places, and in no other byte."""
    path = _path(layout, places[0], name)
    told = [_filled(layout.keys[name], place) for place in places]
    paths, select = [each for own, _ in told for each in own], told[0][1]
    try:
        if all(each == select for _, each in told) and outside(before, paths, path, select) == outside(
            after, paths, path, select
        ):
            return True
        for place in places:
            before = edited(layout, place, name, before, values(layout, place, name, after))
        return before == after
    except ShiplaneError:
        return False


def state(layout: Layout, place: tuple[str, str], name: str, data: bytes) -> str:
    """The carried values as one text, equal for equal ones; empty where the tag should stand and does not."""
    found = values(layout, place, name, data)
    if layout.tag in found and not found[layout.tag]:
        return ""
    return json.dumps([[value.text] if isinstance(value, Plain) else value for value in found.values()])


def release(layout: Layout, place: tuple[str, str], found: Mapping[str, Values]) -> Release | None:
    """The release in what was read of all files; None before the first one. Raises ShiplaneError for another tag."""
    said = {key: value for each in found.values() for key, value in each.items()}
    tag, digest = (said.get(key) if key else None for key in (layout.tag, layout.digest))
    if not tag:
        return None
    text = tag.text if isinstance(tag, Plain) else tag
    if not layout.fits(text):
        name = next(name for name, keys in layout.keys.items() if layout.tag in keys.paths)
        rule = f"{filled(layout.tag, place[1], place[0])} is {printable(text)}, which pins nothing: see layout.tag"
        raise ShiplaneError(Problem(_path(layout, place, name), rule, f"a tag that fits {layout.form}"))
    return Release(text, digest if isinstance(digest, str) else "")


def kind(layout: Layout, place: tuple[str, str], snapshot: Snapshot) -> str:
    """What the tag of a layout names, in a word: a `chart`, a `revision` of another source, or else an `image`."""
    path = parse_path(layout.tag) if layout.tag else ("",)
    if path[-1] == "version" and path[0] in _CHARTS:
        return "chart"
    if path[-1] != "targetRevision":
        return "image"
    name = next(name for name, keys in layout.keys.items() if layout.tag in keys.paths)
    tag, select = _filled(Keys((layout.tag,), layout.keys[name].document), place)
    where = _path(layout, place, name)
    try:
        return "chart" if read(snapshot.data(where) or b"", [(*tag[0][:-1], "chart")], where, select)[0] else "revision"
    except ShiplaneError:  # it is a word: what readers differ on here is no reason to refuse anything
        return "revision"


def beside(layout: Layout, place: tuple[str, str], identity: Sequence[str]) -> dict[str, Value]:
    """What an identity says besides the release, by its key; of a file that is carried whole, which one it is."""
    found: dict[str, Value] = {}
    for name, part in zip(layout.carries, identity, strict=True):
        keys = layout.keys.get(name)
        if keys is None and part:
            found[filled(name, place[1], place[0])] = Plain(f"{part[:7]} (its whole text)")
        for key, value in zip(keys.paths, json.loads(part), strict=True) if keys and part else ():
            if value is not None and key not in (layout.tag, layout.digest):
                found[filled(key, place[1], place[0])] = Plain(value[0]) if isinstance(value, list) else value
    return found


def tag_in(layout: Layout, identity: Sequence[str]) -> str:
    """The tag in an identity whose parts come from `state`; empty where there is none."""
    for name, part in zip(layout.carries, identity, strict=True):
        keys = layout.keys.get(name)
        if keys and layout.tag in keys.paths and part.startswith("["):
            return str(json.loads(part)[keys.paths.index(layout.tag)])
    return ""


def regular(entry: Entry | None, path: str) -> bytes:
    """The bytes of a file that is there; raises ShiplaneError for anything else."""
    if entry is None or entry.mode not in (FILE, EXECUTABLE):
        mend = "" if entry else "people write it first: what is carried are values in it"
        raise ShiplaneError(Problem(path, "is not there" if entry is None else "is not a regular file", mend))
    return entry.data or b""


def _filled(keys: Keys, place: tuple[str, str]) -> tuple[list[Path], Selector | None]:
    service, environment = place
    select = parse_selector(filled(keys.document, environment, service)) if keys.document else None
    return [parse_path(filled(path, environment, service)) for path in keys.paths], select


def _path(layout: Layout, place: tuple[str, str], name: str) -> str:
    return layout.path(place[1], place[0], name)
