"""The gates of one pin: each a pure function of its case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from generator.errors import ShiplaneError, printable
from gitops import carried, catalog, holds, pins
from gitops.gates.case import Case
from gitops.gates.verdict import REFUSED, Verdict, passed, refused, unjudged, waiting
from gitops.gates.windows import closed_until
from gitops.layout import CHART


def order(case: Case) -> Verdict:
    """The environment that it comes from has, or has had, this very release: the same objects, not only the same tag.

    An environment may also return to what it has had; and past its `from` only what its `hotfix` has had comes in.
    """
    to = case.to
    if not to.sources:
        return passed("order", f"releases enter the lane at {to.name}")
    if origins := case.origins():
        told = " and ".join(f"{each} {'has pinned' if case.has(each) else 'has had'}" for each in origins)
        past = "" if origins == to.before else f", past {' and '.join(to.before)}, as {to.name} allows for hotfixes"
        return passed("order", f"{told} this very release{past}")
    if case.returns():
        return passed("order", f"{to.name} has had this very release: a way back")
    lacking = [each for each in to.before if not case.had(each)]
    if len(lacking) < len(to.before):  # it is on its way: the others have it
        return waiting("order", f"{' and '.join(lacking)} must have it too: promote it there")
    differ = _differing(case, to.before[0])
    verb = "differs" if len(differ) == 1 else "differ"
    return refused("order", f"is not what {to.before[0]} has pinned: {', '.join(differ)} {verb}", *differ)


def _differing(case: Case, source: str) -> list[str]:
    """The carried places that are not those of `source`."""
    there, here = case.identity(case.base, source), case.identity(case.head, case.to.name)
    names = zip(case.config.layout.paths(case.to.name, case.service.name), there, here, strict=True)
    return [name for name, one, other in names if one != other]


def tree(case: Case) -> Verdict:
    """The chart is one that may be carried: see `carried.check`."""
    if CHART not in case.config.layout.carries:
        return unjudged("tree", "this layout carries no chart")
    place = f"{case.folder}/chart"
    wrong = carried.check(case.head.files(place), place)
    if wrong:
        told = "; ".join(f"{each.place} {each.rule}" for each in wrong)
        return refused("tree", told, *(each.place for each in wrong))
    return passed("tree", "regular files alone, and nothing that Argo CD or git would take settings from")


def parity(case: Case) -> Verdict:
    """One digest for one tag everywhere, and an image that comes from where the catalog and the environment say."""
    after = case.after()
    if after is None:
        return refused("parity", "there is no release", case.folder)
    # a way back leads to what was judged by the catalog of its time: a repository may have moved since
    if after.origin.source != case.service.source and not case.returns():
        rule = f"comes from {after.origin.source}, and the catalog says {case.service.source}"
        return refused("parity", rule, pins.files(case.config, case.to.name, case.service.name)[-1])
    for name in case.config.environments:
        if name == case.to.name:
            continue
        try:
            other = pins.pin(case.base, case.config, name, case.service.name)
        except ShiplaneError:  # a pin that nobody can read is that environment's own fault
            continue
        if other and other.release.tag == after.release.tag and other.release.digest != after.release.digest:
            rule = f"{name} has pinned {after.release.short} with another digest, {other.release.digest or 'none'}"
            return refused("parity", rule, pins.files(case.config, case.to.name, case.service.name)[0])
    if not (case.config.layout.own or after.release.digest):
        return unjudged("parity", "this layout pins no digest")
    found = settings(case)
    told = "one digest for this tag everywhere"
    if case.config.layout.own:
        told += ", from the registry and repository that are its own"
    return passed("parity", told) if found.passed else replace(found, gate="parity")


def settings(case: Case) -> Verdict:
    """The settings name the image that catalog and environment name, if any."""
    if not case.config.layout.own:
        return unjudged("settings", "the image's name is its own files' to say")
    path = f"{case.folder}/values.yaml"
    found = catalog.image_repository(case.head.data(path), path)
    expected = f"{case.to.registry}/{case.service.image}"
    if found not in ("", expected):  # where the settings say nothing, the policy on what is rendered judges it
        return refused("settings", f"image.repository is {printable(found)}, not {expected}", path)
    return passed("settings", f"no image but {expected}")


def soak(case: Case) -> Verdict:
    """It has been where it comes from for as long as is asked, since it was found healthy where that is asked too."""
    gates = case.to.gates
    if not (gates.soak or gates.health):
        return unjudged("soak", f"{case.to.name} asks for none")
    if case.returns():
        return passed("soak", "a way back does not wait")
    having = case.origins() or tuple(filter(case.had, case.to.before))
    found = [_soaked(case, each) for each in having or (" and ".join(case.to.sources),)]
    left = [each for each in found if each.state == REFUSED] or [each for each in found if not each.passed] or found
    until = max((each.until for each in left if each.until), default=None)
    return replace(left[0], why="; ".join(each.why for each in left), until=until)


def _soaked(case: Case, source: str) -> Verdict:
    """The time that it has had in one of the environments that it comes from."""
    gates, after = case.to.gates, case.after()
    times = case.known.since.get((case.service.name, source), ())
    since = next((each for each in times if after and each.release == after.release), None)
    if since is None:
        return refused("soak", f"nobody knows since when {source} has it: no pull request of Shiplane brought it there")
    brought = f"{source} has had it since {moment(since.merged)}, by #{since.number}"
    if gates.health and since.healthy is None:
        if since.until:
            return refused("soak", f"{brought}, and replaced it {moment(since.until)}, before it was found healthy")
        return waiting("soak", f"nobody has found it healthy yet: {brought}")
    start = max(since.merged, since.healthy) if gates.health and since.healthy else since.merged
    told = f"{brought}, found healthy {moment(start)}" if gates.health else brought
    until = start + gates.soak
    if since.until and since.until < until:
        return refused("soak", f"{told}, and replaced it {moment(since.until)}, too early")
    if case.now < until:
        return waiting("soak", f"until {moment(until)}: {told}", until)
    return passed("soak", told)


def freeze(case: Case) -> Verdict:
    """No window of the environment is closed now; a way back passes through any."""
    windows = case.to.gates.freeze
    if not windows:
        return unjudged("freeze", f"{case.to.name} has no windows")
    closed = closed_until(windows, case.now)
    if closed is None:
        return passed("freeze", "no window is closed")
    until, window = closed
    reason = f": {printable(window.reason)}" if window.reason else ""
    local = until.astimezone(ZoneInfo(window.zone)).strftime("%a %Y-%m-%d %H:%M")
    if case.returns():
        return passed("freeze", f"a way back does not wait until {local} {window.zone}{reason}")
    return waiting("freeze", f"until {local} {window.zone}{reason}", until)


def hold(case: Case) -> Verdict:
    """Nobody has recorded that this is not to be promoted; a way back asks only for what is held by its name."""
    path = holds.path(*reversed(case.place))
    entry = case.base.get(path)
    if entry is None:
        return passed("hold", "none is set")
    held, after = holds.parsed(entry.data or b"", path), case.after()
    if case.returns() and not held.tags:
        return passed("hold", "a way back does not ask while nothing is held back by its name")
    if after and not held.holds(after.release.tag):
        return passed("hold", f"{path} holds {held.named()} back, and this is another release")
    return refused("hold", f"{held.told(case.service.name)} by {held.who}: {held.reason}", path)


def moment(when: datetime) -> str:
    """A moment as a sentence has it, in UTC."""
    return when.strftime("%a %Y-%m-%d %H:%M UTC")
