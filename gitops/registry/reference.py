"""An image's repository as it is written, taken apart: which host, which name there, and whether that is ECR."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from generator.errors import printable
from gitops.registry.facts import CannotRead

_HOST = re.compile(r"(?=[^/]*[.:]|localhost$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
# The distribution specification's names and tags.
_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# 123456789012.dkr.ecr.eu-west-1.amazonaws.com, the same in China and for FIPS, and the dual-stack name
_ECR = re.compile(r"([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository in a registry; `account` and `region` are those of ECR, empty elsewhere."""

    host: str
    name: str
    account: str = ""
    region: str = ""
    fips: bool = False

    @property
    def local(self) -> bool:
        """Whether the registry is on this machine: the only one that may be spoken to without TLS."""
        return is_loopback(urlsplit(f"//{self.host}").hostname or "")


def parse(image: str, tag: str, digest: str) -> Reference:
    """`host[:port]/repository` taken apart; raises CannotRead where any of the three is not what it should be."""
    host, _, name = image.partition("/")
    if not _HOST.fullmatch(host) or not _NAME.fullmatch(name):
        raise CannotRead(f"{printable(image)} is not HOST/REPOSITORY: an image's repository starts with its registry")
    if not _TAG.fullmatch(tag):
        raise CannotRead(f"{printable(tag)} is not a tag")
    if not _DIGEST.fullmatch(digest):
        raise CannotRead(f"{printable(digest)} is not a digest: sha256: and 64 hexadecimal digits")
    ecr = _ECR.fullmatch(host)
    return Reference(host, name, ecr[1], ecr[3], bool(ecr[2])) if ecr else Reference(host, name)


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def forbidden(url: str, *, local: bool) -> str:
    """Why a registry may not send us to `url`; empty where it may. `local`: the registry is itself on loopback.

    TLS keeps a name honest wherever it leads; what is left are addresses as numbers, of this machine or of the link
    (where clouds keep their machines' credentials: 169.254.169.254).
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "an address that is none"
    if not host or parts.username is not None or parts.password is not None:
        return "an address that is none"
    loopback = is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback and local):
        return "an address without TLS"
    if loopback and not local:
        return "this machine itself"
    return "" if loopback or _public(host) else "an address of a machine's own network"


def _public(host: str) -> bool:
    """Not a link's address, nor a number in any other spelling, which some resolvers take for one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last, re.IGNORECASE)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not (mapped.is_link_local or mapped.is_loopback or mapped.is_unspecified or mapped.is_multicast)
