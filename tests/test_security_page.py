"""docs/security.md is held to the tests: each one that it names is there, and each attack is in its table."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ATTACKS = "tests/gitops/test_red_team.py"
HONEST = {f"{ATTACKS}::test_an_honest_promotion_passes", f"{ATTACKS}::TestFirstPromotion::test_as_the_defaults_give_it"}
"""What stands among the attacks to show that they differ from the honest way in the attack alone."""


def rows(page: str = PAGE) -> list[list[str]]:
    """The cells of the table of attacks."""
    table = page.split("<!-- attacks -->\n")[1].split("<!-- /attacks -->")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:]]


def named(cell: str) -> Iterator[str]:
    """The patterns of test ids in a cell: names, a file after `in` for those before it, `[x]` for the name before."""
    waiting: list[str] = []
    for part in re.findall(r"(?:in )?`[^`]+`", cell):
        text = part.strip("`")
        if part.startswith("in `"):
            yield from (f"{part[4:-1]}::{each}" for each in waiting)
            waiting = []
        elif text.startswith("["):
            waiting.append(waiting[-1].partition("[")[0] + text)
        else:
            waiting.append(text)
    yield from (f"{ATTACKS}::{each}" for each in waiting)


def fits(pattern: str, test: str) -> bool:
    """Whether a name means a test: itself, every case of it, every test of a class; `*` stands for anything."""
    escaped = pattern.replace("[", "[[]")
    return any(fnmatch.fnmatchcase(test, each) for each in (escaped, f"{escaped}[[]*", f"{escaped}::*"))


def elsewhere(page: str = PAGE) -> list[str]:
    """The tests that the text around the table names, each with its file behind it."""
    around = re.sub(r"<!-- attacks -->.*<!-- /attacks -->", "", page, flags=re.DOTALL)
    found = re.findall(r"`((?:Test\w+::)?test_\w+)`\s+in\s+`(tests/[\w/]+\.py)`", around)
    return [f"{file}::{name}" for name, file in found]


@pytest.fixture(scope="module")
def collected() -> list[str]:
    """What pytest finds in every file that the page names."""
    files = sorted({ATTACKS, *re.findall(r"`(tests/[\w/]+\.py)`", PAGE)})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_every_test_that_is_named_is_there(collected: list[str]) -> None:
    patterns = [*elsewhere(), *(each for row in rows() for each in named(row[2]))]

    assert len(patterns) > 80
    assert [each for each in patterns if not any(fits(each, test) for test in collected)] == []


def test_every_attack_is_in_the_table(collected: list[str]) -> None:
    patterns = [each for row in rows() for each in named(row[2])]
    attacks = [test for test in collected if test.startswith(f"{ATTACKS}::") and test not in HONEST]

    assert len(attacks) > 120
    assert set(collected) >= HONEST
    assert [test for test in attacks if not any(fits(each, test) for each in patterns)] == []


def test_every_row_says_what_stops_it() -> None:
    assert all(len(row) == 3 and all(row) for row in rows())
    assert all([*named(row[2])] for row in rows())


def test_what_is_named_and_is_not_there_would_be_found(collected: list[str]) -> None:
    wrong = ["test_nothing", "test_a_change_that_looks_like_a_promotion[nothing-*]", "TestNobody"]

    assert not [each for each in wrong for test in collected if fits(f"{ATTACKS}::{each}", test)]
    assert fits(f"{ATTACKS}::TestPeople", f"{ATTACKS}::TestPeople::test_trailers")
    assert not fits(f"{ATTACKS}::TestPeople::test_trail", f"{ATTACKS}::TestPeople::test_trailers")
