"""Effects that look back: roll a service back, tell what it has had, and why it is not further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import ShiplaneError
from gitops import apply, pins, promote, proof, rollback, verify
from gitops.apply import Outcome, forge_of, load, settle
from gitops.config import Config
from gitops.forge.embedded import Embedded
from gitops.gates.case import Known
from gitops.gates.verdict import Verdict
from gitops.model import Draft, Nothing, PullRequest, Snapshot
from gitops.promote import Promotion
from gitops.repo import Repository, opened
from gitops.repo.past import Landing, landings
from gitops.result import branch_of, rendering
from gitops.rollback import Past, Return

_HOOKS = (b"argocd.argoproj.io/hook: PreSync", b"helm.sh/hook: pre-upgrade", b"helm.sh/hook: pre-install")


@dataclass(frozen=True, slots=True)
class Moment:
    """One change of a pin: what came, empty when it was taken out, and the pull request of Shiplane that did it."""

    environment: str
    at: datetime
    commit: str
    title: str
    tag: str
    request: PullRequest | None = None


@dataclass(frozen=True)
class Reason:
    """Why a service's release is not in an environment: one of `verdicts` stands against it, or `cause` names it."""

    environment: str
    cause: str
    told: str
    verdicts: tuple[Verdict, ...] = ()
    request: PullRequest | None = None


def roll_back(url: str, asked: Return, *, dry_run: bool = False, anew: bool = False) -> tuple[str, list[Outcome]]:
    """Plan the way back on the tip, prove that it renders, then open or update its pull request."""
    return settle(url, lambda repository: _rolled_back(repository, asked, dry_run, anew))


def _rolled_back(repository: Repository, asked: Return, dry_run: bool, anew: bool) -> tuple[str, list[Outcome]] | None:
    config = load(repository)
    forge = forge_of(repository, config)
    snapshot = repository.snapshot(rollback.needs(config, asked))
    goal = rollback.target(past(repository, config, asked.service, asked.environment), asked)
    then = repository.snapshot([config.layout.folder(asked.environment, asked.service)], goal.commit)
    draft = _rendering_draft(config, snapshot, then, asked)
    known = forge.find([draft.branch])
    done = {} if dry_run else apply.put(forge, [draft], known, repository.me, anew)
    if done is None:
        return None
    on = f"{repository.url}@{repository.branch} {repository.tip[:7]}"
    return on, [Outcome(draft, *done.get(draft.branch, ()))]


def _rendering_draft(config: Config, snapshot: Snapshot, then: Snapshot, asked: Return) -> Draft:
    """The draft with today's settings, or with those of its time where today's do not suit the chart."""
    warnings = _migrated(config, snapshot, asked)
    draft = rollback.plan(config, snapshot, then, asked, verify.now(), warnings=warnings)
    try:
        _render(draft)
    except ShiplaneError:
        told = [*warnings, f"{asked.environment}'s settings go back too: today's do not render with that chart"]
        draft = rollback.plan(config, snapshot, then, asked, verify.now(), settings=True, warnings=told)
        _render(draft)
    return draft


def _render(draft: Draft) -> None:
    if draft.renders:
        proof.render(draft.renders)


def _migrated(config: Config, snapshot: Snapshot, asked: Return) -> list[str]:
    """A migration that ran with what is left is not undone by going back."""
    to = config.environment(asked.environment, "--env")
    chart = snapshot.files(f"{config.layout.folder(to.name, asked.service)}/chart")
    try:
        rendered = proof.render(rendering(snapshot, config, to, asked.service, (), chart))
    except ShiplaneError:
        return []
    if not any(hook in rendered for hook in _HOOKS):
        return []
    return [f"the release that is left migrates before it starts in {to.name}: what it has changed stays changed"]


def past(repository: Repository, config: Config, service: str, environment: str) -> list[Past]:
    """The releases that an environment has had of a service, the newest first."""
    folder = config.layout.folder(environment, service)
    found = landings(repository, [f"{folder}/{name}" for name in config.layout.carries])
    whole = [each for each in found if all(each.oids)]
    tags = _tags(repository, whole)
    return [Past(each.commit, each.at, tags[each.oids[0]], each.oids) for each in whole]


def _tags(repository: Repository, found: Sequence[Landing]) -> dict[str, str]:
    """The tag in each release.yaml, by its id; a file of nonsense has none."""
    blobs = repository.blobs({each.oids[0] for each in found if each.oids[0]})
    return {oid: pins.tag(data) for oid, data in blobs.items()}


def history(url: str, service: str, environment: str | None) -> tuple[Config, list[Moment]]:
    """Every change of a service's pins, in all environments or in one, the newest first."""
    with opened(url) as repository:
        config = load(repository)
        forge = forge_of(repository, config)
        names = [config.environment(environment, "--env").name] if environment else [*config.environments]
        return config, sorted(
            (each for name in names for each in _moments(repository, config, forge, service, name)),
            key=lambda each: each.at,
            reverse=True,
        )


def _moments(repository: Repository, config: Config, forge: Embedded, service: str, environment: str) -> list[Moment]:
    folder = config.layout.folder(environment, service)
    found = landings(repository, [f"{folder}/{name}" for name in config.layout.carries])
    tags = _tags(repository, found)
    requests = {each.merge: each for each in forge.history(service, environment)}
    return [
        Moment(environment, each.at, each.commit, each.title, tags.get(each.oids[0], ""), requests.get(each.commit))
        for each in found
    ]


def why(url: str, service: str, environment: str | None) -> list[Reason]:
    """For each environment that the service could be promoted into: what keeps its next release out."""

    def attempt(repository: Repository) -> list[Reason] | None:
        config = load(repository)
        forge = forge_of(repository, config)
        asked = [config.environment(environment, "--env")] if environment else [*config.environments.values()]
        requests = [Promotion(service, each.name) for each in asked if each.sources]
        paths = {path for each in requests for path in promote.needs(config, each)}
        snapshot = repository.snapshot(sorted(paths))
        waiting = forge.find([branch_of(each.to, service) for each in requests])
        reasons = [_reason(repository, config, forge, snapshot, each, waiting) for each in requests]
        return None if None in reasons else [each for each in reasons if each]

    return settle(url, attempt)


def _reason(
    repository: Repository,
    config: Config,
    forge: Embedded,
    snapshot: Snapshot,
    asked: Promotion,
    waiting: dict[str, PullRequest],
) -> Reason | None:
    """None when the pull request's head has moved meanwhile."""
    if request := waiting.get(branch_of(asked.to, asked.service)):
        judgement = verify.judged(repository, config, forge, request, verify.now())
        if judgement is None:
            return None
        against = tuple(each for each in judgement.verdicts if not each.passed)
        told = f"#{request.number} is open" if against else f"#{request.number} is open, and nothing stands against it"
        return Reason(asked.to, "waiting" if against else "unmerged", told, against, request)
    place = promote.asks(config, asked)
    known = Known({place: verify.times(forge.history(*place, last=1))}) if place else Known()
    try:
        plan = promote.plan(config, snapshot, asked, known)
    except ShiplaneError as error:
        first = error.problems[0]
        cause = first.place.rpartition(": ")[2] or "refused"
        return Reason(asked.to, cause, first.rule)
    if isinstance(plan, Nothing):
        return Reason(asked.to, "there", plan.reason)
    return Reason(asked.to, "not-asked", f"nobody has asked for it: promote {asked.service} --to {asked.to}")
