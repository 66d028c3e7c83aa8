"""`gitops release`: pins what CI built into an environment where releases enter the lane."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import REFUSED, Problem, ShiplaneError, given
from generator.service import check_name
from gitops import carried, catalog, holds, keyed, pins
from gitops.catalog import Service
from gitops.config import Config, Environment
from gitops.gates.case import Case, Known
from gitops.gates.judge import pin_verdicts, standing
from gitops.model import (
    FILE,
    TREE,
    Change,
    Entry,
    Nothing,
    Origin,
    Pin,
    Release,
    Snapshot,
)
from gitops.pull_request import PullRequest
from gitops.result import applied, branch_of
from gitops.step import Step

_FORM = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"  # a tag, as the distribution specification has it


@dataclass(frozen=True)
class Chart:
    """The chart of a release: its files with their bytes, whether git has it at the tag, its tree's id once known."""

    place: str
    files: Mapping[str, Entry]
    proved: bool
    oid: str = ""


@dataclass(frozen=True)
class Releasing:
    """What was asked for. `environment` None is the one that has no `from`; `chart` None: this layout carries none."""

    service: str
    release: Release
    run: int | None
    environment: str | None
    chart: Chart | None


def mistakes(service: str, tag: str, digest: str, run: int | None, *, bare: bool = False) -> list[Problem]:
    """All that is wrong in these options, before anything is read; `bare`: without a chart, as other layouts release.

    What a tag looks like there is the layout's to say, and whether there is a digest.
    """
    problems = [*check_name(service)]
    if not re.fullmatch(_FORM if bare else pins.TAG, tag):
        full = "a release is pinned by its full commit SHA (40 hex digits), never by a tag that moves"
        problems.append(Problem(given("--tag", tag), "is no tag that a registry takes" if bare else full))
    if not re.fullmatch(pins.DIGEST, digest) and not (bare and not digest):
        problems.append(Problem(given("--digest", digest), "expected sha256: and 64 hex digits"))
    if run is not None and not 0 <= run <= pins.NEWEST:
        problems.append(Problem(given("--run", str(run)), "expected the number of the CI run, 0 or more"))
    return problems


def asked(
    service: str, tag: str, digest: str, run: int | None, environment: str | None, chart: Chart | None
) -> Releasing:
    """The request in these options; raises ShiplaneError when they or the chart must not be carried."""
    wrong = mistakes(service, tag, digest, run, bare=chart is None)
    if chart and not wrong:
        wrong = carried.check(chart.files, chart.place)
    if wrong:
        raise ShiplaneError(wrong)
    return Releasing(service, Release(tag, digest), run, environment, chart)


def entrance(config: Config, request: Releasing) -> Environment:
    """The environment that the release enters; raises ShiplaneError for one that is promoted into."""
    doors = [each for each in config.environments.values() if each.source is None]
    if request.environment is None:
        if len(doors) > 1:
            names = ", ".join(each.name for each in doors)
            raise ShiplaneError(Problem("--to", f"say which environment: releases enter at {names}"))
        return doors[0]
    environment = config.environment(request.environment)
    if environment.source is not None:
        mend = f"promote {request.service} --to {environment.name}"
        raise ShiplaneError(
            Problem(
                f"--to {environment.name}",
                f"is promoted into from {' and '.join(environment.before)}, not released into",
                mend,
            )
        )
    return environment


def branch(config: Config, request: Releasing) -> str:
    """The branch of the one pull request for this service and environment."""
    return branch_of(entrance(config, request).name, request.service)


def needs(config: Config, request: Releasing) -> Sequence[str]:
    """The paths to read before planning."""
    to = entrance(config, request).name
    others = [path for each in config.environments for path in pins.files(config, each, request.service)]
    own = pins.paths(config, to, request.service)
    paths = [catalog.path(request.service), holds.path(to, request.service), *own, *others]
    return [*paths, f"defaults/{to}", f"apps/{to}/{request.service}.yaml"]


def plan(
    config: Config, snapshot: Snapshot, request: Releasing, now: datetime, runs: Mapping[Release, int] | None = None
) -> Step | Nothing:
    """The step that pins the release and its chart; nothing when it is pinned, or when a later run's release is.

    `runs` are the CI runs of releases, where a layout's own files do not say them.
    """
    chart = request.chart
    to = entrance(config, request)
    service = catalog.lookup(snapshot, request.service)
    old = pins.pin(snapshot, config, to.name, service.name)
    if not config.layout.own:
        return _keyed(config, snapshot, request, service, old, now, runs or {})
    if chart is None:
        raise ShiplaneError(
            Problem("--chart", f"is missing: a release of {service.name} carries its chart", "--chart DIR")
        )
    origin = Origin(service.source, carried.version(chart.files), request.run, chart.proved)
    if late := _superseded(old.release if old else None, old.origin.run if old else None, request, to):
        return late
    folder = config.layout.folder(to.name, service.name)
    entry = snapshot.get(f"{folder}/chart")
    if old and (old.release, old.origin) == (request.release, origin) and entry and entry.oid == chart.oid:
        return Nothing(f"{service.name} {old.release.short} is pinned in {to.name} already")
    new = Pin(request.release, origin, ("", "", chart.oid))
    starts = catalog.starting_changes(snapshot, config, to, service)
    changes: tuple[Change, ...] = (
        *starts,
        Change(f"{folder}/release.yaml", FILE, pins.release_yaml(request.release)),
        Change(f"{folder}/origin.yaml", FILE, pins.origin_yaml(origin)),
        Change(f"{folder}/chart", TREE, chart.oid),
    )
    case = Case(config, to, service, snapshot, applied(snapshot, changes, {chart.oid: chart.files}), Known(), now)
    return _step(case, old, new, changes, request.run, tuple(each.path for each in starts))


def _step(
    case: Case, old: Pin | None, new: Pin, changes: tuple[Change, ...], run: int | None, starts: tuple[str, ...] = ()
) -> Step:
    """The step of a pin that releases set; raises ShiplaneError where a gate refuses that waiting will not mend."""
    verdicts = pin_verdicts(case)
    if stands := standing(case, verdicts):
        raise ShiplaneError(stands, REFUSED)
    return Step("release", case, old, new, changes, verdicts, starts=starts, run=run)


def _keyed(
    config: Config,
    snapshot: Snapshot,
    request: Releasing,
    service: Service,
    old: Pin | None,
    now: datetime,
    runs: Mapping[Release, int],
) -> Step | Nothing:
    """The step that sets tag and digest in the files of another layout, and no other byte."""
    layout, to, release = config.layout, entrance(config, request), request.release
    if request.chart is not None:
        raise ShiplaneError(Problem("--chart", "this layout carries no chart of its own", "leave it out"))
    if not layout.fits(release.tag):
        rule = f"does not fit layout.tag.pattern, {layout.form}, or is one that moves"
        raise ShiplaneError(Problem(given("--tag", release.tag), rule))
    if bool(release.digest) != bool(layout.digest):
        rule = "is missing: this layout pins it" if layout.digest else "this layout has no key for it"
        raise ShiplaneError(Problem("--digest", rule, "--digest sha256:..." if layout.digest else "leave it out"))
    if old and old.release == release:
        return Nothing(f"{service.name} {release.short} is pinned in {to.name} already")
    if late := _superseded(old.release if old else None, runs.get(old.release) if old else None, request, to):
        return late
    place, changes = (service.name, to.name), []
    for name, keys in layout.keys.items():
        path = layout.path(to.name, service.name, name)
        entry = snapshot.get(path)
        data = keyed.regular(entry, path)
        new = {key: value for key, value in ((layout.tag, release.tag), (layout.digest, release.digest)) if value}
        after = keyed.edited(layout, place, name, data, {key: new[key] for key in keys.paths if key in new})
        if entry and after != data:
            changes.append(Change(path, entry.mode, after))
    case = Case(config, to, service, snapshot, applied(snapshot, changes, {}), Known(), now)
    pinned = case.after()
    if pinned is None:
        raise ShiplaneError(Problem(f"{service.name} in {to.name}", "cannot be pinned: its files are not all there"))
    return _step(case, old, pinned, tuple(changes), request.run)


def unless_late(plan: Step, known: PullRequest | None) -> Step | Nothing:
    """`plan`, or nothing where the open pull request that it would replace pins what a later run built."""
    if not known or not known.move:
        return plan
    run, waiting = plan.move.run, known.move.run
    if run is None or waiting is None or run >= waiting:
        return plan
    return Nothing(f"superseded: #{known.number} pins {known.move.after.short} of run {waiting}, newer than run {run}")


def _superseded(old: Release | None, pinned: int | None, request: Releasing, to: Environment) -> Nothing | None:
    """A slow old build that lands last changes nothing. Without a number its place in the order is not known."""
    if old is None or pinned is None:
        return None
    if request.run is None:
        rule = f"{to.name} has pinned run {pinned}: without a number nobody knows which is newer"
        raise ShiplaneError(Problem("--run", rule, "pass the CI run's number: --run N"))
    if request.run < pinned:
        return Nothing(f"superseded: {to.name} has pinned {old.short} of run {pinned}, newer than run {request.run}")
    return None
