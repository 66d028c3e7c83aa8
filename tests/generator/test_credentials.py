"""Credentials: found in every known format, told by place and kind alone, and not seen where none is.

Each is built here from parts when the test runs: nothing in this file looks like one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import blueprint, credentials
from generator.answers import Given, complete
from generator.render import render
from generator.tree import PLAIN, File
from tests.generator.conftest import Run
from tests.generator.trees import build, build_layer

RANDOM = hashlib.sha256(b"a stand-in for chance").hexdigest()
LETTERS = base64.b32encode(bytes.fromhex(RANDOM)).decode().strip("=")


def half(data: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


KNOWN = {
    "an AWS access key id": ["AK" + "IA" + LETTERS[:16], "AS" + "IA" + LETTERS[:16]],
    "a GitHub token": [
        *("gh" + kind + "_" + RANDOM[:36] for kind in "pousr"),
        "ghs" + "_12345_" + half({"alg": "none"}) + "." + RANDOM,
        "github" + "_pat_" + RANDOM[:22] + "_" + RANDOM[:59],
    ],
    "a private key": [
        f"-----{'BEGIN'} {kind}PRIVATE {'KEY'}{end}-----\n{RANDOM}"
        for kind, end in (("", ""), ("RSA ", ""), ("EC ", ""), ("OPENSSH ", ""), ("ENCRYPTED ", ""), ("PGP ", " BLOCK"))
    ],
    "a Slack token": [
        *("xo" + kind + "-123456789012-" + RANDOM[:24] for kind in ("xb", "xp", "xa", "xe.xoxp")),
        "xa" + "pp-1-A0123456789-" + RANDOM,
        "https://hooks.slack" + ".com/services/T00000000/B00000000/" + RANDOM[:24],
    ],
    "a JSON web token": [".".join([half({"alg": "HS256"}), half({"sub": "wallet"}), RANDOM[:43]])],
}
SECRETS = [(kind, text) for kind, texts in KNOWN.items() for text in texts]
VALUES = [RANDOM, RANDOM[:32], base64.b64encode(bytes.fromhex(RANDOM)).decode(), LETTERS.lower()]
NAMES = ["API_KEY", "api-key", "apiKey", "CLIENT_SECRET", "clientSecret", "TOKEN", "db.password", "DB_PASSWD"]
ASSIGNED = ["{}={}", "{}: {}", '"{}": "{}"', "{} = '{}'", "export {}={}", '{} := "{}"', "'{}' => '{}',"]


@pytest.mark.parametrize(("kind", "text"), SECRETS)
@pytest.mark.parametrize("around", ["{}", "x {} y", 'a: "{}"\n', "url = https://x:{}@host"])
def test_a_known_format_is_found(kind: str, text: str, around: str) -> None:
    assert credentials.kind(around.format(text)) == kind


@pytest.mark.parametrize("written", ASSIGNED)
@pytest.mark.parametrize("name", NAMES)
def test_a_random_value_under_the_name_of_a_secret_is_found(name: str, written: str) -> None:
    for value in VALUES:
        assert credentials.kind(written.format(name, value)) == credentials.RANDOM


@pytest.mark.parametrize(
    "text",
    [
        "DATABASE_PASSWORD",
        "- DATABASE_PASSWORD",
        "password: ${DATABASE_PASSWORD_2_OF_WALLET}",
        "token: ${{ secrets.GITHUB_TOKEN_2_OF_WALLET }}",
        "token: {{ .Values.token2ofthewallet }}",
        "token = response1.json()['access_token']",
        "password = settings.database_password2x",
        "secret: wallet-postgres-2024-credentials-v2",
        "secretName: 0123456789abcdef0123456789abcdef",
        "token_url: https://login.example/oauth2/v2.0/token",
        "key: https://login.example/oauth2/v2.0/token",
        "CLIENT_SECRET=/run/secrets/client2secret3of4",
        "role_key: arn:aws:secretsmanager:eu-west-1:123456789012:secret:wallet/a1B2c3",
        "secret: sha256:" + RANDOM,
        "--hash=sha256:" + RANDOM,
        "uses: actions/checkout@" + RANDOM[:40],
        "digest: sha256:" + RANDOM,
        "password: 1234567890123456",
        "password: aaaaaaaaaaaaaaa1",
        "password: <a long random text of 32>",
        "token: is what GitHub gives, ghp_ and 36 more",
        "monkey: " + RANDOM,
        "AKIA" + "short",
        "eyJ.eyJ.x",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_credential_is_let_through(text: str) -> None:
    assert credentials.kind(text) == ""


@pytest.mark.parametrize(
    "name", ["DATABASE_PASSWORD", "KAFKA_BROKER2_TOKEN", "A", "HTTP2_SERVER_CERTIFICATE", "X" * 40]
)
def test_a_name_is_a_name(name: str) -> None:
    assert not credentials.no_name(name)


@given(st.text(string.ascii_uppercase + string.digits, min_size=40, max_size=60).filter(lambda t: len(set(t)) > 20))
def test_random_capitals_are_no_name(text: str) -> None:
    assert credentials.no_name(text) == (sum(c.isdigit() for c in text) > 2)


def test_a_line_is_told_once_with_file_and_kind_and_never_what_it_holds() -> None:
    secret = KNOWN["a GitHub token"][0]
    files = {
        "b.env": File(PLAIN, f"# one\nGITHUB_TOKEN={secret}\n".encode()),
        "a\n.bin": File(PLAIN, b"\xff\x00" + KNOWN["a private key"][0].encode() + b"\xfe"),
        "good": File(PLAIN, b"GITHUB_TOKEN\n"),
    }

    problems = credentials.scan(files)

    assert [(each.place, each.rule) for each in problems] == [
        ("a\\n.bin:1", "holds a private key"),
        ("b.env:2", f"holds {credentials.RANDOM}"),
    ]
    assert secret not in "".join(map(str, problems))


@pytest.mark.parametrize("name", blueprint.names())
def test_our_own_output_has_no_finding(name: str) -> None:
    chosen = blueprint.load(name)

    for kind in chosen.kinds:
        answers = complete({"kind": Given(kind, "")}, chosen.schema, chosen.marks)
        assert credentials.scan(render(chosen, "wallet", answers)) == []


# ---- the command: refused, masked, and nothing is placed


def refused(run: Run, work: Path, secret: str, *argv: str) -> str:
    code, out, err = run(*argv, "--no-input")
    assert (code, out) == (1, "")
    assert not (work / "wallet").exists()
    assert secret not in err
    assert secret[4:] not in err
    return err


@pytest.mark.parametrize(("kind", "secret"), SECRETS[:1] + SECRETS[2:3] + SECRETS[-8:])
def test_an_answer_that_is_a_credential_is_refused_and_not_repeated(
    run: Run, work: Path, kind: str, secret: str
) -> None:
    secret = secret.partition("\n")[0]
    build(work, {"answers.yaml": json.dumps({"description": f"with {secret}"})})

    given = refused(run, work, secret, "wallet", "--set", f"description=with {secret}")
    read = refused(run, work, secret, "wallet", "--answers", "answers.yaml")

    assert f"error: --set description=…: looks like {kind}, and answers are written into files" in given
    assert f"error: answers.yaml:1: description: looks like {kind}" in read


@pytest.mark.parametrize("option", ["owner={}", "calls={}", "port={}", "prot={}", "{}=x", "{}", "api_token={}"])
def test_no_message_repeats_a_credential(run: Run, work: Path, option: str) -> None:
    secret = KNOWN["a GitHub token"][0]

    assert "error: --set " in refused(run, work, secret, "wallet", "--set", option.format(secret))


@pytest.mark.parametrize(
    "value",
    [
        KNOWN["an AWS access key id"][0],  # a well-formed name
        LETTERS[:40],
        RANDOM,
        "correct-horse-battery",
        "DATABASE_PASSWORD=correct-horse",
        f'["DATABASE_PASSWORD", "{RANDOM}"]',
        '{"DATABASE_PASSWORD": "correct-horse"}',
    ],
)
def test_a_value_where_names_belong_is_told_so_and_not_repeated(run: Run, work: Path, value: str) -> None:
    build(work, {"answers.yaml": f"secrets: {value}\n"})

    given = refused(run, work, value, "wallet", "--set", f"secrets={value}")
    read = refused(run, work, value, "wallet", "--answers", "answers.yaml")

    assert "error: --set secrets=…: names belong here, as DATABASE_PASSWORD, never values, and " in given
    assert "error: answers.yaml:1: secrets: names belong here" in read
    for err in (given, read):
        assert "correct-horse" not in err
        assert RANDOM not in err


def test_names_are_taken(run: Run, work: Path) -> None:
    assert run("wallet", "--no-input", "--set", "secrets=DATABASE_PASSWORD,API_KEY")[0] == 0


def test_a_blueprint_that_renders_a_credential_is_refused(run: Run, work: Path, tmp_path: Path) -> None:
    secret = KNOWN["a Slack token"][0]
    folder = build_layer(tmp_path / "own", {"src/a.env": f"NAME=x\nURL={secret}\n", "b": "fine\n"})

    err = refused(run, work, secret, "wallet", "--blueprint", str(folder), "--trust")

    assert "error: src/a.env:2: holds a Slack token\n  try: take it out; its value belongs into AWS Secrets" in err
