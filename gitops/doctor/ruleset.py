"""Whether the rules that hold on the default branch ask for at least what ours ask for. Pure.

Compared by what they mean: in which ruleset a rule stands, of the repository or of its organisation, does not matter,
and what is stricter than ours is as good.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from generator.errors import Problem, ShiplaneError
from gitops.doctor.finding import Finding
from gitops.protection import VERIFY, Protection, Rule

PATH = ".github/rulesets/main.json"
"""The ruleset that the repository itself holds; `gitops init` writes it."""
_STATUSES = "required_status_checks"


def wanted(data: bytes) -> list[Rule]:
    """The rules in a ruleset as GitHub takes it; raises ShiplaneError for anything else."""
    try:
        return [Rule(str(each["type"]), dict(each.get("parameters", {}))) for each in json.loads(data)["rules"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        rule = "is no ruleset as GitHub takes it"
        raise ShiplaneError(Problem(PATH, rule, "write it anew, as gitops init does")) from None


def findings(ours: Sequence[Rule], found: Protection) -> Iterator[Finding]:
    """How the rules in `found` fall short of `ours`; nothing where they cannot be read."""
    if found.rules is None:
        return
    app = next(iter(Protection("", "", "", tuple(ours)).required().get(VERIFY, {0})))
    if not found.rules:
        yield _unprotected(found, app)
        return
    if differ := tuple(differences(ours, found.rules)):
        why = f"the rules of the default branch ask for less than {PATH}"
        yield Finding("ruleset-differs", why, _import(found, app), differ)
    taken = found.required().get(VERIFY)
    if taken is None:
        why = f"no rule asks for the status {VERIFY}: what the gates refuse can be merged"
        yield Finding("status-not-required", why, _import(found, app))
    elif 0 in taken:
        why = f"the status {VERIFY} is taken from anybody: any workflow that may set statuses can say that gates passed"
        yield Finding("status-unpinned", why, _import(found, app), (f"{_STATUSES}: {VERIFY} without integration_id",))
    elif app and app not in taken:
        other = ", ".join(map(str, sorted(taken)))
        why = f"the status {VERIFY} is taken from App {other} alone, and {PATH} says App {app}"
        yield Finding("status-of-another-app", why, _import(found, app))
    for each in found.rulesets or ():
        if each.bypass:
            why = f"the ruleset {each.name} does not hold everybody: they can merge what no gate has seen"
            mend = f"Settings, Rules, {each.name}: empty the bypass list"
            yield Finding("ruleset-bypass", why, mend, each.bypass)


def differences(ours: Sequence[Rule], theirs: Sequence[Rule]) -> Iterator[str]:
    """What `theirs` lack of `ours`, a line each."""
    for rule in ours:
        same = [each for each in theirs if each.kind == rule.kind]
        if not same:
            yield f"{rule.kind}: there is no such rule"
            continue
        for key, want in rule.parameters.items():
            if key != _STATUSES and not any(_fits(want, each.parameters.get(key)) for each in same):
                has = json.dumps(same[0].parameters.get(key))
                yield f"{rule.kind}: {key} is {has}, and should be {json.dumps(want)}"


def _fits(want: Any, have: Any) -> bool:
    """Whether a parameter asks for at least as much: `true` for `false`, more approvals, fewer ways to merge."""
    if isinstance(want, bool):
        return have is True or not want
    if isinstance(want, int):
        return isinstance(have, int) and have >= want
    if isinstance(want, list):
        return bool(have) and set(have) <= set(want)
    return bool(have == want)


def _unprotected(found: Protection, app: int) -> Finding:
    why = "no rule holds on the default branch: whoever may write can push past every gate"
    idle = tuple(f"the ruleset {each.name} is there, and is {each.enforcement}" for each in found.rulesets or ())
    return Finding("unprotected", why, _import(found, app), idle)


def _import(found: Protection, app: int) -> str:
    """How our ruleset gets there: over the one of its name, where there is one."""
    known = next((each.number for each in found.rulesets or () if each.name == "main"), None)
    call = f"--method PUT {{}}/rulesets/{known}" if known else "{}/rulesets"
    first = [] if app else [f"put the ID of the App verify in place of the 0 at integration_id in {PATH}; then"]
    return "\n".join([*first, found.gh(f"{call} --input {PATH}")])
