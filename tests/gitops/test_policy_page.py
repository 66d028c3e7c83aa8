"""docs/policy.md is what the rules say; what it shows is what works."""

from __future__ import annotations

import re
import subprocess
import sys

from gitops.config import load
from gitops.policy import RULES
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "policy.md"


def test_the_page_is_written_from_the_rules() -> None:
    script = ROOT / "scripts" / "policy_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_rule_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| \S.*\S \| \S.*\S \|$", PAGE.read_text(), re.MULTILINE)

    assert rows == [(rule.id, rule.severity) for rule in RULES]


def test_the_exception_that_it_shows_is_one() -> None:
    (shown,) = re.findall(r"```yaml\n(exceptions:\n.*?)```", PAGE.read_text(), re.DOTALL)
    head = "version: 1\nenvironments: {dev: {cluster: a, registry: r.acme.example}}\n"

    (exception,) = load((head + shown).encode()).exceptions
    assert exception.object == "Deployment/wallet"
