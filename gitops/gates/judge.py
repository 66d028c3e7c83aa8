"""All gates of a pull request, and what a break-glass team may open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from generator.errors import Problem, ShiplaneError
from gitops.gates import pinning
from gitops.gates.approvals import Teams
from gitops.gates.case import Case
from gitops.gates.verdict import PASSED, REFUSED, WAITING, Verdict, refused
from gitops.model import Override
from gitops.pull_request import PullRequest, person

_PURE = (pinning.order, pinning.tree, pinning.parity, pinning.soak, pinning.freeze, pinning.hold)
"""The gates of one pin that need nothing besides its case, in the order in which they are told."""


@dataclass(frozen=True)
class Judgement:
    """Every verdict on a pull request; those of a pin name its place where there are several."""

    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing stands against it."""
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def state(self) -> str:
        """The state of the whole: of its verdicts the one that weighs most."""
        return PASSED if self.passed else REFUSED if self.refused else WAITING

    @property
    def summary(self) -> str:
        """It all in one line: the gates that do not let it through, the worst first."""
        against = sorted((each for each in self.verdicts if not each.passed), key=lambda each: each.state != REFUSED)
        told = "; ".join(f"{each.gate}: {each.why}" for each in against)
        return told or "nothing stands against it"

    @property
    def refused(self) -> bool:
        """Whether something does that waiting will not mend."""
        return any(verdict.state == REFUSED for verdict in self.verdicts)


def pin_verdicts(case: Case, gates: Iterable[Callable[[Case], Verdict]] = _PURE) -> tuple[Verdict, ...]:
    """The verdicts on one pin; a gate that cannot read what it looks at refuses."""
    found = []
    for gate in gates:
        try:
            found.append(gate(case))
        except ShiplaneError as error:
            first = error.problems[0]
            found.append(refused(gate.__name__, f"cannot be judged: {first.place}: {first.rule}", first.place))
    return tuple(found)


def standing(case: Case, verdicts: Iterable[Verdict], overrides: Iterable[Override] = ()) -> list[Problem]:
    """What stands against it for good, gate by gate, but for what a break-glass team is asked to open."""
    asked = {each.gate for each in overrides}
    service, to = case.service.name, case.to.name
    lifts = f"gitops unhold {service} --env {to}, once what was wrong is mended"
    found = [each for each in verdicts if each.state == REFUSED and each.gate not in asked]
    return [
        Problem(f"{service} to {to}: {each.gate}", each.why, lifts if each.gate == "hold" else f"gitops why {service}")
        for each in found
    ]


def telling(case: Case, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those verdicts that a reviewer has to know: all that do not pass, and all that the environment asks for."""
    gates = case.to.gates
    asked = {"order": case.to.sources, "soak": gates.soak or gates.health, "freeze": gates.freeze}
    return [each for each in verdicts if not each.passed or asked.get(each.gate)]


def overridden(
    verdicts: Iterable[Verdict], case: Case, request: PullRequest, teams: Teams | None = None
) -> tuple[Verdict, ...]:
    """`verdicts`, with those passed that a break-glass team has opened.

    It takes an override that the pull request asks for, of a gate that the environment lets be overridden, and an
    approval of the present head by somebody of its break-glass team who may approve at all.
    """
    gates = case.to.gates
    known = case.config.teams if teams is None else teams
    team = known.get(gates.break_glass, frozenset())
    by = [who for who in request.approvers() if person(who) in team]
    asked = {each.gate: each for each in request.overrides}
    return tuple(_opened(each, asked.get(each.gate), gates.overridable, by, gates.break_glass) for each in verdicts)


def _opened(
    verdict: Verdict, asked: Override | None, allowed: Collection[str], by: Sequence[str], team: str
) -> Verdict:
    if asked is None or verdict.passed:
        return verdict
    if verdict.gate not in allowed:
        return replace(verdict, why=f"{verdict.why} (no override: the environment allows none here)")
    if not by:
        return replace(verdict, why=f"{verdict.why} (an override waits for an approval from {team})")
    why = f"overridden by {', '.join(by)} of {team}: {asked.reason}. It said: {verdict.why}"
    return replace(verdict, state=PASSED, why=why, until=None)
