"""Which charts may be carried: a chart is data from strangers, and Argo CD and helm act on what lies in it."""

from __future__ import annotations

import io
import tarfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from generator import helm
from generator.errors import ShiplaneError
from gitops import carried
from gitops.model import Entry
from tests.gitops.literal import CHART, blob, chart

LINK, SUBMODULE = "120000", "160000"


def refusal(**files: bytes | Entry) -> list[str]:
    return told({name.replace("__", "/"): content for name, content in files.items()})


def told(files: dict[str, bytes | Entry]) -> list[str]:
    """What is said of the chart with these files in addition."""
    added = {path: content if isinstance(content, Entry) else blob(content) for path, content in files.items()}
    return [str(problem) for problem in carried.check({**chart(), **added}, "wallet/chart")]


def chart_yaml(text: str, **more: bytes) -> list[str]:
    return told({"Chart.yaml": text.encode(), **{name.replace("__", "/"): data for name, data in more.items()}})


def packed(files: Mapping[str, bytes]) -> bytes:
    """A packed chart with these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(f"ledger/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def test_an_honest_chart_is_carried() -> None:
    files = {
        **CHART,
        "templates/_lib.tpl": b"",
        "dashboards/wallet overview.json": b"{}",
        "docs/größe.md": b"",
        ".helmignore": b"*.swp\n",
        "check.sh": b"#!/bin/sh\n",
    }

    assert carried.check(chart(files), "chart") == []


@pytest.mark.parametrize(
    ("path", "entry", "rule"),
    [
        ("values.yaml", Entry(LINK, "0" * 40, b"../../../secret"), "a symbolic link"),
        ("charts/ledger", Entry(SUBMODULE, "0" * 40), "a submodule"),
        ("pipe", Entry("000000", ""), "not a regular file"),
        (".argocd-source.yaml", blob(b""), "Argo CD would take its own settings from it"),
        (".argocd-source-wallet-dev.yaml", blob(b""), "Argo CD would take its own settings from it"),
        ("templates/deep/er/.argocd-source.yaml", blob(b""), "Argo CD would take its own settings from it"),
        (".ArgoCD-Source.YAML", blob(b""), "Argo CD would take its own settings from it"),
        (".argocd-source/x", blob(b""), "Argo CD would take its own settings from it"),
        (".gitattributes", blob(b"* ident\n"), "git would take its own settings from it"),
        ("templates/.GitAttributes", blob(b"* eol=crlf\n"), "git would take its own settings from it"),
        ("templates/.git/config", blob(b""), "git would take its own settings from it"),
        ("templates/new\nline", blob(b""), "must be printable"),
        ("templates/\x1b[31mred", blob(b""), "must be printable"),
        ("templates/\u202eabc", blob(b""), "must be printable"),
        ("templates/\udcff", blob(b""), "must be printable"),
        ("templates\\x", blob(b""), "without a backslash"),
        ("a/" * 150 + "x", blob(b""), "is longer than 200 bytes"),
        ("../x", blob(b""), "is no place inside a chart"),
    ],
)
def test_what_is_not_carried(path: str, entry: Entry, rule: str) -> None:
    said = told({path: entry})

    assert len(said) == 1
    assert said[0].startswith("wallet/chart/")
    assert rule in said[0]
    assert said[0].isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("README.md", "readme.md"),
        ("Templates/other.yaml", "templates/x.yaml"),
        ("a/B/c.yaml", "a/b/d.yaml"),
        ("x", "X/y"),
        (unicodedata.normalize("NFC", "größe"), unicodedata.normalize("NFD", "größe")),
        (unicodedata.normalize("NFC", "GRÖẞE"), unicodedata.normalize("NFD", "größe")),
        ("straße", "STRASSE"),
    ],
)
def test_names_that_some_disks_hold_for_one_are_refused(one: str, other: str) -> None:
    said = told({one: b"", other: b""})

    assert len(said) == 1
    assert "differs from" in said[0]


def test_a_collision_of_folders_is_told_once() -> None:
    (said,) = told({"A/x": b"", "a/y": b"", "a/z": b""})

    assert said == "wallet/chart/a: differs from A only in case, or in how Unicode spells it"


def test_everything_is_told_at_once() -> None:
    said = refusal(link=Entry(LINK, ""), charts__ledger=Entry(SUBMODULE, ""), readme=b"", README=b"")

    assert len(said) == 3


def test_too_many_files() -> None:
    assert told({f"files/{n}": b"" for n in range(carried.MOST_FILES - len(CHART))}) == []
    assert "over 1000 files" in told({f"files/{n}": b"" for n in range(carried.MOST_FILES)})[0]


def test_too_many_bytes() -> None:
    assert "over 1000 files or 10485760 bytes" in refusal(big=bytes(carried.MOST_BYTES))[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- name\n",
        "5\n",
        "null\n",
        "text\n",
        "name: wallet\n",
        "version: 1.0.0\n",
        "name: [wallet]\nversion: 1.0.0\n",
    ],
)
def test_what_has_no_name_and_version_is_no_chart(text: str) -> None:
    said = chart_yaml(text)

    assert said
    assert all(line.startswith("wallet/chart/Chart.yaml") for line in said)


@pytest.mark.parametrize("version", ["1.0", "1", "2024-01-01", "true", "[1]"])
def test_a_version_that_is_no_text_is_refused(version: str) -> None:
    (said,) = chart_yaml(f"name: wallet\nversion: {version}\n")

    assert said.startswith("wallet/chart/Chart.yaml:2: version: must be text")


@pytest.mark.parametrize(
    "version", ["latest", "1.0.0 ", "1.0.0\\nrun: 9", '1\\"', "@acme", "<!-- -->", "1.0.0-" + "1" * 100, "", "٣.0.0"]
)
def test_a_version_that_is_no_version_is_refused(version: str) -> None:
    """It is written into origin.yaml and into what reviewers read."""
    (said,) = chart_yaml(f'name: wallet\nversion: "{version}"\n')

    assert said.startswith("wallet/chart/Chart.yaml:2: version: ")


@pytest.mark.parametrize("version", ["1.4.0", "v1.4.0", "1.4.0-rc.1+build.5", '"1.4"'])
def test_versions_that_helm_takes(version: str) -> None:
    assert chart_yaml(f"name: wallet\nversion: {version}\n") == []


def test_the_version_is_the_charts_own() -> None:
    assert carried.version(chart()) == "1.4.0"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: wallet\nversion: 1.0.0\nversion: 2.0.0\n", ":3: version: stands here twice"),
        ("name: [wallet\n", ": is not YAML"),
        ("name: &x 1.0.0\nversion: *x\n", ":2: an alias is not followed"),
        ("a: " + "[" * 10_000, ": is nested deeper than"),
        ("name: wallet\n---\nversion: 1.0.0\n", ":2: is not YAML"),
    ],
)
def test_a_chart_yaml_that_readers_would_read_differently(text: str, line: str) -> None:
    (said,) = chart_yaml(text)

    assert said.startswith("wallet/chart/Chart.yaml")
    assert line in said


def test_a_chart_yaml_that_is_not_utf8() -> None:
    assert "is not UTF-8" in told({"Chart.yaml": "name: größe\nversion: 1.0.0\n".encode("latin-1")})[0]


def test_a_folder_without_chart_yaml_is_no_chart() -> None:
    (problem,) = carried.check(chart({"readme.md": b""}), "wallet")

    assert str(problem).startswith("wallet: is no chart: it has no Chart.yaml\n  try: name the folder")


VENDORED = "name: wallet\nversion: 1.0.0\ndependencies:\n  - name: ledger\n    version: 1.0.0\n"


def test_what_a_chart_depends_on_lies_in_it() -> None:
    (said,) = chart_yaml(VENDORED)

    assert "depends on ledger, which is not in charts/" in said
    assert "try: helm dependency update" in said
    assert chart_yaml(VENDORED, charts__ledger__Chart=b"") == []
    assert told({"Chart.yaml": VENDORED.encode(), "charts/ledger-1.0.0.tgz": packed({})}) == []


def test_another_chart_whose_name_only_begins_alike_is_not_it() -> None:
    assert "depends on ledger" in told({"Chart.yaml": VENDORED.encode(), "charts/ledgers/Chart.yaml": b""})[0]


@pytest.mark.parametrize(
    "value", ["5", "text", "{name: ledger}", "[5]", "[{version: 1.0.0}]", "[{name: 5}]", '[{name: ""}]']
)
def test_dependencies_that_are_none(value: str) -> None:
    said = chart_yaml(f"name: wallet\nversion: 1.0.0\ndependencies: {value}\n")

    assert said
    assert said[0].startswith("wallet/chart/Chart.yaml:3: dependencies")


@pytest.mark.parametrize("value", ["", "[]", "null"])
def test_no_dependencies(value: str) -> None:
    assert chart_yaml(f"name: wallet\nversion: 1.0.0\ndependencies: {value}\n") == []


OUT = b'{"properties": {"a": {"$ref": "http://10.0.0.1/x.json"}}}'


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        pytest.param(b'{"$ref": "http://10.0.0.1/x.json"}', "its $ref leads out", id="network"),
        pytest.param(b'{"$ref": "file:///etc/hostname"}', "its $ref leads out", id="file"),
        pytest.param(b'{"$ref": "../../x.json"}', "its $ref leads out", id="neighbour"),
        pytest.param(b'{"$ref": "x.json#/a"}', "its $ref leads out", id="neighbour-too"),
        pytest.param(b'{"$id": "http://10.0.0.1/", "$ref": "x"}', "its $ref leads out", id="base"),
        pytest.param(b'{"a": [{"b": {"$dynamicRef": "http://10.0.0.1/"}}]}', "its $dynamicRef leads", id="deep"),
        pytest.param(b'{"$ref": "http://10.0.0.1/", "$ref": "#/a"}', "its $ref leads out", id="twice"),
        pytest.param(b'{"$schema": "http://10.0.0.1/schema"}', "its $schema is none of", id="dialect"),
        pytest.param(b'{"\\u0024ref": "http://10.0.0.1/"}', "its $ref leads out", id="escaped"),
        pytest.param('{"$ref": "http://10.0.0.1/"}'.encode("utf-16"), "its $ref leads out", id="utf-16"),
        pytest.param(b"{", "is not JSON", id="nonsense"),
        pytest.param(b"[" * 100_000, "is not JSON", id="deeper-than-anybody-reads"),
    ],
)
@pytest.mark.parametrize("path", ["values.schema.json", "charts/ledger/values.schema.json"])
def test_a_schema_that_leads_out_of_itself(path: str, schema: bytes, rule: str) -> None:
    """helm fetches what it refers to, from the machine that judges and from Argo CD's."""
    (said,) = told({path: schema})

    assert said.startswith(f"wallet/chart/{path}: ")
    assert rule in said


def test_a_schema_that_stays_in_itself() -> None:
    schema = b'{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "x": {"$ref": 5}}'

    assert told({"values.schema.json": schema, "charts/l-1.tgz": packed({"values.schema.json": schema})}) == []


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (packed({"values.schema.json": OUT}), "charts/l-1.tgz/ledger/values.schema.json: its $ref leads out"),
        (packed({"charts/x-1.tgz": packed({"values.schema.json": OUT})}), "ledger/values.schema.json: its $ref leads"),
        (b"", "charts/l-1.tgz: is no packed chart that can be read"),
        (b"\x1f\x8b" + b"x" * 50, "is no packed chart that can be read"),
        (packed({"values.yaml": OUT})[:60], "is no packed chart that can be read"),
        (packed({"big": bytes(11 * 1024 * 1024)}), "unpacks to more than 10485760 bytes"),
    ],
)
def test_packed_charts_are_looked_into(data: bytes, rule: str) -> None:
    (said,) = told({"charts/l-1.tgz": data})

    assert rule in said


def test_charts_in_charts_in_charts() -> None:
    data = packed({})
    for _ in range(9):
        data = packed({"charts/x-1.tgz": data})

    assert "charts in charts in charts" in told({"charts/l-1.tgz": data})[0]


def test_helm_reaches_no_network(helm3: Path, helm4: Path, tmp_path: Path) -> None:
    """The second wall: an address for documentation alone (RFC 5737) would keep helm waiting for its deadline."""
    files = {**CHART, "values.schema.json": b'{"$ref": "http://192.0.2.1/x.json"}'}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    for binary in (helm3, helm4):
        with pytest.raises(ShiplaneError, match=r"127\.0\.0\.1:9"):
            helm.template(binary, tmp_path, release="x", namespace="x")
