"""A service placed inside a repository that is there already: its workflow goes to the root, all else to its folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from generator import around, blueprint
from generator.tree import File
from generator.write import place
from tests.generator.conftest import Run

WORKFLOW = ".github/workflows/wallet.yaml"


@pytest.fixture
def mono(work: Path) -> Path:
    """The current folder is a repository of several services."""
    for command in (["init", "-q"], ["remote", "add", "origin", "git@github.com:acme/exchange.git"]):
        subprocess.run(["git", *command], cwd=work, check=True)
    (work / "services").mkdir()
    return work


def test_the_workflow_goes_to_the_root_and_works_in_the_services_folder(run: Run, mono: Path) -> None:
    code, out, err = run("wallet", "--no-input", "--output", "services")

    assert (code, out) == (0, "services/wallet/\n")
    assert f"{WORKFLOW} belongs to the repository around: {mono.resolve()}" in err
    assert not (mono / "services" / "wallet" / ".github").exists()
    workflow = yaml.safe_load((mono / WORKFLOW).read_text())
    assert workflow["defaults"]["run"]["working-directory"] == "services/wallet"
    bare = [
        name
        for name, job in workflow["jobs"].items()
        if not any("checkout" in step.get("uses", "") for step in job["steps"])
    ]
    assert bare == ["attest", "gate"]  # where nothing is checked out there is no such folder
    assert all(workflow["jobs"][name]["defaults"]["run"]["working-directory"] == "." for name in bare)


@pytest.mark.parametrize("name", blueprint.names())
def test_addresses_name_the_repository_and_the_folder(run: Run, mono: Path, name: str) -> None:
    run("wallet", "--no-input", "--output", "services", "--blueprint", name)

    root = mono / "services" / "wallet"
    values = yaml.safe_load((root / "chart" / "values.yaml").read_text())
    assert values["runbook"] == "https://github.com/acme/exchange/blob/main/services/wallet/docs/runbook.md"
    assert "--source acme/exchange --image wallet" in (root / "README.md").read_text()
    assert 'image.source="https://github.com/acme/exchange"' in (root / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("services/wallet/src/new", "true"),
        ("services/wallet/docs/runbook.md", "false"),
        ("services/ledger/src/new", "false"),
        ("README.md", "false"),
        (WORKFLOW, "true"),
        (".github/workflows/ledger.yaml", "false"),
    ],
)
def test_only_its_own_changes_count(run: Run, mono: Path, changed: str, counts: str) -> None:
    run("wallet", "--no-input", "--output", "services")

    def commit() -> str:
        for command in (["add", "-A"], ["commit", "-q", "-m", "Change"]):
            subprocess.run(["git", *command], cwd=mono, check=True)
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=mono, capture_output=True, text=True).stdout.strip()

    before = commit()
    (mono / changed).parent.mkdir(parents=True, exist_ok=True)
    with (mono / changed).open("a") as file:
        file.write("\n# more\n")
    commit()
    jobs = yaml.safe_load((mono / WORKFLOW).read_text())["jobs"]
    (step,) = [step for step in jobs["changes"]["steps"] if step.get("id") == "compare"]
    output = mono / "output"
    variables = {**os.environ, "BEFORE": before, "GITHUB_OUTPUT": str(output)}
    command = ["bash", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(command, cwd=mono / "services" / "wallet", env=variables, check=True)
    assert output.read_text().strip() == f"service={counts}"


def test_it_is_checked_where_its_files_lie(run: Run, mono: Path) -> None:
    run("wallet", "--no-input", "--output", "services")

    assert run("--check", "--output", "services/wallet")[0] == 0
    (mono / WORKFLOW).write_text("name: mine\n")
    (mono / "services" / "wallet" / "README.md").unlink()
    assert run("services/wallet", "--check")[1] == f"edited    {WORKFLOW}\ndeleted   README.md\n"


def test_another_workflow_of_that_name_is_never_written_over(run: Run, mono: Path) -> None:
    (mono / WORKFLOW).parent.mkdir(parents=True)
    (mono / WORKFLOW).write_text("name: mine\n")

    code, _, err = run("wallet", "--no-input", "--output", "services")

    assert code == 1
    assert f"{WORKFLOW}: is there already, and is another file" in err
    assert (mono / WORKFLOW).read_text() == "name: mine\n"
    assert not any((mono / "services").iterdir())


def test_whoever_was_killed_in_between_begins_anew(run: Run, mono: Path) -> None:
    run("wallet", "--no-input", "--output", "services")
    (mono / "services" / "wallet").rename(mono.parent / "lost")

    assert run("wallet", "--no-input", "--output", "services")[0] == 0
    assert (mono / "services" / "wallet" / "Dockerfile").is_file()


def test_a_failure_takes_back_what_it_has_placed_at_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, file = tmp_path / "root", File(0o644, b"x\n")
    root.mkdir()

    def full(_: object, __: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(Exception, match="No space left"):
        place({"a": file}, root / "wallet", {WORKFLOW: file}, root)
    assert not any(root.iterdir())


def test_a_repository_of_its_own_can_begin_inside_another(run: Run, mono: Path) -> None:
    assert run("wallet", "--no-input", "--set", "folder=")[0] == 0
    assert (mono / "wallet" / WORKFLOW).is_file()


def test_a_folder_that_is_not_the_place_is_refused(run: Run, mono: Path) -> None:
    code, _, err = run("wallet", "--no-input", "--set", "folder=elsewhere/wallet")

    assert code == 1
    assert "--set folder=elsewhere/wallet: it is placed in wallet" in err


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/acme/exchange.git", "acme/exchange"),
        ("https://github.com/acme/exchange/", "acme/exchange"),
        ("ssh://git@github.com/acme/exchange", "acme/exchange"),
        ("https://git.acme.example/acme/exchange.git", ""),
    ],
)
def test_origin_tells_the_repository(work: Path, address: str, repository: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=work, check=True)
    subprocess.run(["git", "remote", "add", "upstream", "https://github.com/other/one"], cwd=work, check=True)
    subprocess.run(["git", "remote", "add", "origin", address], cwd=work, check=True)

    found = around.around(work / "wallet")
    assert found == around.Around(work.resolve(), "wallet", repository)


def test_the_search_ends_where_gits_does(work: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=work, check=True)
    (work / "demo").mkdir()

    assert around.around(work / "demo" / "wallet", {}) is not None
    assert around.around(work / "demo" / "wallet", {"GIT_CEILING_DIRECTORIES": str(work.resolve())}) is None
    assert around.around(work / "demo" / "a" / "wallet", {"GIT_CEILING_DIRECTORIES": str(work.resolve())}) is None
