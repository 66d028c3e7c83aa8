"""By which pull requests pins came, and when what they brought was found healthy: by the commits that changed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from generator.errors import Problem, ShiplaneError
from gitops.config import Config
from gitops.forge.github import queries, reading
from gitops.forge.github.wire import Wire
from gitops.pull_request import PullRequest

HEALTH = "shiplane/health/{environment}/{service}"
"""The status that Argo CD's notifications post for an Application (the label in `notifications/health.yaml`)."""
_BATCH = 25  # paths whose history one query asks for
_LONGEST = 50  # commits of a path's history that are looked at: GitHub counts nodes, half a million for a query
_FEW = 10  # of them in which a pin is looked for, where other changes may have come after it
_QUEUED = timedelta(days=1)  # from when a queue made a commit until it was merged, at most: GitHub gives up after hours
_MOST_PAGES = 50  # hundreds of commits that have landed since: of what lies deeper nobody knows, and gates wait
Place = tuple[str, str]
_Asked = tuple[Place, PullRequest, datetime | None]
"""A pull request that has set a pin there, and when the next one did."""


def last(
    wire: Wire, at: Mapping[str, str], tip: str, config: Config, places: Sequence[Place]
) -> dict[Place, PullRequest]:
    """The pull request that last set the pin of each place, without its health."""
    found: dict[Place, PullRequest] = {}
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        query = queries.landed(len(some), depth(config))
        found |= set_by(config, some, _of_tip(wire, query, {**at, **asked(config, some), "tip": tip}))
    return found


def depth(config: Config) -> int:
    """How many changes of a file are looked at: what people write into a file of another layout is no pin."""
    if config.layout.own:
        return 1
    return _LONGEST if any(map(config.layout.shares, config.layout.carries)) else _FEW


def asked(config: Config, places: Sequence[Place]) -> dict[str, str]:
    """The variables by which `queries.landed` asks what has last set the pins of `places`."""
    return _variables(config, [(place, config.layout.paths(*reversed(place))[0]) for place in places])


def set_by(config: Config, places: Sequence[Place], told: Any) -> dict[Place, PullRequest]:
    """The pull request that last set the pin of each of `places`, by the answer to such a query."""
    found = zip(places, _read(config, places, told), strict=True)
    last = {place: next((each for each in requests if _sets(config, each, place)), None) for place, requests in found}
    return {place: request for place, request in last.items() if request}


def _sets(config: Config, request: PullRequest, place: Place) -> bool:
    """Whether it has set the pin of `place`: in its own layout a change of the file says so."""
    return config.layout.own or any((each.service, each.environment) == place for each in request.moves)


def healthy(
    wire: Wire, at: Mapping[str, str], tip: str, found: Mapping[Place, PullRequest]
) -> dict[Place, PullRequest]:
    """The last pull requests of places, each with the moment at which what it brought was first found healthy."""
    asked: list[_Asked] = [(place, request, None) for place, request in found.items()]
    known: dict[Place, PullRequest] = {}
    for start in range(0, len(asked), _BATCH):
        some = asked[start : start + _BATCH]
        known |= {place: each for (place, _, _), each in zip(some, _with_health(wire, at, tip, some), strict=True)}
    return known


def history(
    wire: Wire, at: Mapping[str, str], tip: str, config: Config, place: Place, most: int | None
) -> list[PullRequest]:
    """The pull requests that have set the pin of a place, the newest first."""
    paths = [(place, path) for path in config.layout.paths(*reversed(place))]
    found = {
        request.number: request
        for requests in _landed(wire, at, tip, config, paths, max(most or _LONGEST, depth(config)))
        for request in requests
        if request.merged and _sets(config, request, place)
    }
    newest = sorted(found.values(), key=lambda each: (each.merged, each.number), reverse=True)[:most]
    ends = [None, *(each.merged for each in newest)]
    asked = [(place, each, end) for each, end in zip(newest[:_BATCH], ends, strict=False)]
    return _with_health(wire, at, tip, asked) + newest[_BATCH:]


def _landed(
    wire: Wire, at: Mapping[str, str], tip: str, config: Config, paths: Sequence[tuple[Place, str]], most: int
) -> Iterator[list[PullRequest]]:
    """For each path what brought the last changes of it, the newest first; a direct push has no pull request."""
    query = queries.landed(len(paths), most)
    told = _of_tip(wire, query, {**at, **_variables(config, paths), "tip": tip})
    return _read(config, [place for place, _ in paths], told)


def _variables(config: Config, paths: Sequence[tuple[Place, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for i, (place, path) in enumerate(paths):
        folder = config.layout.folder(*reversed(place))
        found |= {f"p{i}": path, f"m{i}": f"{folder}/release.yaml", f"o{i}": f"{folder}/origin.yaml"}
    return found


def _read(config: Config, places: Sequence[Place], told: Any) -> Iterator[list[PullRequest]]:
    for i, place in enumerate(places):
        yield [
            reading.pull_request(node, reading.moved(config, *place, _blob(each["release"]), _blob(each["origin"])))
            for each in told[f"path{i}"]["nodes"]
            for node in each["associatedPullRequests"]["nodes"]
            if node["mergedAt"]
        ]


def _of_tip(wire: Wire, query: str, variables: Mapping[str, str | None]) -> Any:
    """What a query says of the tip; raises ShiplaneError where GitHub's API has not seen it yet."""
    told = wire.graphql(query, variables)["repository"]["object"]
    if told is None:
        rule = "GitHub does not know this commit yet, though git has it from there"
        raise ShiplaneError(Problem(str(variables["tip"])[:7], rule, "try the same command again"))
    return told


def _blob(entry: Any) -> Any:
    return entry["object"] if entry else None


def _with_health(wire: Wire, at: Mapping[str, str], tip: str, asked: Sequence[_Asked]) -> list[PullRequest]:
    """The same, each with the moment at which it was first found healthy while it was there.

    Argo CD puts its word on the commit that it has synced, which is the merge or one that stands on it.
    """
    if not asked:
        return []
    words: list[list[Any]] = [[] for _ in asked]
    left: dict[int, str | None] = dict.fromkeys(range(len(asked)))
    for _ in range(_MOST_PAGES):
        for i, page in zip(tuple(left), _words(wire, at, tip, [(asked[i], left[i]) for i in left]), strict=True):
            words[i] += page["nodes"]
            left[i] = page["pageInfo"]["endCursor"]
            seen = any(each["oid"] == asked[i][1].merge for each in page["nodes"])
            if seen or not page["pageInfo"]["hasNextPage"]:
                del left[i]
        if not left:
            break
    return [replace(each, healthy=_first(words[i], each, end)) for i, (_, each, end) in enumerate(asked)]


def _words(
    wire: Wire, at: Mapping[str, str], tip: str, asked: Sequence[tuple[_Asked, str | None]]
) -> Iterator[Mapping[str, Any]]:
    """For each that is asked about a page of the commits that landed while it was there, with Argo CD's words."""
    variables: dict[str, str | None] = {}
    for i, (((service, environment), each, end), after) in enumerate(asked):
        context = HEALTH.format(service=service, environment=environment)
        start = each.merged and each.merged - _QUEUED
        since, until = (moment.isoformat() if moment else None for moment in (start, end))
        variables |= {f"c{i}": context, f"s{i}": since, f"u{i}": until, f"a{i}": after}
    told = _of_tip(wire, queries.statuses(len(asked)), {**at, **variables, "tip": tip})
    return (told[f"since{i}"] for i in range(len(asked)))


def _first(nodes: Sequence[Any], request: PullRequest, end: datetime | None) -> datetime | None:
    """The first good word while it was there.

    One of a person or of anybody's workflow is none, nor is one of the App that opened the pull request: who asks for a
    release does not say how it does.
    """
    landed = _standing_on(nodes, request)
    words = [each["status"]["context"] for each in landed if each["status"] and each["status"]["context"]]
    good = (
        reading.moment(word["createdAt"])
        for word in words
        if word["state"] == "SUCCESS" and _tells(reading.login(word["creator"]), request.author)
    )
    start = request.merged
    return min((at for at in good if start and start <= at and (end is None or at < end)), default=None)


def _standing_on(nodes: Sequence[Any], request: PullRequest) -> list[Any]:
    """Those commits that have what `request` brought: its merge, and all that stand on it.

    Where the merge lies too deep, those that were made since: not by their dates otherwise, since a merge queue makes
    its commits before it merges them, and one of another branch may be as new and have nothing of it.
    """
    having = {request.merge} & {each["oid"] for each in nodes}
    if not having:
        return [each for each in nodes if request.merged and reading.moment(each["committedDate"]) >= request.merged]
    for each in reversed(nodes):  # GitHub tells no parent before its child
        if having & {parent["oid"] for parent in each["parents"]["nodes"]}:
            having.add(each["oid"])
    return [each for each in nodes if each["oid"] in having]


def _tells(who: str, author: str) -> bool:
    return reading.speaks_for_itself(who) and who != author
