"""How the pins of a repository seem to be rendered: by kustomize where they stand, or by helm with a chart beside them.

Only what is seen is proposed: each place is followed as it will be from then on, and what is not built here is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from generator.document import parse
from generator.errors import ShiplaneError
from gitops import carried, tokens
from gitops.adopt.shape import Placed, template
from gitops.adopt.sites import Unread
from gitops.kustomize.closure import NAMES, closure
from gitops.model import FILE, TREE, Entry, Snapshot, above
from gitops.recipe import Recipe
from gitops.tokens import filled

_CHART = "/Chart.yaml"
_FEW = 3  # of what does not agree


def proposed(
    files: Mapping[str, bytes], others: Iterable[str], group: Sequence[Placed]
) -> tuple[Recipe | None, list[Unread]]:
    """The recipe that `group` fits, if any; and which of its places it does not render, with the reason.

    `others` are the files that were not read.
    """
    folder, _, name = group[0].path.rpartition("/")
    if name in NAMES:
        return _overlays(_snapshot(files, others), group, folder)
    if group[0].shared or group[0].key.startswith("spec.source"):
        return None, []  # of one release of helm's no file says the name; an Application's chart lies where it says
    every = {path.removesuffix(_CHART) for path in files if path.endswith(_CHART)}
    charts = {_chart(every, each) for each in group}
    chart = charts.pop() if len(charts) == 1 else ""
    if not chart:
        return None, []
    folders = dict.fromkeys(filled(chart, each.environment, each.service) for each in group)
    return Recipe(helm=chart, values=(group[0].path,)), [*_unseen(_snapshot(files, others), folders)]


def lines(recipe: Recipe) -> list[str]:
    """The recipe as shiplane.yaml has it below `layout`."""
    if recipe.kustomize:
        return [f'  render: {{kustomize: "{recipe.kustomize}"}}']
    values = ", ".join(f'"{each}"' for each in recipe.values)
    return ["  render:", f'    helm: "{recipe.helm}"', f"    values: [{values}]"]


def assumed(recipe: Recipe) -> str:
    """What to look at, since no file says it."""
    if recipe.kustomize:
        return f"how it renders: kustomize builds {recipe.kustomize}; what an Application adds to that is not seen"
    given = f"helm, with the chart {recipe.helm} and {', '.join(recipe.values)}"
    return f"how it renders: {given}; name what else Argo CD gives it: other files of values, the release's name"


def namespaces(files: Mapping[str, bytes], group: Sequence[Placed], assumed: list[str]) -> dict[str, str]:
    """The namespace that the overlays of each environment name, `{service}` in it; none where nobody names any.

    Where only some do, the others have the service's own: an environment would take that of the one before it. That
    is put into `assumed`, and so is one whose overlays do not agree.
    """
    found: dict[str, set[str]] = {each.environment: set() for each in group}
    for each in group:
        if each.path.rpartition("/")[2] in NAMES:
            said = _namespace(files[each.site.file], each.site.file)
            own = rf"(?<![a-z0-9]){re.escape(each.service)}(?![a-z0-9])"
            found[each.environment].add(said if each.shared else re.sub(own, "{service}", said))
    told = {name: next(iter(some)) if len(some) == 1 else "" for name, some in found.items()}
    if not any(any(some) for some in found.values()):
        return {}
    for name in (name for name, one in told.items() if not one):
        some = sorted(each or "none" for each in found[name])
        said = " and ".join(some[:_FEW]) + (" and others" if len(some) > _FEW else "")
        assumed.append(f"the namespace of {name}: its overlays name {said}; it is taken for each service's own")
    return {name: one or "{service}" for name, one in told.items()}


def _namespace(data: bytes, path: str) -> str:
    try:
        said = parse(data, path).data.get("namespace")
    except ShiplaneError:
        return ""
    return said if isinstance(said, str) and re.fullmatch("[a-z0-9-]+", said) else ""


def _overlays(snapshot: Snapshot, group: Sequence[Placed], folder: str) -> tuple[Recipe | None, list[Unread]]:
    if not (tokens.both(folder) or (group[0].shared and "{environment}" in folder)):
        return None, []
    unread = []
    overlays = dict.fromkeys(each.site.file for each in group)
    for file in overlays:
        found = closure(snapshot, file.rpartition("/")[0])
        wrong = [f"{problem.place} {problem.rule}" for problem in found.wrong]
        if why := next((why for why in (*wrong, found.outward) if why), ""):
            unread.append(Unread(file, f"is not rendered: {why}"))
    return (Recipe(kustomize=folder) if len(unread) < len(overlays) else None), unread


def _unseen(snapshot: Snapshot, charts: Iterable[str]) -> Iterator[Unread]:
    """The charts that helm is not shown, such as one whose dependencies Argo CD fetches."""
    for folder in charts:
        if wrong := carried.incomplete(snapshot.files(folder), folder):
            yield Unread(wrong[0].place, f"is not rendered: {wrong[0].rule}")


def _snapshot(files: Mapping[str, bytes], others: Iterable[str]) -> Snapshot:
    entries = {path: Entry(FILE, "", files.get(path)) for path in (*files, *others)}
    folders = {each for path in entries for each in above(path)[:-1]}
    return Snapshot("", {**{each: Entry(TREE, "") for each in folders}, **entries})


def _chart(every: Collection[str], each: Placed) -> str:
    """The folder of its chart, as a template: the nearest one above the file, else the one called like the service."""
    up = [path for path in reversed(above(each.site.file)[:-1]) if path in every]
    named = [] if up else [path for path in every if path.rpartition("/")[2] == each.service]
    found = up[:1] or (named if len(named) == 1 else [])
    return template(found[0], each.environment, each.service) if found else ""
