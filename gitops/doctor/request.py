"""Why a pull request does not merge: the gates' own words, and what the forge asks for besides. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from generator.errors import printable
from gitops.config import Config
from gitops.doctor import checks, settings
from gitops.doctor.finding import REFUSES, WAITING, Finding, named
from gitops.gates.judge import Judgement
from gitops.gates.verdict import Verdict
from gitops.protection import Protection, Standing
from gitops.pull_request import PullRequest

_LOOKED_AT = frozenset(
    ("pull_request", "required_status_checks", "required_signatures", "deletion", "non_fast_forward", "workflows")
)
_SIGN = "git config --global commit.gpgsign true, with a key that GitHub knows"


def findings(
    config: Config,
    request: PullRequest,
    judgement: Judgement | None,
    catalog: Collection[str],
    protection: Protection | None,
    review: str,
    tip: str,
) -> list[Finding]:
    """Everything that stands against an open `request`, in the order in which it is best mended.

    `catalog` are the services that the default branch knows, `tip` is its commit; `review` is what a person does to
    approve.
    """
    unknown = [move.service for move in request.moves if move.service not in catalog]
    found = [_unknown(each) for each in dict.fromkeys(unknown)]
    verdicts = [each for each in judgement.verdicts if not each.passed] if judgement else []
    found += [_gate(config, request, each, review) for each in verdicts if not (unknown and each.gate == "read")]
    if protection is None or protection.standing is None:
        return found
    at = protection.standing
    found += _conflict(at, [each.gate for each in verdicts])
    found += _unsigned(request, protection, at)
    found += checks.findings(request, judgement, protection, at)
    found += _reviews(request, protection, at)
    found += _behind(request, protection, tip)
    found += _merging(config, request, protection)
    if at.state == "blocked" and not found:
        why = "GitHub blocks the merge, and none of the rules that this token can see says why"
        found.append(Finding("blocked", why, f"{request.url}: read the box above the button", _seen(protection, at)))
    return found


def _unknown(service: str) -> Finding:
    why = f"the catalog of the default branch does not know {printable(service)}: its pin is refused"
    mend = f"gitops onboard {named(service)} --source OWNER/REPOSITORY --image REPOSITORY"
    return Finding("unknown-service", why, mend, state=REFUSES)


def _gate(config: Config, request: PullRequest, verdict: Verdict, review: str) -> Finding:
    """A gate's verdict: its own name, and the moment at which it clears."""
    open_to = [
        (gate, environment.gates.break_glass)
        for move in request.moves
        if (environment := config.environments.get(move.environment))
        for gate in environment.gates.overridable
    ]
    team = dict(open_to).get(verdict.gate)
    mends = {
        "approvals": review,
        "conflict": f"gitops close {request.number}, and ask for it again: it is planned on what is there now",
        "read": f"gitops close {request.number}, and ask for it again",
        "soak": "docs/github.md, as gitops init writes it, Health: what Argo CD tells, and to whom",
    }
    if request.move:
        mends["hold"] = f"gitops unhold {named(request.move.service)} --env {request.move.environment}"
    mend = [mends.get(verdict.gate, "")]
    if verdict.until:
        mend = [f"wait until {verdict.until:%a %Y-%m-%d %H:%M} UTC"]
    if team and request.move:
        again = f"promote {named(request.move.service)} --to {request.move.environment}"
        mend.append(f"{again} --override {verdict.gate} --reason ..., and an approval from {team}")
    told = "\n".join(filter(None, mend)) or f"gitops verify {request.number} tells every gate"
    return Finding(verdict.gate, verdict.why, told, verdict.places, verdict.state, verdict.until)


def _conflict(at: Standing, gates: Sequence[str]) -> Iterator[Finding]:
    if at.draft:
        yield Finding("draft", "it is a draft, and nobody can merge one", "gh pr ready, or its page: Ready for review")
    if at.conflict and "conflict" not in gates:
        why = "GitHub finds a conflict with the default branch"
        yield Finding("conflict", why, "close it, and ask for it again: it is planned on what is there now")


def _unsigned(request: PullRequest, found: Protection, at: Standing) -> Iterator[Finding]:
    if not found.of("required_signatures") or not at.unsigned:
        return
    count = len(at.unsigned)
    why = f"{count} of its commits {'is' if count == 1 else 'are'} not signed, and the rules take only signed ones"
    evidence = tuple(f"{oid[:7]}: no signature that GitHub has verified" for oid in at.unsigned)
    again = f"{_SIGN}; then gitops close {request.number}, and ask for it again"
    mend = f"{again}\n{settings.APP}; GitHub signs what it writes"
    yield Finding("signature-missing", why, mend, evidence)


def _reviews(request: PullRequest, found: Protection, at: Standing) -> Iterator[Finding]:
    """Reviews that GitHub's own rules ask for; those of the gates have their own verdict."""
    rules = [each.parameters for each in found.of("pull_request")]
    if at.threads and any(each.get("required_review_thread_resolution") for each in rules):
        why = "the rules ask that every conversation is resolved, and some are not"
        yield Finding("threads-unresolved", why, f"{request.url}/files: resolve them", (f"{at.threads} open",), WAITING)
    asked = (f"asked: {', '.join(at.asked)}",) if at.asked else ()
    if at.decision == "changes_requested":
        why = "somebody has asked for changes, and that stands until they approve or their review is dismissed"
        yield Finding("changes-requested", why, f"{request.url}: read it there", state=WAITING)
        return
    if at.decision == "approved":
        return
    count = max((each.get("required_approving_review_count", 0) for each in rules), default=0)
    missing = at.decision == "review_required"
    if any(each.get("require_code_owner_review") for each in rules) and (at.owners or (missing and not count)):
        why = "a code owner has to approve it (.github/CODEOWNERS says who), and none has"
        yield Finding("code-owner-missing", why, f"a review by one of them: {request.url}/files", asked, WAITING)
    elif missing:
        why = f"the rules ask for {count} approving reviews by people who may write" if count else "a review is missing"
        yield Finding("review-missing", why, f"a review there: {request.url}/files", asked, WAITING)


def _behind(request: PullRequest, found: Protection, tip: str) -> Iterator[Finding]:
    """GitHub calls it blocked, not behind, where anything else is missing too; so its base tells."""
    strict = any(
        each.parameters.get("strict_required_status_checks_policy") for each in found.of("required_status_checks")
    )
    if not strict or request.base == tip:
        return
    why = "the default branch has moved on, and the rules ask that a pull request is up to date with it"
    mend = (
        f"gh pr update-branch {request.number}\n"
        "set strict_required_status_checks_policy to false: verify judges the result of the merge, again after each one"
    )
    yield Finding("behind", why, mend)


def _merging(config: Config, request: PullRequest, found: Protection) -> Iterator[Finding]:
    """What keeps the merge itself from being done: settings of the repository, and of this pull request."""
    yield from settings.always(found)
    auto = [each for move in request.moves if (each := config.environments.get(move.environment)) and each.merge]
    if not auto or request.merging:
        return
    if not found.auto_merge:
        yield settings.auto_merge_off(found, [each.name for each in auto])
    else:
        why = f"{auto[0].name} merges by itself, and nobody has turned that on for this one"
        mend = f"gh pr merge {request.number} --auto --merge\nrun the command that opened it again"
        yield Finding("auto-merge-not-on", why, mend)


def _seen(found: Protection, at: Standing) -> tuple[str, ...]:
    """What was looked at, and the rules that were not."""
    told = [f"{each.context}: {each.state}, by {each.by}" for each in at.words or ()]
    other = sorted({each.kind for each in found.rules or ()} - _LOOKED_AT)
    return (*told, *(f"not looked at: the rule {each}" for each in other))
