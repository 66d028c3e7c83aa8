"""Questions at the terminal: each answer is checked when it is given, and asked for again when it does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from generator.answers import Given, text_of, typed, wrong
from generator.questions import Schema, settled


def ask(given: Mapping[str, Given], schema: Schema, marks: Sequence[str], service: str) -> dict[str, Given]:
    """What is `given`, and the answers of the person at the terminal to all that is still open after each of them.

    The talk goes to stderr. ^C and ^D end the command (click.Abort).
    """
    found = dict(given)
    width = max(
        (len(schema["properties"][key]["title"]) for key in schema["properties"] if key not in given), default=0
    )
    for key in schema["properties"]:
        if key not in given and not settled(key, schema, {name: each.value for name, each in found.items()}):
            found[key] = _answer(key, found, schema, marks, service, width)
    return found


def _answer(
    key: str, given: Mapping[str, Given], schema: Schema, marks: Sequence[str], service: str, width: int
) -> Given:
    question = schema["properties"][key]
    default = text_of(question["default"]) if "default" in question else None

    def checked(text: str) -> object:
        value = question["default"] if text == default else typed(text, question)
        problems = wrong({**given, key: Given(value, "")}, schema, marks, service)
        if problems:
            first = problems[0]  # of another answer: the two do not go together
            rule = f"{first.place}: {first.rule}" if first.place else first.rule
            raise click.UsageError("; ".join([rule, *first.mend.splitlines()]))
        return value

    value = click.prompt(
        f"  {question['title']:{width}}",
        default=default,
        show_default=bool(default),
        prompt_suffix=" › ",
        value_proc=checked,
        err=True,
    )
    return Given(value, key)
