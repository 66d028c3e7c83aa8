"""prod is earned: whatever commands people run, prod never has what staging has not had before it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from generator.errors import ShiplaneError
from gitops import desk
from gitops.apply import propose
from tests.gitops import forged, story
from tests.gitops.gated import configuration
from tests.gitops.story import CHART, git

ENVIRONMENTS = ("dev", "staging", "prod")
WORDS = ("one", "two", "three")
Step = tuple[str, ...]
PROMOTIONS = [("promote", "wallet", "--to", "staging"), ("promote", "wallet", "--to", "prod")]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("release"), st.sampled_from(WORDS), st.sampled_from(["", "another chart"])),
    st.sampled_from([*PROMOTIONS, *((*each, "--replace") for each in PROMOTIONS)]),
    st.sampled_from([("promote", "wallet", "--to", "prod", "--from", "dev", "--override", "order", "--reason", "now")]),
    st.tuples(
        st.just("rollback"),
        st.just("wallet"),
        st.just("--env"),
        st.sampled_from(ENVIRONMENTS),
        st.just("--steps"),
        st.sampled_from("12"),
    ),
    st.sampled_from([("hold", "wallet", "--env", "prod", "--reason", "INC-7"), ("unhold", "wallet", "--env", "prod")]),
    st.tuples(st.just("merge"), st.sampled_from("0123")),  # the oldest open one, or a younger one
    st.tuples(st.just("close"), st.sampled_from("01")),
)
RUNS = iter(range(2, 1_000_000))


def run(repo: Path, step: Step) -> None:
    """Do it; that it may be refused is the point."""
    url = str(repo)
    match step:
        case ("release", word, other):
            chart = {**CHART, "templates/more.yaml": b"# more\n"} if other else CHART
            with contextlib.suppress(ShiplaneError):
                propose(url, [story.releasing("wallet", word, next(RUNS), chart)])
        case ("merge" | "close" as verb, index):
            numbers = [each.number for each in desk.pull_requests(url)]
            if int(index) < len(numbers):
                number = str(numbers[int(index)])
                story.gitops("approve", number, "--as", "rev@acme.example", "--repo", url)
                done = story.gitops(verb, number, "--repo", url)
                assert done.returncode in (0, 3), done
        case _:
            done = story.gitops(*step, "--repo", url)
            assert done.returncode in (0, 1, 3), done  # 1: there is nothing to lift, or no such step in the lane


def pins(repo: Path) -> Iterator[tuple[str, str]]:
    """What staging and prod have had at each commit of main, the oldest first: the ids of all that is carried."""
    for commit in git(repo, "rev-list", "--first-parent", "--reverse", "main").splitlines():
        yield identity(repo, "staging", commit), identity(repo, "prod", commit)


def identity(repo: Path, environment: str, commit: str) -> str:
    listed = git(repo, "ls-tree", commit, f"environments/{environment}/wallet/")
    lines = (line.partition("\t") for line in listed.splitlines())
    return " ".join(head.split()[2] for head, _, path in lines if not path.endswith("values.yaml"))


def unearned(repo: Path) -> list[str]:
    """What prod has had before staging did."""
    staged, found = set(), []
    for staging, prod in pins(repo):
        staged.add(staging)
        if prod and prod not in staged:
            found.append(prod)
    return found


RELEASED = ("release", "one", "")
STAGED, PRODUCED, FIRST = (
    ("promote", "wallet", "--to", "staging"),
    ("promote", "wallet", "--to", "prod"),
    ("merge", "0"),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, min_size=4, max_size=14))
@example([RELEASED, STAGED, FIRST, PRODUCED, ("release", "two", ""), ("merge", "0")])  # merged on a newer main
@example([RELEASED, STAGED, FIRST, PRODUCED, ("rollback", "wallet", "--env", "staging", "--steps", "1"), FIRST, FIRST])
@example([RELEASED, STAGED, FIRST, PRODUCED, ("release", "one", "another chart"), STAGED, ("merge", "1"), FIRST])
def test_prod_has_nothing_that_staging_has_not_had(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = story.repository(
            Path(folder, "gitops.git"), released={"wallet": "zero"}, extra={"shiplane.yaml": configuration()}
        )
        for step in [STAGED, FIRST, *steps]:
            run(made, step)

        assert unearned(made) == []


def test_the_ordinary_way_leads_to_prod(tmp_path: Path) -> None:
    """What the test above asks is no empty question."""
    repo = story.repository(tmp_path / "r.git", released={"wallet": "zero"}, extra={"shiplane.yaml": configuration()})
    for step in (STAGED, FIRST, PRODUCED, FIRST):
        run(repo, step)

    assert [prod for _, prod in pins(repo) if prod]
    assert unearned(repo) == []


def test_what_comes_past_staging_would_be_found(tmp_path: Path) -> None:
    repo = story.repository(tmp_path / "r.git", released={"wallet": "zero"}, extra={"shiplane.yaml": configuration()})
    names = ("release.yaml", "origin.yaml")
    dev = {name: story.show(repo, f"environments/dev/wallet/{name}") for name in names}
    changes = {f"environments/prod/wallet/{name}": data for name, data in dev.items()}
    git(repo, "update-ref", "refs/heads/main", forged.commit(repo, changes))

    assert len(unearned(repo)) == 1
