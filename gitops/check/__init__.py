"""`gitops check`: the policy over what lies on disk: a GitOps repository, charts, manifests, standard input."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from generator.errors import Problem, ShiplaneError, printable
from gitops.check import manifests, repository
from gitops.check.told import Judgement
from gitops.config import PATH

STDIN = "(standard input)"


def nearest() -> str:
    """The GitOps repository around us, as a path from here; here itself where there is none."""
    here = Path.cwd()
    for steps, each in enumerate((here, *here.parents)):
        if (each / PATH).is_file():
            return "/".join([".."] * steps) or "."
    return "."


def judged(path: str, today: date) -> Judgement:
    """What the policy says of `path`; raises ShiplaneError where nothing is there that could be judged."""
    place = Path(path)
    if not place.exists():
        raise ShiplaneError(Problem(printable(path), "is not there", "name a folder, a file, or - for standard input"))
    if (place / PATH).is_file():
        return repository.judged(place, today)
    return manifests.judged(place)
