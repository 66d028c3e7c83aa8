"""Credentials in manifests: found in every disguise, and never repeated. Names, references and placeholders pass."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.gitops.manifests import findings, made, put, service, told

# put together here, so that no scanner takes them for real ones
GITHUB = "ghp_" + "a1B2" * 10
AWS = "AKIA" + "IOSFODNN7ABCDEFG"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"
RANDOM = "p9X2" + "vK7q" * 4 + "Zt31"
PLAIN, OBJECT = "plaintext-secret", "secret-object"


def with_one(each: dict[str, Any]) -> set[tuple[str, str]]:
    return told(findings({**service(), "it": each}))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("settings.yaml", f"token: {GITHUB}\n"),
        ("AWS", AWS),
        ("key.pem", f"{KEY}\nMIIE\n"),
        ("API_KEY", RANDOM),
        ("DB_PASSWORD", "hunter2"),
        ("PGPASSWORD", "correct horse battery"),
        ("DATABASE_URL", "postgres://wallet:hunter2@db.acme.example/wallet"),
        ("app.ini", f"[db]\npassword = {RANDOM}\n"),
    ],
)
def test_in_a_configmap(key: str, value: str) -> None:
    field = f"data.{key}" if "." not in key else f"data[{key}]"

    assert with_one(made("ConfigMap", "v1", data={key: value})) == {(PLAIN, field)}


@pytest.mark.parametrize(
    "data",
    [
        {"LOG_LEVEL": "debug", "PGHOST": "db.acme.example", "CHECKSUM": "sha256:" + "ab" * 32},
        {"PASSWORD_FILE": "/run/secrets/service/PASSWORD", "DB_PASSWORD": "/run/secrets/db"},
        {"DB_PASSWORD": "$(PASSWORD)", "API_KEY": "${API_KEY}", "PASSWORD": "<set by operations>"},
        {"REQUIRE_PASSWORD": "true", "PASSWORD": ""},
        {"DATABASE_URL": "postgres://db.acme.example:5432/wallet", "OTHER": "postgres://wallet@db/wallet"},
        {"DATABASE_URL": "postgres://wallet:$(PASSWORD)@db.acme.example/wallet"},
        {"DATABASE_URL": "postgres://wallet:****@db.acme.example/wallet"},
        {"TOKEN_URL": "https://login.acme.example/oauth/token"},
    ],
)
def test_what_is_no_secret(data: dict[str, str]) -> None:
    assert with_one(made("ConfigMap", "v1", data=data)) == set()


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("env", [{"name": "A", "value": "a"}, {"name": "X", "value": GITHUB}], "env[1].value"),
        ("env", [{"name": "PASSWORD", "value": "hunter2"}], "env[0].value"),
        ("env", [{"name": "STRIPE_API_KEY", "value": RANDOM}], "env[0].value"),
        ("args", ["serve", f"--token={GITHUB}"], "args[1]"),
        ("args", ["serve", f"--db-password={RANDOM}"], "args[1]"),
        ("command", ["sh", "-c", f"export AWS_ACCESS_KEY_ID={AWS}; serve"], "command[2]"),
        ("livenessProbe.httpGet.httpHeaders", [{"name": "X", "value": GITHUB}], None),
    ],
)
def test_in_a_container(path: str, value: Any, field: str | None) -> None:
    objects = service()
    put(objects["Deployment"], f"spec.template.spec.containers.0.{path}", value)
    where = f"spec.template.spec.containers[0].{field or 'livenessProbe.httpGet.httpHeaders[0].value'}"

    assert told(findings(objects)) == {(PLAIN, where)}


def test_a_variable_that_names_its_secret_passes() -> None:
    objects = service()
    reference = {"secretKeyRef": {"name": "wallet", "key": "STRIPE_KEY_2024X1"}}
    put(objects["Deployment"], "spec.template.spec.containers.0.env", [{"name": "PASSWORD", "valueFrom": reference}])

    assert findings(objects) == []


@pytest.mark.parametrize("path", ["metadata.annotations.note", "metadata.labels.note", "spec.deeply.0.nested"])
def test_in_any_text_of_any_kind(path: str) -> None:
    each = made("Anything", "acme.example/v1", spec={"deeply": [{}]})
    put(each, path, GITHUB)

    assert with_one(each) == {(PLAIN, path.replace(".0.", "[0]."))}


def test_as_a_key_of_which_not_even_the_place_is_repeated() -> None:
    (found,) = findings({**service(), "it": made("ConfigMap", "v1", data={GITHUB: "x"})})

    assert found.message == "holds a GitHub token as a key"
    assert GITHUB not in repr(found)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"data": {"x": encoded("hello")}}, {(OBJECT, "data")}),
        ({"stringData": {"x": "hello"}}, {(OBJECT, "stringData")}),
        ({"data": {"x": encoded(GITHUB)}}, {(OBJECT, "data"), (PLAIN, "data.x")}),
        ({"data": {"PASSWORD": encoded("hunter2")}}, {(OBJECT, "data"), (PLAIN, "data.PASSWORD")}),
        ({"data": {"x": "!!!"}}, {(OBJECT, "data")}),
        ({"data": {"x": ""}}, set()),
        ({"data": {}}, set()),
        ({"type": "kubernetes.io/service-account-token"}, set()),
        ({"sops": {"mac": "ENC[AES256_GCM,data:x]"}, "stringData": {"x": "ENC[AES256_GCM,data:x]"}}, set()),
        ({"sops": {"mac": "x"}, "stringData": {"x": "plain"}}, {(OBJECT, "stringData")}),
    ],
)
def test_a_secret(rest: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert with_one(made("Secret", "v1", **rest)) == expected


def test_binary_data_is_decoded() -> None:
    each = made("ConfigMap", "v1", binaryData={"x": encoded(f"{KEY}\nMIIE"), "y": encoded("hello")})

    assert with_one(each) == {(PLAIN, "binaryData.x")}


def test_what_is_encrypted_or_only_named_passes() -> None:
    sealed = made("SealedSecret", "bitnami.com/v1alpha1", spec={"encryptedData": {"password": f"password={RANDOM}"}})
    remote = {"secretKey": "PGPASSWORD", "remoteRef": {"key": "wallet", "property": "PGPASSWORD"}}
    external = made("ExternalSecret", "external-secrets.io/v1", spec={"data": [remote]})

    assert with_one(sealed) == set()
    assert with_one(external) == set()
