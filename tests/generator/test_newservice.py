"""The command as a person meets it: what it places, what it says, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from generator.errors import printable
from tests.generator.conftest import Run
from tests.generator.trees import ROOT_FOLDER, build, build_layer

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = {
    "description": {"title": "What does it do?", "type": "string", "maxLength": 80, "default": "A service"},
    "owner": {"title": "Owner", "type": "string", "pattern": "^[a-z]+$", "default": "platform"},
    "port": {"title": "Port", "type": "integer", "minimum": 1024, "maximum": 65535, "default": 8080},
    "calls": {"title": "Calls", "type": "array", "items": {"type": "string", "pattern": "^[a-z-]+$"}, "default": []},
    "tier": {"title": "Tier", "type": "string", "enum": ["gold", "silver"], "default": "silver"},
}
FILES = {
    "README.md": "# {= cookiecutter.name =}\n\n{= cookiecutter.description =}\n",
    "src/{= cookiecutter.module =}/app.json": (
        '{"port": {= cookiecutter.port =}, "calls": {= cookiecutter.calls | tojson =}}\n'
    ),
    "run.sh": "#!/bin/sh\n",
}
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: {= cookiecutter.name =}\nversion: 0.1.0\nicon: file://icon.png\n",
    "chart/values.yaml": "{}\n",
    "chart/templates/a.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
        'data:\n  tag: {{ required "a tag" .Values.image.tag }}@{{ required "a digest" .Values.image.digest }}\n'
    ),
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A small blueprint of the user's own."""
    folder = build_layer(tmp_path / "own", FILES, QUESTIONS)
    (folder / ROOT_FOLDER / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def new(run: Run, own: Path) -> Run:
    """`run` with that blueprint, asking nothing."""
    return lambda *argv: run(*argv, "--blueprint", own, "--trust", "--no-input")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}


def test_a_service_is_placed_and_stdout_is_its_path(new: Run, work: Path) -> None:
    code, out, err = new("trading-engine", "--set", "calls=ledger, wallet", "--set", "port=9000")

    assert (code, out) == (0, "trading-engine/\n")
    assert (work / "trading-engine/src/trading_engine/app.json").read_text() == (
        '{"port": 9000, "calls": ["ledger", "wallet"]}\n'
    )
    assert sorted(below(work / "trading-engine")) == [
        ".newservice/base.tar.gz",
        ".newservice/lock.yaml",
        "README.md",
        "run.sh",
        "src/trading_engine/app.json",
    ]
    assert err.splitlines() == [
        "· blueprint own 1.0.0",
        "· 5 files rendered, proved: secrets scan; not proved: there is no chart",
        "· next: cd trading-engine and read README.md; then git init, commit and push",
    ]


def test_two_runs_are_byte_equal_and_nothing_is_written_elsewhere(new: Run, work: Path, home: Path) -> None:
    (work / "a").mkdir()
    (work / "b").mkdir()
    before = below(home)

    assert [new("wallet", "--output", name)[0] for name in "ab"] == [0, 0]

    assert below(work / "a") == below(work / "b")
    assert (below(home), names(work)) == (before, ["a", "b"])


def test_a_dry_run_lists_the_files_and_changes_nothing(new: Run, work: Path) -> None:
    code, out, err = new("wallet", "--dry-run")

    assert (code, names(work)) == (0, [])
    assert out.splitlines()[2:] == [
        "      20  wallet/README.md",
        "      10  wallet/run.sh",
        "      28  wallet/src/wallet/app.json",
    ]
    assert "nothing was written" in err


def test_json_tells_the_same_placed_or_not(new: Run, work: Path) -> None:
    planned = json.loads(new("wallet", "--dry-run", "--json")[1])
    placed = json.loads(new("wallet", "--json")[1])

    assert placed["schema"] == "shiplane/service/1"
    (item,) = placed["items"]
    assert {key: item[key] for key in item if key != "files"} == {
        "name": "wallet",
        "path": "wallet",
        "placed": True,
        "proved": False,
        "checks": ["secrets scan"],
        "blueprint": "own",
        "version": "1.0.0",
    }
    for file in item["files"]:
        data = (work / "wallet" / file["path"]).read_bytes()
        assert (file["size"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert {file["path"]: file["mode"] for file in item["files"]}["run.sh"] == "0755"
    assert planned["items"] == [{**item, "placed": False}]


def test_options_go_before_the_file_and_the_file_before_defaults(new: Run, work: Path) -> None:
    build(work, {"answers.yaml": "owner: payments\nport: 9000\ncalls: [ledger]\n"})

    assert new("wallet", "--answers", "answers.yaml", "--set", "port=9001")[0] == 0

    lock = yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())
    assert lock["answers"] == {
        "description": "A service",
        "owner": "payments",
        "port": 9001,
        "calls": ["ledger"],
        "tier": "silver",
    }


@pytest.mark.parametrize(
    "name", ["", "../x", "/x", "Wallet", "x" * 64, "1x", "a;b", "$(id)", "a: b", "a\nb", "wallet\n", ".", "-"]
)
def test_what_is_no_name_is_refused(new: Run, work: Path, name: str) -> None:
    code, out, err = new(name)

    assert (code, out, names(work)) == (1, "", [])
    assert err.startswith('error: NAME "')


def test_all_mistakes_are_told_at_once(new: Run, work: Path) -> None:
    build(work, {"answers.yaml": "ownr: x\ntier: glod\n"})
    before = below(work)

    code, out, err = new("Wallet", "--answers", "answers.yaml", "--set", "port=80", "--set", "calls", "--set", "prot=1")

    assert (code, out, below(work)) == (1, "", before)
    for told in (
        'error: NAME "Wallet": holds small letters a-z, digits and dashes only\n  try: wallet\n',
        "error: answers.yaml:1: ownr: is not known here; did you mean owner?\n",
        'error: answers.yaml:2: tier: "glod" is not among those allowed; did you mean gold?\n',
        "error: --set port=80: must be at least 1024, not 80\n",
        "error: --set calls: expected NAME=VALUE\n",
        "error: --set prot=1: is not known here; did you mean port?\n",
    ):
        assert told in err
    assert err.count("error:") == 6


@pytest.mark.parametrize("key", ["calls", "called_by"])
def test_a_service_that_calls_itself_is_refused(run: Run, work: Path, key: str) -> None:
    code, out, err = run("wallet", "--no-input", "--set", f"{key}=ledger,wallet", "--set", "secrets=A,A")

    assert (code, out, names(work)) == (1, "", [])
    assert f"error: --set {key}=ledger,wallet: must not name wallet, the service itself\n" in err
    assert 'must not hold the same twice: ["A", "A"]' in err


def test_an_existing_target_is_refused_before_anything_is_asked(new: Run, work: Path) -> None:
    build(work, {"wallet/mine.txt": "mine"})

    for argv in (["wallet"], ["wallet", "--dry-run"]):
        code, out, err = new(*argv)
        assert (code, out) == (1, "")
        assert "error: wallet: is there already: a folder with mine.txt\n" in err
    assert below(work) == {"wallet/mine.txt": b"mine".hex()}


def test_a_missing_output_folder_is_named(new: Run, work: Path) -> None:
    code, _, err = new("wallet", "--output", "absent/folder")

    assert (code, names(work)) == (1, [])
    assert "error: --output absent/folder: is not a folder\n  try: mkdir -p absent/folder\n" in err


@pytest.mark.parametrize("folder", [b"a\nb", b"a\xff"])
def test_an_output_folder_that_cannot_be_shown_is_refused(new: Run, work: Path, folder: bytes) -> None:
    name = os.fsdecode(folder)
    (work / name).mkdir()

    code, out, err = new("wallet", "--output", name)

    assert (code, out, names(work / name)) == (1, "", [])
    assert f"error: --output {printable(name)}: is not printable text\n" in err


def test_a_closed_stdin_asks_nothing(own: Path, work: Path) -> None:
    command = 'exec "$@" <&-'
    argv = ["sh", "-c", command, "sh", *_PROGRAM, "wallet", "--blueprint", str(own), "--trust"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(argv, env=environment, capture_output=True, text=True, cwd=work, check=False)

    assert (done.returncode, done.stdout) == (0, "wallet/\n"), done.stderr


def test_an_unknown_blueprint(run: Run) -> None:
    code, _, err = run("wallet", "--blueprint", "pyton", "--no-input")

    assert code == 1
    assert "error: --blueprint pyton: there is no such blueprint; did you mean python?" in err


@pytest.mark.parametrize("place", [".", "..", "./own", "/nowhere/at/all"])
def test_a_folder_is_not_read_without_trust(run: Run, work: Path, place: str) -> None:
    build(work, {"own/blueprint.yaml": "[broken", "blueprint.yaml": "[broken"})

    code, _, err = run("wallet", "--blueprint", place, "--no-input")

    assert code == 1
    assert f"error: --blueprint {place}: a blueprint of your own is code that runs as you" in err
    assert "broken" not in err
    assert "sandbox" not in err


def test_no_name_is_a_usage_error(run: Run) -> None:
    assert run()[0] == 2


def test_what_needs_an_answer_has_no_default(run: Run, tmp_path: Path, work: Path) -> None:
    folder = build_layer(tmp_path / "own", {"a": "x"}, {"owner": {"title": "Owner", "type": "string"}})

    code, _, err = run("wallet", "--blueprint", folder, "--trust")  # stdin is no terminal here

    assert (code, names(work)) == (1, [])
    assert "error: owner: is not answered: Owner\n  try: --set owner=...\n" in err


def test_the_list_of_blueprints_has_each_question_and_its_default(run: Run) -> None:
    code, out, _ = run("--list-blueprints")
    listed = json.loads(run("--list-blueprints", "--json")[1])

    assert code == 0
    assert listed["schema"] == "shiplane/blueprints/1"
    assert [item["name"] for item in listed["items"]] == ["go", "node", "python"]
    for item in listed["items"]:
        told = out[out.index(f"{item['name']}  {item['version']}  {item['title']}\n") :]
        for key, question in item["questions"].items():
            assert f"  {key} " in told
            assert question["title"] in told


@pytest.mark.parametrize("major", [3, 4])
def test_a_chart_is_proved(
    run: Run, tmp_path: Path, work: Path, major: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(request.getfixturevalue(f"helm{major}")))
    folder = build_layer(tmp_path / "own", CHART)

    code, _, err = run("wallet", "--blueprint", folder, "--trust", "--no-input")

    assert code == 0, err
    assert "· 5 files rendered, proved: helm lint, render, secrets scan\n" in err
    assert yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())["proved"] is True


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("chart/templates/a.yaml", '{{ include "none" . }}\n', "no template"),
        ("chart/templates/a.yaml", '{{ fail "this needs a peer" }}\n', "this needs a peer"),
        ("chart/Chart.yaml", "apiVersion: v2\nname: wallet\n", "version"),
        ("chart/values.schema.json", '{"required": ["peer"]}', "peer"),
    ],
)
def test_a_chart_that_fails_is_not_placed(
    run: Run, tmp_path: Path, work: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str, told: str
) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    folder = build_layer(tmp_path / "own", {**CHART, path: text})

    code, out, err = run("wallet", "--blueprint", folder, "--trust", "--no-input")

    assert (code, out, names(work)) == (1, "", [])
    assert err.splitlines()[-1] != ""
    assert told in err
    assert "Traceback" not in err


def test_without_helm_it_says_so_and_goes_on(run: Run, tmp_path: Path, work: Path) -> None:
    folder = build_layer(tmp_path / "own", CHART)

    code, out, err = run("wallet", "--blueprint", folder, "--trust", "--no-input")

    assert (code, out) == (0, "wallet/\n")
    assert "not proved: helm is not here; install helm 3.16 or newer" in err
    assert yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())["proved"] is False


_PROGRAM = [sys.executable, "-c", "from generator.commands.newservice import run; raise SystemExit(run())"]


def test_a_full_disk_while_rendering_or_placing_leaves_nothing(tmp_path: Path, work: Path, small: Path) -> None:
    folder = build_layer(tmp_path / "own", {"a.bin": bytes(range(256)) * 1000})
    argv = [*_PROGRAM, "wallet", "--blueprint", str(folder), "--trust", "--no-input"]
    for variables, output in (({"TMPDIR": str(small)}, work), ({}, small)):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}

        done = subprocess.run(
            [*argv, "--output", str(output)], env=environment, capture_output=True, text=True, cwd=work, check=False
        )

        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert (names(work), names(small)) == ([], [])
        assert "No space left on device\n  try: " in done.stderr
        assert f"error: {small}" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy(work: Path) -> None:
    code = (
        "import sys; from generator.commands.newservice import main, newservice; code = main(newservice, ['--help']);"
        "heavy = {'cookiecutter', 'jinja2', 'jsonschema', 'yaml', 'tarfile'} & set(sys.modules);"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=work, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "NAME" in done.stdout
