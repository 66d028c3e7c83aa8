"""What people read in pull requests that pin nothing: a service made known, a hold set or lifted."""

from __future__ import annotations

from gitops.catalog import Service
from gitops.holds import Hold
from gitops.messages.words import code


def onboarding_body(service: Service) -> str:
    """The body of a pull request that makes a service known."""
    rows = [
        ("owner", f"`{service.owner}`"),
        ("source", f"[{service.source}](https://github.com/{service.source})"),
        ("image", f"`{service.image}`"),
        ("tier", service.tier),
    ]
    table = "\n".join(f"| {key} | {value} |" for key, value in rows)
    return (
        f"**{service.name}** becomes known: from the merge on, its releases are taken. Nothing runs by this alone.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        "### To review\n"
        "- The source repository is the one whose CI may release this service.\n"
        "- The image's repository belongs to it alone: whoever can push there decides what runs.\n"
        "- The owner is the team that answers for it.\n\n"
        f"### Then\n`gitops release {service.name} --tag SHA --digest sha256:... --chart DIR`, by its CI.\n\n"
        "### Way back\nRevert the merge of this pull request: what runs keeps running, nothing new is taken.\n"
    )


def hold_body(service: str, environment: str, held: Hold, path: str, *, lifting: bool) -> str:
    """The body of a pull request that sets a hold, or lifts it."""
    what = f"**{service}** {held.named()}"
    if lifting:
        lead = f"From the merge on, {what} may be promoted into **{environment}** again."
        asks = f"It asks for as many approvals as {environment} itself: is what was wrong mended?"
    else:
        lead = f"From the merge on, {what} is not promoted into **{environment}**. What runs there keeps running."
        asks = "It asks for one approval. A roll-back passes it."
    table = f"| | |\n|---|---|\n| reason | {code(held.reason)} |\n| held back by | {code(held.who)} |"
    return (
        f"{lead}\n\n{table}\n\n{asks}\n\n"
        f"### Way back\n`gitops {'hold' if lifting else 'unhold'} {service} --env {environment}` · the file: `{path}`\n"
    )
