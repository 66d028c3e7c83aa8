"""Many writers at once: nothing is lost, nothing is doubled, and what was read is what is acted on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from generator.errors import ShiplaneError
from gitops import desk, pins
from gitops.forge.embedded import Embedded
from gitops.model import Origin, Release
from gitops.pull_request import PullRequest
from gitops.repo import Repository, Update, opened
from tests.git_http import Server, serve
from tests.gitops import story

BRANCH = "shiplane/pin/staging/wallet"
ORIGIN = "environments/dev/wallet/origin.yaml"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
WRITERS = 24
GITOPS = (sys.executable, "-c", "import sys; from gitops.commands.gitops import run; sys.exit(run())")
Ended = tuple[int, str, str]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return story.repository(tmp_path / "gitops.git", released={"wallet": "a"})


def at_once(commands: list[list[str]]) -> list[Ended]:
    """Run `gitops <command>` for each in a process of its own, all at once: (exit code, stdout, stderr) of each."""
    started = [
        subprocess.Popen([*GITOPS, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    return [(process.returncode, *said) for process, said in [(each, each.communicate()) for each in started]]


def released(server: Server, source: story.Source, service: str, word: object, run: int) -> list[str]:
    """The arguments that release `service` from `source`."""
    image = ["--tag", source.tag, "--digest", story.digest(word), "--chart", str(source.chart)]
    return ["release", service, *image, "--run", str(run), "--repo", f"{server.url}/gitops.git"]


def addresses(done: list[Ended]) -> list[str]:
    """What the commands printed: an address for each pull request."""
    return [line for _, out, _ in done for line in out.splitlines()]


def between(repository: Repository, act: Callable[[], object]) -> None:
    """Let another writer act right after the next ref that `repository` fetches by its name."""
    plain = repository.fetch_one

    def fetch_one(ref: str, depth: int | None = None) -> bool:
        repository.fetch_one = plain  # type: ignore[method-assign]  # back to the class's own
        answer = plain(ref, depth)
        act()
        return answer

    repository.fetch_one = fetch_one  # type: ignore[method-assign]  # a pause at a known place, no double


class TestManyProcesses:
    """The real command in processes of its own, over HTTP, at a machine that is far too small for them."""

    def test_each_service_its_own_pin(self, tmp_path: Path) -> None:
        names = [f"svc-{number:02}" for number in range(WRITERS)]
        repo = story.repository(tmp_path / "gitops.git", names)
        source = story.source(tmp_path / "source")
        with serve(tmp_path) as server:
            done = at_once([released(server, source, name, name, 1) for name in names])

        assert [(code, said.splitlines()[-1:]) for code, _, said in done if code] == []
        for name in names:
            files = story.content(repo, "dev", name)
            assert sorted(files) == sorted(story.SERVICE_FILES)
            assert files["release.yaml"] == pins.release_yaml(Release(source.tag, story.digest(name)))
            assert files["origin.yaml"] == pins.origin_yaml(Origin(f"acme/{name}", "0.1.0", 1, True))
            assert {path: files[f"chart/{path}"] for path in story.CHART} == story.CHART
            assert f'repository: "{REGISTRY}/acme/{name}"'.encode() in (files["values.yaml"] or b"")
            assert story.show(repo, f"apps/dev/{name}.yaml") is not None
        assert sorted(addresses(done)) == sorted(f"{server.url}/gitops.git#{n + 1}" for n in range(WRITERS))
        self.assert_tidy(repo, WRITERS, [f"shiplane/pin/dev/{name}" for name in names])
        merges = story.git(repo, "log", "--first-parent", "--format=%s", "main").splitlines()
        assert len(merges) == WRITERS + 1

    def test_one_service_the_newest_run_wins(self, tmp_path: Path) -> None:
        repo = story.repository(tmp_path / "gitops.git")
        source = story.source(tmp_path / "source")
        with serve(tmp_path) as server:
            done = at_once([released(server, source, "wallet", run, run) for run in range(WRITERS)])

        assert [(code, said.splitlines()[-1:]) for code, _, said in done if code] == []
        origins = story.git(repo, "log", "--first-parent", "--format=%H", "main", "--", ORIGIN).splitlines()
        runs = [yaml.safe_load(story.show(repo, ORIGIN, commit) or b"")["run"] for commit in reversed(origins)]
        late = [said for _, out, said in done if not out]
        assert runs == sorted(set(runs))
        assert runs[-1] == WRITERS - 1
        assert len(runs) + len(late) == WRITERS
        assert all("superseded: dev has pinned" in said for said in late)
        assert story.content(repo, "dev", "wallet")["release.yaml"] == pins.release_yaml(
            Release(source.tag, story.digest(WRITERS - 1))
        )
        self.assert_tidy(repo, len(runs), ["shiplane/pin/dev/wallet"])

    def test_one_promotion_asked_for_by_many_is_one_pull_request(self, repo: Path, tmp_path: Path) -> None:
        with serve(tmp_path) as server:
            url = f"{server.url}/gitops.git"
            done = at_once([["promote", "wallet", "--to", "staging", "--repo", url]] * 8)

        assert addresses(done) == [f"{url}#1"] * 8
        assert sorted(story.refs(repo)) == [
            "refs/heads/main", f"refs/heads/{BRANCH}", "refs/shiplane/last", f"refs/shiplane/open/{BRANCH}",
            "refs/shiplane/pr/1",
        ]  # fmt: skip
        assert len(story.git(repo, "log", "--format=%s", "refs/shiplane/pr/1").splitlines()) == 1
        story.assert_sound(repo)

    def test_a_merge_and_promotions_of_it_at_once(self, repo: Path, tmp_path: Path) -> None:
        """Whoever comes after the merge finds nothing to promote, and opens nothing."""
        story.opened_pr(repo)
        with serve(tmp_path) as server:
            url = f"{server.url}/gitops.git"
            promotions = [["promote", "wallet", "--to", "staging", "--repo", url]] * 3
            done = at_once([*promotions, ["merge", "1", "--repo", url], ["merge", "1", "--repo", url]])

        assert [(code, said) for code, _, said in done if code] == []
        dev, staging = (story.content(repo, environment, "wallet") for environment in ("dev", "staging"))
        assert {**dev, "values.yaml": b""} == {**staging, "values.yaml": b""}
        self.assert_tidy(repo, 1, [BRANCH])

    @staticmethod
    def assert_tidy(repo: Path, requests: int, pinned: list[str]) -> None:
        """Every pull request is merged and has its record; no branch, and no ref that nobody documents, is left."""
        assert sorted(story.refs(repo)) == sorted(
            [
                "refs/heads/main",
                "refs/shiplane/last",
                *(f"refs/shiplane/pr/{number + 1}" for number in range(requests)),
                *(f"refs/shiplane/pinned/{branch}" for branch in pinned),
            ]
        )
        records = [json.loads(message.partition("\n\n")[2]) for message in story.records(repo).values()]
        assert sorted(record["number"] for record in records) == list(range(1, requests + 1))
        assert {record["state"] for record in records} == {"merged"}
        story.assert_sound(repo)


class TestWhatWasReadIsWhatIsActedOn:
    def test_a_record_is_read_whole_though_another_writes(self, repo: Path) -> None:
        story.opened_pr(repo)
        with opened(str(repo)) as repository:
            between(repository, lambda: desk.approve(str(repo), 1, "ann@acme.example"))
            forge = Embedded(repository)
            approved = forge.approve(forge.get(1), story.REVIEWER)

        assert approved is not None
        assert approved.approvers() == ("ann@acme.example", story.REVIEWER)

    def test_a_request_that_is_closed_meanwhile_is_read_as_closed(self, repo: Path) -> None:
        story.opened_pr(repo)
        with opened(str(repo)) as repository:
            between(repository, lambda: desk.close(str(repo), 1, None))

            assert Embedded(repository).get(1).state == "closed"

    def test_a_request_that_was_followed_by_another_is_read_as_what_became_of_it(self, repo: Path) -> None:
        story.opened_pr(repo)

        def follow() -> None:
            desk.close(str(repo), 1, None)
            assert story.opened_pr(repo).number == 2

        with opened(str(repo)) as repository:
            between(repository, follow)

            assert Embedded(repository).get(1).state == "closed"

    @pytest.mark.parametrize("act", [desk.approve, lambda url, number, who: desk.merge(url, number, who, None)])
    def test_nobody_approves_or_merges_what_he_has_not_seen(
        self, repo: Path, act: Callable[[str, int, str], PullRequest], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The pull request is updated after it was read: the second try must not take the new head for the old one."""
        seen = story.opened_pr(repo)
        story.release_of(repo, "wallet", "b", 2)
        plain = Repository.push

        def push(repository: Repository, updates: Sequence[Update]) -> frozenset[str]:
            monkeypatch.setattr(Repository, "push", plain)
            story.promotion(repo, "wallet")
            return plain(repository, updates)

        monkeypatch.setattr(Repository, "push", push)
        with pytest.raises(ShiplaneError, match=rf"its head is \w+ now, not {seen.head[:7]}"):
            act(str(repo), 1, story.REVIEWER)

        with opened(str(repo)) as repository:
            now = Embedded(repository).get(1)
        assert (now.state, now.approvers(), now.head != seen.head) == ("open", (), True)
        assert story.content(repo, "staging", "wallet") == {}

    def test_an_approval_of_the_old_head_does_not_let_the_new_one_into_prod(self, repo: Path) -> None:
        desk.merge(str(repo), story.opened_pr(repo).number, None, None)
        request = story.opened_pr(repo, to="prod")
        story.release_of(repo, "wallet", "b", 2)
        desk.merge(str(repo), story.opened_pr(repo).number, None, None)
        desk.approve(str(repo), request.number, story.REVIEWER)
        with pytest.raises(ShiplaneError, match="is approved, and this would replace"):
            story.promotion(repo, "wallet", "prod")
        story.promotion(repo, "wallet", "prod", anew=True)

        with pytest.raises(ShiplaneError, match="approvals: 0 of 1"):
            desk.merge(str(repo), request.number, None, None)
        assert story.content(repo, "prod", "wallet") == {}
        desk.approve(str(repo), request.number, story.REVIEWER)
        desk.merge(str(repo), request.number, None, None)
        assert (
            story.content(repo, "prod", "wallet")["release.yaml"]
            == story.content(repo, "dev", "wallet")["release.yaml"]
        )

    def test_reviewers_at_once_are_all_heard(self, repo: Path) -> None:
        story.opened_pr(repo)
        people = [f"rev{n}@acme.example" for n in range(6)]
        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(lambda who: desk.approve(str(repo), 1, who), people))
        with opened(str(repo)) as repository:
            assert sorted(Embedded(repository).get(1).approvers()) == people
        assert len(story.git(repo, "log", "--format=%s", "refs/shiplane/pr/1").splitlines()) == len(people) + 1

    def test_the_same_approval_twice_is_one(self, repo: Path) -> None:
        story.opened_pr(repo)
        first, again = (desk.approve(str(repo), 1, story.REVIEWER) for _ in range(2))

        assert first == again
        assert len(story.git(repo, "log", "--format=%s", "refs/shiplane/pr/1").splitlines()) == 2

    def test_merge_and_close_again_are_done_already(self, repo: Path) -> None:
        """Whoever was killed right after the push runs the same command again."""
        story.opened_pr(repo)
        first, again = (desk.merge(str(repo), 1, None, None) for _ in range(2))
        assert first == again
        with pytest.raises(ShiplaneError, match="is merged already"):
            desk.close(str(repo), 1, None)
        with pytest.raises(ShiplaneError, match="is merged already"):
            desk.approve(str(repo), 1, story.REVIEWER)

        story.release_of(repo, "wallet", "b", 2)
        story.opened_pr(repo)
        closed, again = (desk.close(str(repo), 3, None) for _ in range(2))
        assert closed == again
        with pytest.raises(ShiplaneError, match="is closed already"):
            desk.merge(str(repo), 3, None, None)


class TestAPinIsWhole:
    """A merge never mixes two releases: git alone would, where both sides changed different files of a chart."""

    def test_a_chart_that_changed_on_main_is_a_conflict(self, repo: Path) -> None:
        desk.merge(str(repo), story.opened_pr(repo).number, None, None)
        story.release_of(repo, "wallet", "b", 2)
        request = story.opened_pr(repo)
        tip = story.write(repo, {"environments/staging/wallet/chart/added.yaml": b"by hand\n"})

        with pytest.raises(ShiplaneError, match=r"conflict: both sides changed environments/staging/wallet/chart"):
            desk.merge(str(repo), request.number, None, None)
        assert story.refs(repo)["refs/heads/main"] == tip

        again = story.opened_pr(repo)
        assert again.number == request.number
        desk.merge(str(repo), again.number, None, None)
        dev, staging = (story.content(repo, environment, "wallet") for environment in ("dev", "staging"))
        assert {**dev, "values.yaml": b""} == {**staging, "values.yaml": b""}

    def test_settings_that_changed_on_main_are_kept(self, repo: Path) -> None:
        desk.merge(str(repo), story.opened_pr(repo).number, None, None)
        story.release_of(repo, "wallet", "b", 2)
        request = story.opened_pr(repo)
        story.write(
            repo,
            {"environments/staging/wallet/values.yaml": b"image: {}\n"},
        )
        desk.merge(str(repo), request.number, None, None)

        staging = story.content(repo, "staging", "wallet")
        assert staging["values.yaml"] == b"image: {}\n"
        assert story.tag("b").encode() in (staging["release.yaml"] or b"")


class TestOtherHands:
    """Somebody moves refs past Shiplane: that is told at once, and is no race that is lost for ever."""

    def test_a_branch_in_the_way_is_named(self, repo: Path) -> None:
        story.git(repo, "branch", BRANCH)
        before = story.refs(repo)

        with pytest.raises(ShiplaneError, match=f"{BRANCH}: was moved or deleted by other means") as told:
            story.promotion(repo, "wallet")
        assert f"push {repo} --delete {BRANCH}" in str(told.value)
        assert story.refs(repo) == before

    @pytest.mark.parametrize("act", ["promote", "approve", "merge"])
    @pytest.mark.parametrize("moved", [True, False])
    def test_a_branch_that_somebody_moved_or_deleted_is_not_taken_for_ours(
        self, repo: Path, act: str, moved: bool
    ) -> None:
        story.opened_pr(repo)
        story.release_of(repo, "wallet", "b", 2)
        if moved:
            story.write(repo, {"environments/prod/x": b"sneaked in"}, BRANCH)
        else:
            story.git(repo, "branch", "--delete", "--force", BRANCH)
        acts: dict[str, Callable[[], object]] = {
            "promote": lambda: story.promotion(repo, "wallet"),
            "approve": lambda: desk.approve(str(repo), 1, story.REVIEWER),
            "merge": lambda: desk.merge(str(repo), 1, None, None),
        }
        before = story.refs(repo)

        with pytest.raises(ShiplaneError, match=f"{BRANCH}: was moved or deleted by other means") as told:
            acts[act]()
        assert "gitops close 1" in str(told.value)
        assert story.refs(repo) == before

    @pytest.mark.parametrize("moved", [True, False])
    def test_closing_is_the_way_out_and_takes_nobodys_commits(self, repo: Path, moved: bool) -> None:
        story.opened_pr(repo)
        theirs = None
        if moved:
            theirs = story.write(repo, {"x": b"work"}, BRANCH)
        else:
            story.git(repo, "branch", "--delete", "--force", BRANCH)

        assert desk.close(str(repo), 1, None).state == "closed"
        assert story.refs(repo).get(f"refs/heads/{BRANCH}") == theirs
        if moved:
            story.git(repo, "branch", "--delete", "--force", BRANCH)
        assert story.opened_pr(repo).number == 2

    def test_numbers_that_were_set_back_are_told(self, repo: Path) -> None:
        story.opened_pr(repo)
        desk.close(str(repo), 1, None)
        story.git(repo, "update-ref", "-d", "refs/shiplane/last")

        with pytest.raises(ShiplaneError, match="refs/shiplane/pr/1: was moved or deleted by other means"):
            story.promotion(repo, "wallet")
