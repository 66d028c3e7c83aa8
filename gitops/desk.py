"""The embedded forge's review desk: list, show, approve, merge, close. It authenticates nobody."""

from __future__ import annotations

from generator.errors import REFUSED, Problem, ShiplaneError, printable
from generator.service import require_name
from gitops import clock, posting, verify
from gitops.apply import entered, forge_of, load, settle
from gitops.config import Config
from gitops.forge import Conflict, Forge
from gitops.gates.judge import Judgement
from gitops.pull_request import PullRequest
from gitops.repo import Repository
from gitops.repo.copy import Where


def pull_requests(where: Where) -> list[PullRequest]:
    """The open pull requests of the repository at `where`, oldest first."""
    with entered(where) as repository:
        return _forge(repository)[1].open()


def shown(where: Where, number: int, *, post: bool = False) -> tuple[PullRequest, Judgement | None]:
    """One pull request with its body and, while it is open, what every gate says of it; `post` says it there, too."""

    def attempt(repository: Repository) -> tuple[PullRequest, Judgement | None] | None:
        config, forge = _forge(repository)
        request = forge.get(number)
        if request.state != "open":
            return request, None
        judgement = posting.judged(repository, config, forge, request, clock.now(), post=post)
        return None if judgement is None else (request, judgement)

    return settle(where, attempt)


def approve(where: Where, number: int, who: str | None, expected: str | None = None) -> PullRequest:
    """Record an approval by `who` (git's own identity unless named) of the present head, or of none but `expected`."""
    seen = _Seen(expected or "")

    def attempt(repository: Repository) -> PullRequest | None:
        _, forge = _forge(repository)
        request, actor = seen.again(_open(forge, number)), forge.me(who)
        barred = request.barred(actor)
        if barred:
            rule = f"approvals: {actor} {barred}, and does not count"
            raise ShiplaneError(Problem(request.url, rule, "ask somebody else to review it"), REFUSED)
        return forge.approve(request, actor)

    return settle(where, attempt)


def healthy(where: Where, service: str, environment: str, who: str | None) -> PullRequest:
    """Record that the release which the last merge brought to an environment was found healthy there."""

    def attempt(repository: Repository) -> PullRequest | None:
        config, forge = _forge(repository)
        config.environment(environment, "--env")
        require_name(service)
        brought = forge.history(service, environment, last=1)
        if not brought:
            rule = f"no pull request of Shiplane has brought a release of it to {environment}"
            raise ShiplaneError(Problem(service, rule, f"gitops history {service}"))
        return forge.healthy(brought[0], forge.me(who))

    return settle(where, attempt)


def close(where: Where, number: int, who: str | None) -> PullRequest:
    """Close without merging; one that is closed already is left as it is."""

    def attempt(repository: Repository) -> PullRequest | None:
        _, forge = _forge(repository)
        request = _open(forge, number, done="closed")
        return request if request.state == "closed" else forge.close(request, forge.me(who))

    return settle(where, attempt)


def merge(where: Where, number: int, who: str | None, expected: str | None) -> PullRequest:
    """Merge if the gates pass and the head is the one that was expected (`expected`: the start of its id).

    One that is merged already is left as it is: whoever was interrupted runs the same command again. Raises
    ShiplaneError with exit code 3 when a gate refuses or both sides changed the same paths.
    """
    seen = _Seen(expected or "")

    def attempt(repository: Repository) -> PullRequest | None:
        config, forge = _forge(repository)
        request = seen.again(_open(forge, number, done="merged"))
        if request.state == "merged":
            return request
        judgement = verify.judged(repository, config, forge, request, clock.now())
        if judgement is None:
            return None
        if not judgement.passed:
            raise ShiplaneError(_standing(request, judgement, forge), REFUSED)
        landed = forge.merge(request, forge.me(who))
        return None if isinstance(landed, Conflict) else landed

    return settle(where, attempt)


def _standing(request: PullRequest, judgement: Judgement, forge: Forge) -> list[Problem]:
    """What stands against it, gate by gate."""
    mends = {
        "approvals": forge.approval(request),
        "conflict": "run the command that opened it again: it is planned anew on what is there now",
    }
    return [
        Problem(request.url, f"{verdict.gate}: {verdict.why}", mends.get(verdict.gate, ""))
        for verdict in judgement.verdicts
        if not verdict.passed
    ]


class _Seen:
    """The head that was asked about: the one named, else the first one read. A lost race never takes a newer one."""

    def __init__(self, head: str = "") -> None:
        self._head = head

    def again(self, request: PullRequest) -> PullRequest:
        """`request`, when its head is still that one."""
        if not request.head.startswith(self._head):
            rule = f"its head is {request.head[:7]} now, not {printable(self._head[:7])}"
            raise ShiplaneError(Problem(request.url, rule, f"read it again: gitops show {request.number}"), REFUSED)
        self._head = request.head
        return request


def _forge(repository: Repository) -> tuple[Config, Forge]:
    config = load(repository)
    return config, forge_of(repository, config)


def _open(forge: Forge, number: int, done: str = "open") -> PullRequest:
    """The pull request, if it is open, or `done` already."""
    request = forge.get(number)
    if request.state not in ("open", done):
        raise ShiplaneError(Problem(request.url, f"is {request.state} already"))
    return request
