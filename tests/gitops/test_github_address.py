"""Which addresses are GitHub's, where its API is for them, and who is told the environment's tokens."""

from __future__ import annotations

import pytest

from gitops.forge.github import credentials
from gitops.forge.github.address import parsed, trusted


@pytest.mark.parametrize(
    ("url", "slug", "api"),
    [
        ("https://github.com/acme/gitops.git", "acme/gitops", "https://api.github.com"),
        ("https://github.com/acme/gitops/", "acme/gitops", "https://api.github.com"),
        ("https://GitHub.com/acme/git.ops", "acme/git.ops", "https://api.github.com"),
        ("git@github.com:acme/gitops.git", "acme/gitops", "https://api.github.com"),
        ("github.com:acme/gitops.git", "acme/gitops", "https://api.github.com"),
        ("ssh://git@ssh.github.com:443/acme/gitops.git", "acme/gitops", "https://api.github.com"),
        ("https://acme.ghe.com/acme/gitops", "acme/gitops", "https://api.acme.ghe.com"),
        ("https://git.acme.example/acme/gitops", "acme/gitops", "https://git.acme.example/api/v3"),
        ("https://git.acme.example:8443/acme/gitops", "acme/gitops", "https://git.acme.example:8443/api/v3"),
        ("git@git.acme.example:acme/gitops.git", "acme/gitops", "https://git.acme.example/api/v3"),
    ],
)
def test_an_address_of_github(url: str, slug: str, api: str) -> None:
    found = parsed(url)

    assert found
    assert (found.slug, found.api) == (slug, api)


@pytest.mark.parametrize(
    "url",
    [
        "/srv/gitops.git",
        "file:///srv/acme/gitops.git",
        "https://github.com/acme",
        "https://github.com/acme/gitops/tree/main",
        "https://github.com/acme/..%2f..%2fx",
        "https://github.com/acme/git ops",
        "https://github.com/acme/..",
        "https://github.com/acme/./",
        "https://github.com:port/acme/gitops",
        "https://[::1/acme/gitops",
        "",
    ],
)
def test_no_address_of_github(url: str) -> None:
    assert parsed(url) is None
    assert credentials.access(url).token == ""


@pytest.mark.parametrize(
    ("url", "variables", "told"),
    [
        ("https://github.com/acme/gitops", {}, True),
        ("git@github.com:acme/gitops", {}, True),
        ("https://acme.ghe.com/acme/gitops", {}, True),
        ("https://git.acme.example/acme/gitops", {}, False),
        ("https://git.acme.example/acme/gitops", {"GH_HOST": "git.acme.example"}, True),
        ("https://git.acme.example/acme/gitops", {"GITHUB_SERVER_URL": "https://git.acme.example"}, True),
        ("https://github.com.acme.example/acme/gitops", {}, False),
        ("https://ghe.com/acme/gitops", {}, False),
        ("http://github.com/acme/gitops", {}, False),
        ("http://git.acme.example/acme/gitops", {"GH_HOST": "git.acme.example"}, False),
    ],
)
def test_a_token_is_told_to_its_own_host_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str], told: bool
) -> None:
    for name, value in {"GITHUB_TOKEN": "ghp_x", **variables}.items():
        monkeypatch.setenv(name, value)
    address = parsed(url)

    assert address
    assert trusted(address) is told
    assert (credentials.access(url).token == "ghp_x") is told


def test_a_token_reaches_git_by_the_environment_of_its_process_and_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    found = credentials.access("https://github.com/acme/gitops.git")

    assert found.environment["GIT_CONFIG_KEY_0"] == "http.https://github.com/.extraHeader"
    assert "secret" not in repr(found)
    assert credentials.access("git@github.com:acme/gitops.git").environment == {}


def test_the_first_of_the_ways_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "second")
    assert credentials.access("https://github.com/acme/gitops").token == "second"
    monkeypatch.setenv("GITHUB_TOKEN", "first")
    assert credentials.access("https://github.com/acme/gitops").token == "first"
    assert credentials.access("https://x:own@github.com/acme/gitops").token == "own"
