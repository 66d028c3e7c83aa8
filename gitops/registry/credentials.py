"""Who we are to a registry: what `docker login` left, in DOCKER_AUTH_CONFIG, in Docker's config.json or in a helper.

The order is Docker's own. Helpers are run: on a person's machine the password is often nowhere else. They are the
person's own programs, named in the person's own file; the host goes to their standard input, the password comes back
by their standard output, and neither is ever an argument or part of a message.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.registry.facts import CannotRead

_DEADLINE = 20  # seconds for a helper: some ask a keychain, some a cloud
_LIMIT = 1024 * 1024
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# The credential helpers' protocol: these words are how a helper says that it has nothing.
_NOTHING = "credentials not found"


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password, which no `repr` shows."""

    user: str
    secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode("ascii")


def find(host: str) -> Login | None:
    """What is known for `host`, None where nothing is; raises CannotRead where it is known and cannot be had."""
    given = os.environ.get("DOCKER_AUTH_CONFIG")
    if given:
        login = _stored(_document(given.encode(), "DOCKER_AUTH_CONFIG"), host, "DOCKER_AUTH_CONFIG")
        if login:
            return login
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CannotRead(f"Docker's config.json cannot be read: {error.strerror}") from None
    config = _document(data, "Docker's config.json")
    helpers = config.get("credHelpers")
    helper = (helpers.get(host) if isinstance(helpers, dict) else None) or config.get("credsStore")
    login = _asked(helper, host) if isinstance(helper, str) and helper else None
    return login or _stored(config, host, "Docker's config.json")


def _document(data: bytes, place: str) -> dict[str, Any]:
    try:
        config = json.loads(data) if len(data) <= _LIMIT else None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise CannotRead(f"{place} is not a JSON object")
    return config


def _stored(config: dict[str, Any], host: str, place: str) -> Login | None:
    """From `auths`; an entry may be written as the host or as an address of it."""
    entries = config.get("auths")
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        if re.sub(r"^https?://", "", key).partition("/")[0] != host or not isinstance(entry, dict):
            continue
        if entry.get("identitytoken") and not entry.get("auth"):
            raise CannotRead(f"{place} has an identity token for {host}, which is not supported; log in by a password")
        user, secret = entry.get("username"), entry.get("password")
        if isinstance(entry.get("auth"), str) and entry["auth"]:
            user, secret = _decoded(entry["auth"], host, place)
        if isinstance(user, str) and isinstance(secret, str) and user and secret:
            return Login(user, secret)
    return None


def _decoded(auth: str, host: str, place: str) -> tuple[str, str]:
    try:
        user, colon, secret = base64.b64decode(auth, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise CannotRead(f"{place}: the entry for {host} is not a user and a password in base64")
    return user, secret.rstrip("\0")  # Docker's own reader does the same


def _asked(helper: str, host: str) -> Login | None:
    """What the credential helper says (docker-credential-helpers: `get`, the host as input, JSON as output)."""
    name = f"docker-credential-{helper}"
    found = shutil.which(name) if _HELPER.fullmatch(helper) else None
    if found is None:
        raise CannotRead("Docker's config.json names a credential helper that is not on PATH")
    try:
        done = subprocess.run([found, "get"], input=host.encode(), capture_output=True, timeout=_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise CannotRead(f"{name} gave no answer", passing=True) from None
    if done.returncode:
        if _NOTHING.encode() in done.stdout + done.stderr:
            return None
        raise CannotRead(f"{name} ended with {done.returncode} when asked for {host}")
    told = _document(done.stdout, f"the answer of {name}")
    user, secret = told.get("Username"), told.get("Secret")
    if user == "<token>":
        raise CannotRead(f"{name} has an identity token for {host}, which is not supported; log in by a password")
    return Login(user, secret) if isinstance(user, str) and isinstance(secret, str) and secret else None
