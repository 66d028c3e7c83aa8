"""`newservice --check`: each state a file can be in, what fails in CI, and records that were changed."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from generator.drift import compare
from generator.record import BASE, LOCK, archive, written
from generator.tree import PLAIN, PROGRAM, File, Tree
from tests.generator.conftest import Run
from tests.generator.trees import build, build_layer

FILES = {name: f"{name} of {{= cookiecutter.owner =}}\n" for name in ("kept", "edited", "behind", "both", "deleted")}
OWNER = {"owner": {"title": "Owner", "type": "string", "pattern": "^[a-z]+$", "default": "platform"}}


def below(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file with its mode, its time and its bytes: what a command that writes nothing leaves as it is."""
    files = {path: path.lstat() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path): (status.st_mode, status.st_mtime_ns, path.read_bytes()) for path, status in files.items()}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return build_layer(tmp_path / "own", FILES, OWNER)


@pytest.fixture
def new(run: Run, own: Path) -> Run:
    """`run` with a blueprint of the test's own."""
    return lambda *argv: run(*argv, "--blueprint", own, "--trust")


@pytest.fixture
def wallet(new: Run, work: Path) -> Path:
    """A service that was rendered from it, answers and all."""
    assert new("wallet", "--no-input", "--set", "owner=payments")[0] == 0
    return work / "wallet"


def raised(own: Path, files: dict[str, str], version: str = "1.1.0") -> None:
    """A later version of the blueprint."""
    shutil.rmtree(own)
    build_layer(own, files, OWNER, version=version)


def test_all_is_current_after_rendering(new: Run, wallet: Path) -> None:
    before = below(wallet)

    code, out, err = new("wallet", "--check")

    assert (code, out) == (0, "")
    assert err == "· wallet: blueprint own 1.0.0\n· 5 files: 5 current\n"
    assert below(wallet) == before


def test_each_file_has_its_state_and_nothing_is_written(new: Run, own: Path, wallet: Path) -> None:
    build(wallet, {"edited": "mine\n", "both": "mine\n", "of-people": "x\n"})
    (wallet / "deleted").unlink()
    raised(own, {**FILES, "behind": "new text\n", "both": "new text\n", "new": "{= cookiecutter.owner =}\n"})
    before = below(wallet)

    code, out, err = new("wallet", "--check")
    told = json.loads(new("wallet", "--check", "--json")[1])

    assert code == 1
    assert out == "behind    behind\nboth      both\ndeleted   deleted\nedited    edited\nnew       new\n"
    assert err == (
        "· wallet: blueprint own 1.0.0 → 1.1.0\n· 6 files: 1 current, 1 edited, 1 behind, 1 both, 1 deleted, 1 new\n"
    )
    assert told["schema"] == "shiplane/check/1"
    (item,) = told["items"]
    states = {file["path"]: (file["state"], file["fails"]) for file in item.pop("files")}
    assert states == {
        "behind": ("behind", True),
        "both": ("both", True),
        "deleted": ("deleted", False),
        "edited": ("edited", False),
        "kept": ("current", False),
        "new": ("new", True),
    }
    assert item == {
        "service": "wallet",
        "path": "wallet",
        "blueprint": "own",
        "version": "1.0.0",
        "installed": "1.1.0",
        "fails": True,
    }
    assert below(wallet) == before


@pytest.mark.parametrize(
    ("files", "change", "code"),
    [
        ({}, {}, 0),
        ({}, {"edited": "mine\n"}, 0),
        ({"behind": "new text\n"}, {}, 1),
        ({"behind": "new text\n"}, {"behind": "new text\n"}, 0),  # taken over by hand
        ({"new": "x\n"}, {"new": "mine\n"}, 1),  # in the way of what the blueprint adds
    ],
)
def test_what_waits_fails_and_what_people_wrote_does_not(
    new: Run, own: Path, wallet: Path, files: dict[str, str], change: dict[str, str], code: int
) -> None:
    build(wallet, change)
    raised(own, {**FILES, **files})

    assert new("wallet", "--check")[0] == code


def test_a_file_that_both_dropped_is_told_no_more() -> None:
    base: Tree = {"a": File(PLAIN, b"x"), "run": File(PLAIN, b"x")}

    assert compare(base, {"run": base["run"]}, {"run": base["run"]})[0].path == "run"
    assert compare(base, base, {**base, "run": File(PROGRAM, b"x")})[1].state == "edited"  # the mode counts
    assert compare(base, {"run": base["run"]}, base)[0].state == "behind"  # still there


def test_a_changed_file_of_the_golden_chart_fails_and_one_of_the_service_does_not(run: Run, work: Path) -> None:
    assert run("wallet", "--no-input")[0] == 0
    build(work / "wallet", {"README.md": "mine\n", "chart/values.yaml": "mine\n"})

    assert run("wallet", "--check")[0] == 0

    template = next((work / "wallet/chart/templates").iterdir())
    template.write_bytes(template.read_bytes() + b"\n")
    code, out, _ = run("wallet", "--check")

    assert code == 1
    assert out == (
        "edited    README.md\n"
        f"edited    chart/templates/{template.name}  of the golden chart: the same in every service\n"
        "edited    chart/values.yaml\n"
    )


@pytest.mark.parametrize("argument", ["./wallet", "wallet/", None])
def test_a_service_is_named_by_a_path_or_by_standing_in_it(
    new: Run, wallet: Path, monkeypatch: pytest.MonkeyPatch, argument: str | None
) -> None:
    (wallet / "deep/folder").mkdir(parents=True)
    if argument is None:
        monkeypatch.chdir(wallet / "deep/folder")

    code, _, err = new(*[argument] if argument else [], "--check")

    assert (code, "wallet: blueprint own" in err) == (0, True)


def test_a_link_is_not_followed(new: Run, wallet: Path, tmp_path: Path) -> None:
    shutil.copy(wallet / "kept", tmp_path / "kept")
    (wallet / "kept").unlink()
    (wallet / "kept").symlink_to(tmp_path / "kept")
    (wallet / "edited").unlink()
    os.mkfifo(wallet / "edited")

    assert new("wallet", "--check")[1] == "edited    edited\nedited    kept\n"


def test_a_folder_that_is_a_link_is_not_followed(run: Run, work: Path, tmp_path: Path) -> None:
    folder = build_layer(tmp_path / "own", {"src/a": "x\n"})
    argv = ["--blueprint", folder, "--trust"]
    assert run("wallet", "--no-input", *argv)[0] == 0
    (work / "wallet/src").rename(tmp_path / "src")
    (work / "wallet/src").symlink_to(tmp_path / "src")

    assert run("wallet", "--check", *argv)[1] == "edited    src/a\n"


def test_nothing_of_the_service_is_run(new: Run, wallet: Path) -> None:
    trap = "import pathlib; pathlib.Path('ran').write_text('x')\n"
    build(wallet, {"edited": "{= 1/0 =}", "conftest.py": trap, "sitecustomize.py": trap, "click.py": trap})

    assert new("wallet", "--check")[0] == 0
    assert not list(wallet.parent.rglob("ran"))


# ---- records that are not as they were written


def told(new: Run, *argv: str) -> str:
    code, out, err = new(*(argv or ("wallet", "--check")))
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("service: wallet", "service: ledger", "wallet/.newservice/lock.yaml:11: seal: does not fit"),
        ("owner: payments", "owner: platform", "lock.yaml:11: seal: does not fit"),
        ("owner: payments", "owner: 2020-01-01", "lock.yaml:11: seal: does not fit"),
        ("proved: false", "proved: true", "lock.yaml:"),
        ("proved: false\n", "", "lock.yaml: proved: is required"),
        ("service: wallet", "service: ../wallet", 'lock.yaml:3: service: "../wallet" does not match'),
        ("service: wallet", "extra: 1\nservice: wallet", "lock.yaml:3: extra: is not known here"),
        ("service: wallet", "<<<<<<< ours\nservice: wallet", "lock.yaml:"),
        ("  kept: ", "  kopt: ", "kopt: is not in base.tar.gz"),
        ("  kept: ", "  ../kept: ", "../kept: is not in base.tar.gz"),
    ],
)
def test_a_changed_lock_is_an_error_with_file_and_key(
    new: Run, wallet: Path, before: str, after: str, place: str
) -> None:
    lock = wallet / LOCK
    text = lock.read_text()
    assert before in text
    if place.endswith("seal: does not fit"):
        place = place.replace(":11:", f":{len(text.splitlines())}:")
    lock.write_text(text.replace(before, after))

    assert place in told(new)


def test_a_file_changed_in_the_base_is_an_error(new: Run, wallet: Path) -> None:
    with tarfile.open(wallet / BASE) as tar:
        files: Tree = {each.name: File(each.mode, found.read()) for each in tar if (found := tar.extractfile(each))}
    place = "wallet/.newservice/lock.yaml"
    for change, said in (
        (
            {"kept": File(PLAIN, b"mine\n")},
            f"kept: is not the file in base.tar.gz\n  try: git checkout -- {'.newservice'}",
        ),
        ({"kept": File(PROGRAM, files["kept"].data)}, "seal: does not fit"),
        ({"more": File(PLAIN, b"")}, "more: is in base.tar.gz, and not here"),
    ):
        (wallet / BASE).write_bytes(archive({**files, **change}))
        err = told(new)
        assert place in err
        assert said in err


def tarred(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is damaged"),
        (b"no archive", "is damaged"),
        (gzip.compress(b"no archive"), "is damaged"),
        (tarred("a")[:-20], "is damaged"),
        (tarred("a", tarfile.SYMTYPE), "holds a, no plain file"),
        (tarred("../a"), "../a: leads out of the service's folder"),
        (tarred("/a"), "/a: leads out of the service's folder"),
        (gzip.compress(bytes(65 * 1024 * 1024)), "unpacks to more than"),
    ],
    # an archive holds the time at which it was made, and every worker has to collect the same names
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_base_is_an_error(new: Run, wallet: Path, data: bytes, said: str) -> None:
    (wallet / BASE).write_bytes(data)
    before = below(wallet.parent)

    err = told(new)

    assert "wallet/.newservice/base.tar.gz" in err
    assert said in err
    assert below(wallet.parent) == before


@pytest.mark.parametrize("path", [LOCK, BASE])
def test_a_record_that_is_missing_or_a_link_is_named(new: Run, wallet: Path, tmp_path: Path, path: str) -> None:
    (wallet / path).rename(tmp_path / "moved")
    assert f"wallet/{path}: is not there" in told(new)

    (wallet / path).symlink_to(tmp_path / "moved")
    assert f"wallet/{path}: is no plain file" in told(new)


def test_another_service_s_folder_is_told_by_its_lock(new: Run, wallet: Path) -> None:
    wallet.rename(wallet.with_name("ledger"))

    err = told(new, "ledger", "--check")

    assert "error: ledger/.newservice/lock.yaml:3: service: is wallet, and not ledger\n" in err
    assert "try: newservice ./ledger --check" in err
    assert new("./ledger", "--check")[0] == 0


def test_a_blueprint_that_is_not_here_is_named_and_no_folder_is_read(run: Run, own: Path, wallet: Path) -> None:
    assert "wallet/.newservice/lock.yaml:4: blueprint: --blueprint own: there is no such blueprint" in told(run)
    assert "lock.yaml:4: blueprint: is own, and not python" in told(run, "wallet", "--check", "--blueprint", "python")
    assert "is code that runs as you" in told(run, "wallet", "--check", "--blueprint", str(own))


def test_a_lock_s_blueprint_is_never_a_folder(run: Run, wallet: Path, own: Path) -> None:
    """Sealed as we seal, since anybody can: a folder that is named there is not read, trusted or not."""
    told_there = yaml.safe_load((wallet / LOCK).read_text())
    about = {key: told_there[key] for key in list(told_there)[:7]} | {"blueprint": str(own)}
    files = {path: File(PLAIN, (wallet / path).read_bytes()) for path in FILES}
    for path, file in written(about, told_there["answers"], files).items():
        (wallet / path).write_bytes(file.data)
    build(own, {"blueprint.yaml": "[broken"})

    err = told(run, "wallet", "--check", "--trust")

    assert f"lock.yaml:4: blueprint: --blueprint {own}: there is no such blueprint" in err
    assert "broken" not in err


def test_a_newer_lock_asks_for_a_newer_shiplane(new: Run, own: Path, wallet: Path) -> None:
    raised(own, FILES, "0.9.0")

    assert "lock.yaml:5: version: 1.0.0 is newer than the blueprint that is installed here, 0.9.0" in told(new)


def test_questions_that_came_and_went(run: Run, own: Path, wallet: Path) -> None:
    argv = ["wallet", "--check", "--blueprint", str(own), "--trust"]
    team = {"team": {"title": "Team", "type": "string", "default": "payments"}}
    shutil.rmtree(own)
    build_layer(own, {"kept": "kept of {= cookiecutter.team =}\n"}, team, version="1.1.0")

    code, out, err = run(*argv)

    assert (code, "kept\n" in out) == (1, False)  # the same bytes
    assert "· answers that the blueprint asks no more: owner\n" in err
    shutil.rmtree(own)
    build_layer(own, FILES, {"owner": {**OWNER["owner"], "maxLength": 3}, "team": {"title": "Team", "type": "string"}})
    assert "lock.yaml:11: answers: has no answer to team, and the blueprint needs one now: Team" in told(run, *argv)
    shutil.rmtree(own)
    build_layer(own, FILES, {"owner": {**OWNER["owner"], "maxLength": 3}})
    assert "lock.yaml:12: answers.owner: must not be longer than 3" in told(run, *argv)


def test_no_service_here(run: Run, work: Path) -> None:
    (work / "folder").mkdir()

    assert "no .newservice/lock.yaml here or above" in told(run, "--check")
    assert "error: wallet: there is no such folder" in told(run, "wallet", "--check")
    assert "folder/.newservice/lock.yaml: is not there" in told(run, "folder", "--check")


@pytest.mark.parametrize("argv", [["--set", "a=b"], ["--answers", "file"], ["--list-blueprints"]])
def test_options_that_say_something_else_are_usage_errors(run: Run, argv: list[str]) -> None:
    code, _, err = run("--check", *argv)

    assert (code, argv[0] in err) == (2, True)


def test_every_blueprint_of_ours_is_current_after_rendering(run: Run, work: Path) -> None:
    for item in json.loads(run("--list-blueprints", "--json")[1])["items"]:
        for kind in item["kinds"]:
            service = f"{item['name']}-{kind}"
            assert run(service, "--no-input", "--blueprint", item["name"], "--set", f"kind={kind}")[0] == 0
            assert run(service, "--check")[:2] == (0, "")
            lock = yaml.safe_load((work / service / LOCK).read_text())
            assert (lock["blueprint"], lock["answers"]["kind"]) == (item["name"], kind)
