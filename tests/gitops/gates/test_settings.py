"""`gates` in shiplane.yaml: what each key means, and every mistake with its line, its key and the way out."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import reset_tzpath

import pytest

from generator.errors import ShiplaneError
from gitops.config import Config, load
from gitops.gates.settings import Gates
from gitops.gates.windows import Window


def lane(prod: str = "{}", more: str = "", staging: str = "{from: dev, cluster: b}", hotfix: str = "") -> Config:
    """A lane whose prod has the gates `prod`."""
    return load(
        f"""\
version: 1
environments:
  dev: {{merge: auto, cluster: a, registry: registry.acme.example}}
  staging: {staging}
  prod: {{from: staging, {hotfix}cluster: c, gates: {prod}}}
{more}""".encode()
    )


def refusal(prod: str = "{}", more: str = "", **others: str) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        lane(prod, more, **others)
    assert caught.value.exit_code == 1
    return [str(problem).removeprefix("shiplane.yaml:") for problem in caught.value.problems]


TEAMS = "teams: {sre: [ann@acme.example, Bo@Acme.Example], leads: [cy@acme.example]}\n"


def test_all_of_them() -> None:
    gates = """{
      approvals: {count: 2, teams: [sre, leads], rollback: 1}, soak: 36h, health: true,
      freeze: [{from: "fri 16:00", to: "mon 08:00", zone: Europe/London, reason: weekend},
               {from: "2026-12-24 12:00", to: "2027-01-02 09:00", zone: Asia/Tokyo}],
      image: {signature: true, workflows: [acme/x/.github/workflows/b.yaml@refs/tags/v1]}, policy: true,
      override: {gates: [soak, freeze], team: sre}}"""
    read = lane(gates, TEAMS)

    assert read.environments["prod"].gates == Gates(
        approvals=2,
        rollback=1,
        teams=("sre", "leads"),
        soak=timedelta(hours=36),
        health=True,
        freeze=(
            Window("fri 16:00", "mon 08:00", "Europe/London", "weekend"),
            Window("2026-12-24 12:00", "2027-01-02 09:00", "Asia/Tokyo"),
        ),
        registry=True,
        signature=True,
        workflows=("acme/x/.github/workflows/b.yaml@refs/tags/v1",),
        policy=True,
        overridable=("soak", "freeze"),
        break_glass="sre",
    )
    assert read.teams == {"sre": {"ann@acme.example", "bo@acme.example"}, "leads": {"cy@acme.example"}}


def test_what_nobody_says() -> None:
    read = lane().environments

    assert read["prod"].gates == Gates(approvals=1, rollback=1, policy=True)
    assert read["staging"].gates == Gates(approvals=0, rollback=0)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("1m", timedelta(minutes=1)),
    ],
)
def test_lengths(text: str, length: timedelta) -> None:
    assert lane(f"{{soak: {text}}}").environments["prod"].gates.soak == length


def freeze(start: str, end: str, zone: str = "Europe/London") -> str:
    return f"{{freeze: [{{from: {start}, to: {end}, zone: {zone}}}]}}"


SHARED = "acme/shared/.github/workflows/build.yaml@refs/heads/main"


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        # YAML 1.1 reads 16:00 as sixteen times sixty
        pytest.param(freeze("16:00", "'18:00'"), "freeze.0.from: must be text, not 960", id="unquoted-time"),
        pytest.param(freeze("2026-12-24", "'2026-12-25 00:00'"), "freeze.0.from: must be text, not", id="a-date"),
        pytest.param(freeze("'24:00'", "'08:00'"), 'freeze.0.from: "24:00" does not match', id="no-such-time"),
        pytest.param(freeze("friday 16:00", "mon 08:00"), 'freeze.0.from: "friday 16:00" does not', id="no-such-day"),
        pytest.param(freeze("Fri 16:00", "mon 08:00"), 'freeze.0.from: "Fri 16:00" does not', id="capital"),
        pytest.param(freeze('"16:00\\n"', "'18:00'"), 'freeze.0.from: "16:00\\n" does not', id="a-line-break"),
        pytest.param(
            freeze("'0001-01-01 00:00'", "'2026-01-01 00:00'"), 'from: "0001-01-01 00:00" does not', id="no-zone-yet"
        ),
        pytest.param(
            freeze("'2026-01-01 00:00'", "'9999-12-31 23:59'"), 'to: "9999-12-31 23:59" does not', id="after-all-days"
        ),
        pytest.param(freeze("fri 16:00", "'08:00'"), "freeze.0.to: must be written as from is", id="mixed-forms"),
        pytest.param(freeze("'16:00'", "mon 08:00"), "freeze.0.to: must be written as from is", id="mixed-forms-too"),
        pytest.param(freeze("'16:00'", "'16:00'"), "freeze.0.to: is from again: this would never", id="never-opens"),
        pytest.param(freeze("mon 16:00", "mon 16:00"), "freeze.0.to: is from again", id="never-opens-by-week"),
        pytest.param(
            freeze("'2026-02-30 16:00'", "'2026-03-02 16:00'"), "freeze.0.from: is no day of the calendar", id="no-day"
        ),
        pytest.param(
            freeze("'2027-02-28 16:00'", "'2027-02-29 16:00'"), "freeze.0.to: is no day of the calendar", id="no-leap"
        ),
        pytest.param(
            freeze("'2026-03-02 16:00'", "'2026-03-02 15:59'"), "freeze.0.to: must be later than from", id="backwards"
        ),
        pytest.param(
            freeze("'2026-03-02 16:00'", "'2026-03-02 16:00'"), "freeze.0.to: must be later than from", id="empty"
        ),
        *(
            pytest.param(
                freeze("'16:00'", "'18:00'", zone), "freeze.0.zone: is no time zone that the time", id=f"zone-{zone}"
            )
            for zone in ("Europe/Londn", "''", "Europe", "../../etc/passwd", "/etc/passwd", '"a\\0b"', "zone.tab")
        ),
        pytest.param(freeze("'16:00'", "'18:00'", "1"), "freeze.0.zone: must be text, not 1", id="zone-number"),
        pytest.param("{freeze: [{from: '1:00', to: '02:00', zone: UTC}]}", "freeze.0.from", id="one-digit"),
        pytest.param("{freeze: [{from: '01:00', to: '02:00'}]}", "freeze.0.zone: is required", id="no-zone"),
        pytest.param("{soak: 24}", "soak: must be text, not 24", id="soak-without-unit"),
        pytest.param("{soak: 0h}", 'soak: "0h" does not match', id="soak-zero"),
        pytest.param("{soak: 1.5h}", 'soak: "1.5h" does not match', id="soak-half"),
        pytest.param("{soak: 1w}", 'soak: "1w" does not match', id="soak-week"),
        pytest.param("{soak: 999999d}", 'soak: "999999d" does not match', id="soak-for-ages"),
        pytest.param('{soak: "24h\\n"}', 'soak: "24h\\n" does not match', id="soak-line-break"),
        pytest.param("{health: 24h}", 'health: must be true or false, not "24h"', id="health"),
        pytest.param("{approvals: 0}", "approvals: production changes only with a person's", id="none"),
        pytest.param("{approvals: {count: 0}}", "approvals: production changes only with a person's", id="none-too"),
        pytest.param("{approvals: -1}", "approvals: must be at least 0", id="fewer-than-none"),
        pytest.param("{approvals: true}", "approvals: must be a whole number or a mapping", id="yes"),
        pytest.param("{approvals: {teams: [sre]}}", "approvals.count: is required", id="how-many"),
        pytest.param(
            "{approvals: {count: 1, rollback: 2}}", "rollback: must not be more than count, 1", id="more-back"
        ),
        pytest.param("{approvals: {count: 1, rollback: 0}}", "rollback: a way back needs", id="none-back"),
        pytest.param("{approvals: {count: 1, teams: [dba]}}", "approvals.teams.0: no such team", id="unknown-team"),
        pytest.param("{override: {gates: [soak], team: dba}}", "override.team: no such team", id="unknown-glass"),
        pytest.param("{override: {gates: [soak]}}", "override.team: is required", id="nobodys-glass"),
        *(
            pytest.param(f"{{override: {{gates: [{gate}], team: sre}}}}", f'"{gate}" is not among', id=f"no-{gate}")
            for gate in ("health", "order", "scope", "tree", "renders", "approvals")
        ),
        pytest.param("{image: {registry: maybe}}", "image.registry: must be true or false", id="image"),
        pytest.param(
            "{image: {signature: true, workflows: [build.yaml]}}", "image.workflows.0: ", id="workflow-of-nobody"
        ),
        pytest.param(
            "{image: {signature: true, workflows: [acme/x/.github/workflows/b.yaml]}}", "workflows.0: ", id="no-ref"
        ),
        pytest.param(
            f"{{image: {{workflows: [{SHARED}]}}}}", "image.workflows: is for signatures", id="no-signature"
        ),
        pytest.param("{lunch: true}", "gates.lunch: is not known here", id="a-gate-of-tomorrow"),
    ],
)  # fmt: skip
def test_mistakes(gates: str, told: str) -> None:
    found = refusal(gates, TEAMS)

    assert [told in each for each in found] == [True], found
    assert found[0].startswith("5: environments.prod.gates")


def test_an_unquoted_time_is_told_how_to_write_it() -> None:
    (told,) = refusal(freeze("16:00", "'18:00'"))

    assert told.endswith('\n  try: in quotes, as "16:00", "fri 16:00", "2026-12-24 16:00"')


@pytest.mark.parametrize("gate", ["soak: 24h", "health: true"])
def test_what_enters_the_lane_has_been_nowhere_before(gate: str) -> None:
    with pytest.raises(ShiplaneError) as caught:
        load(
            f"version: 1\nenvironments:\n  dev: {{cluster: a, registry: r.acme.example, gates: {{{gate}}}}}\n".encode()
        )

    assert "nothing is promoted into it that could wait" in str(caught.value)


@pytest.mark.parametrize("hotfix", ["prod", "staging", "qa", "other"])
def test_a_hotfix_comes_from_further_up_the_lane(hotfix: str) -> None:
    found = refusal(hotfix=f"hotfix: {hotfix}, ", staging="{from: dev, cluster: b}\n  other: {from: dev, cluster: d}")

    assert [each.partition("hotfix: ")[2] for each in found] == [
        "must be an environment further up its lane than its `from`"
    ]


def test_a_hotfix_may_leave_out_what_stands_between() -> None:
    prod = lane(hotfix="hotfix: dev, ").environments["prod"]

    assert (prod.source, prod.hotfix, prod.sources) == ("staging", "dev", ("staging", "dev"))


def test_where_the_forge_knows_the_teams_none_has_to_be_listed() -> None:
    assert lane("{approvals: {count: 1, teams: [acme/sre]}}", "forge: github\n").environments["prod"].gates.teams == (
        "acme/sre",
    )


@pytest.mark.parametrize("gates", ["{approvals: {count: 1, teams: [sre]}}", "{override: {gates: [soak], team: sre}}"])
def test_the_embedded_forge_knows_no_teams_but_those_listed(gates: str) -> None:
    (told,) = refusal(gates, "forge: embedded\n")

    assert "no such team under teams" in told


def test_a_machine_without_a_time_zone_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small containers have none; then the package tzdata stands in."""
    try:
        reset_tzpath(to=())

        assert lane(freeze("'16:00'", "'18:00'")).environments["prod"].gates.freeze[0].zone == "Europe/London"
    finally:
        reset_tzpath()
