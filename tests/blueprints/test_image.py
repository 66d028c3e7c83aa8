"""The image of every service: what enters it, as whom it runs, and how it is asked whether it is well."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.blueprints.languages import LANGUAGES
from tests.blueprints.rendered import MADE, Made
from tests.blueprints.running import Service, placed


@pytest.fixture(scope="module", params=MADE, ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module")
def service(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return placed(tmp_path_factory.mktemp("service"), made)


@pytest.fixture
def dockerfile(service: Service) -> str:
    return (service.root / "Dockerfile").read_text()


def test_the_image_takes_nothing_that_is_not_named(service: Service) -> None:
    lines = [line for line in (service.root / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert all(line.startswith("!") for line in lines[1:])
    named = [line.removeprefix("!") for line in lines[1:]]
    # files that hold secrets or history, one of each kind: no pattern may reach them
    for path in [".env", "src/.env", "src/service/key.pem", ".git/config", ".npmrc", "chart/values.yaml", "id_rsa"]:
        assert not any(Path(path).match(pattern) for pattern in named), path


def test_everything_is_pinned_by_digest_or_built_here(dockerfile: str) -> None:
    assert re.match(r"# syntax=\S+:[\w.-]+@sha256:[0-9a-f]{64}\n", dockerfile)
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", dockerfile, re.M)
    assert len(stages) == dockerfile.count("\nFROM ") > 1
    known = {"scratch"}  # there is nothing in it to pin
    for image, name in stages:
        assert image in known or re.fullmatch(r"\S+:[\w.-]+@sha256:[0-9a-f]{64}", image), image
        known.add(name)
    assert "test" in known  # the workflow builds it
    assert stages[-1][1] == "service"


def test_the_image_runs_as_nobody_in_particular(dockerfile: str, made: Made) -> None:
    last = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.findall(r"^USER .*", dockerfile, re.M) == ["USER 10001:10001"]
    assert "\nUSER 10001:10001\n" in last
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)", last, re.M)[0]) == list(LANGUAGES[made.blueprint].image)


def test_the_image_asks_itself_with_what_is_in_it(dockerfile: str, made: Made) -> None:
    (health,) = re.findall(r"^HEALTHCHECK (?:.*\\\n)*.*CMD (.*)$", dockerfile, re.M)
    assert json.loads(health) == list(LANGUAGES[made.blueprint].health_check)
    assert not re.search(r"\b(curl|wget)\b", dockerfile)


def test_what_the_image_asks_with_tells_good_from_bad(service: Service) -> None:
    language = service.language

    def ask(*address: str, **variables: str) -> tuple[int, str, int]:
        done = service.run(*language.ask, *address, folder=language.folder, **variables)
        return done.returncode, done.stdout, len(done.stderr.splitlines())

    with service.started() as running:
        address, here = f"http://127.0.0.1:{running.port}", {"PORT": str(running.port)}
        assert ask(**here) == (0, "", 0)
        assert ask(f"{address}/health/ready") == (0, "", 0)
        assert ask(f"{address}/nothing") == (1, "", 1)
        running.send()
        assert running.ended()[0] == 0
    assert ask(**here) == (1, "", 1)
    assert ask(f"{address}/health/ready") == (1, "", 1)


def test_its_own_tests_pass(service: Service) -> None:
    language = service.language
    done = service.run(*language.own_tests, PATH=os.environ["PATH"], HOME=os.environ["HOME"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(language.passed, done.stdout, re.M), done.stdout
