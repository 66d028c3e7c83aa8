"""What a repository's rulesets ask of a merge into the default branch, and whether a pull request fits them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.gitops.github_double.world import Pull, World

OWNERS = ".github/CODEOWNERS"


def active(world: World) -> list[dict[str, Any]]:
    """Every rule that holds on the default branch, whichever ruleset it is of."""
    return [
        {**rule, "ruleset_id": each["id"], "ruleset_source": f"{world.owner}/{world.name}"}
        | {"ruleset_source_type": "Repository"}
        for each in world.rulesets
        if each["enforcement"] == "active"
        for rule in each["rules"]
    ]


def unmet(world: World, pull: Pull) -> str:
    """The first rule that a pull request breaks, in GitHub's words; empty where it breaks none."""
    told = next(_broken(world, pull), "")
    return f"Repository rule violations found\n\n{told}\n\n" if told else ""


def _broken(world: World, pull: Pull) -> Iterator[str]:
    for rule in active(world):
        asked = rule.get("parameters", {})
        if rule["type"] == "required_signatures" and not all(map(world.is_signed, world.commits(pull))):
            yield "Commits must have verified signatures."
        if rule["type"] == "pull_request":
            if len(_approvals(world, pull)) < asked["required_approving_review_count"]:
                count = asked["required_approving_review_count"]
                yield f"At least {count} approving review is required by reviewers with write access."
            if asked["required_review_thread_resolution"] and not all(pull.threads):
                yield "A conversation must be resolved before this pull request can be merged."
            if asked["require_code_owner_review"] and pending(world, pull):
                yield "Waiting on code owner review."
        if rule["type"] == "required_status_checks":
            for each in asked["required_status_checks"]:
                if not _passed(world, pull, each["context"], each.get("integration_id")):
                    yield f'Required status check "{each["context"]}" is expected.'
            if asked["strict_required_status_checks_policy"] and behind(world, pull):
                yield "Head branch is not up to date with the base branch."


def _passed(world: World, pull: Pull, context: str, app: int | None) -> bool:
    """Whether the newest word of a context is a good one, of that App alone where one is named."""
    word = world.word(pull.head, context)
    if word and word.state == "success" and app in (None, world.app_ids.get(word.creator.login, -1)):
        return True
    runs = [each for each in world.runs if (each.sha, each.name) == (pull.head, context)]
    known = (None, world.app_ids.get(f"{runs[-1].app}[bot]", -1)) if runs else ()
    return bool(runs) and runs[-1].conclusion in ("success", "neutral", "skipped") and app in known


def behind(world: World, pull: Pull) -> bool:
    """Whether the default branch has commits that the head has not."""
    return world.lasting("merge-base", "--is-ancestor", str(world.head(pull.base)), pull.head).returncode != 0


def _approvals(world: World, pull: Pull) -> set[str]:
    return {each.who.login for each in world.opinions(pull) if each.state == "APPROVED" and each.head == pull.head}


def pending(world: World, pull: Pull) -> list[str]:
    """The owners of changed paths whose review is still missing: of each path one of its owners has to agree."""
    given = _approvals(world, pull)
    paths = world.fact("diff", "--name-only", f"{world.head(pull.base)}...{pull.head}").splitlines()
    asked = [owners for path in paths if (owners := _owners(world, path))]
    missing = [each for each in asked if not given.intersection(*[_people(world, each)])]
    return list(dict.fromkeys(owner for owners in missing for owner in owners))


def _people(world: World, owners: list[str]) -> set[str]:
    names = [each.removeprefix("@").rpartition("/") for each in owners]
    return {login for slug, slash, name in names for login in (world.teams.get(name, ()) if slash else (name,))}


def _owners(world: World, path: str) -> list[str]:
    """The last line that matches decides; of its patterns there are `*`, `/folder/` and `/file` here."""
    found: list[str] = []
    for _, pattern, owners in _lines(world):
        if pattern == "*" or f"/{path}" == pattern or (pattern.endswith("/") and f"/{path}".startswith(pattern)):
            found = owners
    return found


def _lines(world: World) -> Iterator[tuple[int, str, list[str]]]:
    text = world.lasting("show", f"{world.head(world.default)}:{OWNERS}").stdout.decode()
    for number, line in enumerate(text.splitlines(), 1):
        if words := line.partition("#")[0].split():
            yield number, words[0], words[1:]


def has_owners(world: World) -> bool:
    """Whether the file is there."""
    return world.lasting("cat-file", "-e", f"{world.head(world.default)}:{OWNERS}").returncode == 0


def owner_errors(world: World) -> list[dict[str, Any]]:
    """What GitHub finds wrong in the file: owners that it does not know."""
    return [
        {
            "line": number,
            "column": 1,
            "kind": "Unknown owner",
            "source": f"{pattern} {' '.join(owners)}",
            "suggestion": f"make sure {owner} exists and has write access to the repository",
            "message": f"Unknown owner on line {number}: make sure {owner} exists and has write access",
            "path": OWNERS,
        }
        for number, pattern, owners in _lines(world)
        for owner in owners
        if not (owner.rpartition("/")[2] in world.teams if "/" in owner else owner.removeprefix("@") in world.people)
    ]


def decision(world: World, pull: Pull) -> str | None:
    """What GraphQL calls `reviewDecision`; null where no review is asked for."""
    asked = [each["parameters"] for each in active(world) if each["type"] == "pull_request"]
    count = max([world.required_reviews, *(each["required_approving_review_count"] for each in asked)])
    by_owner = any(each["require_code_owner_review"] for each in asked)
    if any(each.state == "CHANGES_REQUESTED" for each in world.opinions(pull)):
        return "CHANGES_REQUESTED"
    if len(_approvals(world, pull)) < count or (by_owner and pending(world, pull)):
        return "REVIEW_REQUIRED"
    return "APPROVED" if count or by_owner else None


def state(world: World, pull: Pull) -> str:
    """What GraphQL calls `mergeStateStatus`."""
    if not world.merges(pull):
        return "DIRTY"
    told = world.unmet(pull)
    if pull.draft or (told and "up to date" not in told):
        return "BLOCKED"
    if told:
        return "BEHIND"
    failing = [each for each in world.statuses if each.sha == pull.head and each.state in ("failure", "error")]
    return "UNSTABLE" if failing else "CLEAN"
