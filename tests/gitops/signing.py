"""Signs test images with a real Sigstore on loopback; run by hand, its results are in tests/gitops/signed/.

    go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
    go install github.com/sigstore/fulcio@v1.8.8
    go install github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server@v2.1.2
    go install github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix@v2.3.0   # then call it rekor-server
    PATH=$PATH:$HOME/go/bin .venv/bin/python -m tests.gitops.signing

cosign, Fulcio, Rekor 2 and the timestamp authority are the real ones. Ours are: what stands for GitHub's token issuer
(Fulcio asks it at its real address, through a proxy that leads to loopback), and the certificate transparency log,
which signs what it is given. Certificates live ten minutes; the timestamp in a bundle keeps it true afterwards.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.gitops.oci import INDEX, MANIFEST, digest_of, docker_registry, free_port, image, push
from tests.gitops.tls import authority, certificate, proxy

SIGNED = Path(__file__).parent / "signed"
TAG = "5d41402abc4b2a76b9719d911017c592aabbccdd"
OTHER = "7d793037a0760186574b0282f2f435e7aabbccdd"
GITHUB = "https://token.actions.githubusercontent.com"
STRANGER = "https://token.acme.example"
"""An issuer that Fulcio trusts too, and that says of its tokens what GitHub says of GitHub's."""

# What GitHub's token says of a push to main of acme/wallet.
CLAIMS: Mapping[str, str] = {
    "repository": "acme/wallet",
    "ref": "refs/heads/main",
    "sha": TAG,
    "event_name": "push",
    "workflow": "wallet",
    "job_workflow_ref": "acme/wallet/.github/workflows/wallet.yaml@refs/heads/main",
    "job_workflow_sha": TAG,
    "workflow_ref": "acme/wallet/.github/workflows/wallet.yaml@refs/heads/main",
    "workflow_sha": TAG,
    "runner_environment": "github-hosted",
    "repository_id": "1001",
    "repository_owner": "acme",
    "repository_owner_id": "1000",
    "repository_visibility": "private",
    "run_id": "7",
    "run_attempt": "1",
}
# What Fulcio writes of these claims into a certificate, as the public Fulcio does for GitHub (its oid-info.md).
_CERTIFIED: Mapping[str, object] = {
    "default-template-values": {"url": "https://github.com"},
    "extension-templates": {
        "github-workflow-trigger": "event_name",
        "github-workflow-sha": "sha",
        "github-workflow-name": "workflow",
        "github-workflow-repository": "repository",
        "github-workflow-ref": "ref",
        "build-signer-uri": "{{ .url }}/{{ .job_workflow_ref }}",
        "build-signer-digest": "job_workflow_sha",
        "runner-environment": "runner_environment",
        "source-repository-uri": "{{ .url }}/{{ .repository }}",
        "source-repository-digest": "sha",
        "source-repository-ref": "ref",
        "source-repository-identifier": "repository_id",
        "source-repository-owner-uri": "{{ .url }}/{{ .repository_owner }}",
        "source-repository-owner-identifier": "repository_owner_id",
        "build-config-uri": "{{ .url }}/{{ .workflow_ref }}",
        "build-config-digest": "workflow_sha",
        "build-trigger": "event_name",
        "run-invocation-uri": "{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}",
        "source-repository-visibility-at-signing": "repository_visibility",
    },
    "subject-alternative-name-template": "{{ .url }}/{{ .job_workflow_ref }}",
}
_FEATURE = "acme/wallet/.github/workflows/wallet.yaml@refs/heads/feature"
# Each is a signature of the same image by a run that differs from the right one in what its name says.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "right": {},
    "other-repository": {
        "repository": "acme/ledger",
        "job_workflow_ref": "acme/ledger/.github/workflows/wallet.yaml@refs/heads/main",
    },
    "lookalike-repository": {
        "repository": "acme/wallet-x",
        "job_workflow_ref": "acme/wallet-x/.github/workflows/wallet.yaml@refs/heads/main",
    },
    "branch": {"ref": "refs/heads/feature", "job_workflow_ref": _FEATURE, "workflow_ref": _FEATURE},
    "called-by-another": {"repository": "acme/ledger"},
    "calls-another": {"job_workflow_ref": "acme/shared/.github/workflows/build.yaml@refs/heads/main"},
    "other-commit": {"sha": OTHER},
    "other-issuer": {"iss": STRANGER},
    "attestation": {},
    "by-a-key": {},
}


def main() -> None:
    """Write `signed/<variant>.json` for each variant, and `signed/trusted_root.json`, by which they are judged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _sigstore(folder) as (token, environment), docker_registry(folder) as registry:
            # The log's very first entry has the index 0, which protobuf's JSON leaves out and a strict reader misses.
            for variant, differs in (("right", {}), *VARIANTS.items()):
                subject = image(TAG)
                push(f"http://{registry}", f"acme/{variant}", subject, TAG)
                whole = f"{registry}/acme/{variant}@{subject.digest}"
                made = _cosign(variant, whole, token({**CLAIMS, **differs}), folder, environment)
                (SIGNED / f"{variant}.json").write_bytes(made)
                print(variant, len(made))
        shutil.copy(folder / "trusted_root.json", SIGNED / "trusted_root.json")


def _cosign(variant: str, whole: str, token: str, folder: Path, environment: Mapping[str, str]) -> bytes:
    """Sign the image `whole` as a run with `token` would, and read back the bundle that cosign stored."""
    verb = ["sign"]
    if variant == "attestation":
        (folder / "predicate.json").write_text('{"builder":{"id":"x"}}', encoding="utf-8")
        verb = ["attest", "--predicate", str(folder / "predicate.json"), "--type", "slsaprovenance1"]
    who = ["--identity-token", token]
    if variant == "by-a-key":
        subprocess.run(["cosign", "generate-key-pair"], env=environment, cwd=folder, check=True)
        who = ["--key", str(folder / "cosign.key")]
    command = ["cosign", *verb, "--yes", "--allow-http-registry", *who]
    trust = ["--signing-config", str(folder / "signing.json"), "--trusted-root", str(folder / "trusted_root.json")]
    done = subprocess.run([*command, *trust, whole], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cosign {verb[0]}: {done.stderr}")
    repository, _, digest = whole.partition("@")
    host, _, name = repository.partition("/")
    root = f"http://{host}/v2/{name}"
    listed = json.loads(_get(f"{root}/manifests/{digest.replace(':', '-')}"))
    *_, entry = listed["manifests"]
    (layer,) = json.loads(_get(f"{root}/manifests/{entry['digest']}"))["layers"]
    bundle = _get(f"{root}/blobs/{layer['digest']}")
    assert digest_of(bundle) == layer["digest"]
    return bundle


def _get(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": f"{MANIFEST}, {INDEX}, */*"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return bytes(answer.read())


@contextmanager
def _sigstore(folder: Path) -> Iterator[tuple[Callable[[Mapping[str, str]], str], dict[str, str]]]:
    """Start it all; yields what makes a token of claims, and the environment of a cosign that knows nothing else."""
    ports = {name: free_port() for name in ("fulcio", "grpc", "metrics", "rekor", "rekor-grpc", "rekor-metrics", "tsa")}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ours = authority(folder)
    log = ec.generate_private_key(ec.SECP256R1())
    rekor = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "rekor.key", rekor, serialization.NoEncryption())
    _write_key(folder / "ca.key", ours.key, serialization.BestAvailableEncryption(b"loopback"))
    for name, public in (("ct.pub", log.public_key()), ("rekor.pub", rekor.public_key())):
        (folder / name).write_bytes(_pem(public))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COSIGN_PASSWORD": "loopback"}
    issuers = {
        issuer: {"issuer-url": issuer, "client-id": "sigstore", "type": "ci-provider", "ci-provider": "github"}
        for issuer in (GITHUB, STRANGER)
    }
    settings = {"oidc-issuers": issuers, "ci-issuer-metadata": {"github": _CERTIFIED}}
    (folder / "fulcio.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    hosts = tuple(issuer.removeprefix("https://") for issuer in issuers)
    with (
        _serve(_issuer(key), certificate(folder, ours, *hosts)) as issuer,
        _serve(_transparency(log)) as ct,
        proxy(dict.fromkeys(hosts, issuer)) as through,
        _run(
            folder,
            f"fulcio serve --host 127.0.0.1 --port {ports['fulcio']} --grpc-host 127.0.0.1 --grpc-port {ports['grpc']}"
            f" --metrics-port {ports['metrics']} --config-path fulcio.yaml --ct-log-url http://127.0.0.1:{ct}"
            " --ca fileca --fileca-cert ca.pem --fileca-key ca.key --fileca-key-passwd loopback --fileca-watch=false",
            {**environment, "HTTPS_PROXY": through, "SSL_CERT_FILE": str(folder / "ca.pem")},
            f"http://127.0.0.1:{ports['fulcio']}/healthz",
        ),
        _run(
            folder,
            f"rekor-server serve --http-port {ports['rekor']} --grpc-port {ports['rekor-grpc']}"
            f" --http-metrics-port {ports['rekor-metrics']} --hostname rekor.acme.example --checkpoint-interval 500ms"
            " --storage-dir rekor --signer-filepath rekor.key",
            environment,
            f"http://127.0.0.1:{ports['rekor']}/healthz",
        ),
        _run(
            folder,
            f"timestamp-server serve --host 127.0.0.1 --port {ports['tsa']} --timestamp-signer memory"
            " --disable-ntp-monitoring",
            environment,
            f"http://127.0.0.1:{ports['tsa']}/ping",
        ),
    ):
        _configure(folder, ports, environment)
        yield lambda claims: _token(key, claims), environment


def _configure(folder: Path, ports: Mapping[str, int], environment: Mapping[str, str]) -> None:
    """cosign's own commands write down which services there are, and whom to trust."""
    fulcio, rekor = (f"http://127.0.0.1:{ports[name]}" for name in ("fulcio", "rekor"))
    tsa = f"http://127.0.0.1:{ports['tsa']}/api/v1/timestamp"
    chain = json.loads(_get(f"{fulcio}/api/v2/trustBundle"))["chains"][0]["certificates"]
    (folder / "fulcio.pem").write_text("".join(chain), encoding="utf-8")
    (folder / "tsa.pem").write_bytes(_get(f"{tsa}/certchain"))
    start = "start-time=2024-01-01T00:00:00Z"
    offered = f"api-version=1,{start},operator=acme"
    for command in (
        "trusted-root create --out trusted_root.json"
        " --fulcio url=https://fulcio.acme.example,certificate-chain=fulcio.pem"
        f" --ctfe url=https://ct.acme.example,public-key=ct.pub,{start}"
        f" --rekor url=https://rekor.acme.example,public-key=rekor.pub,{start}"
        " --tsa url=https://tsa.acme.example,certificate-chain=tsa.pem",
        f"signing-config create --out signing.json --fulcio url={fulcio},{offered}"
        f" --rekor url={rekor},api-version=2,{start},operator=acme --rekor-config ANY"
        f" --tsa url={tsa},{offered} --tsa-config ANY",
    ):
        subprocess.run(["cosign", *command.split()], env=environment, cwd=folder, check=True)


@contextmanager
def _run(folder: Path, command: str, environment: Mapping[str, str], ready: str) -> Iterator[None]:
    name = command.split()[0]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command.split(), env=environment, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(200):
            try:
                _get(ready)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"{name} did not start: {(folder / f'{name}.log').read_text(encoding='utf-8')}")
        yield
    finally:
        process.terminate()
        process.wait(30)


Answer = Callable[[str, bytes], object]
"""What a server says to a request for `//host/path` with a body."""


@contextmanager
def _serve(answer: Answer, tls: tuple[Path, Path] | None = None) -> Iterator[int]:
    """A server that answers each request with JSON; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = json.dumps(answer(f"//{self.headers['Host']}{self.path}", body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _issuer(key: rsa.RSAPrivateKey) -> Answer:
    """OpenID Connect discovery, for whichever issuer is asked."""
    told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))

    def answer(path: str, _: bytes) -> dict[str, Any]:
        if path.endswith("/keys"):
            return {"keys": [{**told, "kid": "1", "use": "sig", "alg": "RS256"}]}
        issuer = f"https:{path.removesuffix('/.well-known/openid-configuration')}"
        return {"issuer": issuer, "jwks_uri": f"{issuer}/keys", "id_token_signing_alg_values_supported": ["RS256"]}

    return answer


def _token(key: rsa.RSAPrivateKey, claims: Mapping[str, str]) -> str:
    now = int(time.time())
    subject = f"repo:{claims['repository']}:ref:{claims['ref']}"
    whole = {"iss": GITHUB, "aud": "sigstore", "sub": subject, "iat": now, "nbf": now, "exp": now + 600, **claims}
    return jwt.encode(whole, key, algorithm="RS256", headers={"kid": "1"})


def _transparency(key: ec.EllipticCurvePrivateKey) -> Answer:
    """`add-pre-chain` of RFC 6962: a signed promise for whatever certificate is given."""

    def answer(_: str, body: bytes) -> dict[str, Any]:
        precert, issuer = (base64.b64decode(part) for part in json.loads(body)["chain"][:2])
        issuer_key = x509.load_der_x509_certificate(issuer).public_key()
        hashed = hashes.Hash(hashes.SHA256())
        hashed.update(_der(issuer_key))
        identity = hashes.Hash(hashes.SHA256())
        identity.update(_der(key.public_key()))
        stamp = int(time.time() * 1000)
        certificate = _without_poison(x509.load_der_x509_certificate(precert).tbs_certificate_bytes)
        signed = b"\0\0" + stamp.to_bytes(8, "big") + b"\0\1" + hashed.finalize()
        signed += len(certificate).to_bytes(3, "big") + certificate + b"\0\0"
        proof = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return {
            "sct_version": 0,
            "id": base64.b64encode(identity.finalize()).decode(),
            "timestamp": stamp,
            "extensions": "",
            # digitally-signed of RFC 5246: SHA-256, ECDSA, length
            "signature": base64.b64encode(b"\4\3" + len(proof).to_bytes(2, "big") + proof).decode(),
        }

    return answer


_POISON = bytes.fromhex("060a2b06010401d679020403")  # 1.3.6.1.4.1.11129.2.4.3, critical, NULL: in each precertificate


def _without_poison(tbs: bytes) -> bytes:
    """The certificate to be signed, less its poison extension (RFC 6962, 3.2)."""
    fields = list(_parts(_value(tbs)))
    (outer,) = _parts(_value(fields[-1]))
    kept = b"".join(one for one in _parts(_value(outer)) if _POISON not in one)
    return _wrap(0x30, b"".join(fields[:-1]) + _wrap(0xA3, _wrap(0x30, kept)))


def _header(data: bytes) -> tuple[int, int]:
    """Where the value of a DER element starts and ends."""
    if data[1] < 0x80:
        return 2, 2 + data[1]
    size = data[1] & 0x7F
    return 2 + size, 2 + size + int.from_bytes(data[2 : 2 + size], "big")


def _value(data: bytes) -> bytes:
    start, end = _header(data)
    return data[start:end]


def _parts(data: bytes) -> Iterator[bytes]:
    while data:
        _, end = _header(data)
        yield data[:end]
        data = data[end:]


def _wrap(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 | len(length)]) + length) + value


def _der(public: Any) -> bytes:
    return bytes(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _pem(public: Any) -> bytes:
    return bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey, kept: serialization.KeySerializationEncryption) -> None:
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept))


if __name__ == "__main__":
    main()
