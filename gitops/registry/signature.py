"""Keyless signatures: Sigstore bundles as cosign 3 stores them beside an image, verified by Sigstore's own library.

A signature that is verified says who signed; whether that is the right one is for the gate. What is verified: the
certificate (its authority, its transparency log, its ten minutes), the entry in the signatures' transparency log, and
that the signed statement is cosign's word "this image is signed" on this very digest.
"""

from __future__ import annotations

import functools
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.errors import printable
from gitops.registry import manifest
from gitops.registry.facts import CannotRead, Signature
from gitops.registry.oci import Registry

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.verify import Verifier

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_EMPTY = "application/vnd.oci.empty.v1+json"  # what a registry notes of an artifact that names its type elsewhere
_SIGNED = "https://sigstore.dev/cosign/sign/v1"
_PREDICATE = "dev.sigstore.bundle.predicateType"
_STATEMENT = "application/vnd.in-toto+json"
_LIMIT = 256 * 1024  # bytes of a bundle; they have 8 KiB
_MOST = 16  # bundles that are looked at: whoever may push could add any number
_ROOT = "SHIPLANE_TRUSTED_ROOT"
_FULCIO = "1.3.6.1.4.1.57264.1"  # the arc of Fulcio's extensions (its oid-info.md)


def available() -> bool:
    """Whether Sigstore's library is installed: the extra `signatures`."""
    return find_spec("sigstore") is not None


def read(registry: Registry, digest: str) -> tuple[tuple[Signature, ...], tuple[str, ...]]:
    """The signatures of `digest` that are verified, and why others are not; attestations are neither."""
    signatures, dismissed, seen = [], [], 0
    for one in registry.referrers(digest):
        if one.get("artifactType", _BUNDLE) not in (_BUNDLE, _EMPTY) or _told_otherwise(one):
            continue
        seen += 1
        if seen > _MOST:
            dismissed.append(f"more than {_MOST} bundles lie beside the image; the rest was not read")
            break
        data = _bundle(registry, str(one["digest"]))
        found = _verified(data, digest) if data else ""
        if isinstance(found, Signature):
            signatures.append(found)
        elif found:
            dismissed.append(found)
    if not signatures and not dismissed and registry.has(f"{digest.replace(':', '-')}.sig"):
        dismissed.append("it has a signature in the format of cosign 2 alone; sign with cosign 3")
    return tuple(signatures), tuple(dismissed)


def _told_otherwise(one: dict[str, Any]) -> bool:
    """cosign notes beside a bundle what it states: an attestation need not be fetched to be passed over."""
    notes = one.get("annotations")
    return isinstance(notes, dict) and notes.get(_PREDICATE, _SIGNED) != _SIGNED


def _bundle(registry: Registry, digest: str) -> bytes:
    """The bundle that the artifact of that digest holds, as its only layer; empty where it holds none."""
    artifact = registry.manifest(digest)
    layers = manifest.descriptors(artifact.body, "layers") if artifact else []
    if len(layers) != 1 or layers[0]["mediaType"] != _BUNDLE:
        return b""
    return registry.blob(str(layers[0]["digest"]), _LIMIT)


def _verified(data: bytes, digest: str) -> Signature | str:
    """The signature that the bundle `data` is, or why it is none of `digest`; empty for an attestation."""
    from sigstore.errors import Error
    from sigstore.models import Bundle

    policy = _Anybody()
    try:
        bundle = Bundle.from_json(data)
        kind, payload = _verifier(os.environ.get(_ROOT)).verify_dsse(bundle, policy)
    except (Error, ValueError, TypeError) as error:
        return f"a signature does not verify: {_first_line(error)}"
    try:
        statement = json.loads(payload)
        stated = statement["predicateType"]
        subjects = {f"sha256:{one['digest'].get('sha256')}" for one in statement["subject"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "a signed statement cannot be read"
    if kind != _STATEMENT or stated != _SIGNED:
        return ""
    if digest not in subjects or policy.signature is None:
        return "a signature is of another image"
    return policy.signature


class _Anybody:
    """A policy of Sigstore's library that refuses nobody and notes who it is: the comparison is the gate's."""

    def __init__(self) -> None:
        self.signature: Signature | None = None

    def verify(self, cert: Certificate) -> None:
        """Called by the library after the certificate's own chain has been verified."""
        from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier

        names = cert.extensions.get_extension_for_class(SubjectAlternativeName).value
        uris = names.get_values_for_type(UniformResourceIdentifier)
        self.signature = Signature(
            issuer=_extension(cert, 8),
            workflow=printable(uris[0]) if len(uris) == 1 else "",
            source=_extension(cert, 12),
            ref=_extension(cert, 14),
            commit=_extension(cert, 13),
            source_id=_extension(cert, 15),
        )


def _extension(cert: Certificate, number: int) -> str:
    """One of Fulcio's extensions, a UTF8String in DER; empty where the certificate lacks it."""
    from cryptography.hazmat.asn1 import decode_der
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, UnrecognizedExtension

    try:
        value = cert.extensions.get_extension_for_oid(ObjectIdentifier(f"{_FULCIO}.{number}")).value
        return printable(decode_der(str, value.value)) if isinstance(value, UnrecognizedExtension) else ""
    except (ExtensionNotFound, ValueError):
        return ""


@functools.cache
def _verifier(path: str | None) -> Verifier:
    """Trusts the public Sigstore, by what its TUF repository says today; or the trusted root in the file `path`."""
    from sigstore.errors import Error
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    if not path:
        try:
            return Verifier.production()
        except Exception:  # the library lets through what its own libraries raise
            raise CannotRead("Sigstore's roots of trust cannot be fetched", passing=True) from None
    try:
        return Verifier(trusted_root=TrustedRoot.from_file(path))
    except (Error, OSError, ValueError):
        raise CannotRead(f"{_ROOT}={Path(path)} is no trusted root of a Sigstore") from None


def _first_line(error: Exception) -> str:
    return printable((str(error).strip() or type(error).__name__).splitlines()[0][:160])
