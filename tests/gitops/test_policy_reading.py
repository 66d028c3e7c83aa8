"""Manifests as they are read: what Kubernetes takes, with the line of everything; and what is refused, by name."""

from __future__ import annotations

import codecs
import json

import pytest

from generator.errors import ShiplaneError
from gitops.policy import judge
from gitops.policy.finding import Context
from gitops.policy.reading import LARGEST, read
from gitops.policy.scalars import plain

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: wallet
spec:
  containers:
    - name: a
      image: wallet:latest
"""


def refusal(data: str | bytes) -> str:
    with pytest.raises(ShiplaneError) as caught:
        read(data.encode() if isinstance(data, str) else data, "x.yaml")
    assert caught.value.exit_code == 1
    (problem,) = caught.value.problems
    return str(problem)


def line(data: str, rule: str = "image-latest") -> int:
    return next(each.place.line for each in judge(read(data.encode(), "x.yaml")) if each.rule == rule)


def test_a_finding_names_file_and_line() -> None:
    (found,) = [each for each in judge(read(POD.encode(), "x.yaml")) if each.rule == "image-latest"]

    assert (found.place.file, found.place.line) == ("x.yaml", 8)
    assert (found.place.kind, found.place.name, found.place.container) == ("Pod", "wallet", "a")


def test_what_is_not_there_is_placed_at_its_nearest_parent() -> None:
    assert line(POD, "liveness") == 7
    assert line(POD, "service-account") == 5
    assert line(POD, "owner-label") == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"# a comment\n---\n{POD}", 10, id="after-a-comment"),
        pytest.param(f"apiVersion: v1\nkind: ConfigMap\n---\n{POD}---\n", 11, id="second-document"),
        pytest.param(POD.replace("\n", "\r\n"), 8, id="crlf"),
        pytest.param(f"\ufeff{POD}", 8, id="bom"),
        pytest.param(f"{POD}...\n", 8, id="end-mark"),
        pytest.param("apiVersion: v1\nkind: List\nitems:\n" + "- " + POD.replace("\n", "\n  ").rstrip(), 11, id="list"),
        pytest.param(
            "apiVersion: v1\nkind: PodList\nitems:\n- spec:\n    containers:\n    - image: a:latest\n",
            6,
            id="typed-list",
        ),
        pytest.param(
            f"x: &c\n  image: a:latest\n{POD.replace('- name: a', '- *c')}".split("      image")[0], 2, id="alias"
        ),
    ],
)
def test_lines_of_every_spelling(text: str, expected: int) -> None:
    assert line(text) == expected


def test_json_is_read_with_or_without_tabs() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "a:latest"}]}}
    for text in (json.dumps(pod), json.dumps(pod, indent="\t")):
        (each,) = read(text.encode(), "x.json")
        assert each.data == pod


def test_documents_that_are_no_object_are_passed_over() -> None:
    for text in (
        "",
        "# nothing\n",
        "---\n---\n",
        "a: 1\n",
        "- a\n",
        "text\n",
        "kind: Pod\n",
        "apiVersion: v2\nname: x\n",
    ):
        assert read(text.encode(), "x.yaml") == []


def test_a_list_in_a_list() -> None:
    inner = {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}]}
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [inner, {"apiVersion": "v1", "kind": "Service"}]})

    assert [each.kind for each in read(text.encode(), "x.json")] == ["Pod", "Service"]


def test_what_a_build_tool_reads_is_no_object() -> None:
    assert read(b"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "x.yaml") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("Off", False), ("y", True), ("N", False), ("true", True), ("tRUE", "tRUE"),
        ("", None), ("~", None), ("Null", None),
        ("0", 0), ("017", 15), ("0o17", 15), ("0x1F", 31), ("-12", -12), ("+12", 12), ("1_000", 1000), ("08", 8.0),
        ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("12e3", 12000.0),
        ("12:30", "12:30"), ("2027-01-31", "2027-01-31"), ("1.2.3", "1.2.3"), ("0b2", "0b2"), ("9" * 5000, "9" * 5000),
        ("<<", "<<"), ("=", "="), ("100m", "100m"), (".", "."), ("-", "-"), ("+", "+"),
    ],
)  # fmt: skip
def test_plain_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    found = plain(text)

    assert (type(found), found) == (type(value), value)


def test_quotes_and_tags_say_what_a_scalar_is() -> None:
    text = 'apiVersion: v1\nkind: X\na: "yes"\nb: !!str no\nc: !!bool "yes"\nd: !own 1\ne: |\n  true\n1: x\ntrue: "y"\n'
    (each,) = read(text.encode(), "x.yaml")

    assert read(b"apiVersion: v1\nkind: X\na: !!null ''\nb: !!map {}\nc: !!seq []\n", "x.yaml")[0].get("a") is None
    expected = {"a": "yes", "b": "no", "c": True, "d": "1", "e": "true\n", "1": "x", "true": "y"}
    assert {key: value for key, value in each.data.items() if key in expected} == expected


def test_a_merge_brings_what_is_not_said() -> None:
    text = "apiVersion: v1\nkind: X\na: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 5\n"
    (each,) = read(text.encode(), "x.yaml")

    assert each.get("c") == {"x": 5, "y": 2, "z": 4}
    assert each.line(("c", "z")) == 4


# ---- refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(f"{POD}kind: Job\n", "x.yaml:9: kind stands here twice", id="twice"),
        pytest.param("a: {b: 1, b: 2}\n", "x.yaml:1: b stands here twice", id="twice-inside"),
        pytest.param('{"a": 1, "a": 2}', "x.yaml:1: a stands here twice", id="twice-in-json"),
        pytest.param("a: &a {x: 1}\nb:\n  x: 0\n  <<: *a\n", "x.yaml:4: x stands before a <<", id="merge-over-a-key"),
        pytest.param("a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", "x.yaml:2: << stands here twice", id="merge-twice"),
        pytest.param("? [a]\n: b\n", "x.yaml:1: a key must be a plain word", id="list-as-key"),
        pytest.param("a: *b\n", "x.yaml:1: *b stands for nothing before it", id="alias-to-nothing"),
        pytest.param("a: &a [*a]\n", "x.yaml:1: *a stands for nothing before it", id="alias-to-itself"),
        pytest.param("a: !!binary bGF0ZXN0\n", "x.yaml:1: is tagged tag:yaml.org,2002:binary", id="binary"),
        pytest.param("a: [1\nb: 2\n", "x.yaml:2: is not YAML", id="broken"),
        pytest.param("a:\n\tb: 1\n", "x.yaml:2: is not YAML", id="tab"),
        pytest.param("a: \0\n", "x.yaml:1: holds the control character #x0000", id="nul"),
        pytest.param(b"a: \xff\n", "x.yaml: is not UTF-8 at byte 3", id="latin-1"),
        pytest.param(codecs.BOM_UTF16_LE + "a: 1".encode("utf-16-le"), "x.yaml: is not UTF-8 at byte 0", id="utf-16"),
        pytest.param("apiVersion: v1\nkind: [Pod]\n", "x.yaml:2: its kind is no text", id="kind-is-a-list"),
        pytest.param("apiVersion: 1\nkind: Pod\n", "x.yaml:1: its apiVersion is no text", id="version-is-a-number"),
        pytest.param("apiVersion: v1\nkind: ''\n", "x.yaml:2: its kind is no text", id="kind-is-empty"),
        pytest.param("apiVersion: v1\nkind: List\nitems: {}\n", "x.yaml:3: a List whose items are no list", id="items"),
        pytest.param("apiVersion: v1\nkind: List\nitems: [1]\n", "x.yaml:3: an item that is no object", id="item"),
        pytest.param("a: " + "[" * 100_000, "x.yaml:1: is nested deeper than 100 levels", id="deep"),
        pytest.param("{a: " * 100_000, "x.yaml:1: is nested deeper than 100 levels", id="deep-mappings"),
        pytest.param('{"a":' * 100_000, "x.yaml:1: is nested deeper than 100 levels", id="deep-json"),
        pytest.param(b"a: 1\n" * (LARGEST // 5 + 1), "x.yaml: is larger than 8388608 bytes", id="large"),
        pytest.param("- a\n" * 400_000, "holds more than 300000 values", id="many"),
    ],
)
def test_what_is_refused(text: str | bytes, told: str) -> None:
    assert told in refusal(text)


def test_aliases_that_multiply_are_refused_and_not_followed() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    assert "holds more than 300000 values, its aliases written out" in refusal("\n".join(rows))


def test_a_chain_of_aliases_is_as_deep_as_what_it_stands_for() -> None:
    rows = ["a0: &a0 {}", *(f"a{n}: &a{n} {{b: *a{n - 1}}}" for n in range(1, 200))]

    assert "is nested deeper than 100 levels" in refusal("\n".join(rows))


def test_a_value_of_megabytes_is_read_and_judged() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: |\n" + "    a://b c: d\n" * 500_000
    (each,) = read(text.encode(), "x.yaml")

    assert judge([each]) == []


# ---- rendered


def test_what_helm_renders_is_placed_in_its_template() -> None:
    text = (
        f"---\n# Source: wallet/templates/a.yaml\n{POD}---\n# Source: wallet/charts/b/templates/c.yaml\n{POD}{POD[:0]}"
    )
    found = judge(read(text.encode(), "rendered", "environments/dev/wallet/chart"), Context("wallet", "dev"))

    assert {each.place.file for each in found} == {
        "environments/dev/wallet/chart/templates/a.yaml",
        "environments/dev/wallet/chart/charts/b/templates/c.yaml",
    }
    assert {each.place.line for each in found} == {0}


def read_as(text: str, chart: str) -> list[object] | str:
    """The values of the objects in `text`, or what is said against it."""
    try:
        return [each.data for each in read(text.encode(), "x.yaml", chart)]
    except ShiplaneError as error:
        return str(error.problems[0])


@pytest.mark.parametrize(
    "text",
    [
        f"---\n{POD}---\n{POD}",
        f"---\n{POD}--- # why\n{POD}--- \n{POD}---",
        f"%YAML 1.1\n---\n{POD}...\n%YAML 1.1\n---\n{POD}",
        f"{POD}...\n{POD}---\n...\n---\n",
        f"{POD}---\r\n{POD}",
        "--- {apiVersion: v1, kind: A}\n--- {apiVersion: v1, kind: B}\n---x: 1\n",
        "apiVersion: v1\nkind: A\ndata:\n  text: |\n    ---\n    apiVersion: v1\n  more: >-\n   ---\n   x\n",
        "apiVersion: v1\nkind: A\ndata: 'one\n---\ntwo'\n",
        "apiVersion: v1\nkind: A\ndata: [one,\n---\ntwo]\n",
        "apiVersion: v1\nkind: A\ndata: one\n---\ntwo\n",
        "apiVersion: v1\nkind: A\ndata: &a x\n---\napiVersion: v1\nkind: B\ndata: *a\n",
        f"{POD}---\n{POD}kind: Job\n",
        '{"apiVersion": "v1", "kind": "A"}',
        '{"apiVersion": "v1", "kind": "A"}\n---\n{"apiVersion": "v1", "kind": "B"}\n',
        "apiVersion: v1\nkind: A\ndata: x\u2028---\u2028apiVersion: v1\n",
        "--- |\n a\n---\n- a\n",
        f"---\n{'x: 1' + chr(10)}---\n" + "- a\n" * 200_000 + "---\n" + "- a\n" * 200_000,
        "",
    ],
)
def test_documents_read_one_by_one_say_what_they_say_together(text: str) -> None:
    assert read_as(text, "chart") == read_as(text, "chart") == read_as(text, "")


def test_a_template_of_several_objects_is_named_for_each() -> None:
    text = f"---\n# Source: wallet/templates/a.yaml\n{POD}---\n{POD}---\n# Source: wallet/templates/b.yaml\n{POD}"

    assert [each.file for each in read(text.encode(), "rendered", "chart")] == [
        "chart/templates/a.yaml",
        "chart/templates/a.yaml",
        "chart/templates/b.yaml",
    ]
