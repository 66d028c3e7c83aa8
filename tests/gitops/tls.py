"""A certificate authority of the tests' own, and a proxy by which any host name leads to loopback."""

from __future__ import annotations

import datetime
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_MAY_SIGN = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Authority:
    """Whoever trusts `pem` trusts the certificates made with it."""

    pem: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def authority(folder: Path) -> Authority:
    """A new authority; its certificate is `ca.pem` in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = {NameOID.ORGANIZATION_NAME: "acme", NameOID.COMMON_NAME: "authority of the tests"}
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in named.items()])
    made = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_MAY_SIGN, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "ca.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(path, made, key)


def certificate(folder: Path, by: Authority, *hosts: str) -> tuple[Path, Path]:
    """A server's certificate for `hosts`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    made = (
        _builder(name, by.certificate.subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        .sign(by.key, hashes.SHA256())
    )
    paths = folder / f"{hosts[0]}.pem", folder / f"{hosts[0]}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


@contextmanager
def proxy(hosts: Mapping[str, int]) -> Iterator[str]:
    """An HTTP proxy that leads `https://host` to a port of 127.0.0.1, and refuses every other host; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            port = hosts.get(self.path.rpartition(":")[0])
            if port is None:
                self.send_error(403)
                return
            with socket.create_connection(("127.0.0.1", port), 10) as there:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join(10)
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
