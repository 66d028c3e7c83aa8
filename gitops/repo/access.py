"""Addresses as git takes them, without credentials: the arguments of a process are seen by everybody on its machine."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit


@dataclass(frozen=True)
class Access:
    """What lets us into one repository: `environment` is for git's processes, `token` for its forge.

    `app` is the login of the App that the token speaks for, empty for a person's; `lacks` are permissions that it needs
    for its work and was not given. No `repr` shows the secrets.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    app: str = ""
    lacks: tuple[str, ...] = ()


ANYBODY = Access()
"""Nobody in particular: git may know somebody by itself."""


def address(url: str) -> str:
    """`url` as git takes it; a path becomes `file://`, since git would copy a plain path whole."""
    if "://" in url or not Path(url).is_dir():
        return url
    return f"file://{quote(str(Path(url).resolve()))}"


def admitted(url: str, access: Access) -> tuple[str, Access]:
    """`url` without the user and password in it, and `access` with these instead, where it has any."""
    plain, own = separated(url)
    return plain, replace(access, environment=own) if own else access


def separated(url: str) -> tuple[str, dict[str, str]]:
    """`url` without the user and password in it, and the environment by which one git process knows them.

    Only http and https: the user of an ssh address is no secret, and a path has none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, {}
    access, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in ("http", "https"):
        return url, {}
    plain, root = urlunsplit(parts._replace(netloc=host)), f"{parts.scheme}://{host}"
    user, colon, password = access.partition(":")
    if not colon:
        return plain, _configured([(f"credential.{root}.username", unquote(user))])
    return plain, entry(root, unquote(user), unquote(password))


def entry(root: str, user: str, password: str) -> dict[str, str]:
    """The environment by which one git process knows the user and password for all addresses below `root`."""
    word = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    settings = [(f"http.{root}/.extraHeader", f"Authorization: Basic {word}"), ("credential.helper", "")]
    # where they are refused nobody else is asked, and what a person's own helper keeps is not forgotten for it
    return {**_configured(settings), "GIT_ASKPASS": "true", "GIT_TERMINAL_PROMPT": "0"}


def _configured(settings: list[tuple[str, str]]) -> dict[str, str]:
    """Configuration of one process by its environment (git-config(1)), after what is there already."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    made = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made
