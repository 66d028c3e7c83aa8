"""Images in ECR: AWS's API as moto has it, and the registry's own protocol by a real registry under ECR's name.

What moto leaves out: the registry protocol (docker-registry speaks it here, with the user and password that moto's
get_authorization_token gives), and AWS's refusals, which are replayed as AWS words them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from gitops.registry.facts import Identity, ImageFacts
from gitops.registry.gate import PASSED, REFUSED, WAITING, verdict
from gitops.registry.read import read
from tests.gitops.faulty import Asked, Reply, serve
from tests.gitops.oci import Image, digest_of, docker_registry, free_port, image, push, sign
from tests.gitops.signing import SIGNED, TAG
from tests.gitops.tls import authority, certificate, proxy

ACCOUNT, REGION = "123456789012", "eu-west-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
WALLET = image(TAG)
KEY = "marked-4711"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{KEY}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"secret-{KEY}")
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"session-{KEY}")


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty account, and boto3's client of it."""
    requests.post(f"{moto}/moto-api/reset", timeout=10).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", moto)
    return boto3.client("ecr", region_name=REGION, endpoint_url=moto)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real registry under ECR's name: by a proxy, with TLS, and with the password that moto gives."""
    ours = authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ours.pem))
    users = {"AWS": f"{ACCOUNT}-auth-token"}
    with (
        docker_registry(tmp_path, users=users, tls=certificate(tmp_path, ours, HOST)) as address,
        proxy({HOST: int(address.partition(":")[2])}) as through,
    ):
        monkeypatch.setenv("HTTPS_PROXY", through)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield f"https://{HOST}"


def put(aws: Any, made: Image, tag: str = TAG, digest: str = "", name: str = "acme/wallet") -> None:
    aws.put_image(
        repositoryName=name,
        imageManifest=made.manifest.decode(),
        imageManifestMediaType=made.media_type,
        imageTag=tag,
        imageDigest=digest or made.digest,
    )


def judged(facts: ImageFacts) -> tuple[str, str]:
    state, why, evidence = verdict(facts)
    assert KEY not in f"{facts!r}{why}{evidence}"
    return state, why


def asked(digest: str = WALLET.digest) -> tuple[str, str]:
    return judged(read(f"{HOST}/acme/wallet", TAG, digest))


def both(aws: Any, registry: str, made: Image, **repository: str) -> None:
    """The same image in ECR's API and in its registry."""
    aws.create_repository(repositoryName="acme/wallet", **repository)
    put(aws, made)
    push(registry, "acme/wallet", made, TAG, auth=("AWS", f"{ACCOUNT}-auth-token"))


def test_a_tag_that_is_the_digest_passes_and_is_known_to_stay(aws: Any, registry: str) -> None:
    both(aws, registry, WALLET, imageTagMutability="IMMUTABLE")

    state, why, evidence = verdict(read(f"{HOST}/acme/wallet", TAG, WALLET.digest))

    assert (state, why) == (PASSED, f"{HOST}/acme/wallet:{TAG} is {WALLET.digest[:19]}…")
    assert evidence[:3] == (
        f"tag {TAG} resolves to {WALLET.digest}",
        "its tag cannot be moved",
        "platforms: linux/amd64",
    )


def test_a_tag_that_could_be_moved_is_warned_of(aws: Any, registry: str) -> None:
    both(aws, registry, WALLET, imageTagMutability="MUTABLE")

    state, _, evidence = verdict(read(f"{HOST}/acme/wallet", TAG, WALLET.digest))

    assert state == PASSED
    assert "warning: the registry lets tags be moved" in evidence


def test_a_signature_in_ecr_is_found(aws: Any, registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_TRUSTED_ROOT", str(SIGNED / "trusted_root.json"))
    both(aws, registry, WALLET)
    login = ("AWS", f"{ACCOUNT}-auth-token")
    sign(registry, "acme/wallet", WALLET, (SIGNED / "right.json").read_bytes(), auth=login)

    def wanted(source: str) -> tuple[str, str]:
        return judged(read(f"{HOST}/acme/wallet", TAG, WALLET.digest, want_signature=Identity(source)))

    assert wanted("acme/wallet") == (
        PASSED,
        f"{HOST}/acme/wallet:{TAG} is {WALLET.digest[:19]}…, signed by acme/wallet",
    )
    assert wanted("acme/ledger")[0] == REFUSED


def test_a_tag_that_was_moved_is_refused(aws: Any) -> None:
    aws.create_repository(repositoryName="acme/wallet")
    moved = image(TAG, layer=b"something else")
    put(aws, WALLET, tag="older")
    put(aws, moved)

    why = f"{HOST}/acme/wallet:{TAG} is {moved.digest[:19]}…, not the pinned {WALLET.digest[:19]}…"
    assert asked() == (REFUSED, why)
    assert asked(digest_of(b"never pushed"))[1].endswith(", which is not there at all")


def test_a_digest_that_ecr_tells_is_not_believed(aws: Any) -> None:
    aws.create_repository(repositoryName="acme/wallet")
    put(aws, image(TAG, layer=b"malicious"), digest=WALLET.digest)

    state, why = asked()

    assert state == REFUSED
    assert f"the registry says {WALLET.digest}, but its bytes are" in why


def test_a_tag_or_a_repository_that_is_missing_is_refused(aws: Any) -> None:
    assert asked() == (
        REFUSED,
        f"{HOST}/acme/wallet: there is no such repository; create it, or name another in the catalog",
    )
    aws.create_repository(repositoryName="acme/wallet")
    mend = "; push it there, or wait for its replication"
    assert asked() == (REFUSED, f"{HOST}/acme/wallet has no tag {TAG}{mend}")
    put(aws, WALLET, tag="other")
    assert asked() == (
        REFUSED,
        f"{HOST}/acme/wallet has no tag {TAG}, though {WALLET.digest[:19]}… is there without it{mend}",
    )


def test_without_boto3_nothing_passes_and_the_way_out_is_told(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(registry, "acme/wallet", WALLET, TAG, auth=("AWS", f"{ACCOUNT}-auth-token"))
    monkeypatch.setitem(sys.modules, "boto3", None)

    assert asked() == (REFUSED, f"{HOST} cannot be read without boto3: pipx inject shiplane boto3")

    login = {"username": "AWS", "password": f"{ACCOUNT}-auth-token"}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: login}}))
    assert asked()[0] == PASSED  # docker login has been to ECR, as CI's login action does


def test_without_sigstore_nothing_signed_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)

    facts = read(f"{HOST}/acme/wallet", TAG, WALLET.digest, want_signature=Identity("acme/wallet"))

    why = "signatures cannot be verified without sigstore: pipx inject shiplane sigstore"
    assert judged(facts) == (REFUSED, why)


STALE = f"the AWS credentials for {HOST} have expired or are not valid"
NONE = f"there are no AWS credentials to read {HOST} with, or they are out of date"


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_PROFILE": "nowhere"},
        {"AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"},
    ],
)
def test_credentials_that_are_missing_or_out_of_date_are_told(
    environment: dict[str, str], aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert asked() == (REFUSED, NONE)


def saying(status: int, code: str) -> Callable[[Asked], Reply]:
    told = {"__type": code, "message": f"User: arn:aws:iam::{ACCOUNT}:user/{KEY} is not authorized"}
    return lambda _: Reply(status, json.dumps(told).encode(), {"Content-Type": "application/x-amz-json-1.1"})


@pytest.mark.parametrize(
    ("status", "code", "verdict_is"),
    [
        (400, "ExpiredTokenException", (REFUSED, STALE)),
        (400, "UnrecognizedClientException", (REFUSED, STALE)),
        (403, "InvalidSignatureException", (REFUSED, STALE)),
        (
            400,
            "AccessDeniedException",
            (REFUSED, f"these AWS credentials may not ecr:BatchGetImage on acme/wallet in account {ACCOUNT}"),
        ),
        (400, "ThrottlingException", (WAITING, f"ECR in {REGION} answers ThrottlingException")),
        (500, "ServerException", (WAITING, f"ECR in {REGION} answers ServerException")),
        (400, "KmsException", (REFUSED, f"ECR in {REGION} answers KmsException")),
    ],
)
def test_what_aws_refuses_is_one_sentence(
    status: int, code: str, verdict_is: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(saying(status, code)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://{server.host}")
        assert asked() == verdict_is


def test_an_ecr_that_is_not_there_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://127.0.0.1:{free_port()}")

    assert asked() == (WAITING, f"no answer from ECR in {REGION}")


def test_an_ecr_that_does_not_answer_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    def stalls(_: Asked) -> Reply:
        time.sleep(3)
        return Reply(500)

    with serve(stalls) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://{server.host}")
        start = time.monotonic()
        facts = read(f"{HOST}/acme/wallet", TAG, WALLET.digest, deadline=1)

    assert judged(facts) == (WAITING, f"no whole answer from {HOST} within 1 s")
    assert time.monotonic() - start < 6
