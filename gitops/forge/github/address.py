"""Addresses of repositories on GitHub: where its API answers, and whom a token is for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>(?!//).+)")
_PATH = re.compile(
    r"/?(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?!\.\.?(?:/|$))(?P<name>[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?"
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """One repository on a server of GitHub; `server` is `https://github.com`, or that of an Enterprise host."""

    server: str
    owner: str
    name: str
    over_http: bool

    @property
    def host(self) -> str:
        """The host, with its port where it names one."""
        return urlsplit(self.server).netloc

    @property
    def api(self) -> str:
        """The root of its REST API (GitHub's docs, "Getting started with the REST API")."""
        if self.host == "github.com":
            return "https://api.github.com"
        return f"https://api.{self.host}" if self.host.endswith(".ghe.com") else f"{self.server}/api/v3"

    @property
    def slug(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def private(self) -> bool:
        """Whether what is said to it can be read by nobody on the way."""
        return self.server.startswith("https://") or urlsplit(self.server).hostname in _LOOPBACK


def parsed(url: str) -> Address | None:
    """The repository that `url` names in one of the forms that git takes; None for any other address, or a path."""
    scp = None if "://" in url else _SCP.fullmatch(url)
    if scp:
        scheme, host, path = "ssh", scp["host"], scp["path"]
    else:
        try:
            parts = urlsplit(url)
            scheme, path = parts.scheme, parts.path
            host = (parts.hostname or "") + (f":{parts.port}" if parts.port and scheme != "ssh" else "")
        except ValueError:
            return None
    found = _PATH.fullmatch(path)
    if not found or not host or scheme not in ("https", "http", "ssh"):
        return None
    over_http = scheme != "ssh"
    # GitHub answers ssh on port 443 under a name of its own ("Using SSH over the HTTPS port")
    host = host.lower() if over_http else host.lower().removeprefix("ssh.")
    return Address(f"{scheme if over_http else 'https'}://{host}", found["owner"], found["name"], over_http)


def trusted(address: Address) -> bool:
    """Whether the environment's tokens are meant for this host: any other one would learn them.

    They are for github.com, as gh takes them too; for the host of GH_HOST; and in a run of GitHub Actions for the
    server that runs it, GITHUB_SERVER_URL.
    """
    here = urlsplit(os.environ.get("GITHUB_SERVER_URL", "")).netloc.lower()
    own = {"github.com", os.environ.get("GH_HOST", "").lower(), here} - {""}
    return address.private and (address.host in own or address.host.endswith(".ghe.com"))
