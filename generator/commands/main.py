"""The one `main`: runs a command and turns whatever ends it into text and an exit code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click

from generator.errors import BUG, INTERRUPTED, MENDABLE, ShiplaneError, printable


def main(command: click.Command, argv: Sequence[str] | None = None) -> int:
    """Run `command` and return the process's exit code; what went wrong is told on stderr, never as a traceback."""
    try:
        _spell_out()
        result = command.main(args=None if argv is None else list(argv), standalone_mode=False)
        if sys.stdout is not None:  # closed before we began
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except ShiplaneError as error:
        for problem in error.problems:
            _complain(str(problem))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our stdout has gone: nothing is left to tell it
        _let_go()
        return MENDABLE
    except OSError as error:
        _let_go()
        _complain(f"{printable(str(error.filename or 'system'))}: {error.strerror or error}")
        return MENDABLE
    except Exception as error:  # the last line of defence: a bug becomes a report, not a traceback
        _complain(f"this is a bug in Shiplane: {type(error).__name__}: {printable(str(error))}{_report()}")
        return BUG


def leave(code: int) -> NoReturn:
    """End this process with `code`, and at once: to free every object first takes a tenth of a command's time."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody is left to tell it, or it was closed before we began
            if stream is not None:
                stream.flush()
    os._exit(code)


def _let_go() -> None:
    """Drop what stdout cannot take: the interpreter would try once more at its end, and end with 120."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Talk: the plan and its progress go to stderr, each line marked."""
    for line in text.splitlines():
        click.echo(f"· {line}" if line else "", err=True)


def show(text: str) -> None:
    """Results: an address, a table, JSON; nothing else goes to stdout."""
    click.echo(text)


def show_json(schema: str, items: Sequence[Mapping[str, object]]) -> None:
    """Results for programs: `items` in the envelope that names its schema and version, as `shiplane/prs/1`."""
    show(json.dumps({"schema": schema, "items": items}, indent=2, ensure_ascii=False))


def _spell_out() -> None:
    """A terminal that lacks a letter gets its escape: what was done must not end in a bug report about a dash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(text: str) -> None:
    click.echo(f"error: {text}", err=True)


def _report() -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="shiplane-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as report:
            traceback.print_exc(file=report)
    except OSError:
        return ""
    return f"\n  a report for its developers is in {path}; read it before you pass it on"
