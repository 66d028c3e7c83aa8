"""What every blueprint asks: its own answers pass, and one that could do harm does not."""

from __future__ import annotations

import pytest

from generator.answers import Given, wrong
from generator.questions import settled
from generator.schema import check
from tests.blueprints.odd import odd
from tests.blueprints.rendered import MADE, Made, answers


@pytest.fixture(scope="module", params=MADE, ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


def test_its_answers_pass_its_own_questions(made: Made) -> None:
    assert answers(made).keys() == made.loaded.questions.keys()
    assert check(answers(made), made.loaded.schema) == []
    assert check({"kind": made.kind, **odd(made)}, made.loaded.schema) == []


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("description", "two\nlines"),
        ("description", ""),
        ("description", "x" * 201),
        ("description", "bell\x07"),
        ("description", "turned \u202e around"),
        ("owner", "Payments"),
        ("organisation", "acme/x"),
        ("organisation", "$(id)"),
        ("port", 80),
        ("port", 65536),
        ("port", "8080"),
        ("calls", ["orders", "orders"]),
        ("calls", ["../orders"]),
        ("called_by", "gateway"),
        ("dependencies", ["oracle"]),
        ("dependencies", "postgres"),
        ("data_cidrs", []),
        ("data_cidrs", ["0.0.0.0/0"]),
        ("data_cidrs", ["10.0.0.256/8"]),
        ("data_cidrs", ["postgres.acme.example"]),
        ("secrets", ["password"]),
        ("secrets", ["PORT"]),
        ("secrets", ["A=b"]),
        ("tier", "gold"),
        ("slo", "90"),
        ("slo", "100"),
        ("slo", "99.50"),
        ("monitoring_label", "release"),
        ("monitoring_label", 'a="b'),
        ("gitops_repository", "acme"),
        ("gitops_repository", "acme/x;y"),
        ("registry", "registry.acme.example"),
        ("registry", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x"),
        ("publish_role", "a b"),
        ("shiplane", "shiplane; id"),
        ("shiplane", "acme/shiplane@v0.1.0"),
        ("shiplane", "acme/shiplane@" + "1f" * 20),
        ("shiplane", "acme/shiplane@" + "1f" * 20 + " # v0.1.0\n"),
    ],
)
def test_an_answer_that_could_do_harm_is_refused(made: Made, key: str, answer: object) -> None:
    assert check(answer, made.loaded.questions[key])


def test_nobody_calls_a_worker(made: Made) -> None:
    given = {"kind": Given(made.kind, "--set kind"), "called_by": Given(["gateway"], "--set called_by=gateway")}
    problems = [str(each) for each in wrong(given, made.loaded.schema)]
    if made.kind == "worker":
        rule = '--set called_by=gateway: must be empty, not ["gateway"]'
        assert problems == [f"{rule}\n  try: nobody calls a worker; leave called_by out, or --set kind=http"]
    else:
        assert problems == []
    assert settled("called_by", made.loaded.schema, {"kind": made.kind}) == (made.kind == "worker")
