"""Who may import whom, how long a module may be, and that a `--help` stays light.

The checker is a function of source text, so that each rule is also shown to find what it forbids.
"""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("generator", "gitops")
LONGEST = 250
# imported by the modules named, and by no other of the two packages
DOORS = {
    "click": ("generator.commands.*", "gitops.commands.*"),
    "git": ("gitops.repo", "gitops.repo.*"),
    "github": ("gitops.forge.github", "gitops.forge.github*"),
    "subprocess": (  # helm; kustomize; docker-credential-*; gh auth token
        "generator.helm",
        "gitops.kustomize.run",
        "gitops.registry.credentials",
        "gitops.forge.github.credentials",
    ),
    "boto3": ("gitops.registry.ecr",),
    "botocore": ("gitops.registry.ecr",),
    "sigstore": ("gitops.registry.signature",),
    "cryptography": ("gitops.registry.signature",),
    # sockets: images' registries, and nothing else; git and PyGithub open their own
    **dict.fromkeys(("requests", "urllib3", "urllib.request", "http", "socket", "ssl"), ("gitops.registry.wire",)),
    "cookiecutter": ("generator.render*",),
    "jinja2": ("generator.render*", "generator.braces", "gitops.init*"),  # braces: what the renderer adds to jinja2
}
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "factory", "factories"}
HEAVY = ("git", "github", "jinja2", "cookiecutter", "jsonschema", "requests", "boto3", "cryptography", "sigstore")


def read_sources() -> dict[str, str]:
    """`{module name: text}` of the two packages."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def imported(name: str, source: str, modules: Mapping[str, str]) -> Iterator[str]:
    """The full names that a module imports, at its top or inside a function; a submodule where `from` names one."""
    is_package = any(other.startswith(f"{name}.") for other in modules)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: None if is_package and node.level == 1 else -node.level + is_package]
            base = ".".join([*(above if node.level else []), *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in modules or whole in DOORS else base


def findings(sources: Mapping[str, str]) -> list[str]:
    """Every rule that `sources` break, one sentence each."""
    graph = {name: set(imported(name, text, sources)) for name, text in sources.items()}
    said = [sentence for name in graph for sentence in _misplaced(name, graph[name])]
    said += [
        f"{name}: {lines} lines, at most {LONGEST}"
        for name, text in sources.items()
        if (lines := len(text.splitlines())) > LONGEST
    ]
    said += [f"{name}: a name that says nothing" for name in sources if EMPTY_NAMES & set(name.split("."))]
    return said + [f"import cycle: {' -> '.join(cycle)}" for cycle in _cycles(graph)]


def _misplaced(name: str, imports: set[str]) -> Iterator[str]:
    inside_commands = fnmatch.fnmatch(name, "*.commands.*")
    for other in sorted(imports):
        top = other.partition(".")[0]
        for door in {top, other} & DOORS.keys():
            if not any(fnmatch.fnmatch(name, allowed) for allowed in DOORS[door]):
                yield f"{name}: imports {door}, which only {', '.join(DOORS[door])} may"
        if name.partition(".")[0] == "generator" and top == "gitops":
            yield f"{name}: imports {other}, but generator knows nothing of gitops"
        if fnmatch.fnmatch(other, "*.commands*") and top in PACKAGES and not inside_commands:
            yield f"{name}: imports {other}, but only commands import commands"


def _cycles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Each cycle once, from its first name in the alphabet; depth first."""
    found: set[tuple[str, ...]] = set()
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            cycle = trail[trail.index(name) :]
            start = cycle.index(min(cycle))
            found.add((*cycle[start:], *cycle[:start], cycle[start]))
        elif name not in done:
            for other in sorted(graph[name] & graph.keys()):
                walk(other, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        walk(name, ())
    return sorted(found)


def test_the_packages_keep_the_rules() -> None:
    sources = read_sources()
    assert {"generator.errors", "gitops.model"} <= sources.keys()  # the sources were found at all

    assert findings(sources) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        pytest.param({"generator.plan": "import click"}, "generator.plan: imports click", id="click-outside-commands"),
        pytest.param({"gitops.apply": "def f():\n    from git import Git"}, "gitops.apply: imports git,", id="lazily"),
        pytest.param({"gitops.forge.embedded": "import github"}, "imports github,", id="github-in-the-other-forge"),
        pytest.param({"gitops.repo.git": "import subprocess"}, "imports subprocess,", id="a-second-door"),
        pytest.param({"gitops.plan": "from jinja2.ext import Extension"}, "imports jinja2,", id="jinja2"),
        pytest.param({"gitops.initial": "import cookiecutter.generate"}, "imports cookiecutter,", id="cookiecutter"),
        pytest.param({"gitops.plan": "import boto3.session"}, "imports boto3,", id="aws"),
        pytest.param({"gitops.registry.ecr": "import requests"}, "imports requests,", id="a-second-wire"),
        pytest.param({"gitops.plan": "import urllib.request"}, "imports urllib.request,", id="a-way-around-it"),
        pytest.param({"gitops.plan": "from urllib import request"}, "imports urllib.request,", id="the-same-by-name"),
        pytest.param({"gitops.plan": "import socket"}, "imports socket,", id="socket"),
        pytest.param({"generator.plan": "from gitops.model import Pin"}, "knows nothing of gitops", id="upwards"),
        pytest.param({"gitops.a": "import gitops.commands.main"}, "only commands import commands", id="core"),
        pytest.param({"gitops.a": "\n" * (LONGEST + 1)}, f"gitops.a: {LONGEST + 1} lines", id="too-long"),
        pytest.param({"gitops.helpers.text": ""}, "gitops.helpers.text: a name that says nothing", id="name"),
        pytest.param(
            {"gitops.a": "from gitops import b", "gitops.b": "from gitops.c import x", "gitops.c": "import gitops.a"},
            "import cycle: gitops.a -> gitops.b -> gitops.c -> gitops.a",
            id="cycle",
        ),
        pytest.param(
            {"gitops.p": "", "gitops.p.a": "from . import b", "gitops.p.b": "from .a import x"},
            "import cycle: gitops.p.a -> gitops.p.b -> gitops.p.a",
            id="cycle-of-relative-imports",
        ),
    ],
)
def test_a_broken_rule_is_found(bad: dict[str, str], told: str) -> None:
    said = findings(bad)

    assert any(told in sentence for sentence in said), said


def test_what_the_rules_allow_is_not_found() -> None:
    good = {
        "generator.commands.main": "import click",
        "generator.helm": "import subprocess",
        "generator.render": "def f():\n    from cookiecutter.generate import generate_files",
        "gitops.forge": "",
        "gitops.forge.github": "from gitops.repo.git import git\nfrom . import PullRequests\nimport github",
        "gitops.registry.wire": "import requests",
        "gitops.registry.reference": "from urllib.parse import urlsplit",
        "gitops.repo": "",
        "gitops.repo.git": "from git import Git\nfrom generator.helm import find",
    }

    assert findings(good) == []


# Forks before each import: every module meets an interpreter that has loaded nothing of ours.
_ALONE = """
import importlib, os, sys, traceback
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name)
"""


def test_each_module_imports_alone_and_without_a_warning(tmp_path: Path) -> None:
    done = _python("-W", "error", "-c", _ALONE, *read_sources(), folder=tmp_path)

    assert done.stdout.split() == [], done.stderr


_HELP = """
import contextlib, io, os, sys
from {module} import {function}
os._exit = sys.exit  # so that we are told what was loaded
sys.argv = ["{name}", "--help"]
said = io.StringIO()
with contextlib.redirect_stdout(said):
    try:
        code = {function}()
    except SystemExit as end:
        code = end.code
assert not code and "Usage: {name}" in said.getvalue(), (code, said.getvalue())
print(*sorted(set(sys.modules) & {heavy!r}))
"""


@pytest.mark.parametrize("name", ["newservice", "promote", "gitops"])
def test_help_loads_nothing_heavy(name: str, tmp_path: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, function = scripts[name].split(":")
    if find_spec(module) is None:
        pytest.skip(f"the command {name} does not exist yet")
    code = _HELP.format(name=name, module=module, function=function, heavy=set(HEAVY))

    done = _python("-W", "error", "-c", code, folder=tmp_path)

    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def _python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
