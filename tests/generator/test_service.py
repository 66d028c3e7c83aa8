"""Names: what is one, what is refused, and which name is offered instead."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.service import LONGEST, NAME, check_name, module, suggestion


@pytest.mark.parametrize("name", ["wallet", "a", "trading-engine", "a1", "x" * LONGEST, "a--b"])
def test_names(name: str) -> None:
    assert check_name(name) == []


@pytest.mark.parametrize(
    ("name", "rule", "mend"),
    [
        ("", "needs a name", "wallet"),
        ("../x", "is a name, not a path", "x"),
        ("/etc/passwd", "is a name, not a path", "etc-passwd"),
        ("Wallet", "small letters", "wallet"),
        ("x" * 64, "at most 40 characters, not 64", "x" * 40),
        ("1wallet", "starts with a small letter", "wallet"),
        ("-wallet", "starts with a small letter", "wallet"),
        ("wallet-", "ends with a letter or a digit", "wallet"),
        ("wallet;rm", "small letters", "wallet-rm"),
        ("$(id)", "small letters", "id"),
        ("a: b", "small letters", "a-b"),
        ("wal\nlet", "small letters", "wal-let"),
        ("wallet\n", "small letters", "wallet"),
        ("wällét", "small letters", "wallet"),
        (".", "small letters", ""),
        ("٣wallet", "small letters", "wallet"),
    ],
)
def test_refused_with_place_rule_and_mend(name: str, rule: str, mend: str) -> None:
    problems = check_name(name, "NAME")

    assert all(problem.place.startswith('NAME "') for problem in problems)
    assert "\n" not in problems[0].place
    assert any(rule in problem.rule for problem in problems)
    assert problems[-1].mend == mend


def test_several_rules_are_told_at_once_and_one_way_out() -> None:
    problems = check_name("1_" + "X" * 60)

    assert len(problems) == 3
    assert [problem.mend for problem in problems] == ["", "", "x" * LONGEST]


@given(st.text(max_size=80))
def test_what_passes_is_a_label_and_what_is_offered_passes(text: str) -> None:
    assert (check_name(text) == []) == (re.fullmatch(NAME[1:-1], text) is not None)

    offered = suggestion(text)

    assert offered == "" or check_name(offered) == []


def test_module() -> None:
    assert module("trading-engine") == "trading_engine"
