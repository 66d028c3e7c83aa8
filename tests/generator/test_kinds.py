"""Blueprints that make several kinds of service: which layers and chart each has, and every way to get it wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import blueprint
from generator.commands.main import main
from generator.commands.newservice import newservice
from generator.errors import ShiplaneError
from generator.render import render
from generator.tree import Tree
from tests.generator.trees import ROOT_FOLDER, build, build_layer

KIND = {"kind": {"title": "Kind", "type": "string", "enum": ["http", "worker"], "default": "http"}}
KINDS = {"http": {"title": "answers", "chart": "service"}, "worker": {"title": "consumes", "chart": "worker"}}


def chart(name: str) -> dict[str, str]:
    return {
        "Chart.yaml": f"name: {name}\n",
        "values.yaml": "a: 1\n# ---- defaults\nb: 1\n",
        f"ci/{name}.yaml": "b: 2\n",
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Our own collection: a layer that asks for the kind, a blueprint of two kinds over it, a golden chart for each."""
    build_layer(tmp_path / "blueprints/_shared", {"README.md": "{= cookiecutter.kind =}\n"}, KIND)
    two(tmp_path)
    for name in "service", "worker":
        build(tmp_path / "charts" / name, chart(name))
    return tmp_path


def two(root: Path, **about: Any) -> Path:
    """The blueprint of two kinds."""
    told = {"layers": ["_shared"], "kinds": KINDS, "title": "Python", **about}
    folder = build_layer(root / "blueprints/python", {"common": "x\n", "chart/values.yaml": "a: 1\n"}, **told)
    build(folder / "http" / ROOT_FOLDER, {"app": "{= cookiecutter.name =} answers\n", "both": "http\n"})
    build(folder / "worker" / ROOT_FOLDER, {"loop": "{= cookiecutter.name =} consumes\n", "both": "worker\n"})
    return folder


def rendered(root: Path, kind: str, name: str = "python") -> Tree:
    return render(blueprint.load(name, root), "wallet", {"kind": kind})


def told(root: Path, name: str = "python") -> str:
    with pytest.raises(ShiplaneError) as caught:
        blueprint.load(name, root)
    return str(caught.value).replace(str(root / "blueprints"), "")


def test_each_kind_has_what_is_common_and_its_own(root: Path) -> None:
    http, worker = rendered(root, "http"), rendered(root, "worker")

    assert http["app"].data == b"wallet answers\n"
    assert worker["loop"].data == b"wallet consumes\n"
    assert (http["both"].data, worker["both"].data) == (b"http\n", b"worker\n")
    assert (http["README.md"].data, worker["README.md"].data) == (b"http\n", b"worker\n")
    assert http.keys() - worker.keys() == {"app"}
    assert worker.keys() - http.keys() == {"loop"}


def test_each_kind_has_its_own_chart_and_variants(root: Path) -> None:
    found = blueprint.load("python", root)

    for kind, name in ("http", "service"), ("worker", "worker"):
        chosen = found.kind({"kind": kind})
        assert rendered(root, kind)["chart/Chart.yaml"].data == f"name: {name}\n".encode()
        assert list(chosen.variants) == [f"{name}.yaml"]
    assert {kind: each.title for kind, each in found.kinds.items()} == {"http": "answers", "worker": "consumes"}


def test_a_kind_without_a_folder_of_its_own_has_what_is_common(root: Path) -> None:
    folder = two(root)
    for path in ("app", "both"):
        (folder / "http" / ROOT_FOLDER / path).unlink()

    assert sorted(rendered(root, "http")) == ["README.md", "chart/Chart.yaml", "chart/values.yaml", "common"]


def test_a_path_that_a_kind_writes_again_is_an_error_unless_the_kind_says_so(root: Path) -> None:
    build(root / "blueprints/python/worker" / ROOT_FOLDER, {"common": "y\n"})

    with pytest.raises(ShiplaneError, match=r"python/worker/common: is written by python already"):
        rendered(root, "worker")
    assert rendered(root, "http")["common"].data == b"x\n"

    two(root, kinds={**KINDS, "worker": {**KINDS["worker"], "replaces": ["common"]}})
    assert rendered(root, "worker")["common"].data == b"y\n"


def test_a_broken_template_of_a_kind_has_its_place_and_its_marks_are_checked(root: Path) -> None:
    own = root / "blueprints/python/worker" / ROOT_FOLDER
    build(own, {"loop": "\n{= cookiecutter.none =}\n"})
    with pytest.raises(ShiplaneError, match=r"python/worker/loop:2: 'dict object' has no attribute 'none'"):
        rendered(root, "worker")

    build(own, {"loop": bytes(range(256)) + b"\n{= left =}\n"})
    with pytest.raises(ShiplaneError, match=r"python/worker/loop:3: \{= is left"):
        rendered(root, "worker")


def test_the_digest_covers_every_kind_whichever_is_rendered(root: Path) -> None:
    for path in (
        f"blueprints/python/worker/{ROOT_FOLDER}/loop",
        "charts/worker/ci/worker.yaml",
        "charts/worker/Chart.yaml",
    ):
        before = blueprint.load("python", root).digest
        (root / path).write_text("b: 3\n")
        assert blueprint.load("python", root).digest != before


def test_only_its_kinds_can_be_answered(root: Path) -> None:
    assert blueprint.load("python", root).questions["kind"] == KIND["kind"]

    two(root, kinds={"worker": KINDS["worker"]})
    question = blueprint.load("python", root).questions["kind"]
    assert (question["enum"], question["default"]) == (["worker"], "worker")


def test_a_blueprint_of_one_kind_is_of_the_kind_that_is_asked_for_by_default(root: Path) -> None:
    build_layer(
        root / "blueprints/node", {"x": "x\n", "chart/values.yaml": "a: 1\n"}, layers=["_shared"], chart="service"
    )

    found = blueprint.load("node", root)

    assert found.questions["kind"]["enum"] == ["http"]
    assert rendered(root, "http", "node")["README.md"].data == b"http\n"


def test_a_blueprint_of_one_s_own_may_ask_for_a_kind_in_its_own_sense(root: Path) -> None:
    kind = {"kind": {"title": "Kind", "type": "string", "enum": ["hot", "cold"], "default": "hot"}}
    build_layer(root / "blueprints/node", {"x": "{= cookiecutter.kind =}\n"}, kind)

    assert blueprint.load("node", root).questions["kind"] == kind["kind"]
    assert rendered(root, "cold", "node")["x"].data == b"cold\n"


def test_a_layer_below_brings_its_kinds_along(root: Path) -> None:
    """A folder of the user's own over a whole blueprint of ours gets what a kind has there too."""
    about: dict[str, Any] = {"layers": ["python"], "replaces": ["common"]}
    build_layer(root / "blueprints/mine", {"common": "mine\n"}, chart="service", **about)
    found = blueprint.load("mine", root).kind({"kind": "http"})
    assert [layer.name for layer in found.layers] == ["_shared", "python", "python/http", "mine"]
    assert rendered(root, "http", "mine")["app"].data == b"wallet answers\n"

    build_layer(root / "blueprints/mine", {}, kinds={"worker": KINDS["worker"]}, **about)
    assert "loop" in rendered(root, "worker", "mine")


@pytest.mark.parametrize(
    ("about", "rule"),
    [
        ({"chart": "service"}, "python/blueprint.yaml:1: chart: stands beside kinds, and each of these names its own"),
        ({"layers": []}, "python/blueprint.yaml:1: kinds: needs the question kind, which nobody asks"),
        ({"kinds": {}}, "kinds: must not be shorter than 1"),
        ({"kinds": {"wroker": {"title": "x"}}}, "kinds.wroker: cannot be answered; did you mean worker?"),
        ({"kinds": {"http": {"title": "x", "chart": "none"}}}, "kinds.http.chart: there is no golden chart none"),
        ({"kinds": {"http": {"chart": "service"}}}, "kinds.http.title: is required"),
        ({"kinds": {"http": {"title": "x", "layers": []}}}, "kinds.http.layers: is not known here"),
        ({"kinds": {"templates": {"title": "x"}}}, 'kinds.templates: "templates" is taken'),
        ({"kinds": {"../http": {"title": "x"}}}, 'kinds.../http: "../http" does not match'),
    ],
)
def test_broken_kinds(root: Path, about: dict[str, Any], rule: str) -> None:
    two(root, **about)

    assert rule in told(root)


def test_a_kind_s_folder_holds_its_root_folder_and_nothing_else(root: Path) -> None:
    folder = root / "blueprints/python/http"
    build(folder, {"cookiecutter.json": "{}", "other/app": "x", f"{ROOT_FOLDER}/__pycache__/app.pyc": "compiled"})

    said = told(root).splitlines()

    rule = f"lies beside {ROOT_FOLDER}, and a kind's folder holds nothing else"
    assert said == [f"/python/http/cookiecutter.json: {rule}", f"/python/http/other/app: {rule}"]


def test_links_in_a_kind_s_folder_are_refused(root: Path) -> None:
    folder = root / "blueprints/python"
    (folder / "http" / ROOT_FOLDER / "link").symlink_to("app")
    assert f"/python/http/{ROOT_FOLDER}/link: is a symbolic link" in told(root)

    (folder / "http" / ROOT_FOLDER / "link").unlink()
    (folder / "http").rename(folder / "moved")
    (folder / "http").symlink_to("moved")
    assert "/python/http: is a symbolic link" in told(root)


# ---- the command


@pytest.fixture
def new(root: Path, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """newservice in `work`, installed with this collection as ours: where it lies is a default of two functions."""
    for name in "load", "names":
        monkeypatch.setattr(f"generator.blueprint.{name}.__defaults__", (root,))

    def new(*argv: str) -> tuple[int, str, str]:
        code = main(newservice, list(argv))
        return code, *capsys.readouterr()

    return new


def test_the_answer_chooses_the_kind_and_a_check_compares_with_it(new: Any, work: Path) -> None:
    assert new("wallet", "--set", "kind=worker", "--no-input")[0] == 0
    assert new("wallet", "--check")[:2] == (0, "")
    assert yaml.safe_load((work / "wallet/.newservice/lock.yaml").read_text())["answers"] == {"kind": "worker"}

    build(work, {"wallet/loop": "mine\n", "wallet/chart/Chart.yaml": "name: mine\n"})
    assert new("wallet", "--check")[:2] == (
        1,
        "edited    chart/Chart.yaml  of the golden chart: the same in every service\nedited    loop\n",
    )


def test_a_kind_that_is_none_is_refused(new: Any, work: Path) -> None:
    code, _, err = new("wallet", "--set", "kind=batch", "--no-input")

    assert (code, list(work.iterdir())) == (1, [])
    assert 'error: --set kind=batch: "batch" is not among those allowed; known: http, worker' in err


def test_the_list_of_blueprints_names_the_kinds(new: Any) -> None:
    assert new("--list-blueprints")[1].splitlines() == [
        "python  1.0.0  Python",
        "  --set kind=http: answers",
        "  --set kind=worker: consumes",
        "  kind  Kind [http]",
    ]
    (item,) = json.loads(new("--list-blueprints", "--json")[1])["items"]
    assert item["kinds"] == {"http": "answers", "worker": "consumes"}
