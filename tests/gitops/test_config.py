"""shiplane.yaml: what it means, and every mistake with its file, line and key."""

from __future__ import annotations

import codecs

import pytest

from generator.errors import ShiplaneError
from gitops.config import load
from gitops.layout import Layout
from tests.gitops.trees import new

GOOD = """\
version: 1
environments:
  dev: {merge: auto, cluster: eks-dev, namespace: "team-{service}", registry: registry.acme.example, kubernetes: "1.33"}
  staging: {from: dev, cluster: eks-staging}
  prod: {from: staging, cluster: eks-prod, gates: {approvals: 2}}
"""
FORK = """\
version: 1
environments:
  dev: {cluster: a, registry: registry.acme.example}
  staging: {from: dev, cluster: b}
  prod-eu: {from: staging, cluster: c}
  prod-us: {from: staging, cluster: d, registry: us.acme.example}
"""


JOIN = """\
version: 1
environments:
  dev: {cluster: a, registry: registry.acme.example}
  staging-eu: {from: dev, cluster: b, namespace: eu}
  staging-us: {from: dev, cluster: c, namespace: us}
  prod: {from: [staging-eu, staging-us], hotfix: dev, cluster: d}
"""


def refusal(text: str | bytes) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        load(text.encode() if isinstance(text, str) else text)
    assert caught.value.exit_code == 1
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, changed_to: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, changed_to)


def test_what_is_not_said_is_as_in_the_environment_before() -> None:
    prod = load(GOOD.encode()).environments["prod"]

    assert (prod.registry, prod.kubernetes, prod.source, prod.gates.approvals) == (
        "registry.acme.example",
        "1.33",
        "staging",
        2,
    )
    assert prod.namespace_of("wallet") == "team-wallet"


def test_the_shortest_configuration() -> None:
    read = load(b"version: 1\nenvironments:\n  dev: {cluster: a, registry: r.acme.example}\n")
    dev = read.environments["dev"]

    assert (dev.source, dev.merge, dev.gates.approvals, dev.namespace, dev.kubernetes) == (
        None,
        False,
        0,
        "{service}",
        None,
    )
    assert read.layout == Layout()
    assert read.layout.folder("dev", "wallet") == "environments/dev/wallet"


def test_a_lane_that_forks() -> None:
    read = load(FORK.encode()).environments

    assert (read["prod-eu"].source, read["prod-us"].source) == ("staging", "staging")
    assert (read["prod-eu"].registry, read["prod-us"].registry) == ("registry.acme.example", "us.acme.example")
    assert (read["staging"].gates.approvals, read["prod-eu"].gates.approvals, read["prod-us"].gates.approvals) == (
        0,
        1,
        1,
    )


@pytest.mark.parametrize("spelling", [codecs.BOM_UTF8 + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_editors_of_other_systems(spelling: bytes) -> None:
    assert load(spelling) == load(GOOD.encode())


def test_a_lane_may_join_again() -> None:
    prod = load(JOIN.encode()).environments["prod"]

    assert (prod.source, prod.before) == ("staging-eu", ("staging-eu", "staging-us"))
    assert prod.sources == ("staging-eu", "staging-us", "dev")
    assert (prod.guarded, prod.namespace) == (True, "eu")  # the first of them lends what prod does not say itself
    assert [each.guarded for each in load(JOIN.encode()).environments.values()] == [False, False, False, True]


def test_none_at_all_names_the_way_out() -> None:
    with pytest.raises(ShiplaneError) as caught:
        load(None)

    assert (
        str(caught.value) == "shiplane.yaml: not found on the default branch\n  try: make a repository: gitops init DIR"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "", ["shiplane.yaml: version: is required", "shiplane.yaml: environments: is required"], id="empty"
        ),
        pytest.param(
            "version: 1\nenvironments: {}\n", ["shiplane.yaml:2: environments: must not be"], id="no-environment"
        ),
        pytest.param("version: 1\nenvironments:\n", ["shiplane.yaml:2: environments: must be a mapping"], id="null"),
        pytest.param(changed("version: 1", "version: 2"), ["shiplane.yaml:1: version: must be 1, not 2"], id="version"),
        pytest.param(changed("version: 1", 'version: "1"'), ['version: must be 1, not "1"'], id="version-as-text"),
        pytest.param(
            changed("environments:", "enviroments:"),
            ["enviroments: is not known here; did you mean environments?", "environments: is required"],
            id="misspelt",
        ),
        pytest.param(
            changed("from: dev", "form: dev"),
            ["shiplane.yaml:4: environments.staging.form: is not known here; did you mean from?"],
            id="misspelt-below",
        ),
        pytest.param(
            changed("from: dev", "from: dve"),
            ['shiplane.yaml:4: environments.staging.from: no environment is called "dve"; did you mean dev?'],
            id="unknown-from",
        ),
        pytest.param(
            changed("from: dev", "from: prod"),
            ["shiplane.yaml:4: environments.staging.from: the lane goes round in a circle"],
            id="circle",
        ),
        pytest.param(
            changed("from: staging", "from: [staging, prod]"),
            ["goes round in a circle: prod from prod"],
            id="of-several",
        ),
        pytest.param(
            changed("from: staging", "from: [staging]"), ["prod.from: must not be shorter than 2"], id="several-one"
        ),
        pytest.param(changed("from: staging", "from: [dev, dev]"), ["environments.prod.from"], id="several-twice"),
        pytest.param(
            changed("from: staging", "from: [staging, stagign]"),
            ['no environment is called "stagign"; did you mean staging?'],
            id="several-unknown",
        ),
        pytest.param(
            changed("from: staging", "from: [dev, staging], hotfix: dev"),
            ["environments.prod.hotfix: must be an environment further up its lane than its `from`"],
            id="hotfix-of-several",
        ),
        pytest.param(changed("from: staging", "from: 3"), ["environments.prod.from: must be"], id="from-a-number"),
        pytest.param(
            changed("from: dev", "from: staging"), ["goes round in a circle: staging from staging"], id="itself"
        ),
        pytest.param(
            changed("cluster: eks-staging", "merge: auto"),
            ["environments.staging.cluster: is required"],
            id="no-cluster",
        ),
        pytest.param(
            changed("registry: registry.acme.example, ", ""),
            ["shiplane.yaml:3: environments.dev: no registry here nor in a `from` before it"],
            id="no-registry",
        ),
        pytest.param(changed('"1.33"', "1.33"), ["environments.dev.kubernetes: must be text, not 1.33"], id="a-number"),
        pytest.param(changed("merge: auto", "merge: atuo"), ["did you mean auto?"], id="merge"),
        pytest.param(
            changed("gates: {approvals: 2}", "merge: auto"),
            ["shiplane.yaml:5: environments.prod.merge: production changes only with a person's approval"],
            id="prod-merges-by-itself",
        ),
        pytest.param(
            changed("approvals: 2", "approvals: 0"),
            ["shiplane.yaml:5: environments.prod.gates.approvals: production changes only with a person's approval"],
            id="prod-without-approval",
        ),
        pytest.param(changed("approvals: 2", "approvals: -1"), ["must be at least 0, not -1"], id="negative"),
        pytest.param(
            changed("approvals: 2", "approvals: yes"),
            ["must be a whole number or a mapping, not true"],
            id="approvals-yes",
        ),
        pytest.param(
            changed("approvals: 2", "latency: 24h"), ["gates.latency: is not known here"], id="a-gate-of-tomorrow"
        ),
        pytest.param(changed("  dev:", "  Dev:"), ["environments.Dev: "], id="capitals"),
        pytest.param(changed("  dev:", "  ../dev:"), ["environments.../dev: "], id="a-path-as-a-name"),
        pytest.param(changed("  dev:", "  yes:"), ["write it in quotes"], id="a-name-that-reads-as-true"),
        pytest.param(
            changed("  staging:", "  dev:"), ["shiplane.yaml:4: environments.dev: stands here twice"], id="twice"
        ),
        pytest.param(
            changed("{from: dev, cluster: eks-staging}", "{<<: {}}"), ["shiplane.yaml:4: a key must be"], id="merge-key"
        ),
        pytest.param(changed("{from: dev,", "{from: dev"), ["shiplane.yaml:4: is not YAML"], id="broken"),
        pytest.param(GOOD + "---\n" + GOOD, ["shiplane.yaml:6: is not YAML"], id="two-documents"),
        pytest.param(changed("eks-dev", "größe").encode("latin-1"), ["is not UTF-8 at byte"], id="latin-1"),
        pytest.param("a: " + "[" * 100_000, ["is nested deeper than"], id="nested"),
        pytest.param("a: &a [x]\nb: [*a, *a]\n", ["shiplane.yaml:2: an alias"], id="bomb"),
        pytest.param("labels: []\n" + GOOD, ["shiplane.yaml:1: labels: must not be"], id="no-labels"),
        pytest.param("labels: [a, a]\n" + GOOD, ["shiplane.yaml:1: labels"], id="labels-twice"),
        pytest.param('labels: ["a\\nb"]\n' + GOOD, ["shiplane.yaml:1: labels"], id="labels-of-lines"),
        pytest.param(f"labels: [{'x' * 51}]\n" + GOOD, ["shiplane.yaml:1: labels"], id="labels-too-long"),
        pytest.param(
            'labels: ["{team}"]\n' + GOOD, ["shiplane.yaml:1: labels.0: {team} stands for nothing"], id="labels-token"
        ),
        pytest.param(
            'labels: ["{service} goes to {environment}"]\n' + GOOD,
            ["shiplane.yaml:1: labels.0: may be longer than the 50 characters that GitHub takes"],
            id="labels-filled",
        ),
        pytest.param("forge: gitlab\n" + GOOD, ["shiplane.yaml:1: forge: "], id="forge"),
    ],
)
def test_mistakes(text: str | bytes, told: list[str]) -> None:
    said = refusal(text)

    for line in told:
        assert any(line in each for each in said), said
    assert len(said) <= 3


def test_several_mistakes_are_told_at_once() -> None:
    said = refusal(GOOD.replace("merge: auto", "merge: atuo").replace("from: dev", "form: dev").replace("s: 2", "s: x"))

    assert [line.split(": ")[0] for line in said] == ["shiplane.yaml:3", "shiplane.yaml:4", "shiplane.yaml:5"]


def test_mistakes_of_several_environments_are_told_at_once() -> None:
    text = FORK.replace("cluster: c", "cluster: c, merge: auto").replace(
        "cluster: d", "cluster: d, gates: {approvals: 0}"
    )

    assert [line.split(": ")[1] for line in refusal(text)] == [
        "environments.prod-eu.merge",
        "environments.prod-us.gates.approvals",
    ]


@pytest.mark.parametrize("name", ["prod", "production", "prod-eu", "live"])
def test_what_counts_as_production(name: str) -> None:
    """By its name or by its place: the last of a lane is where the users are."""
    text = changed("  prod:", f"  {name}:").replace("gates: {approvals: 2}", "merge: auto")

    assert "production changes only" in refusal(text)[0]


def test_production_is_guarded_by_its_name_even_where_the_lane_goes_on() -> None:
    text = GOOD.replace(", gates: {approvals: 2}", "") + "  standby: {from: prod, cluster: eks-standby}\n"
    read = load(text.encode()).environments

    assert (read["prod"].gates.approvals, read["standby"].gates.approvals) == (1, 1)


def test_approvals_that_nobody_could_give_in_time_are_refused() -> None:
    """An environment that merges by itself would pass over them."""
    said = refusal(changed("merge: auto,", "merge: auto, gates: {approvals: 1},"))

    assert said == [
        "shiplane.yaml:3: environments.dev.gates.approvals: nobody could give them before it merges by itself\n"
        "  try: merge: review"
    ]


@pytest.mark.parametrize(
    "service",
    [
        "environments/{environment}",
        "environments/{service}",
        "environments",
        "{service}/{environment}",
        "environments/{environment}/{service}/deploy",
        "../{environment}/{service}",
        "a/./{environment}/{service}",
        ".git/{environment}/{service}",
        "/environments/{environment}/{service}",
        "{environment}/{environment}/{service}",
        "apps/{environment}/{service}",
        "services/{environment}/{service}",
    ],
)
def test_a_layout_in_which_services_or_environments_would_meet_is_refused(service: str) -> None:
    """Two services in one folder overwrite each other; gates tell an environment by the start of a path."""
    said = refusal(f"{GOOD}layout: {{service: '{service}'}}\n")

    assert said[0].startswith("shiplane.yaml:6: layout.service: ")


@pytest.mark.parametrize("name", ["apps", "holds", "services", "defaults"])
def test_an_environment_may_not_lie_where_something_else_does(name: str) -> None:
    layout = "layout: {service: '{environment}/{service}'}\n"
    said = refusal(f"{changed('prod:', f'{name}:')}{layout}")

    assert said == [f"shiplane.yaml:6: layout.service: {name}/ has another use"]


@pytest.mark.parametrize("service", ["{environment}/{service}", "deploy/v2/{environment}/svc/{service}"])
def test_layouts_that_are_possible(service: str) -> None:
    layout = load(f"{GOOD}layout: {{service: '{service}'}}\n".encode()).layout

    assert layout.folder("prod", "wallet") == service.format(environment="prod", service="wallet")


@pytest.mark.parametrize(
    "carries",
    [
        "[]",
        "[{file: release.yaml}]",
        "[{file: release.yaml}, {file: origin.yaml}]",
        "[{file: release.yaml}, {file: origin.yaml}, {file: chart}]",
        "[{tree: release.yaml}, {file: origin.yaml}, {tree: chart}]",
        "[{file: release.yaml}, {file: origin.yaml}, {tree: chart}, {file: values.yaml}]",
        "[{file: kustomization.yaml}]",
        "[{file: ../release.yaml}]",
        "[{file: a, tree: b}]",
    ],
)
def test_carries_that_this_version_cannot_carry_are_refused(carries: str) -> None:
    """Refused rather than half done: what is not carried would stay behind unseen."""
    said = refusal(f"{GOOD}layout: {{carries: {carries}}}\n")

    assert said[0].startswith("shiplane.yaml:6: layout.carries")


def test_the_layout_of_a_new_repository_is_the_one_without_any() -> None:
    assert load(new()["shiplane.yaml"]).layout == load(GOOD.encode()).layout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("stagin", "--to stagin: no such environment in shiplane.yaml; did you mean staging?"),
        ("qqq", "--to qqq: no such environment in shiplane.yaml; known: dev, staging, prod"),
        ("", '--to "": no such environment in shiplane.yaml; known: dev, staging, prod'),
        ("a\nb\x1b[31m", "--to a\\nb\\x1b[31m: no such environment"),
        ("x" * 5000, f"--to {'x' * 60}…: no such environment"),
    ],
)
def test_an_environment_that_there_is_not(name: str, told: str) -> None:
    with pytest.raises(ShiplaneError) as caught:
        load(GOOD.encode()).environment(name)

    assert str(caught.value).startswith(told)
