"""`gitops release --from-file`: many services at once, and every mistake in the file told with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gitops import story
from tests.gitops.story import digest, gitops


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return story.repository(tmp_path / "gitops.git", known=("wallet", "ledger"))


def listed(folder: Path, **releases: object) -> Path:
    path = folder / "releases.json"
    path.write_text(json.dumps(releases))
    return path


def test_every_service_of_the_file_is_released(tmp_path: Path, repo: Path) -> None:
    sources = {name: story.source(tmp_path / name) for name in ("wallet", "ledger")}
    facts = {
        name: {"tag": source.tag, "digest": digest(name), "chart": f"{name}/chart", "run": 7}
        for name, source in sources.items()
    }
    path = listed(tmp_path, **facts)

    done = gitops("release", "--from-file", str(path), "--repo", str(repo))

    assert done.returncode == 0, done
    assert len(story.records(repo)) == 1, "one pull request for all of them"
    for name, source in sources.items():
        held = story.content(repo, "dev", name)
        assert source.tag.encode() in (held["release.yaml"] or b"")
        assert b"proved: true" in (held["origin.yaml"] or b"")
    assert "pinned in dev already" in gitops("release", "--from-file", str(path), "--repo", str(repo)).stderr


def test_all_mistakes_of_all_services_are_told_and_nothing_is_written(tmp_path: Path, repo: Path) -> None:
    source = story.source(tmp_path / "wallet")
    good = {"tag": source.tag, "digest": digest("x"), "chart": "wallet/chart"}
    path = listed(tmp_path, wallet={**good, "tag": "latest"}, ledger={**good, "chart": "nowhere"})
    before = story.refs(repo)

    done = gitops("release", "--from-file", str(path), "--repo", str(repo))

    assert done.returncode == 1
    assert f"{path}:1: wallet: --tag latest" in done.stderr
    assert f"{path}:1: ledger: --chart {tmp_path}/nowhere: is no folder" in done.stderr
    assert story.refs(repo) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wallet: {digest: b}", "wallet.tag: is required"),
        (f"wallet: {{tag: {story.tag(1)}, digest: {story.digest(1)}}}", "a release of wallet carries its chart"),
        ("wallet: {tag: a, digest: b, chart: c, color: red}", "color"),
        ("- wallet", "must be a mapping"),
        ("{}", "releases.yaml"),
        ("wallet: {tag: a, digest: b, chart: c, run: -1}", "run"),
        ("wallet: {tag: 1, digest: b, chart: c}", "wallet.tag"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(tmp_path: Path, repo: Path, text: str, told: str) -> None:
    path = tmp_path / "releases.yaml"
    path.write_text(text)

    done = gitops("release", "--from-file", str(path), "--repo", str(repo))

    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_file_says_is_not_said_twice(tmp_path: Path, repo: Path) -> None:
    path = listed(tmp_path)

    assert gitops("release", "wallet", "--from-file", str(path), "--repo", str(repo)).returncode == 2
    assert gitops("release", "wallet", "--repo", str(repo)).returncode == 2
    done = gitops("release", "--from-file", str(tmp_path / "none"), "--repo", str(repo))
    assert (done.returncode, "cannot be read: No such file" in done.stderr) == (1, True)
