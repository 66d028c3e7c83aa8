"""What people read in pull requests that pin nothing: a service made known or retired, a hold set or lifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops.catalog import Service
from gitops.config import Config, Environment
from gitops.gates.verdict import REFUSED, Verdict
from gitops.holds import Hold
from gitops.messages.words import code, count
from gitops.pull_request import PullRequest

_LONGEST = 1000  # characters of a gate's sentence


def onboarding_body(service: Service, config: Config) -> str:
    """The body of a pull request that makes a service known."""
    rows = [
        ("owner", f"`{service.owner}`"),
        ("source", f"[{service.source}]({config.server}/{service.source})"),
        ("image", f"`{service.image}`"),
        ("tier", service.tier),
    ]
    table = "\n".join(f"| {key} | {value} |" for key, value in rows)
    layout, start = config.layout, next(name for name, each in config.environments.items() if not each.sources)
    files = " and ".join(f"`{path}`" for path in layout.paths(start, service.name))
    beside = any(map(layout.shares, layout.keys))
    place = f"{service.name} into {files}, beside the others" if beside else files
    first = "" if layout.own else f", once people have written {place}: a release sets values in it"
    return (
        f"**{service.name}** becomes known: from the merge on, its releases are taken. Nothing runs by this alone.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        "### To review\n"
        "- The source repository is the one whose CI may release this service.\n"
        "- The image's repository belongs to it alone: whoever can push there decides what runs.\n"
        "- The owner is the team that answers for it.\n\n"
        f"### Then\n`gitops release {service.name} {layout.options}`, by its CI{first}.\n\n"
        "### Way back\nRevert the merge of this pull request: what runs keeps running, nothing new is taken.\n"
    )


def judged(request: PullRequest, verdicts: Sequence[Verdict]) -> str:
    """verify's comment on a pull request: every gate of the head that was judged."""
    rows = "\n".join(f"| {each.gate} | {each.sign} | {code(each.why, _LONGEST)} |" for each in verdicts)
    lead = "Nothing stands against it." if all(each.passed for each in verdicts) else "It cannot be merged yet."
    if any(each.state == REFUSED for each in verdicts):
        lead = "It is refused, and waiting will not mend it."
    told = f"`{request.head[:7]}`, judged by the rules of the default branch. {lead}"
    return f"### Gates\n{told}\n\n| gate | state | why |\n|---|---|---|\n{rows}\n"


def unjudged(request: PullRequest, why: str) -> str:
    """verify's comment where it could not judge."""
    return (
        f"### Gates\n❌ **`{request.head[:7]}` could not be judged, so it is not let through:** {code(why, _LONGEST)}\n"
    )


def hold_body(service: str, to: Environment, held: Hold, path: str, *, lifting: bool) -> str:
    """The body of a pull request that sets a hold, or lifts it."""
    what, environment = f"**{service}** {held.named()}", to.name
    moved = "promoted" if to.sources else "released"
    if lifting:
        lead = f"From the merge on, {what} may be {moved} into **{environment}** again."
        needed = count(to.gates.approvals, "approval") if to.gates.approvals else "no approval"
        asks = f"It asks for {needed}, as {environment} itself: is what was wrong mended?"
        back = _hold_again(service, environment, held)
    else:
        verb = "are" if len(held.tags) > 1 else "is"
        lead = f"From the merge on, {what} {verb} not {moved} into **{environment}**. What runs there keeps running."
        asks = f"It asks for one approval. A roll-back{' to another release' if held.tags else ''} passes it."
        back = f"`gitops unhold {service} --env {environment}`"
    table = f"| | |\n|---|---|\n| reason | {code(held.reason)} |\n| held back by | {code(held.who)} |"
    return f"{lead}\n\n{table}\n\n{asks}\n\n### Way back\n{back} · the file: `{path}`\n"


def _hold_again(service: str, environment: str, held: Hold) -> str:
    """The command that sets the hold anew; one for each of several releases."""
    command = f"gitops hold {service} --env {environment} --reason TEXT"
    if len(held.tags) > 1:
        return f"`{command} --release TAG` for each of them"
    return f"`{command}{f' --release {held.tags[0]}' if held.tags else ''}`"


@dataclass(frozen=True, slots=True)
class Leaving:
    """An Application that goes: its name, whether what runs goes too (None: nobody can tell), whether Argo CD asks."""

    name: str
    cascades: bool | None
    confirms: bool


def retiring_body(service: str, environment: str, path: str, leaving: Leaving) -> str:
    """The body of a pull request that takes a service's Application out of an environment."""
    return (
        f"> [!CAUTION]\n> **This takes {service} out of {environment}.** {_end(service, environment, leaving)}\n\n"
        "### To review\n"
        f"- Nobody calls {service} in {environment} any more, and no data is lost that is still needed.\n"
        f"- `{path}` goes, and nothing else; a hold keeps builds and promotions from bringing it back meanwhile.\n\n"
        f"### Then\n`gitops retire {service}` again: the next pull request takes its files, then what is left in "
        "other environments, and the catalog entry last of all.\n\n"
        f"### Way back\nRevert the merge of this pull request: Argo CD takes {service} up again, as it was pinned.\n"
    )


def _end(service: str, environment: str, leaving: Leaving, where: str = "") -> str:
    """What the end of an Application means, as lines of a quotation; `where` says when it ends, if that is not sure."""
    name = code(leaving.name or f"{service}-{environment}")
    runs = {
        True: f"**All that {service} runs in {environment} is deleted with it**: it has Argo CD's finalizer.",
        False: "What runs stays, and nobody looks after it from then on: it has no finalizer. To have it deleted as "
        "well, give it `resources-finalizer.argocd.argoproj.io` first, in a pull request of its own.",
        None: "What becomes of what runs cannot be told: its file cannot be read.",
    }[leaving.cascades]
    asks = (
        f"\n> Argo CD asks before that: *Confirm Pruning* on the parent of {environment}." if leaving.confirms else ""
    )
    return f"From the merge on, Argo CD prunes the Application {name}{where}.\n> {runs}{asks}"


def emptying_body(service: str, environment: str, folder: str) -> str:
    """The body of a pull request that takes away a folder which no Application reads."""
    return (
        f"> [!CAUTION]\n> **This deletes all files of {service} in {environment}**: pin, settings and chart. Its "
        "Application has left the repository already.\n> Merge it only when Argo CD has let go of it, too: an "
        "Application that waits for *Confirm Pruning* still reads them.\n\n"
        f"### To review\n- `argocd app get {service}-{environment}` finds nothing.\n"
        f"- Only what lies in `{folder}/` goes.\n\n"
        f"### Then\n`gitops retire {service}` again.\n\n"
        "### Way back\nRevert the merge of this pull request, then that of the one before it.\n"
    )


def leaving_body(service: str, environment: str, paths: Sequence[str], runs: Sequence[Leaving]) -> str:
    """The body of a pull request that takes a service's own files out of an environment of another layout.

    `runs` are the Applications among them; where there is none, nobody here knows which one reads them.
    """
    listed = "\n".join(f"- `{path}`" for path in paths)
    prunes = ", where the one that applies it prunes"
    told = "".join(f"\n> {_end(service, environment, each, prunes)}" for each in runs) or (
        "\n> **Which Application reads them is not said here.** Take that away first, in a pull request of its own: "
        "one that is left fails to sync, and what it runs stays as it is. An ApplicationSet that finds folders takes "
        "its Application away with them."
    )
    return (
        f"> [!CAUTION]\n> **This deletes the files of {service} in {environment}.**{told}\n\nWhat goes:\n{listed}\n\n"
        "### To review\n"
        f"- Nobody calls {service} in {environment} any more, and no data is lost that is still needed.\n"
        "- Nothing else is built from these files.\n\n"
        f"### Then\n`gitops retire {service}` again: what is left in other environments, and the catalog entry last of "
        "all.\n\n"
        f"### Way back\nRevert the merge of this pull request: the files come back with what was pinned.\n"
    )


def forgetting_body(service: str, paths: Sequence[str], stays: Sequence[str] = ()) -> str:
    """The body of a pull request that takes a catalog entry away; the service still stands in the files `stays`."""
    listed = "\n".join(f"- `{path}`" for path in paths)
    left = "\n".join(f"- `{path}`" for path in stays)
    told = (
        f"It stands beside others in these files, and runs until it is taken out there, by hand, after this:\n{left}"
        if stays
        else "No environment has anything of it."
    )
    return (
        f"> [!CAUTION]\n> **{service} is known no more after this**: its releases are refused. "
        f"{told}\n\nWhat goes:\n{listed}\n\n"
        f"### To review\n- The CI of {service} no longer releases it.\n- Its image's repository may go as well.\n\n"
        f"### Way back\nRevert the merge of this pull request, or make it known anew: `gitops onboard {service} "
        "--source OWNER/REPOSITORY --image REPOSITORY`.\n"
    )
