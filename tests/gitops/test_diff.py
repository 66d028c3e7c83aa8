"""Two renderings compared: every field that differs is told, secrets are not, and dangers have their names."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ShiplaneError
from gitops import diff
from gitops.diff.difference import Difference, Field, item
from gitops.diff.hidden import HIDDEN
from gitops.diff.leaves import leaves, same
from gitops.diff.noise import between
from gitops.diff.quantity import quantity
from gitops.messages import change
from gitops.model import Release

OLD = Release("3f2a9c1e" * 5, "sha256:" + "9d41e07c" * 8)
NEW = Release("8b1d0e2a" * 5, "sha256:" + "51fa02b9" * 8)
POD: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "wallet",
            "image": f"acme/wallet:{OLD.tag}@{OLD.digest}",
            "env": [{"name": "LOG", "value": "info"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}


def obj(kind: str, version: str = "v1", name: str = "wallet", **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}


def workload(kind: str = "Deployment", version: str = "apps/v1", **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "wallet"}}, "spec": json.loads(json.dumps(POD))}
    return obj(kind, version, spec={"selector": {"matchLabels": {"app": "wallet"}}, "template": template, **spec})


def manifests(*objects: dict[str, Any]) -> bytes:
    """JSON is YAML, and read faster."""
    return "---\n".join(f"{json.dumps(each)}\n" for each in objects).encode()


def compared(before: Any, after: Any, **more: Any) -> Difference:
    one, other = (side if isinstance(side, list) else [side] for side in (before, after))
    return diff.compared(manifests(*one), manifests(*other), **more)


def changed(value: dict[str, Any], *path: Any, to: Any = None) -> dict[str, Any]:
    """A copy with another value at `path`; without it for None."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    inside: Any = copy
    for key in path[:-1]:
        inside = inside[key]
    if to is None:
        del inside[path[-1]]
    else:
        inside[path[-1]] = to
    return copy


CONTAINER = ("spec", "template", "spec", "containers", 0)


class TestFields:
    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            ({"a": 1}, {"a": 2}, [("data.a", "1", "2")]),
            ({"a": 1}, {"a": "1"}, [("data.a", "1", '"1"')]),
            ({"a": 1}, {"a": True}, [("data.a", "1", "true")]),
            ({"a": 1}, {"a": 1.0}, [("data.a", "1", "1.0")]),
            ({"a": "yes"}, {"a": True}, [("data.a", '"yes"', "true")]),
            ({"a": None}, {}, [("data.a", "null", None), ("data", None, "{}")]),
            ({}, {"a": {"b": 1, "c": 2}}, [("data", "{}", None), ("data.a.b", None, "1"), ("data.a.c", None, "2")]),
            ({"a": {}}, {"a": []}, [("data.a", "{}", "[]")]),
            ({"a": {"b": 1}}, {"a": 1}, [("data.a.b", "1", None), ("data.a", None, "1")]),
            ({"a": [1, 2, 3]}, {"a": [1, 3]}, [("data.a[1]", "2", None)]),
            ({"a": [1, 2]}, {"a": [2, 1]}, [("data.a[0]", None, "2"), ("data.a[1]", "2", None)]),
            ({"a.b/c": 1}, {"a.b/c": 2}, [("data[a.b/c]", "1", "2")]),
            ({"a": " x"}, {"a": "x "}, [("data.a", '" x"', '"x "')]),
            ({"a": ""}, {"a": "~"}, [("data.a", '""', '"~"')]),
            ({"a": "x\x1b[2J"}, {"a": "\u202ex"}, [("data.a", "x\\x1b[2J", "\\u202ex")]),
            ({"a": "1\n2\n"}, {"a": "1\n3\n"}, [("data.a", "1\n2\n", "1\n3\n")]),
        ],
    )
    def test_a_field_that_differs(self, before: Any, after: Any, told: list[tuple[str, str, str]]) -> None:
        one, other = (obj("Thing", "acme.example/v1", data=each) for each in (before, after))
        (only,) = compared(one, other).resources

        assert only.fields == tuple(Field(*each) for each in told)

    def test_items_are_told_by_their_names(self) -> None:
        before, after = (
            changed(workload(), *CONTAINER, "env", to=[{"name": name, "value": value} for name, value in each])
            for each in ([("A", "1"), ("B", "2")], [("B", "3"), ("C", "1")])
        )
        (only,) = compared(before, after).resources

        start = "spec.template.spec.containers[wallet].env"
        assert only.fields == (
            Field(f"{start}[B]", '"2"', '"3"'),
            Field(f"{start}[C].name", None, "C"),
            Field(f"{start}[C]", None, '"1"'),
            Field(f"{start}[A].name", "A", None),
            Field(f"{start}[A]", '"1"', None),
        )

    def test_another_order_is_a_change(self) -> None:
        one, other = ({"name": each, "image": "x"} for each in "ab")
        before, after = (obj("Pod", spec={"initContainers": each}) for each in ([one, other], [other, one]))

        assert compared(before, after).resources[0].fields == (Field("spec.initContainers(order)", "a, b", "b, a"),)

    def test_what_is_written_otherwise_is_no_change(self) -> None:
        one = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"a": "b"}}}'
        other = b"# a comment\n---\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  labels: {a: 'b'}\n  name: x\n"

        assert diff.compared(one, other).resources == ()

    def test_objects_are_one_by_group_kind_namespace_and_name(self) -> None:
        before = [obj("A", "x.example/v1"), obj("A", "y.example/v1"), obj("A", "y.example/v1", name="other")]
        after = [obj("A", "x.example/v2"), {**before[1], "metadata": {"name": "wallet", "namespace": "w"}}]
        found = compared(before, after, namespace="w")

        assert [(each.object, each.state) for each in found.resources] == [
            ("A/other", "removed"),
            ("A/wallet", "changed"),
            ("A/wallet", "changed"),
        ]
        assert Field("apiVersion", "x.example/v1", "x.example/v2") in found.resources[1].fields

    def test_an_object_that_stands_twice_is_not_lost(self) -> None:
        twice = [obj("ConfigMap", data={"a": "1"}), obj("ConfigMap", data={"a": "2"})]

        assert [each.state for each in compared(twice, twice[:1]).resources] == ["removed"]

    @pytest.mark.parametrize("text", [b"a: b: c", b"\xff", b"apiVersion: v1\nkind: A\nkind: B\n", b"a: &x [*x]"])
    def test_what_cannot_be_read_is_never_no_change(self, text: bytes) -> None:
        for pair in ((text, text), (text, b""), (b"", text)):
            with pytest.raises(ShiplaneError):
                diff.compared(*pair)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inside),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(VALUES, VALUES)
def test_values_differ_if_and_only_if_a_leaf_does(one: Any, other: Any) -> None:
    found = list(leaves(one, other))

    assert bool(found) == (not same(one, other))
    assert list(leaves(one, one)) == []


def test_long_lists_and_texts_end_in_time() -> None:
    """An hour of comparing would be an attack: lists and texts that are all alike are the worst."""
    one, other = (obj("X", "acme.example/v1", data=[each] * 60_000, text=f"{each}\\n" * 60_000) for each in ("1", "2"))
    start = time.monotonic()
    found = compared(json.loads(json.dumps(one)), other)
    told = change.fields(found.resources[0].fields, text=20)

    assert len(found.resources[0].fields) == 60_001
    assert told
    assert time.monotonic() - start < 120


class TestFolding:
    def test_what_every_release_changes_is_folded(self) -> None:
        labels = {"app.kubernetes.io/version": OLD.tag, "helm.sh/chart": "service-1.0.0"}
        before = workload()
        before["metadata"]["labels"] = labels
        before["spec"]["template"]["metadata"]["annotations"] = {"checksum/config": "1" * 64, "version": OLD.short}
        text = json.dumps(before).replace(OLD.tag, NEW.tag).replace(OLD.digest, NEW.digest).replace("1" * 64, "2" * 64)
        after = json.loads(text.replace(OLD.short, NEW.short).replace("service-1.0.0", "service-1.1.0"))
        found = compared(before, after, releases=between(OLD, NEW))

        assert found.telling == ()
        assert len(found.resources[0].folded) == 5

    @pytest.mark.parametrize(
        ("image", "folds"),
        [
            (f"acme/wallet:{NEW.tag}@{NEW.digest}", True),
            (f"evil/wallet:{NEW.tag}@{NEW.digest}", False),
            (f"acme/wallet:{NEW.tag}", False),
            (f"acme/wallet:{OLD.tag}@{NEW.digest}", False),
            ("acme/wallet:latest", False),
        ],
    )
    def test_an_image_folds_only_as_the_pin_says(self, image: str, *, folds: bool) -> None:
        found = compared(workload(), changed(workload(), *CONTAINER, "image", to=image), releases=between(OLD, NEW))

        assert (found.telling == ()) is folds

    def test_nothing_folds_where_the_releases_are_not_known(self) -> None:
        after = changed(workload(), *CONTAINER, "image", to=f"acme/wallet:{NEW.tag}@{NEW.digest}")

        assert compared(workload(), after).resources[0].folded == ()


INGRESS, RBAC = "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"
SECRET = "c2VjcmV0LXZhbHVl"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"


class TestSecrets:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (obj("Secret", data={"a": SECRET}), obj("Secret", data={"a": f"{SECRET}x", "b": SECRET})),
            (obj("Secret", stringData={"a": SECRET}), obj("Secret", stringData={"a": [SECRET, {"x": SECRET}]})),
            (obj("Secret"), obj("Secret", data=SECRET)),
            (obj("ConfigMap", data={"DB_PASSWORD": SECRET}), obj("ConfigMap", data={"DB_PASSWORD": f"{SECRET}2"})),
            (obj("ConfigMap", data={"x": "a"}), obj("ConfigMap", data={"x": f"key = {AWS}"})),
            (obj("ConfigMap", data={"x": "a"}), obj("ConfigMap", data={"x": f"one\nkey = {AWS}\n"})),
            (obj("ConfigMap", data={}), obj("ConfigMap", data={AWS: "x"})),
            (obj("ConfigMap", data={"url": "x"}), obj("ConfigMap", data={"url": "postgres://me:hunter2hunter2@db/x"})),
            (workload(), changed(workload(), *CONTAINER, "env", to=[{"name": "API_TOKEN", "value": SECRET}])),
            (workload(), changed(workload(), *CONTAINER, "args", to=["--password", SECRET, f"--api-key={SECRET}"])),
            (workload(), changed(workload(), "metadata", "annotations", to={"token": AWS})),
            (obj(AWS), obj("B")),
            (obj("A", name=AWS), obj("B")),
            (
                obj("Ingress", "networking.k8s.io/v1"),
                obj("Ingress", "networking.k8s.io/v1", spec={"rules": [{"host": AWS}]}),
            ),
            (
                obj("Role", "rbac.authorization.k8s.io/v1"),
                obj(
                    "Role",
                    "rbac.authorization.k8s.io/v1",
                    rules=[{"verbs": [AWS], "apiGroups": [""], "resources": ["x"]}],
                ),
            ),
        ],
    )
    def test_a_secret_is_never_repeated(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        for one, other in ((before, after), (after, before)):
            found = compared(one, other)
            told = json.dumps([item(found), repr(found)])

            assert found.resources
            assert not any(secret in told for secret in (SECRET, AWS, "hunter2hunter2"))

    def test_that_a_secret_differs_is_told(self) -> None:
        found = compared(obj("Secret", data={"a": "YQ=="}), obj("Secret", data={"a": "Yg=="}))

        assert found.resources[0].fields == (Field("data.a", HIDDEN, HIDDEN),)

    def test_where_a_secret_lies_is_told(self) -> None:
        data = [{"secretKey": "URL", "remoteRef": {"key": "a"}}]
        before = obj("ExternalSecret", "external-secrets.io/v1", spec={"data": data})
        after = json.loads(json.dumps(before).replace('"a"', '"b"'))

        assert compared(before, after).resources[0].fields == (Field("spec.data[URL].remoteRef.key", "a", "b"),)

    def test_settings_that_are_called_secrets_are_hidden(self) -> None:
        text = b"a: 2\nenv: {API_TOKEN: hunter2, LOG: debug}\nsecrets: [x]\nurl: amqp://me:hunter2hunter2@mq/x\n"
        found = diff.settings(b"a: 1\n", text)

        assert found == (
            Field("a", "1", "2"),
            Field("env.API_TOKEN", None, HIDDEN),
            Field("env.LOG", None, "debug"),
            Field("secrets[0]", None, HIDDEN),
            Field("url", None, HIDDEN),
        )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("1Gi", "1073741824"),
        ("1.5Gi", "1610612736"),
        ("1G", "1000000000"),
        ("1e3", "1000"),
        ("2", "2"),
        (2, "2"),
        (0.5, "0.5"),
        ("1k", "1000"),
        ("100u", "0.0001"),
        ("+1Ki", "1024"),
        (".5", "0.5"),
    ],
)
def test_quantities(text: Any, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "1Xi", "one", None, True, [], "1" * 50, "1e999", "NaN", "١Gi"])
def test_what_is_no_quantity(text: Any) -> None:
    assert quantity(text) is None
