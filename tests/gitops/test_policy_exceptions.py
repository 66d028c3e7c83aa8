"""Exceptions in shiplane.yaml: what they cover, until when, and every mistake in them with its file, line and key."""

from __future__ import annotations

from datetime import date

import pytest

from generator.errors import ShiplaneError
from gitops.config import Config, load
from gitops.exceptions import PolicyException
from gitops.policy.exceptions import excepted, stale
from gitops.policy.finding import Context, Finding
from tests.gitops.manifests import findings, put, service

HEAD = """\
version: 1
environments:
  dev: {cluster: eks-dev, registry: registry.acme.example}
  prod: {from: dev, cluster: eks-prod}
exceptions:
"""
ROW = """\
  - rule: image-digest
    service: wallet
    environment: dev
    owner: payments
    reason: the vendor's image has no digest before May
    expires: 2027-01-31
"""
TODAY = date(2027, 1, 31)


def config(rows: str = ROW) -> Config:
    return load((HEAD + rows).encode())


def one(rows: str = ROW) -> PolicyException:
    (exception,) = config(rows).exceptions
    return exception


def refusal(rows: str) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        config(rows)
    return [str(problem) for problem in caught.value.problems]


def found(service_name: str = "wallet", environment: str = "dev") -> list[Finding]:
    """One finding: an image without a digest."""
    objects = service()
    put(objects["Deployment"], "spec.template.spec.containers.0.image", "registry.acme.example/wallet:1.4.0")
    return findings(objects, Context(service_name, environment))


def test_what_an_exception_says() -> None:
    assert one() == PolicyException(
        rule="image-digest",
        service="wallet",
        environment="dev",
        owner="payments",
        reason="the vendor's image has no digest before May",
        expires=date(2027, 1, 31),
        place="shiplane.yaml",
        line=6,
    )
    assert load(HEAD.replace("exceptions:\n", "").encode()).exceptions == ()


@pytest.mark.parametrize("said", ["2027-01-31", '"2027-01-31"', "'2027-01-31'"])
def test_a_day_is_taken_with_quotes_and_without(said: str) -> None:
    """YAML reads it as a date without them; nobody means another day by it."""
    assert one(ROW.replace("2027-01-31", said)).expires == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("2027-01-31", "2027-01-31 10:00:00", "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", '"31.1.2027"', "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", '"2027-02-30"', "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", "20270131", "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", "never", "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", "", "shiplane.yaml:11: exceptions.0.expires: must be the last day"),
        ("2027-01-31", "2027-02-30", "shiplane.yaml: is not YAML that can be read: day is out of range"),
        ("    expires: 2027-01-31\n", "", "exceptions.0.expires: is required"),
        ("    owner: payments\n", "", "exceptions.0.owner: is required"),
        ("    reason: the vendor's image has no digest before May\n", "", "exceptions.0.reason: is required"),
        ("the vendor's image has no digest before May", "x", "shiplane.yaml:10: exceptions.0.reason: "),
        ("the vendor's image has no digest before May", '"                "', "exceptions.0.reason: "),
        ("image-digest", "image-digests", "is called that; did you mean image-digest"),
        ("image-digest", '"*"', "shiplane.yaml:6: exceptions.0.rule: no rule of the policy is called that"),
        ("environment: dev", "environment: staging", 'no environment is called "staging"'),
        ("service: wallet", "service: Wallet", "shiplane.yaml:7: exceptions.0.service: "),
        ("owner: payments", "owner: Payments Team", "shiplane.yaml:9: exceptions.0.owner: "),
        ("    owner", "    until: never\n    owner", "exceptions.0.until: is not known here"),
        ("    owner", "    object: wallet\n    owner", "exceptions.0.object: "),
    ],
)
def test_mistakes(old: str, new: str, told: str) -> None:
    assert old in ROW
    said = refusal(ROW.replace(old, new))

    assert any(told in each for each in said), said


def test_several_mistakes_are_told_at_once() -> None:
    said = refusal(ROW.replace("image-digest", "x") + ROW.replace("dev", "x").replace("2027-01-31", "x"))

    assert [each.split(": ")[1] for each in said] == [
        "exceptions.0.rule",
        "exceptions.1.environment",
        "exceptions.1.expires",
    ]


def test_it_covers_a_finding_and_is_counted_as_used() -> None:
    exception = one()
    heard = excepted(found(), [exception], TODAY)

    assert (heard.left, len(heard.covered), heard.used) == ((), 1, frozenset({exception}))
    assert stale([exception], heard.used, TODAY) == []


@pytest.mark.parametrize(
    ("old", "new", "covers"),
    [
        ("service: wallet", 'service: "*"', True),
        ("environment: dev", 'environment: "*"', True),
        ("    owner", "    object: Deployment/wallet\n    owner", True),
        ("    owner", "    object: Deployment/other\n    owner", False),
        ("service: wallet", "service: other", False),
        ("environment: dev", "environment: prod", False),
        ("image-digest", "image-latest", False),
    ],
)
def test_what_it_covers(old: str, new: str, *, covers: bool) -> None:
    heard = excepted(found(), [one(ROW.replace(old, new))], TODAY)

    assert (heard.left == ()) is covers


def test_it_covers_nothing_that_belongs_to_no_service() -> None:
    """A folder of anybody's manifests is judged without the repository's exceptions."""
    everywhere = one(ROW.replace("wallet", '"*"').replace("dev", '"*"'))

    assert len(excepted(found("", ""), [everywhere], TODAY).left) == 1


def test_on_the_day_after_it_does_not_count_and_is_named() -> None:
    exception = one()
    after = date(2027, 2, 1)
    heard = excepted(found(), [exception], after)
    (warning,) = stale([exception], heard.used, after)

    assert len(heard.left) == 1
    assert (warning.rule, warning.severity) == ("exception-expired", "warning")
    assert (warning.place.file, warning.place.line) == ("shiplane.yaml", 6)
    assert warning.message == (
        "the exception from image-digest for wallet in dev (payments: the vendor's image has no digest before May) "
        "has expired on 2027-01-31, and does not count"
    )


def test_one_that_covers_nothing_is_named() -> None:
    (warning,) = stale([one()], [], TODAY)

    assert warning.rule == "exception-unused"
    assert warning.message.endswith("covers nothing")


@pytest.mark.parametrize(("today", "endless"), [(date(2026, 1, 29), True), (date(2026, 1, 30), False)])
def test_one_without_an_end_in_sight_is_named(today: date, *, endless: bool) -> None:
    exception = one()

    assert [each.rule for each in stale([exception], [exception], today)] == (["exception-endless"] if endless else [])


def test_two_exceptions_for_one_finding_are_both_used() -> None:
    first, second = config(ROW + ROW.replace("wallet", '"*"')).exceptions
    heard = excepted(found(), [first, second], TODAY)

    assert heard.used == {first, second}


def test_the_label_that_names_the_owner() -> None:
    assert load((HEAD + ROW + "policy: {owner_label: acme.example/team}\n").encode()).owner_label == "acme.example/team"
    with pytest.raises(ShiplaneError, match="owner_label"):
        load((HEAD + ROW + "policy: {owner_label: a b}\n").encode())
