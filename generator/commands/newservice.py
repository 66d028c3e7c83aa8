"""`newservice`: a service repository from a blueprint."""

from __future__ import annotations

import hashlib
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from generator.commands.main import leave, main, say, show, show_json
from generator.errors import Problem, ShiplaneError, printable

if TYPE_CHECKING:
    from generator.answers import Given
    from generator.blueprint import Blueprint
    from generator.plan import Plan

_T = TypeVar("_T")


@click.command("newservice", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False)
@click.option("--blueprint", "chosen", metavar="NAME|DIR", help="python (the default), node, go, or a DIR of your own.")
@click.option("--trust", is_flag=True, help="Let a blueprint of your own (DIR) run its code; there is no sandbox.")
@click.option("--output", default=".", metavar="DIR", help="The folder to place NAME in; here by default.")
@click.option("--set", "settings", multiple=True, metavar="K=V", help="An answer; a list is a,b. May be repeated.")
@click.option("--answers", "file", metavar="FILE", help="Answers in a YAML file; --set goes before them.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is not answered takes its default.")
@click.option("--dry-run", is_flag=True, help="Show what would be placed, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON.")
@click.option("--check", is_flag=True, help="Compare the service NAME, a path or the one here with its blueprint.")
@click.option("--list-blueprints", is_flag=True, help="The blueprints and what each of them asks.")
def newservice(
    name: str | None,
    chosen: str | None,
    trust: bool,
    output: str,
    settings: tuple[str, ...],
    file: str | None,
    no_input: bool,
    dry_run: bool,
    as_json: bool,
    check: bool,
    list_blueprints: bool,
) -> int:
    """Write the repository of the service NAME: code, chart, image and workflow, ready for production.

    The chart is linted and rendered before anything is placed; then all of it appears at once, or nothing does.

    --check writes nothing. It tells which files are edited or deleted by you, behind (the blueprint renders them
    differently now from the same answers), both, or new; the others are current. It ends with 0, or with 1 where CI
    should fail: a file is behind, both or new, or you changed one of the golden chart. Your other edits are no failure.
    """
    if check:
        return _check(name, chosen, trust, output, settings, file, as_json, list_blueprints)
    if list_blueprints:
        _list(as_json)
        return 0
    if name is None:
        raise click.UsageError("Missing argument 'NAME'.")
    from generator import write
    from generator.around import parted, root_of

    target = Path(output, name)
    asking = not no_input and sys.stdin is not None and sys.stdin.isatty()  # None: closed by the caller
    blueprint, given = _checked(name, target, chosen or "python", trust, settings, file)
    say(f"blueprint {printable(blueprint.name)} {blueprint.version}")
    planned = _planned(name, blueprint, given, prompting=asking)
    own, shared = parted(planned.files, planned.folder)
    root = root_of(target, planned.folder)
    if not dry_run:
        write.place(own, target, shared, root)
    for path in shared:
        say(f"{printable(path)} belongs to the repository around: {printable(str(root))}")
    _show(planned, target, dry_run, as_json)
    return 0


def run() -> NoReturn:
    """The program `newservice`; to be ended by a signal is to be interrupted, so that nothing is left behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    leave(main(newservice))


def _check(
    name: str | None,
    chosen: str | None,
    trust: bool,
    output: str,
    settings: Sequence[str],
    file: str | None,
    as_json: bool,
    listing: bool,
) -> int:
    others = {"--set": settings, "--answers": file, "--list-blueprints": listing}
    if clash := [option for option, given in others.items() if given]:
        raise click.UsageError(f"--check takes the answers that were recorded: not with {', '.join(clash)}.")
    from generator.commands.check import check

    def load(recorded: str) -> Blueprint:
        from generator import blueprint

        # a lock is data of the service: it may name a blueprint of ours, never a folder to trust
        return blueprint.load(recorded) if chosen is None else _load(chosen, trust)

    return check(name, Path(output), load, as_json=as_json)


def _checked(
    name: str, target: Path, chosen: str, trust: bool, settings: Sequence[str], file: str | None
) -> tuple[Blueprint, dict[str, Given]]:
    """The blueprint and the answers given so far; raises ShiplaneError with all that is wrong in the command line."""
    from generator import answers, write
    from generator.service import check_name

    problems = check_name(name, "NAME") or write.in_the_way(target)
    if not str(target.parent).isprintable():  # it is the result on stdout: one line of text
        problems.append(Problem(f"--output {printable(str(target.parent))}", "is not printable text"))
    blueprint = _try(problems, lambda: _load(chosen, trust))
    from_file = _try(problems, lambda: answers.from_file(Path(file))) if file is not None else {}
    from_settings, found = answers.from_settings(settings, blueprint.questions if blueprint else {})
    problems += found
    given = {**(from_file or {}), **from_settings}
    if blueprint is not None and "folder" in blueprint.questions:
        given = {**_around(target, given, blueprint.questions, problems), **given}
    if blueprint is not None:
        problems += answers.wrong(given, blueprint.schema, blueprint.marks, name)
    if problems or blueprint is None:
        raise ShiplaneError(problems)
    return blueprint, given


def _around(
    target: Path, given: Mapping[str, Given], questions: Mapping[str, Mapping[str, Any]], problems: list[Problem]
) -> dict[str, Given]:
    """Where the service lies, as the disk tells it; `folder` may be said only to begin a repository inside another."""
    from generator.answers import Given
    from generator.around import around

    found, said = around(target), given.get("folder")
    if said and said.value not in ("", found.folder if found else ""):
        where = found.folder if found else "no repository"
        problems.append(
            Problem(said.place, f"it is placed in {printable(where)}", "leave it out: it is told by the place")
        )
    if found is None or (said and said.value == ""):
        return {"folder": Given("", "folder"), "repository": Given("", "repository")}
    place = f"the repository around, {printable(str(found.root))}"
    organisation = given["organisation"].value if "organisation" in given else questions["organisation"]["default"]
    repository = found.repository or f"{organisation}/{found.root.name}"
    return {"folder": Given(found.folder, place), "repository": Given(repository, place)}


def _load(chosen: str, trust: bool) -> Blueprint:
    from generator import blueprint

    if "/" not in chosen and chosen not in (".", ".."):
        return blueprint.load(chosen)
    if not trust:  # nothing of it is read before
        rule = "a blueprint of your own is code that runs as you: its templates and extensions can do all that you can"
        mend = f"read it, then: --blueprint {shlex.quote(printable(chosen))} --trust"
        raise ShiplaneError(Problem(f"--blueprint {printable(chosen)}", rule, mend))
    return blueprint.load_folder(Path(chosen))


def _planned(name: str, blueprint: Blueprint, given: dict[str, Given], *, prompting: bool) -> Plan:
    from generator import answers
    from generator.plan import plan
    from generator.proof import prove
    from generator.render import render

    if prompting:
        from generator.commands.prompts import ask

        given = ask(given, blueprint.schema, blueprint.marks, name)
    complete = answers.complete(given, blueprint.schema, blueprint.marks, name)
    rendered = render(blueprint, name, complete)
    proof = prove(rendered, name, blueprint.kind(complete).variants)
    rendered = render(blueprint, name, complete, proof.results)  # its README tells them
    planned = plan(name, blueprint, complete, rendered, proof)
    say(f"{len(planned.files)} files rendered, {proof}")
    return planned


def _show(planned: Plan, target: Path, dry_run: bool, as_json: bool) -> None:
    if as_json:
        files = [
            {"path": path, "mode": f"{mode:04o}", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, (mode, data) in planned.files.items()
        ]
        about = {"name": planned.service, "path": str(target), "placed": not dry_run}
        proof = {"proved": not planned.proof.missing, "checks": planned.proof.checks}
        origin = {"blueprint": planned.blueprint, "version": planned.version}
        show_json("shiplane/service/1", [{**about, **proof, **origin, "files": files}])
    elif dry_run:
        for path, file in planned.files.items():
            show(f"{len(file.data):>8}  {target / path}")
    else:
        show(f"{target}/")
    if dry_run:
        say("nothing was written: --dry-run")
    else:
        then = "commit and push" if planned.folder else "git init, commit and push"
        say(f"next: cd {shlex.quote(printable(str(target)))} and read README.md; then {then}")


def _list(as_json: bool) -> None:
    from generator import blueprint
    from generator.answers import text_of

    found = [blueprint.load(name) for name in blueprint.names()]
    if as_json:
        show_json("shiplane/blueprints/1", [_told(each) for each in found])
        return
    for each in found:
        show(f"{each.name}  {each.version}  {each.title}")
        for kind, about in each.kinds.items():
            show(f"  --set kind={kind}: {about.title}")
        width = max(map(len, each.questions), default=0)
        for key, question in each.questions.items():
            default = f" [{text_of(question['default'])}]" if "default" in question else " (needs an answer)"
            show(f"  {key:{width}}  {question['title']}{default}")


def _told(blueprint: Blueprint) -> dict[str, object]:
    """A blueprint for programs: its kinds with their titles, its questions, and the conditions among these."""
    about = {key: getattr(blueprint, key) for key in ("name", "title", "version", "questions")}
    kinds = {kind: each.title for kind, each in blueprint.kinds.items()}
    return {**about, "kinds": kinds, "conditions": blueprint.schema["allOf"]}


def _try(problems: list[Problem], read: Callable[[], _T]) -> _T | None:
    """What `read` returns; its problems are added to those told together."""
    try:
        return read()
    except ShiplaneError as error:
        problems += error.problems
        return None
