"""Registries that fail, stall, lie or lead astray: one sentence each, never passed, and no credential in any of it."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from gitops.registry.facts import Identity, ImageFacts
from gitops.registry.gate import PASSED, REFUSED, WAITING, verdict
from gitops.registry.manifest import LIMIT
from gitops.registry.read import read
from tests.gitops.faulty import Asked, Reply, Server, holding, serve
from tests.gitops.oci import BUNDLE, INDEX, MANIFEST, Image, digest_of, free_port, image, index, signature
from tests.gitops.signing import SIGNED, TAG
from tests.gitops.tls import authority, certificate, proxy

WALLET = image(TAG)
HONEST = holding(WALLET, tag=TAG)
MARK = "marked-4711"
USER, PASSWORD = f"user-{MARK}", f"password-{MARK}"
TOKEN = f"token-{MARK}"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
REGISTRY, STORAGE = "registry.acme.example", "storage.acme.example"


@pytest.fixture(autouse=True)
def _nothing_tells_a_credential(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    told = (*capfd.readouterr(), caplog.text)
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert [text for text in told if MARK in text or encoded in text] == []


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Leaves a login for a host, as `docker login` would."""

    def leave(host: str) -> None:
        config = {"auths": {host: {"username": USER, "password": PASSWORD}}}
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(config))

    return leave


def judged(facts: ImageFacts) -> tuple[str, str]:
    state, why, evidence = verdict(facts)
    assert MARK not in f"{facts!r}{why}{evidence}"
    assert why
    assert "\n" not in why
    return state, why


def asked(server: Server, digest: str = WALLET.digest, deadline: float = 30) -> tuple[str, str]:
    return judged(read(f"{server.host}/acme/wallet", TAG, digest, deadline=deadline))


def first(reply: Reply, times: int = 1) -> Callable[[Asked], Reply]:
    """`reply` to the first requests for each path, the truth after that."""
    return lambda request: reply if request.times <= times else HONEST(request)


def test_a_registry_that_is_not_there_is_waited_for() -> None:
    host = f"127.0.0.1:{free_port()}"

    facts = read(f"{host}/acme/wallet", TAG, WALLET.digest)

    assert judged(facts) == (WAITING, f"no connection to {host}, or it was broken off")


def test_a_registry_that_is_broken_for_a_moment_is_asked_again() -> None:
    with serve(first(Reply(500))) as server:
        assert asked(server)[0] == PASSED


def test_a_registry_that_stays_broken_is_waited_for() -> None:
    with serve(lambda _: Reply(503)) as server:
        assert asked(server) == (WAITING, f"{server.host} answers 503, 4 times")


@pytest.mark.parametrize("dated", [False, True])
def test_a_registry_that_is_busy_is_asked_again_when_it_says(dated: bool) -> None:
    def answer(request: Asked) -> Reply:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if dated else "1"
        return first(Reply(429, headers={"Retry-After": at}))(request)

    with serve(answer) as server:
        start = time.monotonic()
        assert asked(server)[0] == PASSED
        assert time.monotonic() - start >= 1


def test_a_registry_that_is_busy_for_longer_than_there_is_time_is_waited_for_at_once() -> None:
    with serve(lambda _: Reply(429, headers={"Retry-After": "3600"})) as server:
        start = time.monotonic()
        assert asked(server) == (WAITING, f"{server.host} answers 429 and asks to wait 3600 s")
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("told", ["soon", "-1", "9" * 400, "Mon, 99 Foo 2026 00:00:00 GMT", "²"])
def test_a_nonsensical_retry_after_is_no_more_than_trouble(told: str) -> None:
    answer = first(Reply(429, headers={"Retry-After": told.encode().decode("latin-1")}))
    with serve(answer) as server:
        assert asked(server)[0] in (PASSED, WAITING)


def drip(piece: bytes, pause: float) -> Iterator[bytes]:
    for _ in range(200):
        yield piece
        time.sleep(pause)


def test_a_body_that_comes_byte_by_byte_ends_at_the_deadline() -> None:
    with serve(lambda _: Reply(200, drip(b" ", 0.1), {"Content-Type": MANIFEST})) as server:
        start = time.monotonic()
        state, why = asked(server, deadline=1)
        assert (state, why) == (WAITING, f"no whole answer from {server.host} within 1 s")
        assert time.monotonic() - start < 10  # the whole of it takes 20 s


def test_headers_that_come_byte_by_byte_end_at_the_deadline() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def loris() -> None:
        connection, _ = listening.accept()
        with connection:
            for piece in drip(b"H", 0.1):
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    threading.Thread(target=loris, daemon=True).start()
    with listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        start = time.monotonic()
        facts = read(f"{host}/acme/wallet", TAG, WALLET.digest, deadline=1)

        assert judged(facts) == (WAITING, f"no whole answer from {host} within 1 s")
        assert time.monotonic() - start < 10  # the whole of it takes 20 s


def test_an_answer_that_breaks_off_is_waited_for() -> None:
    headers = {"Content-Type": MANIFEST, "Content-Length": "1000"}
    with serve(lambda _: Reply(200, iter([b"{"]), headers)) as server:
        assert asked(server) == (WAITING, f"{server.host} broke off its answer, or it is no HTTP")


def test_what_may_not_be_read_is_refused() -> None:
    with serve(lambda _: Reply(403)) as server:
        why = f"{server.host}/acme/wallet may not be read with the credentials that are there for it"
        assert asked(server) == (REFUSED, why)


def test_a_repository_that_the_registry_does_not_know_is_told_from_a_missing_tag() -> None:
    with serve(lambda _: Reply(404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}')) as server:
        state, why = asked(server)

    assert state == REFUSED
    assert why.startswith(f"{server.host}/acme/wallet: there is no such repository")


def test_an_answer_that_nobody_expects_is_refused() -> None:
    with serve(lambda _: Reply(418)) as server:
        assert asked(server) == (REFUSED, f"{server.host} answers 418 when it is asked for acme/wallet")


def manifest_reply(body: bytes, **headers: str) -> Callable[[Asked], Reply]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: (
        Reply(200, body, {"Content-Type": MANIFEST, **told}) if "/manifests/" in request.path else HONEST(request)
    )


def test_a_digest_in_a_header_is_not_believed() -> None:
    other = image(TAG, layer=b"malicious").manifest
    with serve(manifest_reply(other, Docker_Content_Digest=WALLET.digest)) as server:
        where = f"{server.host}/acme/wallet:{TAG}"
        why = f"{where}: the registry says {WALLET.digest}, but its bytes are {digest_of(other)}"
        assert asked(server) == (REFUSED, why)


def test_bytes_without_a_header_are_hashed_all_the_same() -> None:
    with serve(manifest_reply(WALLET.manifest)) as server:
        assert asked(server)[0] == PASSED
    with serve(manifest_reply(image(TAG, layer=b"malicious").manifest)) as server:
        assert asked(server)[0] == REFUSED


def test_the_image_of_an_index_and_its_configuration_are_hashed_too() -> None:
    whole = index(("linux/amd64", WALLET))
    honest = holding(whole, WALLET, tag=TAG)
    lies = {
        f"manifests/{WALLET.digest}": (image(TAG, layer=b"malicious").manifest, "but its bytes are"),
        f"blobs/{digest_of(WALLET.blobs[0])}": (b"{}", "has other bytes for the blob"),
    }
    for path, (body, said) in lies.items():

        def answer(request: Asked, path: str = path, body: bytes = body) -> Reply:
            return Reply(200, body, {"Content-Type": MANIFEST}) if path in request.path else honest(request)

        with serve(answer) as server:
            state, why = asked(server, whole.digest)
            assert state == REFUSED
            assert said in why


def test_an_image_that_is_not_whole_is_refused() -> None:
    whole = index(("linux/amd64", WALLET))
    with serve(holding(whole, tag=TAG)) as server:
        assert asked(server, whole.digest)[1].endswith("lists an image that is not there")
    with serve(holding(Image(MANIFEST, WALLET.manifest), tag=TAG)) as server:
        assert asked(server)[1].endswith("…: what names it is not whole")


def _with(**keys: object) -> bytes:
    return json.dumps({**json.loads(WALLET.manifest), **keys}).encode()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"[]", MANIFEST, "is not a JSON object"),
        (b"[" * 100_000, MANIFEST, "is not a JSON object"),
        (b"\xff", MANIFEST, "is not a JSON object"),
        (gzip.compress(WALLET.manifest), MANIFEST, "is not a JSON object"),
        (WALLET.manifest, INDEX, "is not an image's manifest but application/vnd.oci.image.manifest.v1+json"),
        (b"{}", "text/html", "is not an image's manifest but text/html"),
        (b"{}", "", "is not an image's manifest but of no type"),
        (_with(manifests=[]), MANIFEST, "can be read as a manifest and as an index: not to be trusted"),
        (_with(config=[]), MANIFEST, "is not a container's image but None"),
        (_with(config={"mediaType": "\x1b[31m", "digest": "x"}), MANIFEST, r"is not a container's image but \x1b[31m"),
        (_with(config={**json.loads(WALLET.manifest)["config"], "digest": "sha256:../../x"}), MANIFEST, "than sha256"),
        (json.dumps({"manifests": [7, {"digest": 1}]}).encode(), INDEX, "is built for no platform that it names, not"),
    ],
)
def test_a_manifest_that_is_none_is_refused(body: bytes, kind: str, said: str) -> None:
    with serve(manifest_reply(body, Content_Type=kind)) as server:
        state, why = asked(server, digest_of(body))

    assert state == REFUSED
    assert said in why


def test_a_document_without_end_is_refused() -> None:
    block = b" " * 65536
    for reply in (Reply(200, block * (LIMIT // len(block)) + b" "), Reply(200, (block for _ in range(10_000)))):
        with serve(replying(reply)) as server:
            why = f"{server.host} sends more than {LIMIT} bytes where a small document should be"
            assert asked(server) == (REFUSED, why)


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("http://169.254.169.254/latest/meta-data/", "an address without TLS"),
        ("https://169.254.169.254/latest/meta-data/", "an address of a machine's own network"),
        ("https://[fe80::1]/", "an address of a machine's own network"),
        ("https://[::ffff:169.254.169.254]/", "an address of a machine's own network"),
        ("https://2852039166/", "an address of a machine's own network"),
        ("https://0xa9fea9fe/", "an address of a machine's own network"),
        ("https://0.0.0.0/", "an address of a machine's own network"),
        ("http://registry.acme.example/", "an address without TLS"),
        ("file:///etc/passwd", "an address that is none"),
        ("ftp://registry.acme.example/x", "an address without TLS"),
        ("https://user:pass@registry.acme.example/", "an address that is none"),
        ("https://registry.acme.example:x/", "an address that is none"),
        ("https://[", "an address that is none"),
        ("gopher:x", "an address that is none"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(location: str, to: str) -> None:
    with serve(lambda _: Reply(307, headers={"Location": location})) as server:
        assert asked(server) == (REFUSED, f"{server.host} leads to {to}; that is not followed")
        assert len(server.seen) == 1


def test_a_redirect_in_a_circle_ends() -> None:
    with serve(lambda request: Reply(307, headers={"Location": request.path})) as server:
        assert asked(server) == (REFUSED, f"{server.host} redirects more than 5 times")
        assert len(server.seen) == 6


def replying(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda _: reply


def demanding(challenge: str, accepted: str) -> Callable[[Asked], Reply]:
    def answer(request: Asked) -> Reply:
        if request.headers.get("authorization") != accepted:
            return Reply(401, headers={"WWW-Authenticate": challenge})
        return HONEST(request)

    return answer


def test_a_redirect_to_another_host_carries_no_credentials(logged_in: Callable[[str], None]) -> None:
    with serve(HONEST) as storage:
        guarded = demanding('Basic realm="registry"', BASIC)

        def answer(request: Asked) -> Reply:
            reply = guarded(request)
            moved = {"Location": f"http://{storage.host}{request.path}?signature={TOKEN}"}
            return Reply(307, headers=moved) if reply.status == 200 else reply

        with serve(answer) as server:
            logged_in(server.host)
            assert asked(server)[0] == PASSED

    assert [request.headers.get("authorization") for request in server.seen] == [None, BASIC, BASIC]
    assert len(storage.seen) == 2
    assert [request for request in storage.seen if {"authorization", "cookie"} & request.headers.keys()] == []


def test_a_redirect_on_the_same_host_keeps_them(logged_in: Callable[[str], None]) -> None:
    guarded = demanding('Basic realm="registry"', BASIC)

    def answer(request: Asked) -> Reply:
        moved = Reply(308, headers={"Location": request.path.replace("/v2/", "/elsewhere/v2/")})
        return moved if request.path.startswith("/v2/") else guarded(request)

    with serve(answer) as server:
        logged_in(server.host)
        assert asked(server)[0] == PASSED


def bearer(given: Mapping[str, object], realm: str = "/token", status: int = 200) -> Callable[[Asked], Reply]:
    """A registry with a token server of its own, which gives `given`."""

    def answer(request: Asked) -> Reply:
        if request.path.startswith("/token"):
            return Reply(status, json.dumps(given).encode())
        where = realm if "://" in realm else f"http://{request.headers['host']}{realm}"
        challenge = f'Bearer realm="{where}",service="acme registry",scope="repository:acme/wallet:pull,push"'
        return demanding(challenge, f"Bearer {TOKEN}")(request)

    return answer


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_a_token_is_asked_for_with_the_right_to_pull_alone(key: str, logged_in: Callable[[str], None]) -> None:
    with serve(bearer({key: TOKEN}, realm="/token?account=ci")) as server:
        logged_in(server.host)
        assert asked(server)[0] == PASSED

    (token,) = [request for request in server.seen if request.path.startswith("/token")]
    assert token.path == "/token?account=ci&scope=repository%3Aacme%2Fwallet%3Apull&service=acme+registry"
    assert token.headers["authorization"] == BASIC
    assert len(server.seen) == 4  # refused, token, manifest, configuration


def test_a_public_repository_gives_its_token_to_anybody() -> None:
    with serve(bearer({"token": TOKEN})) as server:
        assert asked(server)[0] == PASSED

    assert "authorization" not in server.seen[1].headers


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (bearer({}, status=401), "gives no token with the credentials that are there for it (its token server answers"),
        (bearer({}), "gives no token that could be sent"),
        (bearer({"token": f"{TOKEN}\r\nX-Evil: 1"}), "gives no token that could be sent"),
        (bearer({"token": f"{TOKEN} "}), "gives no token that could be sent"),
        (bearer({"token": 7}), "gives no token that could be sent"),
        (bearer({"token": f"another-{TOKEN}"}), "does not accept the credentials that are there for it"),
        (bearer({}, realm="http://169.254.169.254/token"), "leads to an address without TLS"),
        (bearer({}, realm="https://[/token"), "names no place for tokens"),
        (demanding("Bearer", ""), "leads to an address that is none"),
        (demanding("Negotiate", ""), "asks for credentials in a way that is not supported"),
        (demanding("", ""), "asks for credentials in a way that is not supported"),
        (demanding('bearer realm="' + "bearer a=" * 4000, ""), "leads to"),
        (demanding('Basic realm="x"', ""), "does not accept the credentials that are there for it"),
    ],
)
def test_a_login_that_fails_is_refused(
    answer: Callable[[Asked], Reply], said: str, logged_in: Callable[[str], None]
) -> None:
    with serve(answer) as server:
        logged_in(server.host)
        state, why = asked(server)

    assert state == REFUSED
    assert why.startswith(server.host) or f" of {server.host} " in why
    assert said in why


def signed(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """A registry with the referrers API, whose lists `answer` gives."""
    artifact = signature((SIGNED / "right.json").read_bytes(), WALLET)
    honest = holding(WALLET, artifact, tag=TAG)
    return lambda request: answer(request) if "/referrers/" in request.path else honest(request)


def listed(*digests: str, following: str = "", artifact: str = BUNDLE) -> Reply:
    kind = {"artifactType": artifact} if artifact else {}
    entries = [{"mediaType": MANIFEST, "digest": one, "size": 1, **kind} for one in digests]
    headers = {"Content-Type": INDEX, **({"Link": f'<{following}>; rel="next"'} if following else {})}
    return Reply(200, json.dumps({"manifests": entries}).encode(), headers)


@pytest.fixture
def wanting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], tuple[str, str]]:
    monkeypatch.setenv("SHIPLANE_TRUSTED_ROOT", str(SIGNED / "trusted_root.json"))
    return lambda server: judged(
        read(f"{server.host}/acme/wallet", TAG, WALLET.digest, want_signature=Identity("acme/wallet"))
    )


def test_a_signature_is_found_by_the_referrers_api_on_a_later_page(
    wanting: Callable[[Server], tuple[str, str]],
) -> None:
    artifact = signature((SIGNED / "right.json").read_bytes(), WALLET)

    def answer(request: Asked) -> Reply:
        if request.path.endswith("?page=2"):
            return listed(artifact.digest)
        return listed(digest_of(b"a scan"), artifact="application/vnd.scan", following=f"{request.path}?page=2")

    with serve(signed(answer)) as server:
        assert wanting(server)[0] == PASSED
    assert len(server.seen) == 6  # manifest, configuration, two pages, artifact, bundle


@pytest.mark.parametrize("status", [400, 404, 405, 406])
def test_a_registry_without_the_referrers_api_is_asked_for_the_tag_instead(
    status: int, wanting: Callable[[Server], tuple[str, str]]
) -> None:
    artifact = signature((SIGNED / "right.json").read_bytes(), WALLET)

    def answer(request: Asked) -> Reply:
        if request.path.endswith(WALLET.digest.replace(":", "-")):
            return listed(artifact.digest)
        return Reply(status) if "/referrers/" in request.path else holding(WALLET, artifact, tag=TAG)(request)

    with serve(answer) as server:
        assert wanting(server)[0] == PASSED
    assert len(server.seen) == 6  # manifest, configuration, no referrers, their tag, artifact, bundle


@pytest.mark.parametrize("told", ["", "application/vnd.oci.empty.v1+json"])
def test_a_signature_is_found_where_the_list_does_not_name_its_type(
    told: str, wanting: Callable[[Server], tuple[str, str]]
) -> None:
    artifact = signature((SIGNED / "right.json").read_bytes(), WALLET)
    with serve(signed(replying(listed(WALLET.digest, artifact.digest, artifact=told)))) as server:
        assert wanting(server)[0] == PASSED


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (listed(following="https://registry.acme.example/next"), "continues its list on another host"),
        (Reply(200, b"[]"), "list of what refers to an image is not a JSON object"),
        (listed(*[digest_of(b"%d" % n) for n in range(40)]), "is not signed by acme/wallet: "),
        (listed("sha256:../../../secret"), "is not signed by acme/wallet: "),
        (Reply(200, b'{"manifests": 7}'), "is not signed by acme/wallet: no signature"),
    ],
)
def test_a_list_of_signatures_that_lies_is_refused(
    reply: Reply, said: str, wanting: Callable[[Server], tuple[str, str]]
) -> None:
    with serve(signed(lambda _: reply)) as server:
        state, why = wanting(server)

    assert state == REFUSED
    assert said in why
    assert len(server.seen) < 24


def test_a_list_without_end_is_read_for_a_few_pages(wanting: Callable[[Server], tuple[str, str]]) -> None:
    with serve(signed(lambda request: listed(following=f"{request.path}x"))) as server:
        assert wanting(server)[0] == REFUSED
    assert len(server.seen) < 12


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Leads host names to ports of loopback, by the proxy that the environment names."""
    running = []

    def lead(hosts: Mapping[str, int]) -> None:
        context = proxy(hosts)
        running.append(context)
        monkeypatch.setenv("HTTPS_PROXY", context.__enter__())

    yield lead
    for context in running:
        context.__exit__(None, None, None)


def test_a_registry_behind_a_proxy_with_an_authority_of_its_own_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: Callable[[Mapping[str, int]], None], home: Path
) -> None:
    ours = authority(tmp_path)
    (home / ".netrc").write_text(
        "".join(f"machine {host} login {USER} password {PASSWORD}\n" for host in (REGISTRY, STORAGE)), encoding="utf-8"
    )
    (home / ".netrc").chmod(0o600)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ours.pem))

    def moved(request: Asked) -> Reply:
        there = f"https://{STORAGE}{request.path}"
        return Reply(307, headers={"Location": there}) if "/blobs/" in request.path else HONEST(request)

    with (
        serve(HONEST, certificate(tmp_path, ours, STORAGE)) as storage,
        serve(moved, certificate(tmp_path, ours, REGISTRY)) as server,
    ):
        behind({REGISTRY: server.port, STORAGE: storage.port})
        assert judged(read(f"{REGISTRY}/acme/wallet", TAG, WALLET.digest))[0] == PASSED

    assert [len(server.seen), len(storage.seen)] == [2, 1]
    assert [one for one in (*server.seen, *storage.seen) if "authorization" in one.headers] == []


def test_a_sigstore_that_cannot_be_reached_is_waited_for(behind: Callable[[Mapping[str, int]], None]) -> None:
    behind({})  # what leaves this machine goes through a proxy that leads nowhere
    artifact = signature((SIGNED / "right.json").read_bytes(), WALLET)
    with serve(signed(replying(listed(artifact.digest)))) as server:
        host = server.host
        facts = read(f"{host}/acme/wallet", TAG, WALLET.digest, want_signature=Identity("acme/wallet"))

    assert judged(facts) == (WAITING, "Sigstore's roots of trust cannot be fetched")


def test_a_certificate_that_is_not_trusted_is_refused(
    tmp_path: Path, behind: Callable[[Mapping[str, int]], None]
) -> None:
    with serve(HONEST, certificate(tmp_path, authority(tmp_path), REGISTRY)) as server, serve(HONEST) as plain:
        behind({REGISTRY: server.port, STORAGE: plain.port})
        for host in (REGISTRY, STORAGE):
            state, why = judged(read(f"{host}/acme/wallet", TAG, WALLET.digest))
            assert (state, why.partition(",")[0]) == (REFUSED, f"the certificate of {host} is not trusted")

    assert server.seen == plain.seen == []


def test_a_registry_on_this_machine_is_nobody_else_s_business(
    monkeypatch: pytest.MonkeyPatch, behind: Callable[[Mapping[str, int]], None], home: Path
) -> None:
    behind({})
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, os.environ["HTTPS_PROXY"])
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n", encoding="utf-8")
    with serve(HONEST) as server:
        assert asked(server)[0] == PASSED

    assert [request for request in server.seen if "authorization" in request.headers] == []


def test_a_proxy_that_does_not_lead_there_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, behind: Callable[[Mapping[str, int]], None]
) -> None:
    behind({})
    monkeypatch.setenv("HTTPS_PROXY", os.environ["HTTPS_PROXY"].replace("//", f"//{USER}:{PASSWORD}@"))
    facts = read(f"{REGISTRY}/acme/wallet", TAG, WALLET.digest)

    assert judged(facts) == (WAITING, f"the proxy does not lead to {REGISTRY}")


@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost/"])
def test_a_registry_elsewhere_may_not_lead_to_this_machine(
    location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: Callable[[Mapping[str, int]], None]
) -> None:
    ours = authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ours.pem))
    with serve(HONEST) as inside:
        there = {"Location": location.format(port=inside.port)}
        with serve(lambda _: Reply(302, headers=there), certificate(tmp_path, ours, REGISTRY)) as server:
            behind({REGISTRY: server.port})
            state, why = judged(read(f"{REGISTRY}/acme/wallet", TAG, WALLET.digest))

    assert state == REFUSED
    assert why.endswith("; that is not followed")
    assert inside.seen == []


@pytest.mark.parametrize(
    ("repository", "tag", "digest", "said"),
    [
        ("acme/wallet", TAG, WALLET.digest, "acme/wallet is not HOST/REPOSITORY"),
        ("127.0.0.1:1/acme/../x", TAG, WALLET.digest, "is not HOST/REPOSITORY"),
        ("user@127.0.0.1:1/acme", TAG, WALLET.digest, "is not HOST/REPOSITORY"),
        ("127.0.0.1:1/Acme", TAG, WALLET.digest, "is not HOST/REPOSITORY"),
        ("\x1b[31m.x/a", TAG, WALLET.digest, r"\x1b[31m.x/a is not HOST/REPOSITORY"),
        ("127.0.0.1:1/acme", "a/../b", WALLET.digest, "a/../b is not a tag"),
        ("127.0.0.1:1/acme", TAG, "sha256:latest", "sha256:latest is not a digest"),
        ("169.254.169.254/acme", TAG, WALLET.digest, "an address of a machine's own network"),
    ],
)
def test_what_is_no_image_is_not_asked_for(repository: str, tag: str, digest: str, said: str) -> None:
    state, why = judged(read(repository, tag, digest))

    assert state == REFUSED
    assert said in why
