"""What GitHub knows about pull requests, in batched reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops import built
from gitops.commits import Commit, Compared
from gitops.config import Config
from gitops.forge import COMPARED, Conflict, NoSuchPullRequest, Parked
from gitops.forge.github import past, people, queries, queued, reading
from gitops.forge.github.address import parsed
from gitops.forge.github.protection import protection as guarded
from gitops.forge.github.wire import WAYS, Refused, Wire
from gitops.labels import labels
from gitops.protection import Protection
from gitops.pull_request import PullRequest, person
from gitops.queue import Entry
from gitops.repo import Repository
from gitops.repo.merge import merged

_BATCH = 20  # branches that one query asks about


class Known:
    """A repository on GitHub, read; raises ShiplaneError where its address is another's, or nobody is logged in."""

    def __init__(self, repository: Repository, config: Config) -> None:
        address = parsed(repository.url)
        if address is None:
            rule = "is no address of a repository on GitHub"
            mend = "https://github.com/OWNER/REPOSITORY\nforge: embedded in shiplane.yaml"
            raise ShiplaneError(Problem(repository.url, rule, mend))
        if not repository.access.token:
            raise ShiplaneError(Problem(address.host, "nobody is logged in there", WAYS))
        self._repository, self._config, self._slug = repository, config, address.slug
        self._wire = Wire(address.api, repository.access.token)
        self._host = address.host
        self._at = {"owner": address.owner, "name": address.name}
        self._me = repository.access.app
        self._id = ""
        self._ids: dict[int, str] = {}
        self._heads: dict[str, tuple[str, str]] = {}
        self._last: dict[tuple[str, past.Place], PullRequest | None] = {}

    def find(self, branches: Sequence[str], pins: Sequence[past.Place] = ()) -> dict[str, PullRequest]:
        """The open pull request of each of `branches` that has one; `last` then knows of `pins` without asking."""
        known: dict[str, PullRequest] = {}
        for start in range(0, max(len(branches), len(pins)), _BATCH):
            some = slice(start, start + _BATCH)
            known |= self._found(branches[some], pins[some])
        return known

    def _found(self, branches: Sequence[str], pins: Sequence[past.Place]) -> dict[str, PullRequest]:
        asked: dict[str, str] = past.asked(self._config, pins)
        for i, branch in enumerate(branches):
            release, origin = self._files(branch)
            ref = f"refs/heads/{branch}"
            asked |= {f"b{i}": branch, f"r{i}": ref, f"f{i}": f"{ref}:{release}", f"g{i}": f"{ref}:{origin}"}
        asked |= {"tip": self._repository.tip} if pins else {}
        query = queries.found(len(branches), len(pins), past.depth(self._config), labels=bool(self._config.labels))
        told = self._wire.graphql(query, {**self._at, **asked})
        self._me = self._me or str(told["viewer"]["login"])
        if pins and (tip := told["repository"]["object"]):  # GitHub's API may not have seen it yet
            by = past.set_by(self._config, pins, tip)
            self._last |= {(self._repository.tip, place): by.get(place) for place in pins}
        answer = told["repository"]
        self._id = answer["id"]
        known = {}
        for i, branch in enumerate(branches):
            target = answer[f"ref{i}"]["target"] if answer[f"ref{i}"] else {}
            self._heads[branch] = (target.get("oid", ""), target.get("message", ""))
            node = next((each for each in answer[f"pulls{i}"]["nodes"] if self._is_ours(each)), None)
            if node:
                request = self._read(node, answer[f"release{i}"], answer[f"origin{i}"])
                wanted = labels(self._config.labels, request.moves)
                has = {each["name"].casefold() for each in node["labels"]["nodes"]} if wanted else ()
                lacks = tuple(each for each in wanted if each.casefold() not in has)
                known[branch] = replace(request, unlabelled=lacks)
        return known

    def open(self) -> list[PullRequest]:
        """Every open pull request, oldest first, with its reviews."""
        nodes: list[Any] = []
        page: Mapping[str, Any] = {"hasNextPage": True, "endCursor": None}
        while page["hasNextPage"]:
            asked = {**self._at, "base": self._repository.branch, "after": page["endCursor"]}
            told = self._wire.graphql(queries.OPEN, asked)["repository"]["pullRequests"]
            nodes, page = [*nodes, *told["nodes"]], told["pageInfo"]
        texts = self._texts(nodes)
        return sorted((self._read(*each) for each in zip(nodes, *texts, strict=True)), key=lambda each: each.number)

    def get(self, number: int) -> PullRequest:
        """The pull request with this number, with its body and, while it is open, everybody who had a hand in it."""
        none = NoSuchPullRequest(number, self._repository.url)
        try:
            node = self._wire.graphql(queries.ONE, {**self._at, "number": number})["repository"]["pullRequest"]
        except Refused as refusal:
            if refusal.status == 404 and "PullRequest" in refusal.message:
                raise none from None
            raise
        if node["baseRefName"] != self._repository.branch:
            raise none
        ((release,), (origin,)) = self._texts([node])
        request = self._read(node, release, origin)
        if request.state != "open":
            return request
        if node["isCrossRepository"]:
            mend = f"push its branch to {self._slug} itself"
            rule = "comes from a fork, and nobody tells us who has pushed to it"
            raise ShiplaneError(Problem(request.url, rule, mend), REFUSED)
        if node["commits"]["totalCount"] > len(node["all"]["nodes"]):
            rule = f"has {node['commits']['totalCount']} commits, more than are read"
            raise ShiplaneError(Problem(request.url, rule, "squash them, or open it again"), REFUSED)
        pushed_by = people.pushed_by(self._wire, self._slug, request)
        request = reading.pull_request(node, request.move, pushed_by)
        if len(node["all"]["nodes"]) == 1 and len(node["all"]["nodes"][0]["commit"]["parents"]["nodes"]) == 1:
            return request
        return replace(request, base=self._common(request.head))

    def parked(self) -> list[Parked]:
        """What was closed or leads elsewhere, and bears a good word, by one query."""
        told = self._wire.graphql(queries.PARKED, self._at)["repository"]["pullRequests"]["nodes"]
        return [
            Parked(each["number"], each["headRefOid"], each["url"])
            for each in told
            if (each["state"] != "OPEN" or each["baseRefName"] != self._repository.branch) and reading.good(each)
        ]

    def merged(self, environments: Sequence[str], *, health: bool = False) -> dict[tuple[str, str], PullRequest]:
        """The pull request that last set the pin of (service, environment), for every service of `environments`."""
        places = self._pinned(environments)
        tip = self._repository.tip
        found = past.last(self._wire, self._at, tip, self._config, places)
        return past.healthy(self._wire, self._at, tip, found) if health else found

    def _pinned(self, environments: Sequence[str]) -> list[tuple[str, str]]:
        """(service, environment) of every pin of these environments."""
        layout = self._config.layout
        if not layout.own:
            listing = self._repository.listing([layout.root(), "services"] if layout.root() else None)
            return [place for place in built.places(self._config, listing) if place[1] in environments]
        roots = {each: layout.folder(each, "") for each in environments}
        paths = self._repository.listing([*roots.values()]).entries
        return [
            (path[len(root) :].removesuffix("/release.yaml"), environment)
            for environment, root in roots.items()
            for path in paths
            if path.startswith(root) and path.endswith("/release.yaml") and path[len(root) :].count("/") == 1
        ]

    def last(self, service: str, environment: str) -> PullRequest | None:
        """The pull request that last set a pin, without its health."""
        place, tip = (service, environment), self._repository.tip
        if (tip, place) not in self._last:
            self._last[tip, place] = past.last(self._wire, self._at, tip, self._config, [place]).get(place)
        return self._last[tip, place]

    def history(self, service: str, environment: str, last: int | None = None) -> list[PullRequest]:
        """The pull requests that have set a pin, the newest first; only the `last` so many."""
        return past.history(self._wire, self._at, self._repository.tip, self._config, (service, environment), last)

    def compare(self, source: str, old: str, new: str) -> Compared | None:
        """The commits of a service's source between two releases, by one comparison of GitHub's.

        It holds the newest 250, oldest first ("Compare two commits"). An App's token is for the GitOps repository
        alone and reads no private source; then, and for a commit that is not there, it is None.
        """
        try:
            told = self._wire.rest("GET", f"/repos/{source}/compare/{old}...{new}")
        except Refused as refusal:
            if refusal.status in (403, 404, 422, 451):
                return None
            raise
        found = (Commit(each["sha"], each["commit"]["message"], _author(each)) for each in reversed(told["commits"]))
        return Compared(tuple(islice(found, COMPARED)), told["ahead_by"], told["behind_by"])

    def queue(self) -> list[Entry]:
        """Every branch of the merge queue into the default branch, by one fetch."""
        return queued.entries(self._repository)

    def result(self, request: PullRequest, on: str = "") -> str | Conflict | None:
        """The tree that merging `request` would leave, GitHub's own where it has made it already.

        None when its head has moved.
        """
        on = on or self._repository.tip
        refs = f"refs/pull/{request.number}/"
        self._repository.fetch(f"+{refs}*:{refs}*", depth=2)
        known = self._repository.refs(refs)
        if known.get(f"{refs}head") != request.head:
            return None
        trial = known.get(f"{refs}merge")
        if trial and self._repository.parents(trial) == [on, request.head]:
            return self._repository.tree_of(trial)
        if self._repository.parents(request.head) != [request.base]:
            self._repository.fetch(request.base, depth=1)
        tree, conflicts = merged(self._repository, on, request.head, request.base)
        return Conflict(request.number, conflicts) if conflicts else tree

    def teams(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The people of those of `names` that are teams of the organisation, or `organisation/team`."""
        owner = self._at["owner"]
        return {name: frozenset(map(person, people.members(self._wire, owner, name))) for name in names}

    def protection(self, request: PullRequest | None = None) -> Protection:
        """How the default branch is guarded, and where an open `request` stands with that."""
        access = self._repository.access
        return guarded(self._wire, self._at, self._host, self._repository.branch, access.lacks, request)

    def _is_ours(self, node: reading.Node) -> bool:
        """Whether it is of this repository's own branch: a fork's may bear the same name."""
        return not node["isCrossRepository"] and node["baseRefName"] == self._repository.branch

    def _read(self, node: reading.Node, release: Any, origin: Any) -> PullRequest:
        self._ids[node["number"]] = node["id"]
        place = reading.place(node["headRefName"])
        move = reading.moved(self._config, *place, release, origin) if place else None
        return reading.pull_request(node, move)

    def _files(self, branch: str) -> tuple[str, str]:
        """The two files that say what a branch pins; for any other branch two that are not there."""
        service, environment = reading.place(branch) or ("", "")
        folder = self._config.layout.folder(environment, service)
        return f"{folder}/release.yaml", f"{folder}/origin.yaml"

    def _texts(self, nodes: Sequence[reading.Node]) -> tuple[list[Any], list[Any]]:
        """What the heads of pull requests have as release.yaml and as origin.yaml, in one query for a batch."""
        wanted = [f"{each['headRefOid']}:{path}" for each in nodes for path in self._files(each["headRefName"])]
        found: list[Any] = []
        for start in range(0, len(wanted), 2 * _BATCH):
            some = wanted[start : start + 2 * _BATCH]
            asked = {f"f{i}": each for i, each in enumerate(some)}
            told = self._wire.graphql(queries.files(len(some)), {**self._at, **asked})["repository"]
            found += [told[f"file{i}"] for i in range(len(some))]
        return found[::2], found[1::2]

    def _common(self, head: str) -> str:
        """The commit on which a head of several commits stands."""
        path = f"/repos/{self._slug}/compare/{self._repository.tip}...{head}"
        return str(self._wire.rest("GET", path)["merge_base_commit"]["sha"])


def _author(commit: Any) -> str:
    """A commit's author: the login where GitHub knows the address, else the name that the commit gives."""
    return str((commit["author"] or {}).get("login") or (commit["commit"]["author"] or {}).get("name") or "")
