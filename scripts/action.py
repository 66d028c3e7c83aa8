"""What action.yml runs: its inputs become one command, and what that says becomes outputs and the job's summary.

Everything comes by the environment: INPUT_COMMAND and the other inputs, as action.yml names them. A value is never
part of a shell's text, and never an option: `--to=VALUE` is one argument, and services stand behind `--`. What a value
means is checked by the commands themselves; here only what they are not given as text.
"""

from __future__ import annotations

import html
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generator.errors import Problem, ShiplaneError, given

OPTIONS = {"release": ("tag", "digest", "chart", "run", "to"), "promote": ("to", "from", "with-values")}
"""The inputs that become options of a command, by its name."""
NEEDED = {"release": ("repository", "service"), "promote": ("repository", "service", "to")}
FOREIGN = {"release": ("from", "with-values", "together"), "promote": ("digest",)}
"""Inputs that mean nothing to a command; those with a default are not among them, since who gave them is not known."""
SWITCHES = ("replace", "dry-run", "together")
_PREFIX = "INPUT_"
PROGRAMS = Path(sys.executable).parent
_ASKED = '!f() { echo username=x-access-token; echo "password=$GH_TOKEN"; }; f'
"""git's credential helper: the token stays in the environment, and is part of no text."""


def main(environment: Mapping[str, str]) -> int:
    """Run what the inputs ask for; gives the exit code of the command."""
    inputs = {_named(key): value.strip() for key, value in environment.items() if key.startswith(_PREFIX)}
    try:
        arguments = command(inputs)
    except ShiplaneError as error:
        talk = "".join(f"error: {problem}\n" for problem in error.problems)
        sys.stderr.write(talk)
        _summarise(environment, [], talk)
        return error.exit_code
    if not arguments:
        return 0
    said = subprocess.Popen(
        [str(PROGRAMS / "gitops"), *arguments],
        env=surroundings(inputs, environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    out, talk = said.communicate()
    sys.stderr.write(talk)
    items = json.loads(out)["items"] if said.returncode == 0 else []
    requests = [each for each in items if "number" in each]  # a dry run tells plans, which have none
    _tell(environment, requests)
    _summarise(environment, requests, talk)
    return said.returncode


def command(inputs: Mapping[str, str]) -> list[str]:
    """The arguments of `gitops`; none where nothing is to be run. Raises ShiplaneError where the inputs do not fit."""
    name = inputs["command"]
    if name == "install":
        return []
    if name not in OPTIONS:
        raise ShiplaneError(Problem(given("command", name), "is none", "install, release or promote"))
    problems = list(_mistakes(name, inputs))
    if problems:
        raise ShiplaneError(problems)
    options = [f"--{each}={inputs[each]}" for each in OPTIONS[name] if inputs[each]]
    switches = [f"--{each}" for each in SWITCHES if inputs[each] == "true"]
    services = inputs["service"]
    return [name, "--json", *options, *switches, "--", *(services.split() if name == "promote" else [services])]


def surroundings(inputs: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the command: the repository, and for git an author and a way to the token."""
    found = {key: value for key, value in environment.items() if not key.startswith(_PREFIX)}
    found["SHIPLANE_REPO"] = inputs["repository"]
    if author := inputs["author"]:
        for role in "AUTHOR", "COMMITTER":
            found |= {f"GIT_{role}_NAME": author, f"GIT_{role}_EMAIL": f"{author}@users.noreply.github.com"}
    address = urlsplit(inputs["repository"])
    if (token := inputs["token"]) and address.scheme == "https":
        first = int(found.get("GIT_CONFIG_COUNT") or 0)
        for number, helper in enumerate(("", _ASKED), first):  # the empty one: no other helper is asked
            key = f"credential.https://{address.netloc}.helper"
            found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": helper}
        found |= {"GIT_CONFIG_COUNT": str(first + 2), "GH_TOKEN": token}
    return found


def _mistakes(name: str, inputs: Mapping[str, str]) -> Iterator[Problem]:
    for each in NEEDED[name]:
        if not inputs[each]:
            yield Problem(each, f"missing; {name} needs it", f"with: {{{each}: ...}}")
    for each in FOREIGN[name]:
        if (value := inputs[each]) not in ("", "false"):
            yield Problem(given(each, value), f"means nothing to {name}", "leave it out")
    for each in SWITCHES:
        if (value := inputs[each]) not in ("true", "false"):
            yield Problem(given(each, value), "is neither true nor false")
    if inputs["with-values"] == "-":
        yield Problem("with-values -", "is standard input, and a step has none", "name a file of the workspace")
    for key, value in inputs.items():
        if not value.isprintable():
            told = key if key == "token" else given(key, value)
            yield Problem(told, "has something in it that is no text of one line", "give it on one line")


def _named(variable: str) -> str:
    """What action.yml calls the input behind a variable."""
    return variable.removeprefix(_PREFIX).lower().replace("_", "-")


def _tell(environment: Mapping[str, str], requests: Sequence[Mapping[str, Any]]) -> None:
    """The outputs, each behind a delimiter that nobody can know."""
    outputs = {
        "number": "\n".join(str(each["number"]) for each in requests),
        "url": "\n".join(each["url"] for each in requests),
        "changed": json.dumps(any(each["changed"] for each in requests)),
    }
    with Path(environment["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        for name, value in outputs.items():
            end = f"end-{secrets.token_hex(16)}"
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def _summarise(environment: Mapping[str, str], requests: Sequence[Mapping[str, Any]], talk: str) -> None:
    """The job's summary. What the command said is text in it, whatever it looks like."""
    lines = ["### Shiplane", ""]
    if requests:
        lines += ["| pull request | service | environment | release | state |", "|---|---|---|---|---|"]
        lines += [_row(each) for each in requests]
        lines.append("")
    with Path(environment["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + f"\n<pre>{html.escape(talk.strip())}</pre>\n")


def _row(request: Mapping[str, Any]) -> str:
    services = ", ".join([request["service"] or "", *request["beside"]])
    told = (services, request["environment"], (request["tag"] or "")[:12], request["state"])
    cells = [html.escape(str(each or "")).replace("|", "&#124;") for each in told]
    return f"| [#{request['number']}]({request['url']}) | {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
