"""Each chart's README is what its schema and its values say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "chart_readme.py"


def test_the_readme_is_written_from_the_schema() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_key_that_values_say_has_its_row(chart: Path) -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", (chart / "README.md").read_text(), re.M))
    values = yaml.safe_load((chart / "values.yaml").read_text())
    said = set(values)
    said |= {f"{key}.{below}" for key, each in values.items() if isinstance(each, dict) for below in each}
    free = {"discovery", "env"}  # their keys are the service's own
    assert {key for key in said if key.split(".")[0] not in free or "." not in key} <= rows
    assert {"image.tag", "image.digest", "network.dns.nodeLocal", "probes.startup.path"} <= rows
