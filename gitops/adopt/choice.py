"""Which layout is proposed of those that the pins of a repository could have: one repository has one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gitops.adopt.shape import NAME, Placed
from gitops.adopt.sites import Unread, unproposed
from gitops.adopt.tags import fixed

MOST = 10
"""Names in a reason, and reasons in a refusal."""
_Form = tuple[str, str, str]


def chosen(every: Sequence[Sequence[Placed]]) -> tuple[list[Placed], list[Unread]]:
    """The pins that most places have in one form, and why not the others; of each pin `every` has where it may belong.

    A file for each service goes before one that they share, unless that is one of a single environment, or its path
    has one word for all, which no pin says, too: then it leads nowhere, or tells no services apart.
    """
    forms: dict[_Form, list[Placed]] = {}
    for one in every:
        for each in one:
            forms.setdefault(each.form, []).append(each)
    if not forms:
        return [], []
    weights = {form: _weight(mine) for form, mine in forms.items()}
    own = {form: mine for form, mine in forms.items() if not mine[0].shared}
    best = max(own if any(map(_certain, own.values())) else forms, key=lambda form: weights[form])
    left: dict[_Form, list[Placed]] = {}
    bare: list[Unread] = []
    for one in every:
        if any(each.form == best for each in one):
            continue
        likely = max(one, key=lambda each: weights[each.form])
        if likely.site.bare:
            bare += unproposed(likely.site)
        else:
            left.setdefault(likely.form, []).append(likely)
    group = [each for each in forms[best] if NAME.fullmatch(each.service)]
    wrong = [each for each in forms[best] if not NAME.fullmatch(each.service)]
    return group, [*map(_misnamed, wrong), *bare, *(_outside(forms[best], mine) for mine in left.values())]


def _weight(mine: Sequence[Placed]) -> tuple[int, bool, int, bool, bool]:
    """Of a shared file first the places between which releases can be promoted: a name of one environment is none."""
    shared = mine[0].shared
    named = [each for each in mine if NAME.fullmatch(each.service)]
    places = {(each.service, each.environment) for each in named}
    homes = Counter(
        service for service, _ in {(each.service, each.environment) for each in named if fixed(each.site.tag)}
    )
    lead = sum(count for count in homes.values() if count > 1) if shared else len(places)
    return lead, not shared, len(places), all(each.told for each in mine), mine[0].key.lower().endswith("tag")


def _certain(mine: Sequence[Placed]) -> bool:
    """Whether their paths lead from one environment to another, and tell services apart."""
    services, environments = {each.service for each in mine}, {each.environment for each in mine}
    return len(environments) > 1 and (len(services) > 1 or any(each.told for each in mine))


def _misnamed(each: Placed) -> Unread:
    rule = f"{each.service} is no name for a service: small letters, digits and dashes, 40 at most"
    return Unread(each.site.file, f"{each.site.key}: {rule}")


def _outside(best: Sequence[Placed], mine: Sequence[Placed]) -> Unread:
    """Why `mine`, which have one form, are not in the layout of `best`."""
    first, form = mine[0], best[0]
    files = len({each.site.file for each in mine})
    more = f" and in {files - 1} files more" if files > 1 else ""
    missing = _missing(best, mine)
    why = "pinned there too, and not carried: with its key a promotion takes it along, a release leaves it alone"
    if first.shared and not form.shared:
        untold = "its path does not say which service it is of"
        why = f"{untold}, and a layout with a file for each goes before{missing}"
    elif first.path != form.path:
        why = f"another layout, {first.path}, and a repository has one{missing}"
    elif missing:
        why = f"not {form.key}, and a layout has the same key for all{missing}"
    return Unread(first.site.file, f"{first.key}{more}: {why}")


def _missing(chosen: Iterable[Placed], others: Iterable[Placed]) -> str:
    """The environments and services that nothing shows where `others` are left out."""
    there = {name for each in chosen for name in (each.environment, each.service)}
    names = list(dict.fromkeys(name for each in others for name in (each.environment, each.service)))
    names = [name for name in names if name not in there]
    return f"; so nothing is known here of {some(names)}" if names else ""


def some(names: Sequence[str]) -> str:
    """The first of `names`, and how many there are besides."""
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
