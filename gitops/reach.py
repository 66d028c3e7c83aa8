"""What a pull request changes beyond its own places, in a layout of somebody else's: what is built from the same files.

A base is everybody's, and an overlay may be another one's base: what is rendered tells whom a change reaches.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace

from generator.errors import ShiplaneError
from gitops import built, catalog, gather, proof
from gitops.built import Place
from gitops.config import Config
from gitops.gates.verdict import waiting
from gitops.model import FILE, Rendering, Snapshot, Unrendered
from gitops.proof import Rendered, key
from gitops.repo import Repository
from gitops.step import Step


@dataclass(frozen=True)
class Reached:
    """A place of which something else is rendered after a change of these `paths`: what, or why nothing is.

    `base` has the bytes of its catalog entry.
    """

    place: Place
    paths: frozenset[str]
    text: Rendered | Unrendered
    base: Snapshot


def reached(
    repository: Repository,
    config: Config,
    sides: tuple[Snapshot, Snapshot],
    changed: Collection[str],
    but: Collection[Place],
) -> list[Reached]:
    """The places, other than `but`, that `changed` paths reach; `sides` list all of the commit before and after.

    None where the layout is not rendered here. What is touched and nobody can render here counts as reached.
    """
    touched = gather.affected(repository, config, sides[1], changed)
    found = {each: touched[each] for each in built.apart(config, touched, but)}
    if not found:
        return []
    before, after = gather.gathered(repository, config, [(side, [*found]) for side in sides])
    entries = (catalog.path(service) for service, _ in found)
    known = [path for path in entries if (entry := before.get(path)) and entry.mode == FILE]
    before = repository.read_all([(before, known)])[0]
    pairs = {each: (_side(config, before, each), _side(config, after, each)) for each in found}
    texts: dict[Hashable, Rendered] = {}
    proof.rendered([each for pair in pairs.values() for each in pair if isinstance(each, Rendering)], texts)
    told = {
        each: [texts[key(side)] if isinstance(side, Rendering) else side for side in pair]
        for each, pair in pairs.items()
    }
    differ = {each: new for each, (old, new) in told.items() if _counts(config, each, found[each], old, new)}
    return [Reached(each, found[each], new, before) for each, new in differ.items()]


def ready(repository: Repository, steps: Sequence[Step]) -> list[Step]:
    """The steps, each with all that it is rendered from.

    One that would merge by itself waits where it changes what another environment is built from, too: that one's people
    have not been asked.
    """
    return [_held(repository, step) if step.to.merge else step for step in gather.completed(repository, steps)]


def _held(repository: Repository, step: Step) -> Step:
    case = step.case
    changed = [each.path for each in step.changes]
    found = reached(repository, case.config, (case.base, case.head), changed, [case.place])
    others = [each for each in found if each.place[1] != case.to.name]
    if not others:
        return step
    names = ", ".join(built.whose(case.config, each.place) for each in others)
    why = f"changes {names}, too, built from {min(others[0].paths)}: it does not merge by itself"
    return replace(step, verdicts=(*step.verdicts, waiting("approvals", why)))


def _counts(
    config: Config, place: Place, paths: Collection[str], old: Rendered | Unrendered, new: Rendered | Unrendered
) -> bool:
    """Whether what is rendered of `place` is another than before, as far as that can be told.

    Other environments' values often lie in the folder of a chart that they share: where nothing is rendered, these
    alone are taken to reach nobody else.
    """
    if not isinstance(new, Unrendered):
        return _said(old) != _said(new)
    recipe, environments = config.layout.render, config.environments
    at = [config.layout.placed(path, environments) for path in paths]
    return not (recipe and recipe.helm and all(each and each[:2] != place for each in at))


def _said(side: Rendered | Unrendered) -> bytes | str:
    """Equal for what comes to the same: the same objects, or the same refusal."""
    return side if isinstance(side, bytes) else str(side)


def _side(config: Config, snapshot: Snapshot, place: Place) -> Rendering | Unrendered | ShiplaneError:
    service, environment = place
    try:
        found = built.rendering(snapshot, config, config.environments[environment], service)
    except ShiplaneError as refusal:
        return refusal
    return proof.possible(found)
