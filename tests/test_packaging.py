"""The wheel alone, in an empty environment, does what the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from generator import blueprint

ROOT = Path(__file__).resolve().parent.parent
DATA = ("blueprints", "charts")


def ran(*command: str | Path, folder: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """`{path: (mode, bytes)}` of all files below `folder`."""
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes()) for path in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without isolation: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin/` of a fresh environment with the wheel in it.

    The dependencies are lent by the environment that the tests run in: a .pth shows their folder and, as Python reads
    no .pth of a folder named by one, not the checkout that is installed there for editing.
    """
    folder = tmp_path_factory.mktemp("empty") / "venv"
    ran(sys.executable, "-m", "venv", "--without-pip", folder, folder=ROOT)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    ran(*pip, "--no-index", "--no-deps", wheel, folder=folder)
    site = ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    where = ran(python, "-c", "import generator, gitops; print(generator.__file__, gitops.__file__)", folder=folder)
    assert all(path.startswith(site) for path in where.split()), where
    return folder / "bin"


def test_the_wheel_holds_the_packages_the_data_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    tops = {name.partition("/")[0] for name in held}
    info = next(top for top in tops if top.endswith(".dist-info"))
    expected = {
        f"generator/data/{path.relative_to(ROOT)}": path.read_bytes()
        for data in DATA
        for path in (ROOT / data, *(ROOT / data).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert tops == {"generator", "gitops", info}
    assert {name: data for name, data in held.items() if name.startswith("generator/data/")} == expected
    assert held[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert not [name for name in held if "__pycache__" in name or name.endswith(".pyc")]


def test_the_three_commands_are_installed(installed: Path, tmp_path: Path) -> None:
    for name in ("newservice", "promote", "gitops"):
        if find_spec(f"{'generator' if name == 'newservice' else 'gitops'}.commands.{name}") is None:
            pytest.skip(f"the command {name} does not exist yet")
        assert f"Usage: {name}" in ran(installed / name, "--help", folder=tmp_path)


@pytest.mark.parametrize("kind", ["http", "worker"])
@pytest.mark.parametrize("ours", blueprint.names())
def test_a_service_from_the_wheel_is_the_checkouts_byte_for_byte(
    ours: str, kind: str, installed: Path, tmp_path: Path
) -> None:
    _skip_without("generator.commands.newservice")
    made = {}
    for name, newservice in (("wheel", installed / "newservice"), ("checkout", _script("newservice"))):
        folder = tmp_path / name
        folder.mkdir()
        ran(newservice, "wallet", "--no-input", "--blueprint", ours, "--set", f"kind={kind}", folder=folder)
        made[name] = tree(folder)

    assert "wallet/Dockerfile" in made["wheel"]
    assert made["wheel"] == made["checkout"]


def test_a_service_from_the_wheel_is_checked_by_it_and_by_the_checkout(installed: Path, tmp_path: Path) -> None:
    ran(installed / "newservice", "wallet", "--no-input", folder=tmp_path)
    (tmp_path / "wallet" / "README.md").write_text("mine\n", encoding="utf-8")

    for newservice in (installed / "newservice", _script("newservice")):
        assert ran(newservice, "wallet", "--check", folder=tmp_path) == "edited    README.md\n"


def test_the_main_job_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """init, onboard, release, promote from a folder outside the checkout, with a chart that newservice wrote."""
    _skip_without("generator.commands.newservice", "gitops.commands.gitops")
    gitops, promote = installed / "gitops", installed / "promote"
    repository = ["--repo", str(tmp_path / "platform.git")]
    ran(installed / "newservice", "wallet", "--no-input", folder=tmp_path)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Start"]):
        ran("git", *command, folder=tmp_path / "wallet")
    tag = ran("git", "rev-parse", "HEAD", folder=tmp_path / "wallet").strip()
    ran(gitops, "init", "platform", folder=tmp_path)
    known = ["--source", "acme/wallet", "--image", "acme/wallet", "--owner", "payments"]
    ran(gitops, "onboard", "wallet", *known, *repository, folder=tmp_path)
    ran(gitops, "approve", "1", "--as", "reviewer@acme.example", *repository, folder=tmp_path)
    ran(gitops, "merge", "1", *repository, folder=tmp_path)
    release = ["--tag", tag, "--digest", f"sha256:{'0123456789abcdef' * 4}", "--chart", "wallet/chart", "--run", "1"]
    ran(gitops, "release", "wallet", *release, *repository, folder=tmp_path)

    opened = ran(promote, "wallet", "--to", "staging", *repository, folder=tmp_path)

    assert opened.strip()
    assert "staging" in ran(gitops, "prs", *repository, folder=tmp_path)


def _skip_without(*modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing or not (ROOT / "blueprints" / "python" / "blueprint.yaml").is_file():
        pytest.skip(f"not there yet: {', '.join(missing) or 'the python blueprint'}")


def _script(name: str) -> Path:
    """The checkout's own command, beside the python that runs the tests."""
    return Path(sys.executable).parent / name


def test_the_lent_environment_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    listed = ran(installed / "python", "-c", "import sys; print(*sys.path, sep='\\n')", folder=tmp_path).splitlines()

    assert str(ROOT) not in [os.path.realpath(path) for path in listed if path]
