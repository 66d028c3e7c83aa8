"""A GitOps repository on the double, and who acts on it: people by their tokens, an App by its key."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.gitops.github_double.server import Double
from tests.gitops.github_double.world import World

PERMISSIONS = {
    "contents": "write",
    "pull_requests": "write",
    "statuses": "write",
    "members": "read",
    "metadata": "read",
}
_OURS = ("GITHUB_", "GH_", "SHIPLANE_GITHUB_")


@functools.cache
def key() -> tuple[str, str]:
    """An App's private key and its public one, in PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def populate(world: World, *people: str) -> None:
    """Make people known, with the tokens `ghp_<login>`, and install the App `shiplane`, 1234."""
    for login in people:
        world.person(login)
    world.apps["1234"] = {
        "slug": "shiplane",
        "key": key()[1],
        "installed": True,
        "installation": 77,
        "permissions": dict(PERMISSIONS),
        "secret": "",
    }


def by_token(double: Double, token: str) -> dict[str, str]:
    """The environment of a person's run."""
    return {"GITHUB_TOKEN": token, "GITHUB_SERVER_URL": double.server}


def by_app(double: Double, actor: str = "") -> dict[str, str]:
    """The environment of a run of CI that works as the App, started by `actor`."""
    run = {"GITHUB_ACTOR": actor} if actor else {}
    return {
        "SHIPLANE_GITHUB_APP_ID": "1234",
        "SHIPLANE_GITHUB_APP_KEY": key()[0],
        "GITHUB_SERVER_URL": double.server,
        **run,
    }


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with these in the place of all others that speak of GitHub."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def api(double: Double, who: str, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """What somebody does on GitHub's own pages: one call of its API with their token."""
    headers = {"Authorization": f"Bearer ghp_{who}"}
    root = f"{double.server}/api/v3/repos/{double.world.owner}/{double.world.name}"
    done = requests.request(verb, f"{root}/{path}", json=body, headers=headers, timeout=30)
    assert done.status_code < 300, (done.status_code, done.text)
    return done.json()


def approve(double: Double, who: str, number: int) -> None:
    """Somebody approves a pull request."""
    api(double, who, "POST", f"pulls/{number}/reviews", {"event": "APPROVE"})


def repository(root: Path) -> Path:
    """Where the bare repository of acme/gitops lies below `root`."""
    (root / "acme").mkdir(parents=True, exist_ok=True)
    return root / "acme" / "gitops.git"
