"""GitHub's runner, as far as our workflows and our action need it: steps that are bash run here, for real.

An action of somebody else's is not run: what it would have given is told by the test, or nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.S)
_DELIMITED = re.compile(r"^([\w-]+)<<(\S+)\n(.*?)\n?\2\n|^([\w-]+)=(.*)\n", re.S | re.M)


@dataclass(frozen=True)
class Done:
    """How a step ended, what it said, and its outputs."""

    code: int
    said: str
    outputs: Mapping[str, str]


@dataclass
class Runner:
    """One job: its workspace, the variables that it starts with, and what expressions may ask for."""

    workspace: Path
    temp: Path
    variables: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, Any] = field(default_factory=dict)
    actions: Mapping[str, Path] = field(default_factory=dict)
    """The folders of the composite actions that are run, by their repositories."""

    @property
    def summary(self) -> str:
        """What the job's summary has got."""
        path = self.temp / "summary"
        return path.read_text() if path.exists() else ""

    def job(self, job: Mapping[str, Any], folder: str = ".") -> Iterator[tuple[str, Done | None]]:
        """Each step of a job by its name, with None for an action of others; ends with the first that fails.

        `folder` is where the workflow's defaults have commands run.
        """
        folder = job.get("defaults", {}).get("run", {}).get("working-directory", folder)
        self.contexts["env"] = {**self.contexts.get("env", {}), **self.filled(job.get("env", {}))}
        self.variables |= self.contexts["env"]
        for step in job["steps"]:
            ours = self.actions.get(step.get("uses", "").partition("@")[0])
            if ours is not None:
                done: Done | None = self.action(ours, self.filled(step["with"]), step.get("id"))
            else:
                done = self.step(step, folder) if "run" in step else None
            yield step["name"], done
            if done and done.code != 0:
                return

    def step(self, step: Mapping[str, Any], folder: str = ".", *, inside: bool = False) -> Done:
        """Run a step of bash, as GitHub does; its outputs are known to those that follow."""
        output = self.temp / "output"
        output.write_text("")
        files = {"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": self.temp / "summary"}
        told = {"GITHUB_WORKSPACE": self.workspace, "RUNNER_TEMP": self.temp, **files}
        environment = {**self.variables, **{name: str(path) for name, path in told.items()}}
        environment |= self.filled(step.get("env", {}))
        assert inside or "shell" not in step, "workflows say once which shell they mean"
        assert "${{" not in step["run"], "nothing becomes part of a shell's text"
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        where = self.workspace / step.get("working-directory", folder)
        done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
        outputs = dict(_outputs(output.read_text()))
        if "id" in step:
            self.contexts.setdefault("steps", {})[step["id"]] = {"outputs": outputs}
        return Done(done.returncode, done.stdout + done.stderr, outputs)

    def action(self, folder: Path, given: Mapping[str, str], name: str | None = None) -> Done:
        """Run the composite action in `folder` with these inputs; ends with its first step that fails."""
        action = yaml.safe_load((folder / "action.yml").read_text())
        assert given.keys() <= action["inputs"].keys()
        inputs = {
            name: self.text(str(given.get(name, how.get("default", "")))) for name, how in action["inputs"].items()
        }
        inner = Runner(
            self.workspace, self.temp, {**self.variables, "GITHUB_ACTION_PATH": str(folder)}, {"inputs": inputs}
        )
        said = ""
        for step in action["runs"]["steps"]:
            done = inner.step(step, inside=True)
            said += done.said
            if done.code != 0:
                return Done(done.code, said, {})
        outputs = {each: inner.text(how["value"]) for each, how in action["outputs"].items()}
        if name is not None:
            self.contexts.setdefault("steps", {})[name] = {"outputs": outputs}
        return Done(0, said, outputs)

    def filled(self, mapping: Mapping[str, Any]) -> dict[str, str]:
        """The values of an `env` or a `with`, their expressions told."""
        return {name: self.text(str(value)) for name, value in mapping.items()}

    def text(self, value: str) -> str:
        """`value` with its expressions told: names that are joined by ||, the first that is not empty."""
        return _EXPRESSION.sub(lambda found: self._told(found[1]), value)

    def _told(self, expression: str) -> str:
        told = ""
        for name in expression.split("||"):
            told = told or self._named(name.strip())
        return told

    def _named(self, name: str) -> str:
        assert re.fullmatch(r"\w+(\.[\w-]+)+", name), f"an expression that is not told here: {name}"
        found: Any = self.contexts
        for key in name.split("."):
            found = found.get(key, {})
        return "" if found == {} else str(found)


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    end = 0
    for found in _DELIMITED.finditer(text):
        assert found.start() == end, text  # whatever else stands there would be refused by GitHub
        yield (found[1], found[3]) if found[1] else (found[4], found[5])
        end = found.end()
    assert end == len(text), text


def outside() -> dict[str, str]:
    """The variables that a step starts with here: those by which programs and packages are found, and no others."""
    known = re.compile(r"PATH|HOME|LANG|LC_\w+|TMPDIR|GIT_\w+|\w+_proxy|\w+_PROXY|PIP_\w+|UV_\w+|SSL_CERT\w*")
    return {name: value for name, value in os.environ.items() if known.fullmatch(name)}
