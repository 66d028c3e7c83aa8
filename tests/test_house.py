"""The house rules that no linter knows: locks, addresses, reasons, workflows, and a Makefile that explains itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("requirements*.txt", "blueprints/**/requirements*.txt")  # services start from a lock of theirs
    for path in ROOT.glob(pattern)
)
# put together here, so that this file does not hold what it looks for
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("debian", "org"),
        ("ubuntu", "com"),
        ("golang", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("docker", "io"),
    )
]
# names of Go modules, as go.mod and go.sum have them: no addresses, though they begin as some do
MODULE = re.compile(r"(?m)^(?:\t|require )?(?:google\.)?golang" + r"\.org/(?=[a-z])")
MACHINE = re.compile(r"(?<![\w./*-])/(?:root/|work/|Users/|opt/wheels/)[\w.]")
REASONED = re.compile(r"# (?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])\W+\w+\W+\w+")
EXCUSE = re.compile(r"# ?(?:noqa|type: ?ignore)\b(?!`)")


def git(*arguments: str) -> list[str]:
    """git's answer about the checkout, split at NUL; a skip where the code is not in git."""
    # safe.directory: a container may have the checkout under another user
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), *arguments, "-z"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"not a git checkout: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name]


def tracked() -> dict[str, str]:
    """`{path: text}` of all files in git that are text and are still there."""
    paths = [ROOT / name for name in git("ls-files")]
    held = {path: path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()}
    return {str(path.relative_to(ROOT)): data.decode() for path, data in held.items() if _is_text(data)}


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def lock(name: str) -> dict[str, list[str]]:
    """`{"package==version": its hashes}`."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())
    return {re.split(r"[ ;\\]", entry)[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_by_version_and_hash_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    assert "://" not in text
    assert [entry for entry, hashes in lock(name).items() if "==" not in entry or not hashes] == []


def test_the_locks_hold_what_is_asked_for_and_agree() -> None:
    runtime, dev = lock("requirements.txt"), lock("requirements-dev.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    asked = {
        "requirements.txt": [*project, *_lines("requirements.in")],
        "requirements-dev.txt": _lines("requirements-dev.in"),
        "requirements-uv.txt": _lines("requirements-uv.in"),
        "requirements-audit.txt": _lines("requirements-audit.in"),
    }

    assert runtime.items() <= dev.items()
    for name, wanted in asked.items():
        held = {entry.partition("==")[0] for entry in lock(name)}
        assert {re.split(r"[<>=!~;\[ ]", line)[0].lower() for line in wanted} <= held


def _lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in tracked().items()
        for number, line in enumerate(_without_modules(name, text).splitlines(), 1)
        if MACHINE.search(line) or any(registry in line.lower() for registry in REGISTRIES)
    ]

    assert found == []


def _without_modules(name: str, text: str) -> str:
    return MODULE.sub("", text) if name.endswith(("/go.mod", "/go.sum")) else text


@pytest.mark.parametrize("line", ["see /" + "work/main for it", "in '/" + "root/.venv'", "/" + "Users/dev/x"])
def test_a_path_of_a_machine_is_found(line: str) -> None:
    assert MACHINE.search(line)


def unreasoned(text: str) -> list[str]:
    """The lines that silence a checker and do not say why."""
    return [line.strip() for line in text.splitlines() if EXCUSE.search(line) and not REASONED.search(line)]


def test_every_silenced_finding_has_its_code_and_its_reason() -> None:
    found = {name: unreasoned(text) for name, text in tracked().items() if name.endswith(".py") and name != _own_name()}

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "stands"),
    [
        ("import git  # noqa", False),
        ("import git  # noqa: TID253", False),
        ("import git  # noqa: TID253 # GitPython itself asks for it", True),
        ("x = f()  # type: ignore", False),
        ("x = f()  # type: ignore[no-any-return]", False),
        ("x = f()  # type: ignore[no-any-return]  # it ships no types", True),
    ],
)
def test_a_silenced_finding_without_a_reason_is_found(line: str, *, stands: bool) -> None:
    assert (unreasoned(line) == []) is stands


def _own_name() -> str:
    return str(Path(__file__).resolve().relative_to(ROOT))


def test_nothing_that_is_shipped_or_tested_is_ignored_by_git() -> None:
    ignored = git("ls-files", "--others", "--ignored", "--exclude-standard", "blueprints", "charts", "gitops", "tests")

    assert [name for name in ignored if "__pycache__" not in name] == []


def test_the_changelog_has_a_place_for_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0] == "## [Unreleased]"


def test_make_help_explains_every_target() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert targets is not None
    assert re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE) == targets[1].split()


def test_the_workflows_pass_the_strictest_audit_and_their_schema() -> None:
    workflows = sorted(map(str, (ROOT / ".github" / "workflows").glob("*.yaml")))
    tools = Path(sys.executable).parent
    for command in (
        [tools / "zizmor", "--offline", "--no-progress", "--persona", "auditor"],
        [tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ):
        done = subprocess.run([*map(str, command), *workflows], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_workflow_runs_make_targets_and_pinned_actions_only() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yaml"):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                assert re.fullmatch(r"make \w+", step.get("run", "make x"))
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", f"a/b@{'0' * 40}"))
