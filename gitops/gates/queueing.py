"""What is asked of an entry of the merge queue besides its pull request's own gates."""

from __future__ import annotations

from gitops.gates.case import Place
from gitops.gates.subject import Subject

GATE = "queue"
"""The gate's name."""


def leans_on(below: Subject, own: Subject) -> str:
    """What stands below it, is not merged, and may decide about it; empty where there is nothing of that.

    Pins and settings of other services decide nothing about it. All else may: rules, the catalog, holds, its own past.
    """
    if below.others:
        return below.others[0]
    both = sorted(_services(below) & _services(own))
    return both[0] if both else ""


def passed_through(before: Subject, after: Subject) -> Place | None:
    """A place of which a state lies between two others: `before` is what leads to it, `after` what leads on.

    What has been somewhere may go on from there, and back to there: so each state of a place has to be judged.
    """
    there, here = (_places(each) for each in (before, after))
    return min(there & here, default=None)


def _services(about: Subject) -> set[str]:
    named = (*about.applications.values(), *about.holds.values())
    return {service for service, _ in (*_places(about), *named)}


def _places(about: Subject) -> set[Place]:
    return {*about.pins, *about.ends, *about.settings.values()}
