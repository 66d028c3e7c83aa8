"""Images read from Debian's docker-registry on loopback: tags, digests, platforms, logins, signatures."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.registry.facts import Identity, ImageFacts
from gitops.registry.gate import PASSED, REFUSED, verdict
from gitops.registry.manifest import LABEL
from gitops.registry.read import read
from tests.gitops.oci import Image, digest_of, docker_registry, image, index, push, sign
from tests.gitops.signing import OTHER, SIGNED, TAG, VARIANTS

WALLET = Identity("acme/wallet")
USER, PASSWORD = "ci", "pass-marked-4711"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same with a user and a password; holds acme/wallet."""
    with docker_registry(tmp_path_factory.mktemp("guarded"), users={USER: PASSWORD}) as address:
        push(f"http://{address}", "acme/wallet", image(TAG), TAG, auth=(USER, PASSWORD))
        yield address


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_TRUSTED_ROOT", str(SIGNED / "trusted_root.json"))


def judged(facts: ImageFacts, *platforms: str) -> tuple[str, str]:
    state, why, _ = verdict(facts, platforms or ("linux/amd64",))
    return state, why


def test_a_tag_that_is_the_digest_passes(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/wallet", made, TAG)

    state, why, evidence = verdict(read(f"{registry}/acme/wallet", TAG, made.digest))

    assert (state, why) == (PASSED, f"{registry}/acme/wallet:{TAG} is {made.digest[:19]}…")
    assert evidence == (
        f"tag {TAG} resolves to {made.digest}",
        "platforms: linux/amd64",
        f"built from {TAG}, says its label {LABEL}",
    )


def test_a_tag_that_was_moved_is_refused(registry: str) -> None:
    pinned, moved = image(TAG), image(TAG, layer=b"something else")
    push(f"http://{registry}", "acme/moved", pinned, TAG)
    push(f"http://{registry}", "acme/moved", moved, TAG)

    facts = read(f"{registry}/acme/moved", TAG, pinned.digest)

    assert judged(facts) == (
        REFUSED,
        f"{registry}/acme/moved:{TAG} is {moved.digest[:19]}…, not the pinned {pinned.digest[:19]}…",
    )
    assert (facts.resolved, facts.exists) == (moved.digest, True)


def test_a_digest_that_nobody_pushed_is_refused(registry: str) -> None:
    push(f"http://{registry}", "acme/swapped", image(TAG), TAG)

    state, why = judged(read(f"{registry}/acme/swapped", TAG, digest_of(b"never pushed")))

    assert state == REFUSED
    assert why.endswith(", which is not there at all")


def test_a_tag_that_is_missing_is_refused_and_the_digest_beside_it_is_told(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/untagged", made)

    there = judged(read(f"{registry}/acme/untagged", TAG, made.digest))
    nowhere = judged(read(f"{registry}/acme/untagged", TAG, digest_of(b"")))

    mend = "; push it there, or wait for its replication"
    missing = f"{registry}/acme/untagged has no tag {TAG}"
    assert there == (REFUSED, f"{missing}, though {made.digest[:19]}… is there without it{mend}")
    assert nowhere == (REFUSED, missing + mend)


def test_an_index_has_the_platforms_that_it_lists_and_the_commit_of_its_image(registry: str) -> None:
    attestation = image(platform="unknown/unknown", layer=b"attestation")
    arm = image(TAG, "linux/arm64")
    made = index(("linux/arm64", arm), ("linux/amd64", image(TAG)), ("unknown/unknown", attestation))
    push(f"http://{registry}", "acme/index", made, TAG)

    facts = read(f"{registry}/acme/index", TAG, made.digest)

    assert (facts.platforms, facts.revision) == (("linux/arm64", "linux/amd64"), TAG)
    assert judged(facts, "linux/amd64", "linux/arm64")[0] == PASSED


def test_an_index_without_the_platform_that_is_needed_is_refused(registry: str) -> None:
    made = index(("linux/arm64", image(TAG, "linux/arm64")))
    push(f"http://{registry}", "acme/arm", made, TAG)

    facts = read(f"{registry}/acme/arm", TAG, made.digest)

    why = f"{registry}/acme/arm:{TAG} is built for linux/arm64, not for linux/amd64"
    assert judged(facts) == (REFUSED, why)
    assert judged(facts, "linux/arm64")[0] == PASSED


def test_an_image_of_another_commit_is_refused_and_one_of_no_commit_is_warned_of(registry: str) -> None:
    for name, revision in (("stale", OTHER), ("silent", None), ("version", "v1.2.3"), ("short", TAG[:12])):
        push(f"http://{registry}", f"acme/{name}", image(revision), TAG)

    def seen(name: str, revision: str | None) -> tuple[str, str, tuple[str, ...]]:
        return verdict(read(f"{registry}/acme/{name}", TAG, image(revision).digest))

    assert seen("stale", OTHER)[:2] == (
        REFUSED,
        f"{registry}/acme/stale:{TAG} says that it was built from {OTHER} (its label {LABEL})",
    )
    assert seen("short", TAG[:12])[0] == PASSED
    for name, revision, said in (("silent", None, "names no commit"), ("version", "v1.2.3", "has v1.2.3")):
        state, _, evidence = seen(name, revision)
        assert state == PASSED
        assert any(line.startswith("warning: ") and said in line for line in evidence)


def test_what_is_no_image_is_refused(registry: str) -> None:
    layer = b"a chart"
    made = image(TAG)
    body = json.loads(made.manifest)
    body["config"] = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest_of(b"{}"), "size": 2}
    body["layers"] = [{"mediaType": "application/vnd.x", "digest": digest_of(layer), "size": len(layer)}]
    chart = Image(made.media_type, json.dumps(body).encode(), (b"{}", layer))
    push(f"http://{registry}", "acme/chart", chart, TAG)

    state, why = judged(read(f"{registry}/acme/chart", TAG, chart.digest))

    assert state == REFUSED
    assert why.endswith("is not a container's image but application/vnd.cncf.helm.config.v1+json")


def test_a_registry_that_asks_for_a_password_gets_what_docker_login_left(
    guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image(TAG)
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    wrong = base64.b64encode(f"{USER}:{PASSWORD}-not".encode()).decode()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def asked(config: object) -> tuple[str, str]:
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return judged(read(f"{guarded}/acme/wallet", TAG, made.digest))

    nobody = judged(read(f"{guarded}/acme/wallet", TAG, made.digest))
    assert nobody == (REFUSED, f"{guarded} asks for credentials, and there are none: docker login {guarded}")
    assert asked({"auths": {guarded: {"auth": auth}}})[0] == PASSED
    assert asked({"auths": {f"https://{guarded}/v1/": {"auth": auth}}})[0] == PASSED
    assert asked({"auths": {guarded: {"username": USER, "password": PASSWORD}}})[0] == PASSED
    assert asked({"auths": {guarded: {"auth": wrong}}}) == (
        REFUSED,
        f"{guarded} does not accept the credentials that are there for it",
    )
    assert asked({"auths": {f"{guarded}.acme.example": {"auth": auth}, "127.0.0.1:1": {"auth": auth}}}) == nobody
    assert asked([])[1] == "Docker's config.json is not a JSON object"
    assert "base64" in asked({"auths": {guarded: {"auth": "%%%"}}})[1]
    assert "identity token" in asked({"auths": {guarded: {"identitytoken": "x"}}})[1]

    (tmp_path / "config.json").unlink()
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {guarded: {"auth": auth}}}))
    assert judged(read(f"{guarded}/acme/wallet", TAG, made.digest))[0] == PASSED


def test_a_credential_helper_is_asked_as_docker_asks_it(
    guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "acme", "auths": {guarded: {}}}), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    helper = tmp_path / "docker-credential-acme"

    def asked(script: str) -> tuple[str, str]:
        helper.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        helper.chmod(0o755)
        return judged(read(f"{guarded}/acme/wallet", TAG, image(TAG).digest))

    missing = judged(read(f"{guarded}/acme/wallet", TAG, image(TAG).digest))
    assert missing == (REFUSED, "Docker's config.json names a credential helper that is not on PATH")
    told = json.dumps({"ServerURL": guarded, "Username": USER, "Secret": PASSWORD})
    assert asked(f"test \"$1 $(cat)\" = 'get {guarded}' && echo '{told}'")[0] == PASSED
    nothing = asked("echo credentials not found in native keychain; exit 1")
    assert nothing[1].endswith(f"there are none: docker login {guarded}")
    assert asked(f"echo {PASSWORD} >&2; exit 3") == (
        REFUSED,
        f"docker-credential-acme ended with 3 when asked for {guarded}",
    )
    assert asked("echo no JSON")[1] == "the answer of docker-credential-acme is not a JSON object"
    assert "identity token" in asked('echo \'{"Username": "<token>", "Secret": "x"}\'')[1]


def test_a_helper_is_a_name_and_not_a_path(guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "docker-credential-x"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "docker-credential-").mkdir()
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "/../docker-credential-x"}), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    state, _ = judged(read(f"{guarded}/acme/wallet", TAG, image(TAG).digest))

    assert (state, ran.exists()) == (REFUSED, False)


@pytest.mark.usefixtures("trusted")
def test_a_signature_by_a_run_of_the_source_on_main_passes(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/signed", made, TAG)
    sign(f"http://{registry}", "acme/signed", made, *map(bundle, ("attestation", "other-repository", "right")))

    state, why, evidence = verdict(read(f"{registry}/acme/signed", TAG, made.digest, want_signature=WALLET))

    assert (state, why) == (
        PASSED,
        f"{registry}/acme/signed:{TAG} is {made.digest[:19]}…, signed by acme/wallet",
    )
    assert evidence[-2:] == (
        "not counted: signed by a run of https://github.com/acme/ledger",
        f"signed by https://github.com/acme/wallet/.github/workflows/wallet.yaml@refs/heads/main, commit {TAG}",
    )


# Each a real signature or attestation of this very image; the words that say why it does not count.
WRONG = {
    "other-repository": "signed by a run of https://github.com/acme/ledger",
    "lookalike-repository": "signed by a run of https://github.com/acme/wallet-x",
    "branch": "signed by a run on refs/heads/feature, not on refs/heads/main",
    "called-by-another": "signed by a run of https://github.com/acme/ledger",
    "calls-another": "signed by the workflow https://github.com/acme/shared/.github/workflows/build.yaml@refs/heads/main,"
    " which is not one of acme/wallet on refs/heads/main",
    "other-commit": f"signed by a run of commit {OTHER[:7]}, not of {TAG[:7]}",
    "other-issuer": "the identity was given by https://token.acme.example,"
    " not by https://token.actions.githubusercontent.com",
    "attestation": "no signature",
    "by-a-key": "a signature does not verify: expected certificate in bundle",
}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "right"])
def test_a_signature_by_anybody_else_is_refused(registry: str, variant: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", f"acme/{variant}", made, TAG)
    sign(f"http://{registry}", f"acme/{variant}", made, bundle(variant))

    facts = read(f"{registry}/acme/{variant}", TAG, made.digest, want_signature=WALLET)

    where = f"{registry}/acme/{variant}@{made.digest[:19]}…"
    assert judged(facts) == (REFUSED, f"{where} is not signed by acme/wallet: {WRONG[variant]}")


@pytest.mark.usefixtures("trusted")
def test_a_shared_workflow_that_the_environment_names_may_sign(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/shared", made, TAG)
    sign(f"http://{registry}", "acme/shared", made, bundle("calls-another"))
    wanted = Identity("acme/wallet", workflows=("acme/shared/.github/workflows/build.yaml@refs/heads/main",))

    assert judged(read(f"{registry}/acme/shared", TAG, made.digest, want_signature=wanted))[0] == PASSED


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("number", "state"), [("1001", PASSED), ("1002", REFUSED)])
def test_the_repository_is_known_by_its_number(registry: str, number: str, state: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/numbered", made, TAG)
    sign(f"http://{registry}", "acme/numbered", made, bundle("right"))
    wanted = Identity("acme/wallet", source_id=number)

    assert judged(read(f"{registry}/acme/numbered", TAG, made.digest, want_signature=wanted))[0] == state


@pytest.mark.usefixtures("trusted")
def test_an_image_without_a_signature_is_refused_where_one_is_wanted(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/unsigned", made, TAG)

    assert judged(read(f"{registry}/acme/unsigned", TAG, made.digest))[0] == PASSED
    state, why = judged(read(f"{registry}/acme/unsigned", TAG, made.digest, want_signature=WALLET))

    assert state == REFUSED
    assert why.endswith("is not signed by acme/wallet: no signature")


@pytest.mark.usefixtures("trusted")
def test_a_signature_in_the_format_of_cosign_2_is_told_from_none(registry: str) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/older", made, TAG)
    push(f"http://{registry}", "acme/older", image(layer=b"payload"), made.digest.replace(":", "-") + ".sig")

    _, why = judged(read(f"{registry}/acme/older", TAG, made.digest, want_signature=WALLET))

    assert why.endswith("it has a signature in the format of cosign 2 alone; sign with cosign 3")


def changed(data: bytes, field: str) -> bytes:
    """The bundle with one bit of `field` (base64) turned over."""
    start = data.index(f'"{field}":"'.encode()) + len(field) + 4
    end = data.index(b'"', start)
    raw = bytearray(base64.b64decode(data[start:end]))
    raw[len(raw) // 2] ^= 1
    return data[:start] + base64.b64encode(raw) + data[end:]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("field", ["rawBytes", "payload", "sig", "canonicalizedBody", "rootHash", "signedTimestamp"])
def test_a_signature_that_was_changed_anywhere_does_not_count(registry: str, field: str) -> None:
    made = image(TAG)
    name = f"acme/changed-{field.lower()}"
    push(f"http://{registry}", name, made, TAG)
    sign(f"http://{registry}", name, made, changed(bundle("right"), field))

    facts = read(f"{registry}/{name}", TAG, made.digest, want_signature=WALLET)

    assert (facts.signatures, judged(facts)[0]) == ((), REFUSED)
    assert re.match("a signature does not verify: .", facts.dismissed[0])


@pytest.mark.usefixtures("trusted")
def test_the_signature_of_another_image_does_not_count(registry: str) -> None:
    made = image(TAG, layer=b"not what was signed")
    push(f"http://{registry}", "acme/borrowed", made, TAG)
    sign(f"http://{registry}", "acme/borrowed", made, bundle("right"))

    _, why = judged(read(f"{registry}/acme/borrowed", TAG, made.digest, want_signature=WALLET))

    assert why.endswith("is not signed by acme/wallet: a signature is of another image")


def test_a_sigstore_that_is_not_trusted_signs_for_nobody(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image(TAG)
    push(f"http://{registry}", "acme/untrusted", made, TAG)
    sign(f"http://{registry}", "acme/untrusted", made, bundle("right"))
    public = json.loads((SIGNED / "trusted_root.json").read_text(encoding="utf-8"))
    public["certificateAuthorities"][0]["certChain"] = public["timestampAuthorities"][0]["certChain"]
    root = tmp_path / "root.json"
    monkeypatch.setenv("SHIPLANE_TRUSTED_ROOT", str(root))

    nothing = judged(read(f"{registry}/acme/untrusted", TAG, made.digest, want_signature=WALLET))
    root.write_text(json.dumps(public), encoding="utf-8")
    another = read(f"{registry}/acme/untrusted", TAG, made.digest, want_signature=WALLET)

    assert nothing == (REFUSED, f"SHIPLANE_TRUSTED_ROOT={root} is no trusted root of a Sigstore")
    assert (another.signatures, judged(another)[0]) == ((), REFUSED)


def bundle(variant: str) -> bytes:
    return (SIGNED / f"{variant}.json").read_bytes()
