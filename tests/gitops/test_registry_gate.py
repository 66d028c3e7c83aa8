"""The image gate as a pure function: tables of facts and what is said of them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.registry.facts import GITHUB_ISSUER, Identity, ImageFacts, Signature, Unread
from gitops.registry.gate import PASSED, REFUSED, WAITING, verdict
from gitops.registry.reference import Reference, forbidden, parse

TAG = "5d41402abc4b2a76b9719d911017c592aabbccdd"
OTHER = "7d793037a0760186574b0282f2f435e7aabbccdd"
DIGEST, MOVED = "sha256:" + "a" * 64, "sha256:" + "b" * 64
WALLET = "https://github.com/acme/wallet"
RIGHT = Signature(
    issuer=GITHUB_ISSUER,
    workflow=f"{WALLET}/.github/workflows/wallet.yaml@refs/heads/main",
    source=WALLET,
    ref="refs/heads/main",
    commit=TAG,
)
GOOD = ImageFacts(
    image="registry.acme.example/acme/wallet",
    tag=TAG,
    digest=DIGEST,
    wanted=Identity("acme/wallet"),
    resolved=DIGEST,
    exists=True,
    immutable=True,
    platforms=("linux/amd64",),
    revision=TAG,
    signatures=(RIGHT,),
)


def test_what_is_right_in_everything_passes() -> None:
    assert verdict(GOOD) == (
        PASSED,
        f"registry.acme.example/acme/wallet:{TAG} is sha256:aaaaaaaaaaaa…, signed by acme/wallet",
        (
            f"tag {TAG} resolves to {DIGEST}",
            "its tag cannot be moved",
            "platforms: linux/amd64",
            f"built from {TAG}, says its label org.opencontainers.image.revision",
            f"signed by {WALLET}/.github/workflows/wallet.yaml@refs/heads/main, commit {TAG}",
        ),
    )


def workflow(path: str) -> Signature:
    return dataclasses.replace(RIGHT, workflow=f"https://github.com/{path}")


@pytest.mark.parametrize(
    "signature",
    [
        dataclasses.replace(RIGHT, issuer=f"{GITHUB_ISSUER}/acme"),
        dataclasses.replace(RIGHT, issuer=""),
        dataclasses.replace(RIGHT, source=f"{WALLET}x"),
        dataclasses.replace(RIGHT, source="https://github.com/acme/wallet/"),
        dataclasses.replace(RIGHT, source="https://github.com.acme.example/acme/wallet"),
        dataclasses.replace(RIGHT, source=""),
        dataclasses.replace(RIGHT, ref="refs/heads/main2"),
        dataclasses.replace(RIGHT, ref="refs/tags/main"),
        dataclasses.replace(RIGHT, ref="refs/heads/Main"),
        dataclasses.replace(RIGHT, ref=""),
        dataclasses.replace(RIGHT, commit=OTHER),
        dataclasses.replace(RIGHT, commit=""),
        dataclasses.replace(RIGHT, workflow=""),
        workflow("acme/wallet/.github/workflows/x.yaml@refs/heads/feature"),
        workflow("acme/wallet/.github/workflows/x.yaml@refs/heads/feature@refs/heads/main"),
        workflow("acme/wallet/.github/workflows/x.yaml"),
        workflow("acme/wallet/.github/workflows/@refs/heads/main"),
        workflow("acme/wallet/.github/workflows/../../x.yaml@refs/heads/main"),
        workflow("acme/wallet/.github/x.yaml@refs/heads/main"),
        workflow("acme/wallet-x/.github/workflows/x.yaml@refs/heads/main"),
        workflow("evil/acme/wallet/.github/workflows/x.yaml@refs/heads/main"),
    ],
)
def test_a_run_that_is_not_quite_the_right_one_does_not_count(signature: Signature) -> None:
    state, why, evidence = verdict(dataclasses.replace(GOOD, signatures=(signature,)))

    assert state == REFUSED
    assert "is not signed by acme/wallet: " in why
    assert evidence[-1].startswith("not counted: ")


SHARED = "acme/shared/.github/workflows/build.yaml@refs/heads/main"


@pytest.mark.parametrize(
    ("signed", "allowed", "state"),
    [
        (SHARED, (SHARED,), PASSED),
        (SHARED, ("acme/other/.github/workflows/x.yaml@refs/heads/main", SHARED), PASSED),
        (SHARED, ("Acme/Shared/.github/workflows/build.yaml@refs/heads/main",), PASSED),
        (SHARED, (), REFUSED),
        (SHARED, ("acme/shared/.github/workflows/Build.yaml@refs/heads/main",), REFUSED),
        (SHARED, ("acme/shared/.github/workflows/build.yaml@refs/heads/next",), REFUSED),
        (f"{SHARED}x", (SHARED,), REFUSED),
        (f"evil/{SHARED}", (SHARED,), REFUSED),
        ("acme/wallet/.github/workflows/x.yaml@refs/heads/main", (SHARED,), PASSED),
    ],
)
def test_a_workflow_of_another_repository_is_named(signed: str, allowed: tuple[str, ...], state: str) -> None:
    wanted = Identity("acme/wallet", workflows=allowed)

    assert verdict(dataclasses.replace(GOOD, wanted=wanted, signatures=(workflow(signed),)))[0] == state


def test_whoever_calls_the_shared_workflow_from_elsewhere_does_not_count() -> None:
    other = dataclasses.replace(workflow(SHARED), source="https://github.com/acme/ledger")
    wanted = Identity("acme/wallet", workflows=(SHARED,))

    assert (
        "signed by a run of https://github.com/acme/ledger"
        in verdict(dataclasses.replace(GOOD, wanted=wanted, signatures=(other,)))[1]
    )


@pytest.mark.parametrize(
    ("known", "signed", "told"),
    [
        ("1001", "1001", "signed by acme/wallet"),
        ("", "1001", "signed by acme/wallet"),
        ("1001", "1002", "signed by a run of repository 1002, not 1001"),
        ("1001", "", "signed by a run of repository without a number, not 1001"),
    ],
)
def test_a_repository_that_was_made_again_is_another(known: str, signed: str, told: str) -> None:
    wanted = Identity("acme/wallet", source_id=known)
    facts = dataclasses.replace(GOOD, wanted=wanted, signatures=(dataclasses.replace(RIGHT, source_id=signed),))

    assert told in verdict(facts)[1]


@pytest.mark.parametrize("source", ["acme/wal.let", "acme/w+", "acme/.*", "a|b/c", "acme/wallet\n"])
def test_a_repository_s_name_is_no_pattern(source: str) -> None:
    assert verdict(dataclasses.replace(GOOD, wanted=Identity(source)))[0] == REFUSED


def test_github_s_names_have_no_case() -> None:
    assert verdict(dataclasses.replace(GOOD, wanted=Identity("Acme/Wallet")))[0] == PASSED


def test_one_right_signature_is_enough_and_the_others_are_told() -> None:
    others = dataclasses.replace(RIGHT, commit=OTHER), RIGHT
    state, _, evidence = verdict(dataclasses.replace(GOOD, signatures=others, dismissed=("a signature is of x",)))

    assert state == PASSED
    assert evidence[-3:] == (
        "not counted: signed by a run of commit 7d79303, not of 5d41402",
        f"signed by {RIGHT.workflow}, commit {TAG}",
        "not counted: a signature is of x",
    )


def test_a_tag_that_is_no_commit_is_compared_with_none() -> None:
    assert verdict(dataclasses.replace(GOOD, tag="v1.2.3"))[0] == PASSED


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (dataclasses.replace(GOOD, unread=Unread("x answers 503", passing=True)), WAITING),
        (dataclasses.replace(GOOD, unread=Unread("x may not be read")), REFUSED),
    ],
)
def test_what_could_not_be_read_is_told_and_nothing_else_is(facts: ImageFacts, state: str) -> None:
    assert facts.unread is not None
    assert verdict(facts) == (state, facts.unread.why, ())


@pytest.mark.parametrize(
    ("had", "needed", "state"),
    [
        (("linux/amd64", "linux/arm64/v8"), ("linux/amd64", "linux/arm64"), PASSED),
        (("linux/arm64/v8",), ("linux/arm64/v7",), REFUSED),
        (("linux/amd64x",), ("linux/amd64",), REFUSED),
        ((), ("linux/amd64",), REFUSED),
        ((), (), PASSED),
    ],
)
def test_each_platform_that_is_needed_is_there(had: tuple[str, ...], needed: tuple[str, ...], state: str) -> None:
    assert verdict(dataclasses.replace(GOOD, platforms=had), needed)[0] == state


_FACTS = st.builds(
    ImageFacts,
    image=st.just(GOOD.image),
    tag=st.sampled_from([TAG, "v1"]),
    digest=st.sampled_from([DIGEST, MOVED]),
    wanted=st.sampled_from([None, Identity("acme/wallet"), Identity("acme/ledger")]),
    unread=st.sampled_from([None, None, Unread("x"), Unread("x", passing=True)]),
    repository=st.booleans(),
    resolved=st.sampled_from([None, DIGEST, MOVED]),
    exists=st.booleans(),
    immutable=st.sampled_from([None, True, False]),
    platforms=st.sampled_from([(), ("linux/amd64",), ("linux/arm64",)]),
    revision=st.sampled_from([None, TAG, OTHER, TAG[:7], "v1"]),
    signatures=st.lists(st.sampled_from([RIGHT, dataclasses.replace(RIGHT, commit=OTHER)]), max_size=2).map(tuple),
)


@given(_FACTS)
def test_nothing_passes_but_what_was_read_and_is_right(facts: ImageFacts) -> None:
    state, why, _ = verdict(facts)

    assert state in (PASSED, WAITING, REFUSED)
    assert why
    if state == PASSED:
        assert (facts.unread, facts.repository, facts.resolved) == (None, True, facts.digest)
        assert "linux/amd64" in facts.platforms
        assert facts.wanted is None or any(facts.wanted.objection(one, facts.tag) == "" for one in facts.signatures)
        assert facts.tag == "v1" or facts.revision != OTHER
    if state == WAITING:
        assert facts.unread is not None


@pytest.mark.parametrize(
    ("host", "account", "region", "fips"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012", "eu-west-1", False),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1", False),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1", True),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012", "eu-west-1", False),
        ("public.ecr.aws", "", "", False),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.acme.example", "", "", False),
        ("x.123456789012.dkr.ecr.eu-west-1.amazonaws.com", "", "", False),
        ("123.dkr.ecr.eu-west-1.amazonaws.com", "", "", False),
        ("localhost", "", "", False),
    ],
)
def test_ecr_is_told_by_its_name(host: str, account: str, region: str, fips: bool) -> None:
    assert parse(f"{host}/acme/wallet", TAG, DIGEST) == Reference(host, "acme/wallet", account, region, fips)


@pytest.mark.parametrize(
    ("url", "local", "allowed"),
    [
        ("https://registry.acme.example/v2/", False, True),
        ("https://10.0.0.1/v2/", False, True),
        ("http://registry.acme.example/v2/", False, False),
        ("http://registry.acme.example/v2/", True, False),
        ("http://127.0.0.1:5000/v2/", True, True),
        ("http://127.9.9.9/v2/", True, True),
        ("http://[::1]:5000/v2/", True, True),
        ("http://127.0.0.1:5000/v2/", False, False),
        ("https://127.0.0.1:5000/v2/", False, False),
        ("https://x.localhost/v2/", False, False),
        ("https://127.1/v2/", False, False),
        ("https://0x7f.1/v2/", False, False),
        ("https://0x7f000001/v2/", False, False),
        ("https://[fe80::1%25eth0]/v2/", False, False),
        ("https:///v2/", False, False),
        ("//registry.acme.example/v2/", False, False),
        ("https://user@registry.acme.example/v2/", False, False),
    ],
)
def test_where_a_registry_may_lead(url: str, local: bool, allowed: bool) -> None:
    assert (forbidden(url, local=local) == "") is allowed
