"""A new GitOps repository for tests, and the same after wallet has gone through all its environments."""

from __future__ import annotations

from typing import Any

from gitops.initial import ENVIRONMENTS, initial_tree

URL = "https://github.com/acme/gitops.git"
TOKENS = {
    "service": "wallet",
    "namespace": "wallet",
    "registry": "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "image": "acme/wallet",
    "owner": "payments",
    "tier": "critical",
    "source": "acme/wallet",
}
"""What stands in defaults/ for the facts of a service, beside {environment} and {cluster}."""

RELEASE = f'image:\n  tag: "{"3f2a9c1e" * 5}"\n  digest: "sha256:{"9d41e07c" * 8}"\n'.encode()


def new(
    url: str = URL, name: str = "gitops", owner: str = "platform", forge: str | None = None, **more: Any
) -> dict[str, bytes]:
    """The files of a new repository."""
    made = initial_tree(repository_url=url, name=name, owner=owner, forge=forge, **more)
    return {path: content for path, (_, content) in made.items()}


def substituted(template: bytes, environment: str) -> bytes:
    """A file of defaults/ with wallet's facts in place."""
    text = template.decode()
    for token, value in {**TOKENS, "environment": environment, "cluster": f"eks-{environment}"}.items():
        text = text.replace(f"{{{token}}}", value)
    return text.encode()


def populated(files: dict[str, bytes]) -> dict[str, bytes]:
    """`files` after wallet has been promoted through all environments."""
    added = {}
    for environment in ENVIRONMENTS:
        service = f"environments/{environment}/wallet"
        for path, start in ((f"apps/{environment}/wallet.yaml", "application"), (f"{service}/values.yaml", "values")):
            added[path] = substituted(files[f"defaults/{environment}/{start}.yaml"], environment)
        added[f"{service}/release.yaml"] = RELEASE
        added[f"{service}/chart/Chart.yaml"] = b"name: wallet\n"
    return {**files, **added}
