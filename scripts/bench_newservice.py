"""What `newservice` costs beside cookiecutter's bare rendering of the same layers.

Each measurement is a whole process: interpreter, imports, work. The two are run in turn, so that a busy machine slows
both, and the medians are compared. `newservice` also reads and checks the blueprint, answers and names, looks for
leftovers, hashes, packs and places; helm's proof is another program and is shown apart, where there is a helm.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generator import answers, blueprint, helm, render  # noqa: E402 # the checkout's, wherever this is started

PAIRS = int(os.environ.get("PAIRS", "15"))
NAME = "wallet"
_OURS = "from generator.commands.newservice import run; raise SystemExit(run())"
_PLAIN = """
import json, sys, tempfile
from cookiecutter.generate import generate_files
for folder, context in json.load(sys.stdin):
    with tempfile.TemporaryDirectory() as output:
        generate_files(folder, context, output, accept_hooks=False)
"""


def main() -> None:
    """Measure and print one line for each way."""
    chosen = blueprint.load("python")
    given = answers.complete({}, chosen.schema)
    layers = [(str(layer.folder), context) for layer, context in render.contexts(chosen, NAME, given)]
    contexts = json.dumps(layers).encode()

    def plain() -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # the templates' own filters
        argv = [sys.executable, "-c", _PLAIN]
        subprocess.run(argv, input=contexts, check=True, stdout=subprocess.DEVNULL, env=environment)

    def ours(found: str) -> Callable[[], None]:
        def once() -> None:
            with tempfile.TemporaryDirectory() as folder:
                environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHIPLANE_HELM": found}
                argv = [sys.executable, "-c", _OURS, NAME, "--no-input", "--output", folder]
                subprocess.run(argv, check=True, capture_output=True, env=environment)

        return once

    ways = {"generate_files, all layers": plain, "newservice": ours(os.devnull)}
    found = helm.find()
    if found is not None:
        ways["newservice, proved by helm"] = ours(str(found))
    medians = measured(ways)
    base = medians["generate_files, all layers"]
    for way, median in medians.items():
        print(f"{way:28} {median * 1000:6.0f} ms   x {median / base:.2f}")
    if found is None:
        print("newservice, proved by helm: not measured, helm is not on PATH")


def measured(ways: dict[str, Callable[[], None]]) -> dict[str, float]:
    """The median seconds of each way, over `PAIRS` rounds in which each is run once; the first round warms up."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(PAIRS + 1):
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            if number:
                seconds[way].append(time.perf_counter() - start)
    return {way: statistics.median(each) for way, each in seconds.items()}


if __name__ == "__main__":
    main()
