"""What every test gets: a home, a git identity and a PATH of its own; and both helms, or a visible skip."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"

# A run in the background, or under nohup, starts with these ignored, and every process that a test starts would inherit
# that: a test that interrupts one would wait for ever.
for _signal, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name packed bytes by their argument: gzip writes the time into them, and all workers must collect equal names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


# init.defaultBranch as most people have it; the identity again, for a git that is started without GIT_AUTHOR_*. A
# test's repository is too small to be tidied up: each commit and each push would start two gits that find this out.
_GITCONFIG = """\
[init]
	defaultBranch = main
[user]
	name = Dev
	email = dev@acme.example
[safe]
	directory = *
[maintenance]
	auto = false
[receive]
	autogc = false
"""
# what a person's or a CI machine's environment could change in a result
_FOREIGN = (
    "GIT_",
    "SHIPLANE_",
    "HELM_",
    "XDG_",
    "GITHUB_",
    "GH_",
    "SSH_",
    "KUBECONFIG",
    "COOKIECUTTER_",
    "DOCKER_",
    "AWS_",
    "LC_",
    "LANG",
)


def _settle(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Make `home` the only home there is, with one git identity and one git configuration."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        patch.delenv(name)
    config = home / ".gitconfig"
    config.write_text(_GITCONFIG, encoding="utf-8")
    settled = {
        "HOME": str(home),
        **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_TERMINAL_PROMPT": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        **{f"GIT_{role}_NAME": "Dev" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "dev@acme.example" for role in ("AUTHOR", "COMMITTER")},
        "LC_ALL": "C.UTF-8",
    }
    for name, value in settled.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _session_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that live longer than a test. The fetched helm comes after the user's own, as in the Makefile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([os.environ.get("PATH", os.defpath), str(TOOLS / "bin")]))
        _settle(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A path for the home of each test, numbered here: mktemp looks at every folder of every test for the next one."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own HOME: empty but for a .gitconfig."""
    folder = next(_homes)
    folder.mkdir()
    _settle(monkeypatch, folder)
    return folder


def _helm(major: int) -> Path:
    """The fetched helm of `major`, else the one on PATH where it is of that major, else a skip."""
    fetched = TOOLS / f"helm{major}" / "helm"
    if fetched.is_file():
        return fetched
    on_path = shutil.which("helm")
    if on_path:
        said = subprocess.run([on_path, "version", "--short"], capture_output=True, text=True, check=False).stdout
        if said.startswith(f"v{major}."):
            return Path(on_path)
    pytest.skip(f"no helm {major}: not in .tools/ (scripts/fetch_helm.py puts it there) and not on PATH")


@pytest.fixture(scope="session")
def helm3() -> Path:
    """A helm 3, as Argo CD 2.14 renders with."""
    return _helm(3)


@pytest.fixture(scope="session")
def helm4() -> Path:
    """A helm 4, as Argo CD 3.5 renders with."""
    return _helm(4)


@pytest.fixture(scope="session")
def helms(helm3: Path, helm4: Path) -> tuple[Path, Path]:
    """Both majors."""
    return helm3, helm4
