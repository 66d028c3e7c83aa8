"""Releases, promotions and onboardings as pure functions of what the default branch holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ShiplaneError
from gitops import catalog, onboard, promote, release
from gitops.catalog import entry_yaml
from gitops.gates.case import Known
from gitops.model import (
    FILE,
    TREE,
    Change,
    Draft,
    Entry,
    Nothing,
    Release,
    Rendering,
    Snapshot,
)
from gitops.promote import Promotion
from gitops.proposals import Plan
from gitops.release import Chart, Releasing
from gitops.step import Step
from tests.gitops import literal
from tests.gitops.literal import CHART, NOW, WALLET, A, B, C, drafted, founded, lane, merged, pinned, snapshot, tree_id
from tests.gitops.trees import substituted

LANE = lane()
FORK = """\
  dev: {cluster: a, registry: registry.acme.example}
  staging: {from: dev, cluster: b}
  prod-eu: {from: staging, cluster: c}
  prod-us: {from: staging, cluster: d, registry: us.acme.example}
"""
LEDGER = replace(WALLET, name="ledger", source="acme/ledger", image="acme/ledger")
Files = Mapping[str, bytes | Entry]


def releasing(
    what: Release = A,
    run: int | None = 7,
    to: str | None = None,
    files: Mapping[str, bytes] = CHART,
    proved: bool = True,
    service: str = "wallet",
) -> Releasing:
    chart = literal.chart(files)
    return release.asked(service, what.tag, what.digest, run, to, Chart("wallet/chart", chart, proved, tree_id(chart)))


def released(files: Files, request: Releasing | None = None) -> Plan:
    return release.plan(LANE, snapshot(files), request or releasing(), NOW)


def promoted(files: Files, to: str = "staging", source: str | None = None) -> Plan:
    return promote.plan(LANE, snapshot(files), Promotion("wallet", to, source), Known(), NOW)


def rendered(plan: Plan) -> Rendering:
    assert isinstance(plan, Step)
    assert isinstance(plan.after, Rendering)
    return plan.after


def reason(plan: Plan) -> str:
    assert isinstance(plan, Nothing)
    assert "\n" not in plan.reason
    return plan.reason


def paths(draft: Draft) -> list[str]:
    return [change.path for change in draft.changes]


def refused(call: Any, code: int) -> str:
    with pytest.raises(ShiplaneError) as caught:
        call()
    assert caught.value.exit_code == code
    return str(caught.value)


class TestRelease:
    def test_an_unknown_service_is_refused_with_the_command_that_makes_it_known(self) -> None:
        said = refused(lambda: released(founded()), 1)

        assert said == (
            "wallet: is not in the catalog: no services/wallet.yaml on the default branch\n"
            "  try: gitops onboard wallet --source OWNER/REPOSITORY --image REPOSITORY"
        )

    def test_the_first_one_adds_what_a_service_starts_with_and_the_pin(self) -> None:
        files = founded(WALLET)
        draft = drafted(released(files))

        assert draft.changes == (
            Change("apps/dev/wallet.yaml", FILE, substituted(_bytes(files, "defaults/dev/application.yaml"), "dev")),
            Change(
                "environments/dev/wallet/values.yaml",
                FILE,
                substituted(_bytes(files, "defaults/dev/values.yaml"), "dev"),
            ),
            Change(
                "environments/dev/wallet/release.yaml",
                FILE,
                _bytes(pinned("dev", A), "environments/dev/wallet/release.yaml"),
            ),
            Change(
                "environments/dev/wallet/origin.yaml",
                FILE,
                _bytes(pinned("dev", A), "environments/dev/wallet/origin.yaml"),
            ),
            Change("environments/dev/wallet/chart", TREE, tree_id(literal.chart())),
        )
        assert (draft.branch, draft.merge, draft.replaces) == ("shiplane/pin/dev/wallet", True, ("",) * 5)
        assert draft.move is not None
        assert (draft.move.before, draft.move.after) == (None, A)

    def test_what_helm_gets_is_the_result(self) -> None:
        rendering = rendered(released(founded(WALLET)))

        assert (rendering.service, rendering.environment, rendering.namespace, rendering.kubernetes) == (
            "wallet",
            "dev",
            "wallet",
            "1.33",
        )
        assert {path: data for path, (_, data) in rendering.chart.items()} == CHART
        assert [name for name, _ in rendering.values] == ["values.yaml", "release.yaml"]
        assert b"amazonaws.com/acme/wallet" in rendering.values[0][1]
        assert A.digest.encode() in rendering.values[1][1]

    @pytest.mark.parametrize("owned", ["apps/dev/wallet.yaml", "environments/dev/wallet/values.yaml"])
    def test_a_file_of_a_person_is_never_written_over(self, owned: str) -> None:
        plan = released({**founded(WALLET), owned: b"mine: true\n"})
        draft = drafted(plan)

        assert owned not in paths(draft)
        assert len(draft.changes) == 4
        if owned.endswith("values.yaml"):
            assert rendered(plan).values[0] == ("values.yaml", b"mine: true\n")

    def test_a_later_one_changes_the_pin_alone(self) -> None:
        draft = drafted(released({**founded(WALLET), **pinned("dev", A), **_people("dev")}, releasing(B, 8)))

        assert paths(draft) == [f"environments/dev/wallet/{name}" for name in ("release.yaml", "origin.yaml", "chart")]
        assert draft.move is not None
        assert (draft.move.before, draft.move.after) == (A, B)

    def test_the_same_again_is_nothing(self) -> None:
        assert reason(released({**founded(WALLET), **pinned("dev", A)})) == "wallet aaaaaaa is pinned in dev already"

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(releasing(Release(A.tag, B.digest)), id="the same run built again, with another digest"),
            pytest.param(releasing(A, 8), id="the same image, by another run"),
            pytest.param(releasing(A, files={**CHART, "values.yaml": b"a: 1\n"}), id="the same image, another chart"),
            pytest.param(releasing(A, proved=False), id="no longer proved"),
        ],
    )
    def test_whatever_differs_is_a_release(self, change: Releasing) -> None:
        assert isinstance(released({**founded(WALLET), **pinned("dev", A)}, change), Step)

    def test_an_executable_bit_is_a_difference(self) -> None:
        files = {**CHART, "check.sh": b"#!/bin/sh\n"}
        plain = {**founded(WALLET), **pinned("dev", A, chart=files)}

        assert isinstance(released(plain, releasing(A, files=files)), Step)

    def test_an_older_run_is_superseded(self) -> None:
        said = reason(released({**founded(WALLET), **pinned("dev", B, run=7)}, releasing(A, 6)))

        assert said == "superseded: dev has pinned bbbbbbb of run 7, newer than run 6"

    def test_without_a_number_after_one_nobody_knows_the_order(self) -> None:
        said = refused(lambda: released({**founded(WALLET), **pinned("dev", B, run=7)}, releasing(A, None)), 1)

        assert said.startswith("--run: dev has pinned run 7")
        assert "try: pass the CI run's number: --run N" in said

    @pytest.mark.parametrize("run", [None, 0])
    def test_without_numbers_each_release_follows(self, run: int | None) -> None:
        assert isinstance(released({**founded(WALLET), **pinned("dev", B, run=None)}, releasing(A, run)), Step)

    def test_into_an_environment_that_is_promoted_into(self) -> None:
        said = refused(lambda: released(founded(WALLET), releasing(to="staging")), 1)

        assert said == (
            "--to staging: is promoted into from dev, not released into\n  try: promote wallet --to staging"
        )

    def test_a_lane_with_two_entrances_needs_a_choice(self) -> None:
        two = lane("  dev: {cluster: a, registry: r.acme.example}\n  lab: {cluster: b, registry: r.acme.example}\n")

        assert "releases enter at dev, lab" in refused(lambda: release.entrance(two, releasing()), 1)
        assert release.entrance(two, releasing(to="lab")).name == "lab"

    @pytest.mark.parametrize("path", ["release.yaml", "origin.yaml"])
    def test_a_pin_edited_into_nonsense_is_named_with_the_way_out(self, path: str) -> None:
        place = f"environments/dev/wallet/{path}"
        said = refused(lambda: released({**founded(WALLET), **pinned("dev", B), place: b"image: 5\nrun: x\n"}), 1)

        assert said.startswith(f"{place}:")
        assert f"try: bring back the last good one: git log -- {place}" in said

    def test_defaults_that_ask_for_an_unknown_fact(self) -> None:
        files = {**founded(WALLET), "defaults/dev/values.yaml": b"a: {sevrice}\n"}

        assert "defaults/dev/values.yaml: {sevrice} stands for nothing; known: service" in refused(
            lambda: released(files), 1
        )

    def test_defaults_that_are_not_there(self) -> None:
        files = founded(WALLET)
        del files["defaults/dev/values.yaml"]

        assert refused(lambda: released(files), 1).startswith("defaults/dev/values.yaml: not found")

    def test_defaults_that_are_not_utf8(self) -> None:
        files = {**founded(WALLET), "defaults/dev/values.yaml": "owner: größe\n".encode("latin-1")}

        assert refused(lambda: released(files), 1) == "defaults/dev/values.yaml: is not UTF-8 at byte 9"

    def test_braces_of_others_in_defaults_stay(self) -> None:
        files = {
            **founded(WALLET),
            "defaults/dev/values.yaml": b"a: '{{ .Values.x }}'\nb: '{Service}'\nc: {service}\r\n",
        }
        changes = {change.path: change.content for change in drafted(released(files)).changes}

        assert changes["environments/dev/wallet/values.yaml"] == b"a: '{{ .Values.x }}'\nb: '{Service}'\nc: wallet\r\n"

    def test_a_values_file_that_is_a_link_is_refused(self) -> None:
        """helm gets its settings from git objects; what a link leads to in Argo CD is not what was rendered."""
        files = {**founded(WALLET), "environments/dev/wallet/values.yaml": Entry("120000", "0" * 40)}

        assert "environments/dev/wallet/values.yaml: is no file" in refused(lambda: released(files), 3)


class TestPromotion:
    def test_it_moves_object_ids_and_nothing_else(self) -> None:
        files = snapshot({**founded(WALLET), **pinned("dev", B, run=8), **pinned("staging", A), **_people("staging")})
        draft = drafted(promote.plan(LANE, files, Promotion("wallet", "staging"), Known(), NOW))

        assert draft.changes == tuple(
            Change(f"environments/staging/wallet/{name}", mode, files.entries[f"environments/dev/wallet/{name}"].oid)
            for name, mode in (("release.yaml", FILE), ("origin.yaml", FILE), ("chart", TREE))
        )
        assert draft.replaces == tuple(
            files.entries[f"environments/staging/wallet/{name}"].oid
            for name in ("release.yaml", "origin.yaml", "chart")
        )
        assert (draft.branch, draft.merge) == ("shiplane/pin/staging/wallet", False)

    def test_bytes_that_we_would_write_otherwise_are_carried_as_they_are(self) -> None:
        odd = b"image: {tag: '%s',\r\n digest: '%s'} # as it came" % (B.tag.encode(), B.digest.encode())
        before = snapshot({**founded(WALLET), **pinned("dev", B), "environments/dev/wallet/release.yaml": odd})
        after = merged(
            before, drafted(promote.plan(LANE, before, Promotion("wallet", "staging"), Known(), NOW)).changes
        )

        assert after.data("environments/staging/wallet/release.yaml") == odd

    def test_the_first_one_adds_what_a_service_starts_with(self) -> None:
        files = {**founded(WALLET), **pinned("dev", A)}
        first, second, *carried = drafted(promoted(files)).changes

        assert first == Change(
            "apps/staging/wallet.yaml", FILE, substituted(_bytes(files, "defaults/staging/application.yaml"), "staging")
        )
        assert second.path == "environments/staging/wallet/values.yaml"
        assert all(isinstance(change.content, str) for change in carried)
        assert len(carried) == 3

    def test_equal_ids_are_nothing(self) -> None:
        same = {**founded(WALLET), **pinned("dev", A), **pinned("staging", A)}

        assert reason(promoted(same)) == "nothing to promote: staging has aaaaaaa of wallet already"

    @pytest.mark.parametrize("file", ["release.yaml", "origin.yaml", "chart/Chart.yaml"])
    def test_one_byte_is_a_difference(self, file: str) -> None:
        same = {**founded(WALLET), **pinned("dev", A), **pinned("staging", A)}
        place = f"environments/staging/wallet/{file}"

        assert isinstance(promoted({**same, place: _bytes(same, place) + b"\n"}), Step)

    def test_settings_are_no_difference(self) -> None:
        same = {**founded(WALLET), **pinned("dev", A), **pinned("staging", A), **_people("staging"), **_people("dev")}

        assert isinstance(promoted({**same, "environments/dev/wallet/values.yaml": b"other: 1\n"}), Nothing)

    def test_what_helm_gets_is_the_new_chart_with_the_settings_that_stay(self) -> None:
        new = {**CHART, "templates/new.yaml": b"kind: Job\n"}
        files = {**founded(WALLET), **pinned("dev", B, chart=new), **pinned("staging", A), **_people("staging")}
        rendering = rendered(promoted(files))

        assert "templates/new.yaml" in rendering.chart
        assert rendering.values[0] == ("values.yaml", b"mine: staging\n")
        assert B.tag.encode() in rendering.values[1][1]

    def test_from_an_environment_without_a_release(self) -> None:
        said = refused(lambda: promoted(founded(WALLET)), 3)

        assert said == (
            "order: dev has no release of wallet that could be carried on\n"
            "  try: gitops release wallet --to dev --tag SHA --digest sha256:... --chart DIR"
        )
        assert "try: promote wallet --to staging" in refused(
            lambda: promoted({**founded(WALLET), **pinned("dev", A)}, "prod"), 3
        )

    def test_into_where_releases_enter(self) -> None:
        said = refused(lambda: promoted({**founded(WALLET), **pinned("dev", A)}, "dev"), 1)

        assert said.startswith(
            "--to dev: nothing is promoted into it: releases enter the lane here\n  try: gitops release"
        )

    @pytest.mark.parametrize(
        ("to", "source", "told"),
        [
            ("prod", "dev", "--from dev: prod is promoted from staging, in order"),
            ("staging", "staging", "--from staging: staging is promoted from dev, in order"),
            ("staging", "dve", "--from dve: no such environment in shiplane.yaml; did you mean dev?"),
            ("stagng", None, "--to stagng: no such environment in shiplane.yaml; did you mean staging?"),
        ],
    )
    def test_steps_that_the_lane_does_not_have(self, to: str, source: str | None, told: str) -> None:
        assert refused(lambda: promoted({**founded(WALLET), **pinned("dev", A)}, to, source), 1).startswith(told)

    def test_naming_the_environment_before_changes_nothing(self) -> None:
        files = {**founded(WALLET), **pinned("dev", A)}

        assert promoted(files, "staging", "dev") == promoted(files)

    def test_an_unknown_service(self) -> None:
        assert "try: gitops onboard wallet" in refused(lambda: promoted(founded()), 1)

    def test_a_catalog_entry_edited_into_nonsense(self) -> None:
        files = {**founded(WALLET), **pinned("dev", A), "services/wallet.yaml": b"owner: a\nsuorce: acme/wallet\n"}
        said = refused(lambda: promoted(files), 1)

        assert "services/wallet.yaml:2: suorce: is not known here; did you mean source or source_id?" in said
        assert "services/wallet.yaml: image: is required" in said

    @pytest.mark.parametrize(
        ("path", "entry", "told"),
        [
            ("chart/values.yaml", Entry("120000", "1" * 40), "a symbolic link"),
            ("chart/charts/x", Entry("160000", "1" * 40), "a submodule"),
            ("chart/.argocd-source.yaml", literal.blob(b"x"), "Argo CD would take its own settings"),
        ],
    )
    def test_a_chart_that_must_not_be_carried_is_refused_here_too(self, path: str, entry: Entry, told: str) -> None:
        files: Files = {**founded(WALLET), **pinned("dev", A), f"environments/dev/wallet/{path}": entry}

        assert told in refused(lambda: promoted(files), 3)

    @pytest.mark.parametrize(("missing", "code"), [("origin.yaml", 1), ("chart", 3)])
    def test_a_pin_of_which_a_part_is_missing_is_refused(self, missing: str, code: int) -> None:
        """Else the old part would stay in the target, under the new release."""
        files = {**founded(WALLET), **pinned("dev", B), **pinned("staging", A)}
        files = {p: e for p, e in files.items() if not p.startswith(f"environments/dev/wallet/{missing}")}

        assert f"environments/dev/wallet/{missing}" in refused(lambda: promoted(files), code)

    def test_a_lane_that_forks(self) -> None:
        config = lane(FORK)
        defaults: Files = {
            f"defaults/{name}/{file}": b"r: {registry}\n"
            for name in config.environments
            for file in ("application.yaml", "values.yaml")
        }
        files = snapshot({**defaults, "services/wallet.yaml": entry_yaml(WALLET), **pinned("staging", A)})
        europe, america = (
            drafted(promote.plan(config, files, Promotion("wallet", f"prod-{each}"), Known(), NOW))
            for each in ("eu", "us")
        )

        assert europe.branch != america.branch
        assert [c.content for c in europe.changes if isinstance(c.content, str)] == [
            c.content for c in america.changes if isinstance(c.content, str)
        ]
        assert (europe.changes[0].content, america.changes[0].content) == (
            b"r: registry.acme.example\n",
            b"r: us.acme.example\n",
        )
        assert "prod-us is promoted from staging" in refused(
            lambda: promote.lane(config, Promotion("wallet", "prod-us", "prod-eu")), 1
        )

    def test_services_are_asked_for_once(self) -> None:
        assert [each.service for each in promote.asked(["wallet", "ledger", "wallet"], "staging", None)] == [
            "wallet",
            "ledger",
        ]

    def test_every_wrong_name_is_told(self) -> None:
        said = refused(lambda: promote.asked(["Wallet", "ok", "../x", ""], "staging", None), 1)

        assert len([line for line in said.splitlines() if not line.startswith("  try")]) == 3


class TestOnboarding:
    def test_it_adds_the_catalog_entry(self) -> None:
        request = onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical")
        draft = drafted(onboard.plan(LANE, snapshot(founded()), request))

        assert draft.changes == (Change("services/wallet.yaml", FILE, entry_yaml(WALLET)),)
        assert (draft.branch, draft.merge, draft.move) == ("shiplane/onboard/wallet", False, None)
        assert reason(onboard.plan(LANE, merged(snapshot(founded()), draft.changes), request)) == (
            "wallet is in the catalog already, exactly so"
        )

    def test_the_repositorys_number_stands_in_the_entry_where_it_is_told(self) -> None:
        request = onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical", "123456789")
        (change,) = drafted(onboard.plan(LANE, snapshot(founded()), request)).changes
        assert isinstance(change.content, bytes)

        assert change.content.endswith(b'tier: critical\nsource_id: "123456789"\n')
        assert catalog.lookup(snapshot({change.path: change.content}), "wallet") == request.service

    @pytest.mark.parametrize("number", ["", "0", "-1", "acme", "1e3", "12345678901234567890"])
    def test_a_number_that_is_none(self, number: str) -> None:
        said = refused(lambda: onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical", number), 1)

        assert "--source-id" in said
        assert "gh api repos/OWNER/REPOSITORY" in said

    def test_other_facts_are_for_a_person_to_change(self) -> None:
        request = onboard.asked("wallet", "acme/other", "acme/wallet", "payments", "critical")

        said = refused(lambda: onboard.plan(LANE, snapshot(founded(WALLET)), request), 1)
        assert said.startswith("services/wallet.yaml: exists with other facts\n  try: edit services/wallet.yaml")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--source", "wallet"),
            ("--source", "https://github.com/acme/wallet"),
            ("--source", "acme/wallet/chart"),
            ("--source", "acme/.."),
            ("--source", "acme/wallet\n"),
            ("--source", ""),
            ("--image", "acme/wallet:latest"),
            ("--image", "Acme/wallet"),
            ("--image", "/acme/wallet"),
            ("--image", "acme//wallet"),
            ("--image", "a" * 201),
            ("--owner", "Payments Team"),
            ("--owner", "@acme/payments"),
            ("--owner", ""),
        ],
    )
    def test_facts_that_are_none(self, option: str, value: str) -> None:
        facts = {"--source": "acme/wallet", "--image": "acme/wallet", "--owner": "payments", option: value}
        said = refused(
            lambda: onboard.asked("wallet", facts["--source"], facts["--image"], facts["--owner"], "standard"), 1
        )

        assert said.startswith(option)
        assert len(said) < 300
        assert said.isprintable()

    @given(
        source=st.from_regex(r"[A-Za-z0-9-]{1,20}/[A-Za-z0-9._-]{1,50}", fullmatch=True),
        image=st.from_regex(r"[a-z0-9./_-]{1,60}", fullmatch=True),
        owner=st.from_regex(r"[a-z0-9-]{1,70}", fullmatch=True),
    )
    def test_what_is_taken_can_be_read_again(self, source: str, image: str, owner: str) -> None:
        try:
            request = onboard.asked("wallet", source, image, owner, "standard")
        except ShiplaneError:
            return
        draft = drafted(onboard.plan(LANE, snapshot(founded()), request))

        assert isinstance(onboard.plan(LANE, merged(snapshot(founded()), draft.changes), request), Nothing)


releases = st.sampled_from([A, B, C])
charts = st.sampled_from([CHART, {**CHART, "values.yaml": b"a: 1\n"}, {**CHART, "charts/x/Chart.yaml": b"name: x\n"}])
pins = st.builds(
    lambda what, files, run: pinned("ENV", what, chart=files, run=run), releases, charts, st.integers(1, 3)
)
junk = st.fixed_dictionaries(
    {},
    optional={
        "environments/ENV/wallet/notes.md": st.binary(max_size=9),
        "environments/ENV/wallet/values.yaml": st.sampled_from([b"", b"# by hand\r\n", b"replicas: 2\n"]),
        "apps/ENV/wallet.yaml": st.binary(max_size=9),
    },
)


@given(source=pins, target=st.none() | pins, before=junk, after=junk, ledger=pins)
@settings(deadline=None)  # a busy machine is no mistake of a plan
def test_a_promotion_changes_the_carried_places_of_one_service_in_one_environment(
    source: Files, target: Files | None, before: Files, after: Files, ledger: Files
) -> None:
    others = {path.replace("wallet", "ledger"): data for path, data in ledger.items()}
    files = snapshot(
        {
            **founded(WALLET, LEDGER),
            **_in("dev", {**before, **source, **others}),
            **_in("staging", {**after, **(target or {}), **others}),
        }
    )
    plan = promote.plan(LANE, files, Promotion("wallet", "staging"), Known(), NOW)
    result = merged(files, plan.changes) if isinstance(plan, Step) else files
    touched = {p for p in {*files.entries, *result.entries} if _file(files, p) != _file(result, p)}
    carried = tuple(f"environments/staging/wallet/{name}" for name in ("release.yaml", "origin.yaml", "chart/"))
    added = {"apps/staging/wallet.yaml", "environments/staging/wallet/values.yaml"}

    assert {path for path in touched if not path.startswith(carried)} == (
        added - files.entries.keys() if isinstance(plan, Step) else set()
    )
    assert _pin(result, "staging") == _pin(files, "dev")
    assert isinstance(promote.plan(LANE, result, Promotion("wallet", "staging"), Known(), NOW), Nothing)


changes = st.lists(
    st.builds(
        Change,
        st.sampled_from(["a", "a/b", "b"]),
        st.sampled_from([FILE, TREE]),
        st.binary(max_size=2) | st.sampled_from(["1" * 40, "2" * 40]),
    ),
    max_size=3,
    unique_by=lambda change: change.path,
)
drafts = changes.flatmap(
    lambda made: st.builds(
        Draft,
        branch=st.just("b"),
        title=st.sampled_from(["t", "u"]),
        body=st.text(max_size=3),
        changes=st.just(tuple(made)),
        steps=st.just(()),
        replaces=st.tuples(*[st.sampled_from(["", "1" * 40, "2" * 40])] * len(made)),
    )
)


@given(drafts, drafts)
def test_a_fingerprint_tells_drafts_apart_by_what_they_change_from_where_to_where(one: Draft, other: Draft) -> None:
    same = (one.changes, one.replaces) == (other.changes, other.replaces)

    assert (one.fingerprint == other.fingerprint) == same


def _bytes(files: Files, path: str) -> bytes:
    data = files[path]
    assert isinstance(data, bytes)
    return data


def _people(environment: str) -> dict[str, bytes]:
    """The two files that are people's once they are there."""
    return {
        f"apps/{environment}/wallet.yaml": b"kind: Application\n",
        f"environments/{environment}/wallet/values.yaml": f"mine: {environment}\n".encode(),
    }


def _in(environment: str, files: Files) -> dict[str, bytes | Entry]:
    return {path.replace("ENV", environment): data for path, data in files.items()}


def _file(files: Snapshot, path: str) -> tuple[str, str] | None:
    entry = files.get(path)
    return (entry.mode, entry.oid) if entry and entry.mode != TREE else None


def _pin(files: Snapshot, environment: str) -> list[str]:
    folder = f"environments/{environment}/wallet"
    entries = (files.get(f"{folder}/{name}") for name in ("release.yaml", "origin.yaml", "chart"))
    return [entry.oid for entry in entries if entry]


def test_the_literal_ids_are_those_of_git(tmp_path: Any) -> None:
    """Else "equal ids" in this file would mean nothing."""
    from tests.gitops import story

    chart = {**CHART, "check.sh": b"#!/bin/sh\n", "charts/x/Chart.yaml": b"name: x\n", "charts-": b""}
    story.source(tmp_path, chart)
    (tmp_path / "chart" / "check.sh").chmod(0o755)
    story.git(tmp_path, "add", ".")

    assert story.git(tmp_path, "write-tree", "--prefix=chart/") == tree_id(literal.chart(chart))
