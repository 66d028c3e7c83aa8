"""What kustomize reads, told without it; and kustomize itself, shown nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from generator.errors import ShiplaneError
from gitops.kustomize import run
from gitops.kustomize.closure import Closure, closure
from gitops.kustomize.upwards import folders, kustomizations
from gitops.model import FILE, TREE, Entry, Snapshot, above

needs_kustomize = pytest.mark.skipif(not run.find(), reason=run.MISSING)
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {key: value}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: app, image: acme/app}]}\n"


def snapshot(files: Mapping[str, str], links: Mapping[str, str] | None = None, *, unread: bool = False) -> Snapshot:
    """What git would list of these files; `links` are the modes of others."""
    entries = {path: Entry(FILE, path, None if unread else text.encode()) for path, text in files.items()}
    entries |= {path: Entry(mode, path) for path, mode in (links or {}).items()}
    folders = {folder for path in entries for folder in above(path)[:-1]}
    return Snapshot("", {**{folder: Entry(TREE, folder) for folder in folders}, **entries})


def taken(files: Mapping[str, str], folder: str = "overlay") -> Closure:
    return closure(snapshot(files), folder)


ALL = {
    "overlay/kustomization.yaml": """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ns
namePrefix: a-
commonAnnotations: {where: "https://acme.example"}
resources: [../base, more.yaml, ./sub/other.json]
components: [../component]
patches:
  - path: patches/one.yaml
  - {patch: '[{"op": "add", "path": "/metadata/labels/x", "value": "y"}]', target: {kind: Pod}}
patchesStrategicMerge:
  - two.yaml
  - |
    apiVersion: v1
    kind: Pod
    metadata: {name: app, labels: {inline: "yes"}}
patchesJson6902:
  - {path: three.json, target: {version: v1, kind: Pod, name: app}}
configMapGenerator:
  - {name: made, files: [plain.txt, key=named.txt], envs: [some.env], literals: [a=b]}
secretGenerator:
  - {name: secret, env: other.env}
crds: [crd.json]
configurations: [config.yaml]
openapi: {path: schema.json}
replacements:
  - path: replacement.yaml
generators: [generator.yaml]
transformers:
  - labels
  - |
    apiVersion: builtin
    kind: PrefixTransformer
    metadata: {name: prefix}
    prefix: b-
    fieldSpecs: [{path: metadata/name, kind: Pod}]
images: [{name: acme/app, newTag: "1"}]
replicas: []
""",
    "overlay/more.yaml": MAP.replace("NAME", "more"),
    "overlay/sub/other.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}',
    "overlay/patches/one.yaml": 'apiVersion: v1\nkind: Pod\nmetadata: {name: app, labels: {one: "1"}}\n',
    "overlay/two.yaml": 'apiVersion: v1\nkind: Pod\nmetadata: {name: app, labels: {two: "2"}}\n',
    "overlay/three.json": '[{"op": "add", "path": "/metadata/annotations", "value": {"three": "3"}}]',
    "overlay/plain.txt": "plain",
    "overlay/named.txt": "named",
    "overlay/some.env": "SOME=1\n",
    "overlay/other.env": "OTHER=1\n",
    "overlay/crd.json": "{}",
    "overlay/config.yaml": "namePrefix: [{path: metadata/name}]\n",
    "overlay/schema.json": '{"definitions": {}}',
    "overlay/replacement.yaml": """\
source: {kind: ConfigMap, name: more, fieldPath: data.key}
targets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.here], options: {create: true}}]
""",
    "overlay/generator.yaml": """\
apiVersion: builtin
kind: ConfigMapGenerator
metadata: {name: generated}
name: generated
literals: [c=d]
""",
    "overlay/labels/kustomization.yml": "resources: [labels.yaml]\n",
    "overlay/labels/labels.yaml": """\
apiVersion: builtin
kind: LabelTransformer
metadata: {name: labels}
labels: {all: of-them}
fieldSpecs: [{path: metadata/labels, create: true}]
""",
    "base/Kustomization": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "component/kustomization.yaml": """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
commonAnnotations: {component: of-all}
""",
}


def test_every_reference_is_followed_and_nothing_else() -> None:
    found = taken({**ALL, "overlay/beside.yaml": "x", "elsewhere/kustomization.yaml": "resources: []\n"})

    assert (found.outward, found.wrong, found.unread) == ("", (), ())
    assert {*found.files} == {*ALL}


@needs_kustomize
def test_what_was_followed_is_enough_for_kustomize() -> None:
    files = {path: ALL[path].encode() for path in taken(ALL).files}

    built = run.build(files, "overlay").decode()

    assert built.count("kind: ConfigMap") == 4
    words = ("one: ", "two: ", "three: ", "inline: ", "here: value", "all: of-them", "component: of-all", "acme/app:1")
    assert [word for word in words if word not in built] == []


def test_what_decides_is_asked_for_level_by_level() -> None:
    """Each level of bases is one fetch; the leaves are one more."""
    whole, known = snapshot(ALL, unread=True), dict[str, bytes]()
    levels = []
    while wanted := closure(whole.filled(known), "overlay").unread:
        levels.append({*wanted})
        known |= {path: ALL[path].encode() for path in wanted}

    assert levels == [
        {"overlay/kustomization.yaml"},
        {"base/Kustomization", "component/kustomization.yaml", "overlay/labels/kustomization.yml"}
        | {"overlay/generator.yaml"},
    ]


@pytest.mark.parametrize(
    "where",
    [
        "https://acme.example/base.yaml",
        "HTTP://acme.example/base.yaml",
        "github.com/acme/base",
        "GitHub.com/acme/base//deploy?ref=v1",
        "git@git.acme.example:acme/base.git",
        "git::https://git.acme.example/base",
        "gh:acme/base",
        "ssh://git.acme.example/base",
        "file:///etc",
        "/etc/passwd",
        "base?ref=main",
        "C:\\base",
        "../../../etc",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form",
    [
        "resources: ['X']",
        "bases: ['X']",
        "components: ['X']",
        "crds: ['X']",
        "configurations: ['X']",
        "openapi: {path: 'X'}",
        "patches: [{path: 'X'}]",
        "patchesStrategicMerge: ['X']",
        "patchesJson6902: [{path: 'X'}]",
        "replacements: [{path: 'X'}]",
        "configMapGenerator: [{name: a, files: ['X']}]",
        "configMapGenerator: [{name: a, files: ['key=X']}]",
        "secretGenerator: [{name: a, envs: ['X']}]",
        "secretGenerator: [{name: a, env: 'X'}]",
        "generators: ['X']",
        "transformers: ['X']",
        "validators: ['X']",
    ],
)  # fmt: skip
def test_what_leads_elsewhere_is_not_built_here(form: str, where: str) -> None:
    found = taken({"overlay/kustomization.yaml": form.replace("X", where)})

    assert found.outward.startswith("overlay/kustomization.yaml: ")
    assert "is fetched from elsewhere" in found.outward or "leads out of the repository" in found.outward


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("helmCharts: [{name: redis, repo: 'https://charts.acme.example'}]", "its charts lie elsewhere"),
        ("helmChartInflationGenerator: [{chartName: redis}]", "its charts lie elsewhere"),
        ("helmGlobals: {chartHome: charts}", "its charts lie elsewhere"),
        ("Resources: ['https://acme.example/x.yaml']", "Resources: is not known here"),
        ("later: [x]", "later: is not known here"),
        ("patches: [{Path: 'https://acme.example/x'}]", "patches.Path: is not known here"),
        ("patches: [a.yaml]", "has an item that is no mapping"),
        ("openapi: {Path: x}", "openapi.Path: is not known here"),
        ("resources: [{a: b}]", "is no list of texts"),
        ("resources: a.yaml", "is no list of texts"),
        ("a: &a [x]\nresources: *a\n", "an alias is not followed"),
        ("resources: [a.yaml]\nresources: [b.yaml]\n", "resources"),
        ("resources: [a.yaml]\n---\nresources: [b.yaml]\n", "overlay/kustomization.yaml"),
        ("generators: ['{apiVersion: acme.example/v1, kind: Mine}']", "a program of its own"),
        ("generators: [run.yaml]", "run.yaml: is a program of its own"),
        ("transformers: [http.yaml]", "http.yaml: names an address"),
        ("transformers: [files.yaml]", "files.yaml: names files"),
        ("transformers: [Files.yaml]", "Files.yaml: names files"),
        ("validators: [alias.yaml]", "alias.yaml: refers to other places"),
        ("transformers: [merged.yaml]", "merged.yaml: refers to other places"),
        ("transformers: [replaced.yaml]", "replaced.yaml: names files"),

        ("generators: [chart.yaml]", "chart.yaml: is a program of its own, or a chart"),
        ("resources: [link.yaml]", "overlay/link.yaml is a symbolic link"),
        ("resources: [module]", "overlay/module is a submodule"),
        ("resources: [a.yaml, A.yaml]", "differ only in case"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_not_built_here(text: str, why: str) -> None:
    files = {
        "overlay/kustomization.yaml": text,
        "overlay/a.yaml": POD,
        "overlay/A.yaml": POD,
        "overlay/run.yaml": "apiVersion: acme.example/v1\nkind: Run\n",
        "overlay/http.yaml": "apiVersion: builtin\nkind: PatchTransformer\npath: http://acme.example/x\n",
        "overlay/files.yaml": "apiVersion: builtin\nkind: PatchTransformer\npath: a.yaml\n",
        "overlay/Files.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nFILES: [a.yaml]\n",
        "overlay/alias.yaml": "apiVersion: builtin\nkind: X\na: &a b\nb: *a\n",
        "overlay/merged.yaml": "apiVersion: builtin\nkind: PatchTransformer\n<<: {path: a.yaml}\n",
        "overlay/replaced.yaml": "apiVersion: builtin\nkind: X\nReplacements: [{Path: a.yaml}]\n",
        "overlay/chart.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\n",
    }
    links = {"overlay/link.yaml": "120000", "overlay/module": "160000"}

    assert why in closure(snapshot(files, links), "overlay").outward


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "overlay: has no kustomization.yaml"),
        ({"overlay/kustomization.yaml": "", "overlay/Kustomization": ""}, "overlay: has kustomization.yaml and Kustom"),
        ({"overlay/kustomization.yaml": "resources: [a.yaml]"}, "resources: overlay/a.yaml is not there"),
        ({"overlay/kustomization.yaml": "resources: [../base]"}, "resources: base is not there"),
        ({"overlay/kustomization.yaml": "bases: [a.yaml]", "overlay/a.yaml": ""}, "overlay/a.yaml is no folder"),
        ({"overlay/kustomization.yaml": "patches: [{path: a}]", "overlay/a/b": ""}, "overlay/a is a folder"),
        ({"overlay/kustomization.yaml": "resources: [..]"}, "the repository's root: has no kustomization.yaml"),
    ],
)  # fmt: skip
def test_what_nobody_could_build_is_wrong(files: dict[str, str], why: str) -> None:
    assert why in str(ShiplaneError(taken(files).wrong))


def test_a_circle_ends_and_a_base_of_two_is_read_once() -> None:
    files = {
        "overlay/kustomization.yaml": "resources: [../one, ../two]",
        "one/kustomization.yaml": "resources: [../base]",
        "two/kustomization.yaml": "resources: [../base, ../overlay]",
        "base/kustomization.yaml": "resources: []",
    }

    assert sorted(taken(files).files) == sorted(files)


def test_more_files_than_any_overlay_has_are_not_built() -> None:
    names = [f"{number}.yaml" for number in range(1001)]
    files = {f"overlay/{name}": "" for name in names} | {"overlay/kustomization.yaml": f"resources: {names}"}

    assert taken(files).outward == "takes more than 1000 files"


@pytest.mark.parametrize("path", ALL)
def test_upwards_every_file_reaches_what_is_built_from_it(path: str) -> None:
    whole = snapshot({**ALL, "other/kustomization.yaml": "resources: [cm.yaml]", "other/cm.yaml": MAP})

    found = folders(whole, {path})

    assert "overlay" in found
    assert "other" not in found
    assert {*kustomizations(whole)} == {path for path in whole.entries if "ustomization" in path}


@pytest.mark.parametrize(
    "reference",
    [
        "../base",
        "../base/",
        "'../base'",
        '"../b\\x61se"',
        "../base/.",
        "../base/sub/..",
        "../other/../base",
        ".././base",
        "!!str ../base",
        "!!binary Li4vYmFzZQ==",
        "*anchored",
    ],
)  # fmt: skip
def test_upwards_however_a_base_is_written(reference: str) -> None:
    files = {
        "overlay/kustomization.yaml": f"x: &anchored ../base\nresources: [{reference}]\n",
        "above/kustomization.yaml": "resources:\n- ../overlay\n",
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD,
        "base/sub/x.yaml": POD,
        "other/kustomization.yaml": "resources: [pod.yaml]\n",
        "other/pod.yaml": POD,
    }

    assert folders(snapshot(files), {"base/pod.yaml"}) == {"base", "overlay", "above"}
    assert folders(snapshot(files), {"other/pod.yaml"}) >= {"other"}


def test_upwards_a_base_below_and_one_above() -> None:
    files = {
        "app/kustomization.yaml": "resources: [pod.yaml]\n",
        "app/pod.yaml": POD,
        "app/prod/kustomization.yaml": "resources:\n- ..\n",
        "app/prod/eu/kustomization.yaml": "resources: ['../']\n",
        "app/dev/kustomization.yaml": "resources: [../prod/..]\n",
        "apart/kustomization.yaml": "resources: ['an odd name.yaml']\n",
        "apart/an odd name.yaml": POD,
    }

    assert folders(snapshot(files), {"app/pod.yaml"}) == {"app", "app/prod", "app/prod/eu", "app/dev"}
    assert folders(snapshot(files), {"apart/an odd name.yaml"}) == {"apart"}
    assert folders(snapshot(files), {"app/prod/kustomization.yaml"}) == {"app/prod", "app/prod/eu"}
    assert folders(snapshot(files), {"app/none.yaml"}) == frozenset()


def test_upwards_what_is_named_and_was_taken_away_counts() -> None:
    files = {"overlay/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [a.yaml]\n"}

    assert folders(snapshot(files), {"base/a.yaml"}) == {"base", "overlay"}
    assert folders(snapshot({"overlay/kustomization.yaml": "resources: [../base]\n"}), {"base/kustomization.yaml"}) == {
        "base", "overlay",
    }  # fmt: skip


class _Served(BaseHTTPRequestHandler):
    """Serves one object, and remembers that it was asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(POD.encode())

    def log_message(self, format: str, *args: object) -> None:  # the base class's own name
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    _Served.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/pod.yaml"
    server.shutdown()
    server.server_close()


@needs_kustomize
def test_kustomize_would_fetch_what_is_kept_from_it(address: str) -> None:
    """So it is the reading of its files that keeps it from that: on loopback no proxy does."""
    files = {"overlay/kustomization.yaml": f"resources: ['{address}']\n"}

    assert taken(files).outward.endswith("is fetched from elsewhere")
    run.build({path: text.encode() for path, text in files.items()}, "overlay")

    assert _Served.asked == ["/pod.yaml"]


@needs_kustomize
def test_kustomize_finds_no_git_no_network_and_no_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    for where in ("https://acme.example/pod.yaml", "github.com/acme/base", str(tmp_path / "pod.yaml")):
        files = {"overlay/kustomization.yaml": f"resources: ['{where}']\n".encode()}
        with pytest.raises(ShiplaneError, match="kustomize build overlay"):
            run.build(files, "overlay")


@needs_kustomize
def test_its_words_are_told_without_the_place_of_the_copy() -> None:
    with pytest.raises(ShiplaneError) as caught:
        run.build({"overlay/kustomization.yaml": b"resources: [none.yaml]\n"}, "overlay")

    told = str(caught.value)
    assert told.startswith("kustomize build overlay: ")
    assert "overlay/none.yaml: no such file or directory" in told
    assert "/dev/" not in told
    assert "/tmp" not in told


def test_what_is_named_and_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_KUSTOMIZE", "/nowhere/kustomize")

    assert run.find() == []
    with pytest.raises(ShiplaneError, match="neither kustomize nor kubectl is here"):
        run.build({}, "overlay")


def test_kubectl_is_asked_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kustomize", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert run.find() == [str(tmp_path / "kustomize"), "build"]
    (tmp_path / "kustomize").unlink()
    assert run.find() == [str(tmp_path / "kubectl"), "kustomize"]
