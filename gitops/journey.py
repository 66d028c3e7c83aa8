"""Effects that look back: roll a service back, tell what it has had, and why it is not further."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from generator.errors import REFUSED, ShiplaneError
from generator.service import require_name
from gitops import apply, catalog, clock, effects, facts, gather, landed, pins, promote, proof, rollback, verify
from gitops.apply import Outcome, entered, forge_of, load, settle
from gitops.config import Config, Environment
from gitops.forge import Forge
from gitops.gates.case import Identity, Known
from gitops.gates.judge import Judgement
from gitops.gates.verdict import Verdict, passed, refused, waiting
from gitops.model import Nothing, Rendering, Snapshot
from gitops.promote import Promotion
from gitops.proof import Rendered
from gitops.proposals import drafts
from gitops.pull_request import PullRequest
from gitops.repo import Repository
from gitops.repo.copy import Where
from gitops.repo.past import landings
from gitops.result import branch_of, rendering, together
from gitops.rollback import Past, Return
from gitops.step import Step

# what Argo CD runs before a release (its user guide, "Resource Hooks"): its own hooks, and helm's that it maps to them
_HOOK = re.compile(rb"(argocd\.argoproj\.io/hook\W+PreSync|helm\.sh/hook\W+(pre-install|pre-upgrade))\b")


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
    """Why a service's next release is not in an environment.

    Each cause is a gate that does not pass, or one of: `there` (it is), `not-asked`, `unmerged`, `outdated`, `entrance`
    (releases come in here), `unreadable`.
    """

    environment: str
    causes: tuple[Verdict, ...]
    request: PullRequest | None = None


def roll_back(where: Where, asked: Return, *, dry_run: bool = False, anew: bool = False) -> tuple[str, list[Outcome]]:
    """Plan the way back on the tip, prove that it renders, then open or update its pull request.

    It never merges by itself: run again after that, the same command would go back once more.
    """
    return settle(where, lambda repository: _rolled_back(repository, asked, dry_run, anew))


def _rolled_back(repository: Repository, asked: Return, dry_run: bool, anew: bool) -> tuple[str, list[Outcome]] | None:
    config = load(repository)
    forge = forge_of(repository, config)
    snapshot = repository.snapshot(rollback.needs(config, asked))
    past = _past(repository, config, asked.service, asked.environment)
    *left, goal = rollback.way(past, asked)
    times = [each.commit for each in past if each.identity == goal.identity]
    warnings, texts = _migrated(repository, config, asked, left), dict[Hashable, Rendered]()
    step = _rendering_step(repository, config, snapshot, times, asked, forge.me(), texts, warnings)
    known = forge.find([step.branch])
    plans = drafts(forge, [step], known, texts, dry_run=dry_run)
    done = {} if dry_run else apply.put(forge, plans, known, forge.me, anew)
    if done is None:
        return None
    on = f"{repository.url}@{repository.branch} {repository.tip[:7]}"
    return on, [Outcome(draft, *done.get(draft.branch, ())) for draft in plans]


def _rendering_step(
    repository: Repository,
    config: Config,
    snapshot: Snapshot,
    times: Sequence[str],
    asked: Return,
    who: str,
    texts: dict[Hashable, Rendered],
    warnings: Sequence[str],
) -> Step:
    """The step with today's settings, or with those of its time where today's do not suit what comes back.

    `times` are the commits at which it was there, the newest first: its settings may have changed meanwhile.
    """
    own = pins.paths(config, asked.environment, asked.service)
    told = f"{asked.environment}'s settings go back too: today's do not suit that release"
    refused: list[ShiplaneError] = []
    again = [(each, True) for each in times] if config.layout.own else []
    for commit, settings in ((times[0], False), *again):
        then, notes = repository.snapshot(own, commit), [*warnings, *([told] if settings else [])]
        try:
            step = rollback.plan(config, snapshot, then, asked, who, clock.now(), settings=settings, warnings=notes)
            step = gather.completed(repository, [step])[0]
            if isinstance(after := proof.possible(step.after), Rendering):
                proof.proved(after, texts)
            return step
        except ShiplaneError as error:
            refused.append(error)
    raise refused[0]


def _migrated(repository: Repository, config: Config, asked: Return, left: Sequence[Past]) -> list[str]:
    """A migration that ran with what is left is not undone by going back."""
    to = config.environment(asked.environment, "--env")
    if not config.layout.own:
        return []
    folder = config.layout.folder(to.name, asked.service)
    found = []
    for each in left:
        snapshot = repository.snapshot([folder], each.commit)
        try:
            result = rendering(snapshot, config, to, asked.service, (), snapshot.files(f"{folder}/chart"))
            rendered = proof.render(result) if isinstance(result, Rendering) else b""
        except ShiplaneError:  # it is left for a reason
            continue
        if _HOOK.search(rendered):
            found.append(f"{each.tag[:7]} migrates before it starts in {to.name}: what it has changed stays changed")
    return found


def _past(repository: Repository, config: Config, service: str, environment: str) -> list[Past]:
    """What an environment has had of a service, the newest first, at each change of its release or its settings."""
    found = landed.past(repository, config, (service, environment))
    return [Past(each.commit, each.tag, each.identity) for each in found]


def history(where: Where, service: str, environment: str | None) -> tuple[Config, list[Moment]]:
    """Every change of a service's pins, in all environments or in one, the newest first, as they landed."""
    require_name(service)
    with entered(where) as repository:
        config = load(repository)
        forge = forge_of(repository, config)
        names = [config.environment(environment, "--env").name] if environment else [*config.environments]
        carries = config.layout.carries
        found = landings(repository, [path for name in names for path in config.layout.paths(name, service)])
        requests = {each.merge: each for name in names for each in forge.history(service, name)}
        moments: list[tuple[int, str, Identity]] = []
        for at, name in enumerate(names):
            mine = slice(at * len(carries), (at + 1) * len(carries))
            states = landed.said(repository, config, (service, name), [each.oids[mine] for each in found])
            before = [*states[1:], ("",) * len(carries)]
            moments += [(index, name, states[index]) for index in range(len(found)) if states[index] != before[index]]
        moments.sort(key=lambda each: each[:2])
        tags = landed.tags_of(repository, config, [identity for _, _, identity in moments])
        return config, [
            Moment(name, each.at, each.commit, each.title, tag, requests.get(each.commit))
            for (index, name, _), tag in zip(moments, tags, strict=True)
            for each in [found[index]]
        ]


def why(where: Where, service: str, environment: str | None) -> list[Reason]:
    """What keeps a service's next release out of each environment, or of one."""
    require_name(service)

    def attempt(repository: Repository) -> list[Reason] | None:
        config = load(repository)
        forge = forge_of(repository, config)
        asked = [config.environment(environment, "--env")] if environment else [*config.environments.values()]
        requests = [Promotion(service, each.name) for each in asked if each.sources]
        paths = {catalog.path(service), *(path for each in requests for path in promote.needs(config, each))}
        snapshot = repository.snapshot(sorted(paths))
        catalog.lookup(snapshot, service)
        names = [name for each in asked for name in (branch_of(each.name, service), together(each.name))]
        found = forge.find(names)
        reasons = []
        for each in asked:
            request = _carrying(found, each.name, service)
            judgement = verify.judged(repository, config, forge, request, clock.now()) if request else Judgement(())
            if judgement is None:
                return None
            told = _next(repository, config, forge, snapshot, each, service, request)
            causes = [*told, *_against(request, judgement)]
            reasons.append(Reason(each.name, tuple(causes), request))
        return reasons

    return settle(where, attempt)


def _carrying(found: Mapping[str, PullRequest], environment: str, service: str) -> PullRequest | None:
    """The open pull request that sets the pin: its own, or one of several together."""
    both = (found.get(branch_of(environment, service)), found.get(together(environment)))
    return next((each for each in both if each and service in [move.service for move in each.moves]), None)


def _next(
    repository: Repository,
    config: Config,
    forge: Forge,
    snapshot: Snapshot,
    to: Environment,
    service: str,
    request: PullRequest | None,
) -> Iterator[Verdict]:
    """What stands against the release that would be promoted now, where no pull request carries it yet."""
    if not to.sources:
        if not request:
            release = f"gitops release {service} --to {to.name} {config.layout.options}"
            yield passed("entrance", f"releases enter the lane at {to.name}: {release}")
        return
    asked = f"promote {service} --to {to.name}"
    try:
        known = Known(facts.since(forge, to, service))
        step = promote.step(config, snapshot, Promotion(service, to.name), known, clock.now())
    except ShiplaneError as error:
        first = error.problems[0]
        cause = "order" if error.exit_code == REFUSED else "unreadable"
        yield refused(cause, first.rule if cause == "order" else f"{first.place}: {first.rule}", first.place)
        return
    if isinstance(step, Nothing):
        yield passed("there", step.reason)
    elif request is None:
        yield waiting("not-asked", f"nobody has asked for it: {asked}")
        yield from (each for each in (*step.verdicts, *_beyond(repository, step)) if not each.passed)
    elif then := next((m.after for m in request.moves if m.service == service and m.after != step.new.release), None):
        source, now = step.source.name if step.source else "", step.new.release.short
        yield waiting("outdated", f"#{request.number} carries {then.short}, and {source} has {now} now: {asked}")


def _beyond(repository: Repository, step: Step) -> Iterator[Verdict]:
    """What the gates say that look beyond git; that it does not render is one of them."""
    try:
        seen = effects.looked(gather.completed(repository, [step]), {})
        yield from (verdict for each in seen for verdict in each.verdicts)
    except ShiplaneError as error:
        yield refused("renders", " ".join(error.problems[0].rule.split()), step.case.folder)


def _against(request: PullRequest | None, judgement: Judgement) -> Iterator[Verdict]:
    """What stands against the open pull request."""
    if request and judgement.passed:
        yield waiting("unmerged", f"nothing stands against it: gitops merge {request.number}")
    yield from (each for each in judgement.verdicts if not each.passed)
