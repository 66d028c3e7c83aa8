"""The first commit of a GitOps repository: what is in it, and which facts it is made from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import ShiplaneError
from gitops import config
from gitops.initial import ENVIRONMENTS, initial_tree
from gitops.layout import Layout
from tests.gitops.trees import TOKENS, URL, new, populated, substituted


def test_the_whole_tree(snapshot: Any) -> None:
    nested: dict[str, Any] = {}
    for path, content in new(forge="embedded").items():
        *folders, name = path.split("/")
        at = nested
        for folder in folders:
            at = at.setdefault(folder, {})
        at[name] = content
    snapshot.assert_match_dir(nested, "tree")


def test_the_configuration_reads_and_agrees_with_the_projects() -> None:
    files = new(forge="embedded")
    read = config.load(files["shiplane.yaml"])
    clusters = {
        name: yaml.safe_load(files[f"projects/{name}.yaml"])["spec"]["destinations"][0]["name"] for name in ENVIRONMENTS
    }
    assert {name: each.cluster for name, each in read.environments.items()} == clusters
    assert [each.source for each in read.environments.values()] == [None, *ENVIRONMENTS[:-1]]
    assert [each.merge for each in read.environments.values()] == [True, False, False]
    assert [each.gates.approvals for each in read.environments.values()] == [0, 0, 1]
    assert (read.forge, read.layout) == ("embedded", Layout())
    assert config.load(new()["shiplane.yaml"]).forge is None


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_defaults_hold_the_agreed_tokens_and_no_other_brace(environment: str) -> None:
    files = new()
    start = files[f"defaults/{environment}/application.yaml"] + files[f"defaults/{environment}/values.yaml"]
    assert set(re.findall(r"\{([^}]*)\}", start.decode())) == {*TOKENS, "environment", "cluster"}
    done = substituted(files[f"defaults/{environment}/values.yaml"], environment)
    assert b"{" not in done
    assert yaml.safe_load(done) == {"image": {"repository": f"{TOKENS['registry']}/acme/wallet"}}


def test_yamllint_finds_nothing(tmp_path: Path) -> None:
    for path, content in populated(new(forge="github")).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    rules = "{extends: default, ignore: [release.yaml, Chart.yaml, .github], rules: {line-length: {max: 100}}}"
    command = [sys.executable, "-m", "yamllint", "--strict", "--format", "parsable", "-d", rules, "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_executable_and_no_version_floats() -> None:
    made = initial_tree(repository_url=URL, name="gitops")
    text = b"\n".join(content for _, content in made.values()).decode()
    assert {mode for mode, _ in made.values()} == {"100644"}
    assert re.findall(r"(?i)\blatest\b|(?:password|token|secret[-_ ]?key)\s*[:=] *[^\s$]|{=|=}", text) == []


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:acme/gitops.git",
        "ssh://git@git.example:2222/acme/gitops.git",
        "https://git.example/a/b's/gitops",
        "/srv/git/yes",
        "file:///srv/git/o'neill:%20x.git",
        "/srv/git/größe.git",
    ],
)
def test_any_address_arrives_whole(url: str) -> None:
    files = populated(new(url=url))
    found = re.findall(r"(?:repoURL: |sourceRepos:\n +- )(.*)", b"\n".join(files.values()).decode())
    assert {yaml.safe_load(each) for each in found} == {url}


@pytest.mark.parametrize(
    ("url", "owner", "expected"),
    [
        (URL, "platform", "@acme/platform"),
        ("git@github.com:acme/gitops.git", "@platform", "@acme/platform"),
        (URL, "other/sre", "@other/sre"),
        ("/srv/git/gitops.git", "platform", "@platform"),
        ("https://git.example/a/b/gitops.git", "platform", "@platform"),
    ],
)
def test_code_owners_are_a_team_of_the_addresss_organisation(url: str, owner: str, expected: str) -> None:
    owners = new(url=url, owner=owner)[".github/CODEOWNERS"].decode()
    rules = dict([*line.split(), ""][:2] for line in owners.splitlines() if line and not line.startswith("#"))
    assert rules == {
        "*": expected,
        "/environments/dev/": "",
        "/environments/staging/": "",
        "/environments/prod/": expected,
    }


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gitops",
        "../gitops.git",
        "github.com/acme/gitops",
        "https://github.com",
        "https://user:hunter2@github.com/acme/gitops.git",
        "https://hunter2@github.com/acme/gitops.git",
        "https://[hunter2/acme",
        "https://github.com/acme/*",
        "https://github.com/acme/{service}",
        "https://github.com/acme/gitops.git\nkind: Secret",
        "https://github.com/acme/gitops.git # x",
        "ext::sh -c hunter2",
        "javascript://github.com/acme/x",
    ],
)
def test_an_address_that_cannot_be_written_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ShiplaneError) as refused:
        new(url=url)
    assert str(refused.value).startswith("the repository's address: must ")
    assert "hunter2" not in str(refused.value)


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(ShiplaneError) as refused:
        new(url="gitops", name="../x", owner="a b", forge="gitlab")
    places = [problem.place for problem in refused.value.problems]
    assert places == ["the repository's address", "the repository's name", "the administrators", "the forge"]
