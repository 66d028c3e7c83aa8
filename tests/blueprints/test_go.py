"""What holds for the go blueprint alone: its lock, its program, its names, and what is filled in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client import Histogram
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped] # it ships no types

from generator.render import render
from tests.blueprints import golang
from tests.blueprints.odd import odd
from tests.blueprints.rendered import MADE, ROOT_FOLDER, Made, answers, service
from tests.blueprints.running import Service, placed
from tests.conftest import ROOT
from tests.generator.test_whole_tree import nested

BLUEPRINT = ROOT / "blueprints" / "go"


@pytest.fixture(scope="module", params=[made for made in MADE if made.blueprint == "go"], ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module")
def built(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Service:
    return placed(tmp_path_factory.mktemp("service"), made)


def _filled_in(made: Made, name: str) -> dict[str, bytes]:
    """The files of its own, without the shared ones, in which something was filled in."""
    tops = BLUEPRINT / ROOT_FOLDER, BLUEPRINT / made.kind / ROOT_FOLDER
    own = {str(path.relative_to(top)): path for top in tops for path in top.rglob("*") if path.is_file()}
    rendered = render(made.loaded, name, answers(made))
    return {path: rendered[path].data for path, source in own.items() if rendered[path].data != source.read_bytes()}


def test_what_is_filled_in(made: Made, snapshot: Snapshot) -> None:
    snapshot.assert_match_dir(nested(_filled_in(made, "wallet")), "files")


def test_a_name_is_text_in_one_place_and_names_nothing_of_go_s(made: Made) -> None:
    here, there = _filled_in(made, "main"), _filled_in(made, "internal")
    differ = {path for path in here if here[path] != there[path]}
    assert differ == {"Dockerfile", "internal/settings/settings.go"}
    assert b'Service:  "main",\n' in here["internal/settings/settings.go"]


def test_the_worst_answers_leave_the_code_formatted(made: Made, tmp_path: Path) -> None:
    root = service(tmp_path, made, "null", **odd(made))
    assert golang.run("vet", "./internal/settings", folder=root) == ""
    done = subprocess.run(["gofmt", "-l", "cmd", "internal"], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_lock_holds_what_the_sources_need_and_no_address(made: Made, built: Service) -> None:
    text = (built.root / "go.mod").read_text()
    direct = re.findall(r"^(?:require |\t)(\S+) v\S+$", text, re.M)
    assert direct == ["github.com/prometheus/client_golang"]
    assert re.findall(r"^tool (\S+)", text, re.M) == ["honnef.co/go/tools/cmd/staticcheck"]
    lock = (built.root / "go.sum").read_text().splitlines()
    assert all(re.fullmatch(r"\S+ v\S+ h1:[\w+/]{43}=", line) for line in lock)
    modules = re.findall(r"(\S+\.\S+/\S+) (v\S+)", text)
    assert len(modules) > 10
    for name, version in modules:
        assert any(line.startswith(f"{name} {version} h1:") for line in lock), name
    assert golang.tidy(built.root) == ""


def test_the_image_s_go_is_the_one_that_go_mod_asks_for(built: Service) -> None:
    (asked,) = re.findall(r"^go (\d+\.\d+)\.\d+$", (built.root / "go.mod").read_text(), re.M)
    (image,) = re.findall(r"^FROM golang:(\d+\.\d+)\.\d+-", (built.root / "Dockerfile").read_text(), re.M)
    assert image == asked


def test_the_image_is_empty_but_for_the_program_and_certificates(built: Service) -> None:
    last = (built.root / "Dockerfile").read_text().partition("\nFROM scratch AS service\n")[2]
    assert re.findall(r"^(?:COPY|ADD|RUN) (.*)", last, re.M) == [
        "--from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
        "--from=build /service /service",
    ]


def test_the_program_needs_nothing_beside_it_and_tells_nothing_of_where_it_was_built(built: Service) -> None:
    told = golang.run("version", "-m", "service", folder=built.root)
    for setting in "-trimpath=true", "CGO_ENABLED=0":
        assert f"\tbuild\t{setting}\n" in told
    program = (built.root / "service").read_bytes()
    assert b"/lib64/ld-linux" not in program  # no loader, so no libraries
    assert str(built.root).encode() not in program
    assert b"America/Buenos_Aires" in program  # time zones: the image has none


def test_the_bounds_of_histograms_are_those_of_the_other_languages(made: Made, built: Service) -> None:
    metric = {"http": "http_request_duration_seconds", "worker": "message_duration_seconds"}[made.kind]
    with built.started() as running:
        running.ask("/health")
        text = running.ask("/metrics")[1]
    bounds = re.findall(rf'^{metric}_bucket{{.*?le="([^"]+)"}} ', text, re.M)
    assert tuple(map(float, bounds)) == Histogram.DEFAULT_BUCKETS


@pytest.mark.parametrize(
    ("path", "code"), [("internal/settings/settings.go", "var unused = 1\n"), ("cmd/service/main.go", "  var X int\n")]
)
def test_its_make_test_finds_what_it_lints_for(built: Service, home: Path, path: str, code: str) -> None:
    file = built.root / path
    before = file.read_text()
    file.write_text(f"{before}\n{code}")
    done = built.run("make", "test", PATH=golang.PATH, HOME=str(home))
    file.write_text(before)
    assert done.returncode == 2
    assert re.search(r"U1000|gofmt: ", done.stdout + done.stderr)
