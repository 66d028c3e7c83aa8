"""`gitops adopt`: what it understands of repositories in other shapes, what it says it does not, and what it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import indent

import pytest

from generator.errors import ShiplaneError
from gitops import config
from gitops.adopt import Proposal, proposal, shape, told
from gitops.kustomize import run
from gitops.model import FILE
from gitops.recipe import Recipe
from gitops.repo.create import bare
from gitops.tokens import filled
from gitops.yamledit import LARGEST
from tests.gitops import story
from tests.gitops.gated import Lane
from tests.gitops.story import gitops, tag
from tests.gitops.test_layouts import SHAPES, Shape

THREE = ("dev", "staging", "prod")
ONE, TWO = tag("one"), tag("two")


def tree(
    shape: Shape, services: tuple[str, ...] = ("wallet", "ledger"), environments: tuple[str, ...] = THREE
) -> dict[str, bytes]:
    pinned = {
        shape.file(name, service): shape.said(shape.text, name, shape.tags[0], service)
        for service in services
        for name in THREE
    }
    return {**pinned, **{path: data for service in services for path, data in shape.beside(service).items()}}


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_understood_as_the_layout_that_describes_it(name: str) -> None:
    shape = SHAPES[name]

    made = proposal(tree(shape), "here")

    assert {service: {each: pin.tag for each, pin in cells.items()} for service, cells in made.table.items()} == {
        service: dict.fromkeys(THREE, shape.tags[0]) for service in ("wallet", "ledger")
    }
    read = config.load(made.files["shiplane.yaml"])
    assert [(each.name, each.source) for each in read.environments.values()] == [
        ("dev", None), ("staging", "dev"), ("prod", "staging"),
    ]  # fmt: skip
    assert read.layout.paths("prod", "wallet") == (shape.file("prod"),)
    recipe = read.layout.render
    assert ("helm" if recipe and recipe.helm else "kustomize" if recipe else "") == shape.by
    if recipe:
        assert recipe.place("prod", "wallet") == ("overlays/prod/wallet" if recipe.kustomize else "charts/wallet")
        assert recipe.settings("prod", "wallet") == (() if recipe.kustomize else (shape.file("prod"),))
    assert [each.namespace for each in read.environments.values()] == [
        f"{{service}}-{name}" if shape.by == "kustomize" else "{service}" for name in THREE
    ]
    assert {*made.files} == {"shiplane.yaml", "services/wallet.yaml", "services/ledger.yaml"}
    assert (
        made.assumed[0]
        == "the lane, by the environments' names: releases enter at dev, staging from dev, prod from staging"
    )


MORE: dict[str, tuple[dict[str, bytes], dict[str, dict[str, str]]]] = {
    "regions": (
        {
            f"deploy/{name}/wallet/kustomization.yaml": f"images:\n- {{name: wallet, newTag: '{ONE}'}}\n".encode()
            for name in ("dev", "staging-eu", "staging-us", "prod-eu", "prod-us")
        },
        {"wallet": dict.fromkeys(("dev", "staging-eu", "staging-us", "prod-eu", "prod-us"), ONE)},
    ),
    "one-file-per-environment-in-a-folder-of-the-service": (
        {
            f"services/wallet/{name}.values.yml".replace(f"{name}.values", f"values.{name}"): (
                f"web:\n  image:\n    repository: registry.acme.example/wallet\n    tag: v1.{index}.0\n"
            ).encode()
            for index, name in enumerate(THREE)
        },
        {"wallet": {name: f"v1.{index}.0" for index, name in enumerate(THREE)}},
    ),
    "service-and-environment-in-one-name": (
        {
            f"argocd/{service}-{name}.yaml": (
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
                f"metadata: {{name: {service}-{name}}}\nspec:\n  destination: {{name: eks-{name}}}\n"
                f"  source: {{chart: web, targetRevision: 1.2.3, repoURL: registry.acme.example/charts}}\n"
            ).encode()
            for service in ("wallet", "ledger")
            for name in THREE
        },
        {service: dict.fromkeys(THREE, "1.2.3") for service in ("wallet", "ledger")},
    ),
    "service-and-environment-in-the-name-of-file-and-application": (
        {
            f"argocd/{service}/{service}-{name}.yaml": (
                f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {service}-{name}}}\n"
                f"spec: {{source: {{helm: {{valuesObject: {{image: {{tag: '{ONE}'}}}}}}}}}}\n"
            ).encode()
            for service in ("wallet", "ledger")
            for name in THREE
        },
        {service: dict.fromkeys(THREE, ONE) for service in ("wallet", "ledger")},
    ),
    "all-applications-of-an-environment-in-one-file-each": (
        {
            f"envs/{name}/wallet.yaml": (
                "---\nkind: Namespace\napiVersion: v1\nmetadata: {name: wallet}\n---\n"
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: wallet}\nspec:\n  source:\n"
                f"    helm:\n      parameters:\n      - name: image.tag\n        value: '{ONE}'\n"
            ).encode()
            for name in THREE
        },
        {"wallet": dict.fromkeys(THREE, ONE)},
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_more_shapes(name: str) -> None:
    files, pins = MORE[name]

    made = proposal(files, "here")

    found = {service: {each: pin.tag for each, pin in cells.items()} for service, cells in made.table.items()}
    assert found == pins
    assert [each for each in made.unread if "wallet" in each.file] == []


def test_regions_are_promoted_from_their_own(tmp_path: Path) -> None:
    read = config.load(proposal(MORE["regions"][0], "here").files["shiplane.yaml"])

    assert {each.name: each.source for each in read.environments.values()} == {
        "dev": None, "staging-eu": "dev", "staging-us": "dev", "prod-eu": "staging-eu", "prod-us": "staging-us",
    }  # fmt: skip
    assert shape.lane(["prod", "staging-eu", "staging-us"])[1] == [
        "prod could be promoted from staging-eu or staging-us: staging-eu is taken"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "charts/{service}/{environment}-values.yaml",
        "charts/{service}/values_{environment}.yaml",
        "charts/{service}/{environment}.values.yaml",
        "values/{environment}/{service}-values.yaml",
        "values/{environment}/values-{service}.yaml",
        "argocd/{environment}-{service}.yaml",
        "nonprod/{environment}/{service}.yaml",
    ],
)
def test_what_a_file_is_called_besides_is_no_part_of_an_environments_or_a_services_name(path: str) -> None:
    files = {
        path.format(environment=name, service=service): IMAGE.replace(b"x/y", f"acme/{service}".encode())
        for name in THREE
        for service in ("wallet", "live-scores")
    }

    made = proposal(files, "here")

    assert {service: {*cells} for service, cells in made.table.items()} == {"wallet": {*THREE}, "live-scores": {*THREE}}
    layout = config.load(made.files["shiplane.yaml"]).layout
    assert f"{layout.service}/{layout.carries[0]}" == path


def test_a_branchs_build_is_a_release() -> None:
    files = {path: data.replace(ONE.encode(), f"main-{ONE[:7]}-57".encode()) for path, data in GOOD.items()}

    made = proposal(files, "here")

    assert {pin.tag for pin in made.table["wallet"].values()} == {f"main-{ONE[:7]}-57"}
    assert config.load(made.files["shiplane.yaml"]).layout.fits("main-0a1b2c3-58")


def test_a_lane_goes_where_the_services_go() -> None:
    """Two teams call their environments otherwise; and one service has no staging."""
    homes = {"wallet": THREE, "ledger": ("development", "stage", "production"), "card": ("dev", "prod")}
    files = {
        f"apps/{service}/{name}.yaml": IMAGE.replace(b"x/y", f"acme/{service}".encode())
        for service, names in homes.items()
        for name in names
    }

    made = proposal(files, "here")

    assert {each.name: each.source for each in config.load(made.files["shiplane.yaml"]).environments.values()} == {
        "dev": None, "development": None, "staging": "dev", "stage": "development", "prod": "staging",
        "production": "stage",
    }  # fmt: skip
    assert [each for each in made.assumed if "could be promoted" in each] == []
    assert "prod from staging, which has no card: nothing can be promoted before it has" in made.assumed


def test_what_is_not_production_comes_before_it() -> None:
    order = ["prod", "nonprod", "dev"]

    assert shape.lane(order) == ({"dev": "", "nonprod": "dev", "prod": "nonprod"}, [])
    assert shape.lane(["prod", "non-prod"])[0] == {"non-prod": "", "prod": "non-prod"}


def kustomization(images: str) -> bytes:
    return f"images:\n- {images}\n".encode()


def test_what_kustomize_would_fetch_is_told_and_the_rest_is_rendered() -> None:
    remote = GOOD[PROD] + b"resources: ['https://acme.example/base.yaml']\n"

    some = proposal({**GOOD, PROD: remote}, "here")
    none = proposal(
        {path: data + b"resources: ['https://acme.example/base.yaml']\n" for path, data in GOOD.items()}, ""
    )

    told = f"is not rendered: {PROD}: resources: https://acme.example/base.yaml is fetched from elsewhere"
    assert [each.why for each in some.unread if each.file == PROD] == [told]
    assert config.load(some.files["shiplane.yaml"]).layout.render is not None
    assert config.load(none.files["shiplane.yaml"]).layout.render is None
    assert b"this layout is not rendered here, so no policy can judge it" in none.files["shiplane.yaml"]


def test_a_file_that_is_no_yaml_counts_though_it_is_not_read() -> None:
    patched = {path: data + b"patches: [{path: patch.json}]\n" for path, data in GOOD.items()}

    lacking = proposal(patched, "here")
    whole = proposal(patched, "here", [path.replace("kustomization.yaml", "patch.json") for path in GOOD])

    assert lacking.unread[0].why.endswith("patches.path overlays/dev/wallet/patch.json is not there")
    assert whole.unread == ()


def test_namespaces_that_do_not_agree_are_looked_at() -> None:
    homes = {"pay": "payments", "card": "payments", "score": "risk"}
    files = {
        f"overlays/{name}/{service}/kustomization.yaml": f"namespace: {home}-{name}\n".encode()
        + kustomization(f"{{name: {service}, {PINNED}}}")
        for service, home in homes.items()
        for name in THREE
    }
    of = {path: data for path, data in files.items() if "score" not in path}

    some = {
        path: data.replace(b"namespace: payments-dev\n", b"") if "card" in path else data for path, data in of.items()
    }

    apart, alike, lacking = (proposal(each, "here") for each in (files, of, some))

    told = "the namespace of prod: its overlays name payments-prod and risk-prod; it is taken for each service's own"
    assert told in apart.assumed
    assert config.load(apart.files["shiplane.yaml"]).environments["prod"].namespace == "{service}"
    assert config.load(alike.files["shiplane.yaml"]).environments["prod"].namespace == "payments-prod"
    assert [each for each in alike.assumed if "namespace" in each] == []
    assert [each for each in lacking.assumed if "namespace" in each] == [
        "the namespace of dev: its overlays name none and payments-dev; it is taken for each service's own"
    ]


def test_a_chart_that_helm_is_not_shown_is_told() -> None:
    files = {
        f"{name}/wallet/{file}": data
        for name in THREE
        for file, data in {
            "values.yaml": b"web: {" + IMAGE.strip() + b"}\n",
            "Chart.yaml": b"name: wallet\nversion: 1.0.0\ndependencies: [{name: web, version: ^1}]\n",
        }.items()
    }

    whole = proposal(files, "here", [f"{name}/wallet/charts/web-1.4.2.tgz" for name in THREE])

    assert whole.unread == ()
    assert config.load(whole.files["shiplane.yaml"]).layout.render is not None
    assert [(each.file, each.why) for each in proposal(files, "here").unread] == [
        (f"{name}/wallet/Chart.yaml", "is not rendered: depends on web, which is not in charts/")
        for name in sorted(THREE)
    ]


def test_a_version_that_is_built_again_pins_nothing() -> None:
    tags = {"dev": "1.4.0-SNAPSHOT", "staging": "1.4.0-rc.1", "prod": "1.3.0"}
    files = {f"envs/{name}/wallet.yaml": IMAGE.replace(ONE.encode(), each.encode()) for name, each in tags.items()}

    made = proposal(files, "here")

    assert {name: pin.tag for name, pin in made.table["wallet"].items()} == {"staging": "1.4.0-rc.1", "prod": "1.3.0"}
    assert [each.why for each in made.unread] == ["image.tag is 1.4.0-SNAPSHOT, which pins nothing: see layout.tag"]


def test_a_chart_elsewhere_in_the_repository_is_found_by_the_services_name() -> None:
    files = {
        f"envs/{name}/{service}/values.yaml": IMAGE.replace(b"x/y", f"acme/{service}".encode())
        for service in ("wallet", "ledger")
        for name in THREE
    }
    charts = {f"charts/{service}/Chart.yaml": b"name: x\nversion: 1.0.0\n" for service in ("wallet", "ledger")}

    recipe = config.load(proposal({**files, **charts}, "here").files["shiplane.yaml"]).layout.render
    assert recipe is not None
    assert recipe.place("prod", "wallet") == "charts/wallet"
    assert recipe.settings("prod", "wallet") == ("envs/prod/wallet/values.yaml",)
    assert config.load(proposal(files, "here").files["shiplane.yaml"]).layout.render is None


def application(source: str) -> bytes:
    return f"kind: Application\napiVersion: argoproj.io/v1alpha1\nspec: {{source: {source}}}\n".encode()


PINNED = f"newTag: '{ONE}'"
IMAGE = f"image: {{repository: x/y, tag: '{ONE}'}}\n".encode()
GOOD = {f"overlays/{name}/wallet/kustomization.yaml": kustomization(f"{{name: wallet, {PINNED}}}") for name in THREE}
GOOD_PROD = kustomization(f"{{name: wallet, {PINNED}}}")
PROXIED = kustomization(f"{{name: wallet, {PINNED}}}\n- {{name: proxy, {PINNED}}}")
DEV = "overlays/dev/wallet/kustomization.yaml"
PROD = "overlays/prod/wallet/kustomization.yaml"


@pytest.mark.parametrize(
    ("file", "data", "why"),
    [
        (PROD, kustomization("{name: wallet, newTag: latest}"), "is latest"),
        (PROD, kustomization("{name: wallet, digest: 'sha256:ab'}"), "by its digest alone"),
        (PROD, PROXIED, "images[name=proxy].newTag: pinned there too, and not carried: with its key"),
        ("overlays/kustomization.yaml", kustomization(f"{{name: a, {PINNED}}}"), "names an environment"),
        ("overlays/dev/prod/a/kustomization.yaml", kustomization(f"{{name: a, {PINNED}}}"), "names dev or prod: which"),
        (
            "apps/dev/a.yaml",
            b"kind: WebApp\napiVersion: acme.example/v1\nspec: {" + IMAGE.strip() + b"}\n",
            "a WebApp with",
        ),
        ("kustomization.yaml", kustomization(f"{{name: a, {PINNED}}}"), "lies at the top"),
        ("overlays/dev/kustomization.yaml", kustomization(f"{{name: a, {PINNED}}}"), "which service it is of"),
        ("apps/dev/a/b/values.yaml", IMAGE, "a or b: which is it?"),
        ("apps/dev/values.yaml", IMAGE, "a layout needs a file for each service"),
        ("our apps/dev/a.yaml", IMAGE.replace(b"x/y", b"x/a"), "no layout can name its path"),
        ("values/dev/other.yaml", IMAGE, "image.tag: another layout, values/{environment}/{service}.yaml, and a"),
        (
            "overlays/dev/card/kustomization.yaml",
            kustomization(f"{{name: acme/x, {PINNED}}}"),
            "not images[name={service}].newTag, and a layout has the same key for all; so nothing is known here of ca",
        ),
        (PROD, kustomization("{name: wallet, newTag: 1.2.3-SNAPSHOT}"), "is 1.2.3-SNAPSHOT"),
        ("prod-eu/card.yaml", IMAGE, "a repository has one; so nothing is known here of prod-eu, card"),
        (
            PROD,
            GOOD_PROD.replace(b"newTag: ", b"newTag: &t "),
            "no release could change it: images[name=wallet].newTag has",
        ),
        ("overlays/dev/redis/kustomization.yaml", b"resources: []\n", "the layout has redis in dev, and has no pin"),
        ("apps/dev/set.yaml", b"kind: ApplicationSet\napiVersion: argoproj.io/v1alpha1\n", "is not read"),
        (PROD, b"x: &x v1\nimages: [{name: wallet, newTag: *x}]\n", "stands behind an alias"),
        ("values/dev/a.yaml", b"x: &x v1\nimage: {repository: a, tag: *x}\n", "stands behind an alias"),
        ("k8s/dev/a.yaml", b"kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'a:1'}]}\n", "in one text"),
        ("values/dev/a.yaml", b"image: acme/a:1.2.3\n", "image has image and tag in one text"),
        ("values/dev/a.yaml", b"a: 1\n---\na: 2\n", "settings in several documents"),
        ("charts/a/templates/x.yaml", b"a: {{ .Values.x }}\n{{ if }}", "is a template"),
        ("values/dev/a.yaml", b"a: [\n", "is not YAML"),
        ("values/dev/a.yaml", b"\xff\xfe", "is not UTF-8"),
        ("apps/dev/a.yaml", application("{chart: a, targetRevision: 1.x}"), "by a range, 1.x"),
        ("apps/dev/a.yaml", application("{helm: {values: 'a: b'}}"), "helm.values is one text"),
        ("apps/dev/a.yaml", application("{}"), "pins no image and no chart"),
        ("apps/dev/a.yaml", application("{kustomize: {images: ['a:v1']}}"), "kustomize.images has image and tag in"),
        (PROD, b"helmCharts: [{name: web, version: 1.4.2}]\n", "name its key: helmCharts[name=web].version"),
        ("values/dev/a.yaml", b"web: {tag: v1.2.3}\nlog: {tag: kube}\n", "name its key: web.tag"),
        ("values/dev/a.yaml", b"global: {imageTag: v1.2.3}\n", "name its key: global.imageTag"),
        (
            "dev/a/Chart.yaml",
            b"dependencies: [{name: web, version: 1.4.2}]\n",
            "its key: dependencies[name=web].version",
        ),
    ],
)
def test_what_is_not_read_is_told_with_its_reason(file: str, data: bytes, why: str) -> None:
    """None of it keeps the rest from being read."""
    made = proposal({**GOOD, file: data}, "here")

    assert any(why in each.why for each in made.unread if each.file == file), made.unread
    assert made.table["wallet"]["dev"].tag == ONE


def test_the_catalog_has_what_the_table_has() -> None:
    twice = b"image: {repository: acme/card, tag: v1.2.3}\nimage: {repository: acme/card, tag: v1.2.4}\n"
    files = {
        f"envs/dev/{name}.yaml": f"image: {{repository: acme/{name}, tag: v1.2.3}}\n".encode() for name in ("a", "b")
    }

    made = proposal({**files, "envs/dev/card.yaml": twice}, "here")

    assert {*made.files} == {"shiplane.yaml", "services/a.yaml", "services/b.yaml"}
    with pytest.raises(ShiplaneError, match="stands here twice"):
        proposal({"envs/dev/card.yaml": twice}, "here")


def test_a_source_that_no_images_name_tells_is_looked_at() -> None:
    charts = {
        f"apps/{name}/{service}.yaml": application(
            f"{{chart: {service}, targetRevision: 1.2.3, repoURL: registry.acme.example/charts}}"
        )
        for name in ("dev", "prod")
        for service in ("ledger", "wallet")
    }

    made = proposal(charts, "here")

    assert "where no image's name tells the source: put your own for acme/ledger, and 1 more" in made.assumed
    assert [each for each in made.assumed if each.startswith("the registry of images in dev: no file names it")]


def test_a_service_that_is_told_by_its_path_alone_is_looked_at() -> None:
    files = {
        f"apps/shop/{name}/values.yaml": b"wallet: "
        + IMAGE.replace(b"x/y", b"acme/wallet").replace(b"image: ", b"{image: ").replace(b"\n", b"}\n")
        for name in THREE
    }

    made = proposal(files, "here")

    assert [*made.table] == ["shop"]
    assert "services by their paths, where images are called otherwise: shop has acme/wallet" in made.assumed


def test_a_digest_that_some_have_is_one_that_all_get() -> None:
    sealed = {PROD: kustomization(f"{{name: wallet, {PINNED}, digest: '{story.digest(1)}'}}")}

    made = proposal({**GOOD, **sealed}, "here")

    assert {name: pin.digest for name, pin in made.table["wallet"].items()} == {
        "dev": "", "staging": "", "prod": story.digest(1),
    }  # fmt: skip
    assert config.load(made.files["shiplane.yaml"]).layout.digest == "images[name={service}].digest"
    assert (
        f"a digest beside each tag: {DEV} has none yet, nor have 1 more; no rollback leads to before its first"
        in made.assumed
    )


def test_what_nobody_reads_is_told_once() -> None:
    library = {"charts/web/Chart.yaml": b"dependencies: [{name: common, version: 2.0.0}]\n"}
    charts = {f"{name}/a/Chart.yaml": b"dependencies: [{name: web, version: 1.4.2}, {name: db, version: ^1}]\n"
              for name in THREE}  # fmt: skip
    programs = [f"environments/{name}/a/main.jsonnet" for name in THREE]

    made = proposal({**GOOD, **library, **charts}, "here", programs)

    assert {each.file for each in made.unread} == {*charts, *programs}
    assert told.text(made).split("not read:\n")[1].split("\n\n")[0].splitlines() == [
        "  dev/a/Chart.yaml (and 2 more): chart web, 1.4.2: not proposed; where that is a release, name its key: "
        "dependencies[name=web].version",
        "  environments/dev/a/main.jsonnet (and 2 more): Jsonnet: no program is read, so what it pins is not known",
    ]


def test_one_reason_is_one_line_so_that_none_is_lost_among_many() -> None:
    many = {f"base/{index}.yaml": b"kind: Pod\napiVersion: v1\nspec: {image: 'a:1'}\n" for index in range(50)}

    made = proposal({**many, **GOOD, "prod-eu/card.yaml": IMAGE}, "here")

    assert len(made.unread) == 51
    lines = told.text(made).split("not read:\n")[1].splitlines()
    assert lines[0] == "  base/0.yaml (and 49 more): a Pod with image and tag in one text: no key holds the tag alone"
    assert "so nothing is known here of prod-eu, card" in lines[1]


def test_a_repository_without_pins_is_refused_with_what_was_seen() -> None:
    with pytest.raises(ShiplaneError) as caught:
        proposal({"k8s/dev/a.yaml": b"kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'a:1'}]}\n"}, "here")
    assert "here: has no pins that a layout can be proposed for" in str(caught.value)
    assert "k8s/dev/a.yaml: a Pod with image and tag in one text" in str(caught.value)

    moving = {path: data.replace(ONE.encode(), b"latest") for path, data in GOOD.items()}
    with pytest.raises(ShiplaneError) as caught:
        proposal(moving, "here")
    assert "here: has no tag of a form that can be told from one that moves" in str(caught.value)
    assert f"{DEV} (and 2 more): images[name=wallet].newTag is latest" in str(caught.value)

    with pytest.raises(ShiplaneError, match="is Shiplane's already"):
        proposal({"shiplane.yaml": b""}, "here")


def overlay(*images: str, more: str = "") -> bytes:
    return ("images:\n" + "".join(f"- {{{each}}}\n" for each in images) + more).encode()


def overlays(*images: str, more: str = "") -> dict[str, bytes]:
    return {f"overlays/{name}/kustomization.yaml": overlay(*images, more=more) for name in THREE}


def keys(made: Proposal) -> tuple[str, str, tuple[str, ...], str]:
    """The folder, the file, its keys and its document, as the proposed layout has them."""
    layout = config.load(made.files["shiplane.yaml"]).layout
    ((name, carried),) = layout.keys.items()
    return layout.service, name, carried.paths, carried.document


def pins_of(made: Proposal) -> dict[str, dict[str, str]]:
    return {service: {name: pin.tag for name, pin in cells.items()} for service, cells in made.table.items()}


def test_a_chart_at_the_top_of_the_repository() -> None:
    chart = {"wallet/Chart.yaml": b"apiVersion: v2\nname: wallet\nversion: 1.0.0\n"}
    values = f"image: {{repository: acme/wallet, tag: {ONE}}}\n".encode()
    files = {f"wallet/values-{name}.yaml": values for name in THREE}

    read = config.load(proposal({**files, **chart}, "here").files["shiplane.yaml"]).layout

    assert read.service == "{service}"
    assert read.render == Recipe(helm="{service}", values=("{service}/values-{environment}.yaml",))


class TestServicesThatShareAFile:
    """One file of an environment with all services in it, told apart by the keys, or by the document."""

    @pytest.mark.parametrize("prefix", ["", "acme/", "registry.acme.example/", "registry.acme.example/acme/pay/"])
    def test_an_overlay_that_lists_images(self, prefix: str) -> None:
        files = overlays(*(f"name: {prefix}{name}, newTag: '{ONE}'" for name in ("wallet", "ledger")))

        made = proposal(files, "here")

        assert pins_of(made) == {"ledger": dict.fromkeys(THREE, ONE), "wallet": dict.fromkeys(THREE, ONE)}
        key = f"images[name={prefix}{{service}}].newTag"
        assert keys(made) == ("overlays/{environment}", "kustomization.yaml", (key,), "")
        assert made.unread == ()
        assert {*made.files} == {"shiplane.yaml", "services/wallet.yaml", "services/ledger.yaml"}
        image = f"{prefix}wallet".removeprefix("registry.acme.example/")
        assert f'image: "{image}"' in made.files["services/wallet.yaml"].decode()

    def test_the_overlay_of_all_of_them_is_rendered(self) -> None:
        base = {"base/kustomization.yaml": b"resources: [deployment.yaml]\n", "base/deployment.yaml": b"kind: Pod\n"}
        files = overlays(f"name: wallet, newTag: '{ONE}'", more="resources: [../../base]\nnamespace: pay\n")

        read = config.load(proposal({**files, **base}, "here").files["shiplane.yaml"])

        assert read.layout.render == Recipe(kustomize="overlays/{environment}")
        assert read.layout.render.whole
        assert {each.namespace for each in read.environments.values()} == {"pay"}

    def test_of_one_release_of_helms_no_file_says_the_name_so_that_no_policy_is_asked(self) -> None:
        chart = {"deploy/Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 1.0.0\n"}
        text = "".join(f"{name}: {{image: {{repository: acme/{name}, tag: {ONE}}}}}\n" for name in ("wallet", "ledger"))
        files = {f"deploy/values-{name}.yaml": text.encode() for name in THREE}

        read = config.load(proposal({**files, **chart}, "here").files["shiplane.yaml"])

        assert read.layout.render is None
        assert not read.environments["prod"].gates.policy

    def test_a_registry_of_each_environment_and_a_digest(self) -> None:
        files = {
            f"overlays/{name}/kustomization.yaml": overlay(
                f"name: {name}.registry.acme.example/wallet, newTag: '{ONE}', digest: '{story.digest(1)}'",
                f"name: {name}.registry.acme.example/ledger, newName: acme/ledger-{name}, newTag: '{ONE}'",
            )
            for name in THREE
        }

        made = proposal(files, "here")

        key = "images[name={environment}.registry.acme.example/{service}]"
        assert keys(made)[2] == (f"{key}.newTag", f"{key}.digest")
        assert {service: {*cells} for service, cells in made.table.items()} == {"wallet": {*THREE}, "ledger": {*THREE}}
        assert made.table["wallet"]["prod"].digest == story.digest(1)
        assert any(each.startswith("a digest beside each tag: overlays/dev/") for each in made.assumed)

    def test_an_image_of_somebody_elses_is_told_or_said_how_to_take_it_out(self) -> None:
        ours = [f"name: acme/{name}, newTag: v1.2.3" for name in ("wallet", "ledger")]
        apart = proposal(overlays(*ours, "name: redis, newTag: 7.2.4"), "here")
        bare = [each.replace("acme/", "") for each in ours]
        among = proposal(overlays(*bare, "name: redis, newTag: v7.2.4"), "here")

        assert {*apart.table} == {"wallet", "ledger"}
        assert [(each.file, each.why) for each in apart.unread] == [
            (
                "overlays/dev/kustomization.yaml",
                "images[name={service}].newTag and in 2 files more: not images[name=acme/{service}].newTag, and a "
                "layout has the same key for all; so nothing is known here of redis",
            )
        ]
        assert {*among.table} == {"wallet", "ledger", "redis"}
        assert (
            "services by the names that stand in images[name={service}].newTag: ledger, redis, wallet; where one is "
            "none of yours, take its services/NAME.yaml out"
        ) in among.assumed

    def test_a_tag_of_another_form_is_told(self) -> None:
        files = overlays("name: wallet, newTag: v1.2.3", "name: ledger, newTag: v1.4.0", "name: card, newTag: latest")

        made = proposal(files, "here")

        assert {*made.table} == {"wallet", "ledger"}
        assert {each.why for each in made.unread} == {
            r"images[name=card].newTag is latest, which does not fit v[0-9]+\.[0-9]+\.[0-9]+"
        }
        assert "services/card.yaml" not in made.files

    def test_a_service_that_an_environment_lacks_is_missing_there(self) -> None:
        both = (f"name: acme/wallet, newTag: '{ONE}'", f"name: acme/card, newTag: '{ONE}'")
        files = {**overlays(*both), "overlays/staging/kustomization.yaml": overlay(both[0])}

        made = proposal(files, "here")

        assert {*made.table["card"]} == {"dev", "prod"}
        assert told.text(made).splitlines()[1].split() == ["card", ONE[:7], "–", ONE[:7]]
        assert "prod from staging, which has no card: nothing can be promoted before it has" in made.assumed

    def test_an_environment_whose_file_pins_nothing_is_told(self) -> None:
        files = {**overlays(f"name: wallet, newTag: '{ONE}'"), "overlays/qa/kustomization.yaml": b"resources: []\n"}

        made = proposal({**files, "overlays/shared/kustomization.yaml": b"resources: []\n"}, "here")

        assert [(each.file, each.why) for each in made.unread] == [
            ("overlays/qa/kustomization.yaml", "lies where the layout has the environment qa, and has no pin for it")
        ]

    @pytest.mark.parametrize(
        ("others", "form"),
        [
            (("wallet", "ledger", "dev-portal"), "{service}"),
            (("wallet-{environment}", "ledger-{environment}", "redis"), "{service}-{environment}"),
        ],
    )
    def test_an_environments_name_in_a_services_is_part_of_it_where_all_have_it(
        self, others: tuple[str, ...], form: str
    ) -> None:
        files = {
            f"overlays/{name}/kustomization.yaml": overlay(
                *(f"name: acme/{filled(each, name, '')}, newTag: v1.2.3" for each in others)
            )
            for name in THREE
        }

        made = proposal(files, "here")

        assert keys(made)[2] == (f"images[name=acme/{form}].newTag",)
        bare = {each.removesuffix("-{environment}") for each in others} - {"redis"}
        assert {service: {*cells} for service, cells in made.table.items()} == {each: {*THREE} for each in bare}

    def test_images_of_values_by_their_repositories(self) -> None:
        data = "images:\n" + "".join(f"  acme/{name}: {{tag: v1.2.3}}\n" for name in ("wallet", "ledger"))

        made = proposal({f"deploy/{name}/values.yaml": data.encode() for name in THREE}, "here")

        assert {*made.table} == {"wallet", "ledger"}
        assert keys(made)[2] == ("images.acme/{service}.tag",)

    @pytest.mark.parametrize("name", ["''", "dev-"])
    def test_a_pin_whose_key_has_no_name_is_told(self, name: str) -> None:
        files = overlays("name: wallet, newTag: v1.2.3")
        files["overlays/dev/kustomization.yaml"] += f"- {{name: {name}, newTag: v1.2.3}}\n".encode()

        made = proposal(files, "here")

        assert {*made.table} == {"wallet"}
        assert [each.file for each in made.unread] == ["overlays/dev/kustomization.yaml"]

    @pytest.mark.parametrize("name", ["wallet_api", "9pay", "a" * 41, "w.api"])
    def test_a_name_that_no_service_has_is_told(self, name: str) -> None:
        files = overlays(f"name: acme/wallet, newTag: '{ONE}'", f"name: acme/{name}, newTag: '{ONE}'")

        made = proposal(files, "here")

        why = f"images[name=acme/{name}].newTag: {name} is no name for a service: small letters, digits and dashes, 40"
        assert [each.why for each in made.unread] == [f"{why} at most"] * 3
        assert {*made.table} == {"wallet"}
        with pytest.raises(ShiplaneError, match="is no name for a service"):
            proposal(overlays(f"name: acme/{name}, newTag: '{ONE}'"), "here")

    @pytest.mark.parametrize(
        ("image", "why"),
        [
            ("name: acme/card, newTag: &t v1.2.3", "images[name=acme/card].newTag has an anchor, t"),
            ("name: acme/card, newTag: *x", "stands behind an alias"),
            ("name: acme/card, digest: 'sha256:ab'", "pins acme/card by its digest alone"),
            ("name: acme/wallet, newTag: v1.2.4", "stands here twice"),
        ],
    )
    def test_what_could_not_be_changed_is_told(self, image: str, why: str) -> None:
        files = overlays("name: acme/wallet, newTag: v1.2.3", "name: acme/ledger, newTag: v1.2.3")
        at = "overlays/prod/kustomization.yaml"

        made = proposal({**files, at: b"x: &x v1.2.3\n" + files[at] + f"- {{{image}}}\n".encode()}, "here")

        assert any(why in each.why for each in made.unread if each.file == at), made.unread
        assert {*made.table["ledger"]} == {*THREE}

    def test_a_file_for_each_service_goes_before_it(self) -> None:
        made = proposal({**GOOD, **overlays(*(f"name: acme/{name}, {PINNED}" for name in ("pay", "card")))}, "here")

        assert pins_of(made) == {"wallet": dict.fromkeys(THREE, ONE)}
        assert [each.why for each in made.unread] == [
            "images[name=acme/{service}].newTag and in 2 files more: its path does not say which service it is of, "
            "and a layout with a file for each goes before; so nothing is known here of pay, card"
        ]

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("{service}:\n  image: {repository: acme/{service}, tag: '@TAG@'}\n", "{service}.image.tag"),
            ("{service}:\n  repository: acme/{service}\n  tag: '@TAG@'\n", "{service}.tag"),
            ("{service}:\n  replicas: 2\n  tag: '@TAG@'\n", "{service}.tag"),
            ("{service}:\n  imageTag: '@TAG@'\n", "{service}.imageTag"),
        ],
    )
    @pytest.mark.parametrize("above", ["", "services", "global.images", "apps.backend"])
    @pytest.mark.parametrize("path", ["deploy/values-{name}.yaml", "envs/{name}/images.yaml", "{name}/values.yml"])
    def test_one_file_of_values_for_all(self, path: str, above: str, text: str, key: str) -> None:
        parts = above.split(".") if above else []
        head = "".join("  " * depth + f"{part}:\n" for depth, part in enumerate(parts))
        body = "".join(text.replace("{service}", service).replace("@TAG@", ONE) for service in ("wallet", "ledger"))
        data = head + indent(body, "  " * len(parts)) + "domain: acme.example\n"
        files = {path.replace("{name}", name): data.encode() for name in THREE}

        made = proposal(files, "here")

        assert pins_of(made) == {"ledger": dict.fromkeys(THREE, ONE), "wallet": dict.fromkeys(THREE, ONE)}
        folder, _, name = path.replace("{name}", "{environment}").rpartition("/")
        assert keys(made) == (folder, name, (".".join([*parts, key]),), "")
        assert made.unread == ()
        bare = "repository" not in text
        assert any(each.startswith("tags with no image beside them") for each in made.assumed) == bare

    @pytest.mark.parametrize("item", ["name: {service}, tag: '@TAG@'", "name: {service}, image: {tag: '@TAG@'}"])
    @pytest.mark.parametrize("above", ["services", "global.apps"])
    def test_a_list_of_services(self, above: str, item: str) -> None:
        """The order of the items is each file's own."""
        files = {}
        for name, order in zip(THREE, (["wallet", "ledger"], ["ledger", "wallet"], ["card", "wallet"]), strict=True):
            items = [item.replace("{service}", each).replace("@TAG@", ONE) for each in order]
            head = "".join("  " * depth + f"{part}:\n" for depth, part in enumerate(above.split(".")))
            text = head + "".join(f"    - {{{each}}}\n" for each in items)
            files[f"deploy/values-{name}.yaml"] = text.encode()

        made = proposal(files, "here")

        assert {service: {*cells} for service, cells in made.table.items()} == {
            "wallet": {*THREE}, "ledger": {"dev", "staging"}, "card": {"prod"},
        }  # fmt: skip
        end = ".image.tag" if "image" in item else ".tag"
        assert keys(made)[2] == (f"{above}[name={{service}}]{end}",)
        assert made.unread == ()

    def test_what_stands_beside_a_services_image_is_not_carried(self) -> None:
        one = "{service}: {image: {repository: acme/{service}, tag: v1.2.3}, proxy: {image: {tag: v9.0.1}}}\n"
        data = "".join(one.replace("{service}", name) for name in ("wallet", "ledger"))
        files = {f"deploy/values-{name}.yaml": data.encode() for name in THREE}

        made = proposal({**files, "deploy/values-qa.yaml": b"log: {tag: latest}\n"}, "here")

        assert keys(made)[2] == ("{service}.image.tag",)
        assert [each.why for each in made.unread] == [
            "{service}.proxy.image.tag and in 2 files more: pinned there too, and not carried: with its key a "
            "promotion takes it along, a release leaves it alone",
            "lies where the layout has the environment qa, and has no pin for it",
        ]

    def test_a_tag_alone_that_fits_no_others_is_told_as_anywhere(self) -> None:
        files = overlays("name: wallet, newTag: v1.2.3")

        made = proposal({**files, "deploy/values-dev.yaml": b"log: {tag: v9.0.1, imageTag: v9}\nx: {tag: blue}\n"}, "")

        assert [each.why for each in made.unread] == [
            f"a tag with no image beside it, {tag}: not proposed; where that is a release, name its key: log.{key}"
            for tag, key in (("v9.0.1", "tag"), ("v9", "imageTag"))
        ]

    @pytest.mark.parametrize(
        ("head", "item", "key"),
        [
            ("", "NAME: {image: {tag: v1.2.3}}\n", "NAME.image.tag"),
            ("services:\n", "- {name: NAME, tag: v1.2.3}\n", "services[name=NAME].tag"),
        ],
    )
    def test_a_name_in_values_that_no_service_has_is_told(self, head: str, item: str, key: str) -> None:
        data = head + "".join(item.replace("NAME", name) for name in ("wallet", "paymentApi", "pay_api"))

        made = proposal({f"deploy/values-{name}.yaml": data.encode() for name in THREE}, "here")

        assert {*made.table} == {"wallet"}
        assert {each.why.partition(" is ")[0] for each in made.unread} == {
            f"{key.replace('NAME', name)}: {name}" for name in ("paymentApi", "pay_api")
        }

    @pytest.mark.parametrize("name", ["{service}", "{service}-{environment}", "{environment}-{service}"])
    @pytest.mark.parametrize("path", ["argocd/{environment}/apps.yaml", "clusters/{environment}.yaml"])
    @pytest.mark.parametrize(
        ("source", "key"),
        [
            ("chart: web, targetRevision: 1.2.3", "spec.source.targetRevision"),
            ("chart: '{service}', targetRevision: 1.2.3", "spec.source.targetRevision"),
            (
                "helm: {parameters: [{name: image.tag, value: 1.2.3}]}",
                "spec.source.helm.parameters[name=image.tag].value",
            ),
            ("helm: {valuesObject: {image: {tag: 1.2.3}}}", "spec.source.helm.valuesObject.image.tag"),
        ],
    )
    def test_applications_as_documents_of_one_file(self, name: str, path: str, source: str, key: str) -> None:
        """Where an environment has one alone, it is told apart as in the others."""
        files = {}
        for environment, services in zip(THREE, (["wallet", "ledger"], ["ledger", "wallet"], ["wallet"]), strict=True):
            files[filled(path, environment, "")] = b"---\n".join(
                filled(f"metadata: {{name: '{name}'}}\n", environment, each).encode()
                + application("{" + filled(source, environment, each) + "}")
                for each in services
            )

        made = proposal(files, "here")

        assert pins_of(made) == {
            "wallet": dict.fromkeys(THREE, "1.2.3"), "ledger": dict.fromkeys(("dev", "staging"), "1.2.3"),
        }  # fmt: skip
        folder, _, file = path.rpartition("/")
        assert keys(made) == (folder, file, (key,), f"kind=Application,metadata.name={name}")
        assert made.unread == ()
        assert any(
            each.startswith(f"services by the names that stand in kind=Application,metadata.name={name}: ")
            for each in made.assumed
        )

    def test_several_sources_of_applications_in_one_file(self) -> None:
        source = "spec: {sources: [{chart: {service}, targetRevision: 1.2.3}, {ref: values}]}\n"
        text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: {service}}\n" + source
        files = {
            f"argocd/{name}/apps.yaml": "---\n".join(filled(text, name, each) for each in ("wallet", "ledger")).encode()
            for name in THREE
        }

        made = proposal(files, "here")

        assert keys(made)[2:] == (
            ("spec.sources[chart={service}].targetRevision",),
            "kind=Application,metadata.name={service}",
        )
        assert {*made.table} == {"wallet", "ledger"}

    @pytest.mark.parametrize(
        ("source", "key"),
        [
            (
                "helm: {parameters: [{name: wallet.image.tag, value: 1.2.3}, {name: ledger.image.tag, value: 1.2.3}]}",
                "spec.source.helm.parameters[name={service}.image.tag].value",
            ),
            (
                "helm: {valuesObject: {apps: {wallet: {image: {tag: 1.2.3}}, ledger: {image: {tag: 1.2.3}}}}}",
                "spec.source.helm.valuesObject.apps.{service}.image.tag",
            ),
        ],
    )
    def test_one_application_for_all(self, source: str, key: str) -> None:
        files = {f"argocd/{name}.yaml": b"metadata: {name: all}\n" + application(f"{{{source}}}") for name in THREE}

        made = proposal(files, "here")

        assert {*made.table} == {"wallet", "ledger"}
        assert keys(made) == ("argocd", "{environment}.yaml", (key,), "")

    def test_applications_of_which_some_cannot_be_read(self) -> None:
        def document(name: str, source: str) -> bytes:
            return f"metadata: {{name: {name}}}\n".encode() + application(source)

        good = "{chart: web, targetRevision: 1.2.3}"
        apps = [
            *((name, good) for name in ("wallet", "ledger", "card", "card", "pay_api")),
            ("ranged", "{chart: web, targetRevision: 1.x}"),
            ("other", "{helm: {valuesObject: {image: {tag: v1.2.3}}}}"),
        ]
        files = {f"argocd/{name}/apps.yaml": b"---\n".join(document(*each) for each in apps) for name in THREE}

        made = proposal(files, "here")

        assert {*made.table} == {"wallet", "ledger"}
        whys = " | ".join(each.why for each in made.unread)
        for why in (
            "has 2 documents with kind=Application and metadata.name=card, where one is meant",
            "pay_api is no name for a service",
            "chart web by a range, 1.x",
            "so nothing is known here of other",
        ):
            assert why in whys

    @pytest.mark.parametrize(
        ("folder", "key", "path", "service"),
        [
            ("clusters", "acme/{service}", "clusters/{environment}/kustomization.yaml", "proxy"),
            ("edge", "acme/proxy", "{service}/{environment}/kustomization.yaml", "edge"),
        ],
    )
    def test_the_form_that_most_services_have_is_taken(self, folder: str, key: str, path: str, service: str) -> None:
        """A path that has one word for all, which no pin says, too, tells no services apart."""
        files = overlays(*(f"name: acme/{name}, {PINNED}" for name in ("wallet", "ledger")))
        other = {f"{folder}/{name}/kustomization.yaml": overlay(f"name: acme/proxy, {PINNED}") for name in THREE}

        made = proposal({**files, **other}, "here")

        assert {*made.table} == {"wallet", "ledger"}
        assert [each.why for each in made.unread] == [
            f"images[name={key}].newTag and in 2 files more: another layout, {path}, and a repository has one; so "
            f"nothing is known here of {service}"
        ]

    def test_a_file_of_one_environment_alone_does_not_go_before_it(self) -> None:
        """There is nothing that a promotion from it could lead to."""
        files = overlays(*(f"name: acme/{name}, newTag: v1.2.3" for name in ("wallet", "ledger")))
        stray = {"redis/values-dev.yaml": b"image: {repository: redis, tag: v7.2.4}\n"}

        made = proposal({**files, **stray}, "here")

        assert {*made.table} == {"wallet", "ledger"}
        assert [each.why for each in made.unread] == [
            "image.tag: another layout, {service}/values-{environment}.yaml, and a repository has one; so nothing is "
            "known here of redis"
        ]

    @pytest.mark.parametrize(
        "shared",
        [
            overlays("name: acme/pay, newTag: latest", "name: acme/card, newTag: latest"),
            {"overlays/dev/kustomization.yaml": overlay(f"name: acme/pay, {PINNED}", f"name: acme/card, {PINNED}")},
        ],
    )
    def test_what_no_release_could_be_promoted_between_goes_before_nothing(self, shared: dict[str, bytes]) -> None:
        made = proposal({**shared, "edge/dev/kustomization.yaml": overlay(f"name: acme/proxy, {PINNED}")}, "here")

        assert {*made.table} == {"edge"}

    def test_a_file_that_says_images_is_a_services_where_no_key_says_whose(self) -> None:
        one = proposal({f"envs/{name}/images.yaml": IMAGE for name in THREE}, "here")
        many = proposal({f"envs/{name}/images.yaml": b"wallet: {" + IMAGE[:-1] + b"}\n" for name in THREE}, "here")

        assert keys(one)[:2] == ("envs/{environment}", "{service}.yaml")
        assert keys(many)[2] == ("wallet.image.tag",)

    def test_a_path_alone_that_tells_services_apart_goes_before_it(self) -> None:
        own = {
            f"apps/{team}/{name}/kustomization.yaml": overlay(f"name: acme/{team}-web, {PINNED}")
            for team in ("pay", "card")
            for name in THREE
        }
        many = overlays(*(f"name: {name}, {PINNED}" for name in ("redis", "proxy", "queue")))

        made = proposal({**own, **many}, "here")

        assert {*made.table} == {"pay", "card"}
        assert "so nothing is known here of redis, proxy, queue" in made.unread[0].why


class TestCommand:
    @pytest.fixture
    def repo(self, tmp_path: Path) -> Path:
        files = {path: (FILE, data) for path, data in tree(SHAPES["kustomize"]).items()}
        bare(tmp_path / "gitops.git", {**files, "README.md": (FILE, b"Ours\n")}, "Ours\n")
        return tmp_path / "gitops.git"

    def test_it_shows_and_changes_nothing(self, repo: Path) -> None:
        before = story.refs(repo)

        done = gitops("adopt", str(repo))

        assert done.returncode == 0
        lines = done.stdout.splitlines()
        assert lines[0].split() == ["service", "dev", "staging", "prod"]
        assert lines[1].split() == ["ledger", ONE[:7], ONE[:7], ONE[:7]]
        assert "assumed; look at it before you merge it:" in lines
        assert "# shiplane.yaml" in lines
        assert story.refs(repo) == before

    def test_as_json(self, repo: Path) -> None:
        told = json.loads(gitops("adopt", str(repo), "--json").stdout)

        assert told["schema"] == "shiplane/adoption/1"
        assert told["items"][0]["services"]["wallet"]["prod"]["tag"] == ONE
        assert told["items"][0]["unread"] == [
            {
                "file": "overlays/dev/ledger/kustomization.yaml",
                "why": "images[name=acme/proxy].newTag and in 5 files more: pinned there too, and not carried: "
                "with its key a promotion takes it along, a release leaves it alone",
            }
        ]

    def test_what_is_not_followed_is_told_of_a_clone_and_of_an_address_alike(self, repo: Path, tmp_path: Path) -> None:
        clone, other = tmp_path / "clone", tmp_path / "other.git"
        bare(other, {path: (FILE, data) for path, data in GOOD.items()}, "Theirs\n")
        story.git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        (clone / "overlays/prod/card").symlink_to("wallet")
        (clone / "overlays/prod/large.yaml").write_bytes(b"#" * (LARGEST + 1))
        story.git(clone, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "theirs")
        story.git(clone, "add", "--all")
        story.git(clone, "commit", "--quiet", "--message=Have what is not followed")
        story.git(clone, "push", "--quiet", "origin", "HEAD")

        told = [json.loads(gitops("adopt", str(each), "--json").stdout)["items"][0] for each in (clone, repo)]

        assert told[0] == told[1]
        assert {each["file"]: each["why"].split(":")[0] for each in told[0]["unread"]} == {
            "overlays/prod/card": "a symbolic link",
            "overlays/prod/large.yaml": f"is larger than {LARGEST} bytes",
            "theirs": "a submodule",
            "overlays/dev/ledger/kustomization.yaml": "images[name=acme/proxy].newTag and in 5 files more",
        }

    def test_an_address_is_not_written_to(self, repo: Path) -> None:
        done = gitops("adopt", str(repo), "--write")

        assert done.returncode == 1
        assert "is no work tree" in done.stderr

    def test_it_never_writes_over_a_file(self, repo: Path, tmp_path: Path) -> None:
        clone = tmp_path / "clone"
        story.git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        (clone / "services").mkdir()
        (clone / "services" / "wallet.yaml").write_text("kind: Service\n")

        assert "services/wallet.yaml is there already" in gitops("adopt", str(clone)).stdout
        assert gitops("adopt", str(clone), "--write").returncode == 0
        assert (clone / "services" / "wallet.yaml").read_text() == "kind: Service\n"
        done = gitops("adopt", str(clone), "--write")
        assert done.returncode == 1
        assert "is Shiplane's already" in done.stderr

    def test_what_git_ignores_is_not_in_the_repository(self, repo: Path, tmp_path: Path) -> None:
        clone = tmp_path / "clone"
        story.git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        (clone / ".git/info/exclude").write_text("card\n*.local.yaml\n")
        for path in ("overlays/dev/card/kustomization.yaml", "overlays/dev/score.local.yaml"):
            (clone / path).parent.mkdir(exist_ok=True)
            (clone / path).write_bytes(GOOD_PROD)

        told = [gitops("adopt", str(each), "--json").stdout for each in (clone, repo)]

        assert told[0] == told[1]

    def test_it_writes_at_the_top_of_a_clone_and_nowhere_else(self, repo: Path, tmp_path: Path) -> None:
        clone, away = tmp_path / "clone", tmp_path / "away"
        story.git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        away.mkdir()
        (clone / "services").symlink_to(away)

        done = gitops("adopt", str(clone), "--write")

        assert done.returncode == 1
        assert "services: is a symbolic link: none is followed" in done.stderr
        assert not [*away.iterdir()]
        assert not (clone / "shiplane.yaml").exists()
        assert "or a folder in one" in gitops("adopt", str(clone / "overlays"), "--write").stderr


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_adopted_goes_through_the_lane(name: str, tmp_path: Path) -> None:
    """From a repository of somebody else's to a promotion and back, by the commands alone."""
    shape = SHAPES[name]
    if shape.by == "kustomize" and not run.find():
        pytest.skip(run.MISSING)
    files = {path: (FILE, data) for path, data in tree(shape, ("wallet",)).items()}
    bare(tmp_path / "gitops.git", {**files, "README.md": (FILE, b"Ours\n")}, "Ours\n")
    lane = Lane(tmp_path / "gitops.git")
    clone = tmp_path / "clone"
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(clone))
    assert gitops("adopt", str(clone), "--write").returncode == 0
    written = story.git(clone, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert written == ["?? services/wallet.yaml", "?? shiplane.yaml"]
    story.git(clone, "add", "--all")
    story.git(clone, "commit", "--quiet", "--message=Adopt Shiplane")
    story.git(clone, "push", "--quiet", "origin", "HEAD")
    shutil.rmtree(clone)

    words = ["--digest", story.digest(shape.tags[1])] if shape.pinned else []
    lane.merge(lane.number("release", "wallet", "--tag", shape.tags[1], *words), "rev")
    number = lane.promote("staging")
    assert ("### What changes in the cluster: nothing but the image" in lane.run("show", number).stdout) == bool(
        shape.by
    )
    lane.merge(number, "rev")
    lane.carry("prod", "rev")

    assert story.show(lane.repo, shape.file("prod")) == shape.said(shape.text, "prod", shape.tags[1])
    lane.merge(lane.number("rollback", "wallet", "--env", "prod"), "rev")
    assert story.show(lane.repo, shape.file("prod")) == shape.said(shape.text, "prod", shape.tags[0])
    rows = json.loads(lane.run("status", "--json").stdout)["items"]
    assert {name: cell["tag"] for name, cell in rows[0]["environments"].items()} == {
        "dev": shape.tags[1], "staging": shape.tags[1], "prod": shape.tags[0],
    }  # fmt: skip


SHARED = {
    "overlays/{environment}/kustomization.yaml": (
        "images:  # ours\n- name: acme/wallet\n  newTag: 1.2.3\n- {name: acme/ledger, newTag: 1.2.3}\n"
    ),
    "deploy/values-{environment}.yaml": "services:\n- {name: wallet, tag: 1.2.3}\n- {name: ledger, tag: 1.2.3}\n",
    "argocd/{environment}/apps.yaml": "---\n".join(
        application("{chart: web, targetRevision: 1.2.3}").decode() + f"metadata: {{name: {name}}}\n"
        for name in ("wallet", "ledger")
    ),
}


@pytest.mark.parametrize("path", SHARED)
def test_what_is_adopted_of_services_that_share_a_file_goes_through_the_lane(path: str, tmp_path: Path) -> None:
    """One of them alone: the other one's pin in the same file stays."""
    files = {filled(path, name, ""): (FILE, SHARED[path].encode()) for name in THREE}
    bare(tmp_path / "gitops.git", {**files, "README.md": (FILE, b"Ours\n")}, "Ours\n")
    lane = Lane(tmp_path / "gitops.git")
    clone = tmp_path / "clone"
    story.git(tmp_path, "clone", "--quiet", str(lane.repo), str(clone))
    assert gitops("adopt", str(clone), "--write").returncode == 0
    story.git(clone, "add", "--all")
    story.git(clone, "commit", "--quiet", "--message=Adopt Shiplane")
    story.git(clone, "push", "--quiet", "origin", "HEAD")

    lane.merge(lane.number("release", "wallet", "--tag", "1.4.0"), "rev")
    lane.merge(lane.promote("staging"), "rev")
    lane.carry("prod", "rev")

    assert story.show(lane.repo, filled(path, "prod", "")) == SHARED[path].replace("1.2.3", "1.4.0", 1).encode()
    rows = json.loads(lane.run("status", "--json").stdout)["items"]
    assert {row["service"]: {cell["tag"] for cell in row["environments"].values()} for row in rows} == {
        "wallet": {"1.4.0"}, "ledger": {"1.2.3"},
    }  # fmt: skip
