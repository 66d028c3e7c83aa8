"""What `make bench` starts works: a benchmark that has stopped to run tells nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_newservice_is_measured_beside_cookiecutters_bare_rendering() -> None:
    environment = {**os.environ, "PAIRS": "1"}
    script = [sys.executable, "scripts/bench_newservice.py"]
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ratios = {line.split("  ")[0]: float(line.split(" x ")[1]) for line in done.stdout.splitlines() if " x " in line}
    assert ratios["generate_files, all layers"] == 1.0
    assert ratios["newservice"] > 1, "more is done than bare rendering, so the two cannot have been mixed up"
    assert re.search(r"\d+ ms", done.stdout)
