"""GitHub's merge queue: branches that hold what lands, each on the one before it."""

from __future__ import annotations

from tests.gitops.github_double.world import Refusal, World

REQUIRED = "shiplane/verify"
METHODS = ("merge", "squash", "rebase")


def enqueued(world: World, number: int, method: str = "merge", on: str = "") -> tuple[str, str]:
    """Put a pull request into the queue on the commit `on`, the tip unless named: its branch there, and its head."""
    pull, base = world.pull(number), on or str(world.head(world.default))
    if method == "rebase":
        head = _rebased(world, base, world.commits(pull))
    else:
        title = f"Merge pull request #{number} from {world.owner}/{pull.branch}"
        head = _made(world, base, pull.head, title, whole=method == "merge")
    branch = f"gh-readonly-queue/{world.default}/pr-{number}-{base}"
    put(world, branch, head)
    return branch, head


def put(world: World, branch: str, head: str, who: str = "github") -> None:
    """Let a branch name a commit, as a push of `who` would."""
    before = world.heads()
    world.git("update-ref", f"refs/heads/{branch}", head)
    world.moved(world.people[who], before)


def landed(world: World, branch: str) -> None:
    """What GitHub does once the status is there: the default branch moves to the entry's head, which is merged."""
    head, before = str(world.head(branch)), world.heads()
    pull = world.pull(int(branch.rpartition("/")[2].split("-")[1]))
    word = world.word(head, REQUIRED)
    if word is None or word.state != "success":
        raise Refusal(405, f'Required status check "{REQUIRED}" is expected.')
    pull.commits = world.commits(pull)
    world.git("update-ref", f"refs/heads/{world.default}", head)
    world.git("update-ref", "-d", f"refs/heads/{branch}")
    pull.state, pull.merge, pull.merged = "merged", head, world.now()
    world.moved(world.people["github"], before)


def _made(world: World, base: str, head: str, message: str, *, whole: bool) -> str:
    done = world.tried("merge-tree", "--write-tree", base, head)
    assert done.returncode == 0, done.stdout
    parents = [base, head] if whole else [base]
    return world.commit(done.stdout.decode().split()[0], parents, message, world.people["github"])


def _rebased(world: World, base: str, commits: list[str]) -> str:
    """Each commit set on the one before it: a merge of which the commit's own parent is the base."""
    for each in commits:
        sides = [_alone(world, side, f"{each}^") for side in (base, each)]
        done = world.tried("merge-tree", "--write-tree", *sides)
        assert done.returncode == 0, done.stdout
        message = world.git("log", "-1", "--format=%B", each)
        base = world.commit(done.stdout.decode().split()[0], [base], message, world.people["github"])
    return base


def _alone(world: World, commit: str, parent: str) -> str:
    """The tree of a commit, on another parent."""
    return world.commit(world.git("rev-parse", f"{commit}^{{tree}}"), [parent], "x", world.people["github"])
