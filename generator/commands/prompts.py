"""Questions at the terminal: each answer is checked when it is given, and asked for again when it does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from generator.answers import Given, Questions, text_of, typed, wrong


def ask(questions: Questions, marks: Sequence[str], service: str) -> dict[str, Given]:
    """The answers of the person at the terminal; the talk goes to stderr. ^C and ^D end the command (click.Abort)."""
    width = max((len(question["title"]) for question in questions.values()), default=0)
    return {key: _answer(key, question, marks, service, width) for key, question in questions.items()}


def _answer(key: str, question: Mapping[str, Any], marks: Sequence[str], service: str, width: int) -> Given:
    default = text_of(question["default"]) if "default" in question else None

    def checked(text: str) -> object:
        value = question["default"] if text == default else typed(text, question)
        problems = wrong({key: Given(value, "")}, {key: question}, marks, service)
        if problems:
            raise click.UsageError("; ".join([problems[0].rule, *problems[0].mend.splitlines()]))
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
