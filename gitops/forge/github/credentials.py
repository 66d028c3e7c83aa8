"""Who we are to GitHub: an App, a token of the environment, or whoever `gh` is logged in as.

A token is handed to git by the environment of that one process and to the API by a header: it is never an argument, a
part of an address, of a file or of a message.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from generator.errors import Problem, ShiplaneError
from gitops.forge.github.address import Address, parsed, trusted
from gitops.repo.access import ANYBODY, Access, entry

_ID, _KEY, _FILE = "SHIPLANE_GITHUB_APP_ID", "SHIPLANE_GITHUB_APP_KEY", "SHIPLANE_GITHUB_APP_KEY_FILE"
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_USER = "x-access-token"  # the name under which git over HTTPS takes any token of GitHub's
_DEADLINE = 20  # seconds for gh: it may ask a keychain
# what the App needs, of what its installation has: a token for one repository and for no more than this
_NEEDED = {"contents": "write", "pull_requests": "write", "statuses": "write"}
_WANTED = {**_NEEDED, "members": "read", "metadata": "read", "checks": "read", "actions": "read"}  # doctor asks checks


def access(url: str) -> Access:
    """What lets us into the repository at `url`: nothing where it is not on GitHub, or nobody is logged in.

    Raises ShiplaneError where an App is named and cannot be used.
    """
    address = parsed(url)
    if address is None:
        return ANYBODY
    own = unquote(urlsplit(url).password or "") if "://" in url else ""
    if own or not trusted(address):
        return _let_in(address, own or _by_gh(address))
    if os.environ.get(_ID) or os.environ.get(_KEY) or os.environ.get(_FILE):
        return _as_app(address)
    token = next((value for name in _TOKENS if (value := os.environ.get(name, "").strip())), "")
    return _let_in(address, token or _by_gh(address))


def _let_in(address: Address, token: str, app: str = "", lacks: tuple[str, ...] = ()) -> Access:
    if not token or not address.private:
        return ANYBODY
    return Access(entry(address.server, _USER, token) if address.over_http else {}, token, app, lacks)


def _by_gh(address: Address) -> str:
    """The token of whoever is logged in to this host by GitHub's own command; empty where nobody is."""
    gh = shutil.which("gh")
    if gh is None:
        return ""
    command = [gh, "auth", "token", "--hostname", address.host]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "ignore").strip() if done.returncode == 0 else ""


def _as_app(address: Address) -> Access:
    """A token of the App's installation, for this repository alone."""
    from gitops.forge.github.wire import Wire

    app = Wire(address.api, key=(_app_id(), _key()))
    mend = "install the App there: its settings, Install App"
    installed = app.rest("GET", f"/repos/{address.slug}/installation", missing=("the App is not installed", mend))
    granted: dict[str, Any] = installed["permissions"]
    asked = {name: "read" if granted[name] == "read" else level for name, level in _WANTED.items() if name in granted}
    body = {"repositories": [address.name], "permissions": asked}
    told = app.rest("POST", f"/app/installations/{int(installed['id'])}/access_tokens", body)
    lacks = tuple(f"{name}: {level}" for name, level in _NEEDED.items() if granted.get(name) not in (level, "admin"))
    return _let_in(address, told["token"], f"{installed['app_slug']}[bot]", lacks)


def _app_id() -> str:
    number = os.environ.get(_ID, "").strip()
    if not number.isascii() or not number.isalnum():  # a number, or the client id
        raise ShiplaneError(Problem(_ID, "is not the id of an App", "look it up: the App's settings, About"))
    return number


def _key() -> str:
    """The App's private key, in PEM; its text is never repeated."""
    path = os.environ.get(_FILE)
    try:
        text = os.environ.get(_KEY) or (Path(path).read_text("ascii") if path else "")
    except (OSError, ValueError) as error:
        rule = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else "is not a key in PEM"
        raise ShiplaneError(Problem(_FILE, rule)) from None
    text = text.replace("\\n", "\n").strip()  # a secret that was stored on one line
    if "PRIVATE KEY-----" not in text:
        rule = "is not a private key in PEM, or is missing"
        raise ShiplaneError(Problem(_KEY, rule, f"make one: the App's settings, Private keys; then name it in {_FILE}"))
    return f"{text}\n"
