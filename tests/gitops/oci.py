"""Images made of a few bytes, pushed to a registry over the OCI distribution API; and Debian's registry on loopback."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
LAYER = b"the only layer"
REVISION = "org.opencontainers.image.revision"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """A manifest with all that it names: blobs, or the images of an index."""

    media_type: str
    manifest: bytes
    blobs: tuple[bytes, ...] = ()
    children: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


def image(revision: str | None = None, platform: str = "linux/amd64", layer: bytes = LAYER) -> Image:
    """The same bytes for the same arguments, so that digests and signatures stay true."""
    system, _, architecture = platform.partition("/")
    labels = {} if revision is None else {REVISION: revision}
    config = _json({"os": system, "architecture": architecture, "config": {"Labels": labels}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    return Image(MANIFEST, _json(manifest), (config, layer))


def index(*children: tuple[str, Image]) -> Image:
    """An index of images, each with its platform, as `os/architecture`."""
    entries = []
    for platform, child in children:
        system, _, architecture = platform.partition("/")
        described = _descriptor(child.media_type, child.manifest)
        entries.append({**described, "platform": {"os": system, "architecture": architecture}})
    manifest = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return Image(INDEX, _json(manifest), children=tuple(child for _, child in children))


def signature(bundle: bytes, subject: Image) -> Image:
    """A Sigstore bundle as cosign 3 stores it: an artifact that refers to what was signed."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {**_descriptor(EMPTY, b"{}"), "artifactType": BUNDLE},
        "layers": [_descriptor(BUNDLE, bundle)],
        "annotations": {"dev.sigstore.bundle.content": "dsse-envelope"},
        "subject": _descriptor(subject.media_type, subject.manifest),
        "artifactType": BUNDLE,
    }
    return Image(MANIFEST, _json(manifest), (b"{}", bundle))


def push(base: str, repository: str, made: Image, *tags: str, auth: tuple[str, str] | None = None) -> str:
    """Push `made` by its digest and under each of `tags`; its digest."""
    with requests.Session() as session:
        session.auth, session.trust_env = auth, base.startswith("https:")  # there a proxy leads to loopback
        _push(session, f"{base}/v2/{repository}", made, tags)
    return made.digest


def sign(base: str, repository: str, subject: Image, *bundles: bytes, auth: tuple[str, str] | None = None) -> None:
    """Push bundles as cosign 3 does to a registry without a referrers API: an index under the subject's own tag."""
    made = [signature(bundle, subject) for bundle in bundles]
    entries = [{**_descriptor(one.media_type, one.manifest), "artifactType": BUNDLE} for one in made]
    listed = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
    push(base, repository, Image(INDEX, listed, children=tuple(made)), subject.digest.replace(":", "-"), auth=auth)


def _push(session: requests.Session, root: str, made: Image, tags: Sequence[str]) -> None:
    for child in made.children:
        _push(session, root, child, ())
    for blob in made.blobs:
        begun = session.post(f"{root}/blobs/uploads/")
        begun.raise_for_status()
        there = urljoin(begun.url, begun.headers["Location"])
        session.put(there, params={"digest": digest_of(blob)}, data=blob).raise_for_status()
    for reference in (made.digest, *tags):
        headers = {"Content-Type": made.media_type}
        session.put(f"{root}/manifests/{reference}", data=made.manifest, headers=headers).raise_for_status()


def _descriptor(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def docker_registry(
    folder: Path, *, users: Mapping[str, str] | None = None, tls: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Debian's docker-registry on loopback, stored in `folder`; its `host:port`. `tls` is a certificate and its key."""
    binary = shutil.which("docker-registry")
    if binary is None:
        pytest.skip("docker-registry is not on PATH (Debian: apt-get install docker-registry)")
    address = f"127.0.0.1:{free_port()}"
    http: dict[str, object] = {"addr": address, "secret": "loopback"}
    if tls:
        http["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    settings: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": http,
    }
    if users:
        settings["auth"] = {"htpasswd": {"realm": "registry", "path": str(_htpasswd(folder, users))}}
    config = folder / "registry.yaml"
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([binary, "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait(address, process, folder / "registry.log")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _htpasswd(folder: Path, users: Mapping[str, str]) -> Path:
    """The registry takes bcrypt alone, which Debian's htpasswd writes."""
    binary = shutil.which("htpasswd")
    if binary is None:
        pytest.skip("htpasswd is not on PATH (Debian: apt-get install apache2-utils)")
    path = folder / "htpasswd"
    path.touch()
    for user, password in users.items():
        command = [binary, "-iB", "-C", "4", str(path), user]
        subprocess.run(command, input=password.encode(), capture_output=True, check=True)
    return path


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"docker-registry did not start: {log.read_text(encoding='utf-8')}")
