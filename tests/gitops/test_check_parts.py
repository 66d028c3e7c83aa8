"""A plain folder that holds several environments: each is judged by what is applied with it, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.check.parts import parts
from gitops.policy.objects import Object
from tests.gitops import story
from tests.gitops.manifests import service


def laid(folder: Path, where: Mapping[str, Iterable[str]]) -> Path:
    """`{path of a file: the kinds of a service that stand in it}`."""
    for path, kinds in where.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump_all([service()[kind] for kind in kinds]), encoding="utf-8")
    return folder


def judged(folder: Path) -> tuple[set[tuple[str, str]], str]:
    """Each finding's rule and file, and what is told beside."""
    done = story.gitops("check", str(folder), "--format", "json")
    found = {
        (each["rule"], Path(each["file"]).relative_to(folder).as_posix()) for each in json.loads(done.stdout)["items"]
    }
    return found, done.stderr


ALL = tuple(service())
REST = tuple(kind for kind in ALL if kind != "NetworkPolicy")


def test_the_policy_of_one_environment_does_not_stand_for_another(tmp_path: Path) -> None:
    found, said = judged(laid(tmp_path, {"dev/all.yaml": ALL, "prod/all.yaml": REST}))

    assert found == {("network-policy", "prod/all.yaml")}
    assert "judged apart, dev, prod" in said


@pytest.mark.parametrize(
    "where",
    [
        {"dev.yaml": ALL, "prod.yaml": REST},
        {"wallet/dev/all.yaml": ALL, "wallet/prod/all.yaml": REST},
        {"k8s/dev/wallet/all.yaml": ALL, "k8s/prod/wallet/all.yaml": REST},
        {"dev/policy.yaml": ("NetworkPolicy",), "dev/rest.yaml": REST, "prod/rest.yaml": REST},
    ],
    ids=["files", "below-the-service", "above-the-service", "several-files"],
)
def test_wherever_the_environments_part(tmp_path: Path, where: dict[str, Iterable[str]]) -> None:
    found, _ = judged(laid(tmp_path, where))

    assert [(rule, "prod" in file) for rule, file in found] == [("network-policy", True)]


def test_what_lies_beside_them_belongs_to_each(tmp_path: Path) -> None:
    common = ("NetworkPolicy", "ServiceAccount", "ServiceMonitor")
    found, _ = judged(
        laid(
            tmp_path,
            {
                "common.yaml": common,
                "dev/all.yaml": ("Deployment", "Service"),
                "prod/all.yaml": ("Deployment", "Service"),
            },
        )
    )

    assert found == set()


def test_environments_that_are_whole_are_judged_as_one_is(tmp_path: Path) -> None:
    found, said = judged(laid(tmp_path, {f"{name}/all.yaml": ALL for name in ("dev", "staging", "prod")}))

    assert found == set()
    assert "15 objects judged" in said


def test_what_is_wrong_with_what_they_share_is_told_once(tmp_path: Path) -> None:
    laid(
        tmp_path,
        {
            "dev/a.yaml": ("Service",),
            "prod/a.yaml": ("Service",),
            "all.yaml": ("Deployment", "ServiceAccount", "ServiceMonitor"),
        },
    )
    done = story.gitops("check", str(tmp_path), "--format", "json")

    assert [each["rule"] for each in json.loads(done.stdout)["items"]] == ["network-policy"]


def test_a_folder_of_one_environment_is_one(tmp_path: Path) -> None:
    found, said = judged(laid(tmp_path, {f"{kind.lower()}.yaml": (kind,) for kind in ALL}))

    assert found == set()
    assert "apart" not in said


def test_what_kustomize_builds_is_left_together(tmp_path: Path) -> None:
    """There the same name twice is a base and its patch."""
    laid(tmp_path, {"base/all.yaml": ALL, "prod/patch.yaml": ("Service",)})
    (tmp_path / "prod" / "kustomization.yaml").write_text("resources: [../base]\n", encoding="utf-8")

    assert "apart" not in judged(tmp_path)[1]


def objects(*paths: str) -> list[Object]:
    """One object for each `path:name`."""
    found: list[tuple[str, str]] = [(path, name) for each in paths for path, name in [each.split(":")]]
    data: Any = {"apiVersion": "v1", "kind": "Service"}
    return [Object({**data, "metadata": {"name": name}}, path) for path, name in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {"": []}),
        (["a:x", "b:y"], {"": ["a", "b"]}),
        (["a:x", "a:x"], {"": ["a", "a"]}),  # twice in one file: kubectl takes the last
        (["a:", "b:"], {"": ["a", "b"]}),  # nobody knows their names
        (["dev/a:x", "prod/a:x", "c:y"], {"dev": ["dev/a", "c"], "prod": ["prod/a", "c"]}),
        (
            ["w/dev/a:x", "w/prod/a:x", "l/dev/a:y", "l/prod/a:y"],
            {"dev": ["w/dev/a", "l/dev/a"], "prod": ["w/prod/a", "l/prod/a"]},
        ),
        (
            ["dev/a:x", "prod/eu/a:x", "prod/us/a:x", "prod/b:y"],
            {"dev": ["dev/a"], "prod/eu": ["prod/eu/a", "prod/b"], "prod/us": ["prod/us/a", "prod/b"]},
        ),
        (["dev/a:x", "prod/a:x", "prod/only:z"], {"dev": ["dev/a"], "prod": ["prod/a", "prod/only"]}),
    ],
)
def test_what_belongs_together(given: list[str], expected: dict[str, list[str]]) -> None:
    assert {name: [each.file for each in part] for name, part in parts(objects(*given))} == expected
