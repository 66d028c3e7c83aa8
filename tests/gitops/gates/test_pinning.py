"""Each gate of a pin: a table of what stands before, what the pull request leads to, what is known, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from gitops.catalog import Service
from gitops.config import Config
from gitops.gates import pinning
from gitops.gates.case import Case, Identity, Known, Since, kept
from gitops.gates.judge import pin_verdicts
from gitops.gates.verdict import PASSED, REFUSED, WAITING, Verdict
from gitops.holds import Hold, hold_yaml
from gitops.model import TREE, Entry, Release
from gitops.pins import identity
from tests.gitops import literal
from tests.gitops.literal import CHART, NOW, WALLET, A, B, C, lane, pinned, snapshot

REGISTRY = "registry.acme.example"
Files = Mapping[str, bytes | Entry]
OTHER_CHART = {**CHART, "templates/service.yaml": b"kind: Service # another\n"}
HOLD = "holds/prod/wallet.yaml"
VALUES = "environments/prod/wallet/values.yaml"


def config(gates: str = "{}", prod: str = "") -> Config:
    return lane(f"""\
  dev: {{merge: auto, cluster: a, registry: {REGISTRY}}}
  staging: {{from: dev, cluster: b}}
  prod: {{from: staging, {prod}cluster: c, gates: {gates}}}
""")


def people(repository: str = f"{REGISTRY}/acme/wallet") -> Files:
    return {VALUES: f"image: {{repository: {repository}}}\n".encode()}


def case(
    to: Files,
    base: Files,
    *,
    gates: str = "{}",
    prod: str = "",
    known: Known | None = None,
    now: datetime = NOW,
) -> Case:
    """A pull request that leads from `base` to `base` with `to` in place of prod's files."""
    read = config(gates, prod)
    after = {path: data for path, data in base.items() if not path.startswith("environments/prod/wallet/")}
    own = {VALUES: base[VALUES]} if VALUES in base else people()
    before, head = snapshot(base), snapshot({**after, **own, **to})
    return Case(read, read.environment("prod"), WALLET, before, head, known or Known(), now)


def had(*releases: Files | Release, of: str = "prod", settings: bytes = b"") -> Known:
    """What an environment has had, the oldest first; its settings then were `settings`, if not today's."""
    from_ = [each if not isinstance(each, Release) else pinned("prod", each) for each in releases]
    ids = kept([identity(snapshot(each), config(), "prod", "wallet") for each in from_])
    oid = literal.blob(settings or people()[VALUES]).oid  # type: ignore[arg-type]  # the values are bytes
    return Known(kept={("wallet", of): {each: frozenset({oid}) for each in ids}})


STAGED = {**pinned("dev", B), **pinned("staging", B)}


def verdict(gate: str, of: Case) -> Verdict:
    (found,) = [each for each in pin_verdicts(of) if each.gate == gate]
    return found


def joined(base: Files, hotfix: str = "", known: Known | None = None, gates: str = "{}") -> Case:
    """B comes to prod, which takes what has been both in eu and in us."""
    regions = lane(f"""\
  dev: {{cluster: a, registry: {REGISTRY}}}
  eu: {{from: dev, cluster: b}}
  us: {{from: dev, cluster: c}}
  prod: {{from: [eu, us], {hotfix}cluster: d, gates: {gates}}}
""")
    before, after = snapshot(base), snapshot({**base, **pinned("prod", B)})
    return Case(regions, regions.environment("prod"), WALLET, before, after, known or Known(), NOW)


class TestOrder:
    @pytest.mark.parametrize(
        ("to", "base", "known", "state", "why"),
        [
            pytest.param(pinned("prod", B), STAGED, Known(), PASSED, "staging has pinned this very", id="pinned"),
            pytest.param(pinned("prod", A), STAGED, Known(), REFUSED, "is not what staging has pinned", id="other"),
            pytest.param(
                pinned("prod", B, chart=OTHER_CHART), STAGED, Known(), REFUSED, "wallet/chart differ", id="other-chart"
            ),
            pytest.param(
                pinned("prod", B, run=8), STAGED, Known(), REFUSED, "wallet/origin.yaml differ", id="other-origin"
            ),
            pytest.param(
                pinned("prod", Release(B.tag, C.digest)), STAGED, Known(), REFUSED, "release.yaml differ", id="digest"
            ),
            pytest.param(
                pinned("prod", A), STAGED, had(A, B, of="staging"), PASSED, "staging has had this very", id="has-had"
            ),
            pytest.param(
                pinned("prod", C), STAGED, had(A, C, A, B, of="staging"), REFUSED, "is not what", id="left-there"
            ),
            pytest.param(pinned("prod", A), STAGED, had(A, C), PASSED, "a way back", id="a-way-back"),
            pytest.param(pinned("prod", C), STAGED, had(A, C, A), REFUSED, "is not what", id="left-here"),
            pytest.param(pinned("prod", B), pinned("dev", B), Known(), REFUSED, "release.yaml, ", id="past-staging"),
        ],
    )
    def test_table(self, to: Files, base: Files, known: Known, state: str, why: str) -> None:
        found = verdict("order", case(to, base, known=known))

        assert (found.state, why in found.why) == (state, True), found.why

    def test_a_hotfix_comes_past_staging_where_that_is_allowed(self) -> None:
        files = {**pinned("dev", B), **pinned("staging", A)}
        found = verdict("order", case(pinned("prod", B), files, prod="hotfix: dev, "))

        assert (found.state, found.why) == (
            PASSED,
            "dev has pinned this very release, past staging, as prod allows for hotfixes",
        )

    def test_a_hotfix_is_not_what_dev_does_not_have(self) -> None:
        files = {**pinned("dev", A), **pinned("staging", A)}

        assert verdict("order", case(pinned("prod", B), files, prod="hotfix: dev, ")).state == REFUSED

    def test_each_region_has_its_own(self) -> None:
        regions = lane("""\
  dev: {cluster: a, registry: registry.acme.example}
  eu: {from: dev, cluster: b}
  us: {from: dev, cluster: c}
""")
        before, after = snapshot(pinned("dev", B)), snapshot({**pinned("dev", B), **pinned("eu", B), **pinned("us", A)})
        states = [
            pinning.order(Case(regions, regions.environment(name), WALLET, before, after, Known(), NOW)).state
            for name in ("eu", "us")
        ]

        assert states == [PASSED, REFUSED]

    @pytest.mark.parametrize(
        ("base", "hotfix", "state", "why"),
        [
            pytest.param(
                {**pinned("eu", B), **pinned("us", B)}, "", PASSED, "eu has pinned and us has pinned", id="all"
            ),
            pytest.param({**pinned("eu", B), **pinned("us", A)}, "", WAITING, "us must have it too", id="not-us"),
            pytest.param({**pinned("us", B)}, "", WAITING, "eu must have it too", id="not-eu"),
            pytest.param({**pinned("eu", A), **pinned("us", A)}, "", REFUSED, "is not what eu has pinned", id="none"),
            pytest.param(
                {**pinned("dev", B), **pinned("eu", B)},
                "hotfix: dev, ",
                PASSED,
                "dev has pinned this very release, past eu and us, as prod allows for hotfixes",
                id="a-hotfix",
            ),
            pytest.param(
                {**pinned("dev", B), **pinned("eu", B), **pinned("us", B)},
                "hotfix: dev, ",
                PASSED,
                "eu has pinned and us has pinned this very release",
                id="no-hotfix-where-all-have-it",
            ),
        ],
    )
    def test_what_comes_from_several_must_be_in_all(self, base: Files, hotfix: str, state: str, why: str) -> None:
        found = pinning.order(joined(base, hotfix))

        assert (found.state, why in found.why) == (state, True), found.why

    def test_of_several_one_may_have_moved_on(self) -> None:
        moved = joined({**pinned("eu", B), **pinned("us", C)}, known=had(B, C, of="us"))

        assert pinning.order(moved) == Verdict("order", PASSED, "eu has pinned and us has had this very release")

    def test_where_releases_come_in_anything_does(self) -> None:
        read = config()
        first = Case(read, read.environment("dev"), WALLET, snapshot({}), snapshot(pinned("dev", A)), Known(), NOW)

        assert pinning.order(first) == Verdict("order", PASSED, "releases enter the lane at dev")


@pytest.mark.parametrize(
    ("past", "left"),
    [
        ("", ""),
        ("a", "a"),
        ("abc", "abc"),
        ("aba", "a"),
        ("abac", "ac"),
        ("abcb", "ab"),
        ("abcbd", "abd"),
        ("abab", "ab"),
        ("abcabc", "abc"),
        ("aabb", "ab"),
        ("abcdbeb", "ab"),
    ],
)
def test_what_was_left_for_an_older_one_is_not_kept(past: str, left: str) -> None:
    assert kept([(each,) for each in past]) == [(each,) for each in left]


class TestTree:
    @pytest.mark.parametrize(
        ("path", "entry", "why"),
        [
            ("chart/values.yaml", Entry("120000", "1" * 40), "chart/values.yaml is a symbolic link"),
            ("chart/charts/x", Entry("160000", "1" * 40), "chart/charts/x is a submodule"),
            ("chart/.argocd-source.yaml", literal.blob(b""), "Argo CD would take its own settings"),
            ("chart/.argocd-source-wallet-prod.yaml", literal.blob(b""), "Argo CD would take its own settings"),
            ("chart/TEMPLATES/service.yaml", literal.blob(b""), "only in case"),
            ("chart/a\nb", literal.blob(b""), "must be printable"),
            ("chart/Chart.yaml", literal.blob(b"name: x\n"), "Chart.yaml: version is required"),
        ],
    )
    def test_table(self, path: str, entry: Entry, why: str) -> None:
        found = verdict("tree", case({**pinned("prod", B), f"environments/prod/wallet/{path}": entry}, STAGED))

        assert (found.state, why in found.why) == (REFUSED, True), found.why
        assert "\n" not in found.why

    def test_a_chart_that_may_be_carried(self) -> None:
        assert verdict("tree", case(pinned("prod", B), STAGED)).state == PASSED

    def test_a_chart_that_is_a_file_or_gone(self) -> None:
        files = {path: data for path, data in pinned("prod", B).items() if "/chart/" not in path}
        for chart in ({}, {"environments/prod/wallet/chart": b"x"}):
            assert "is no chart" in verdict("tree", case({**files, **chart}, STAGED)).why


class TestParity:
    @pytest.mark.parametrize(
        ("to", "base", "state", "why"),
        [
            pytest.param(pinned("prod", B), STAGED, PASSED, "one digest for this tag everywhere", id="all-the-same"),
            pytest.param({}, STAGED, REFUSED, "there is no release", id="none"),
            pytest.param(
                pinned("prod", Release(B.tag, C.digest)), STAGED, REFUSED, f"dev has pinned {'b' * 7} with", id="digest"
            ),
            pytest.param(
                pinned("prod", B, service=Service("wallet", "eve", "eve/wallet", "x", "standard")),
                STAGED, REFUSED, "comes from eve/wallet, and the catalog says acme/wallet", id="source",
            ),
            pytest.param(
                {**pinned("prod", B), **people("evil.example/acme/wallet")},
                STAGED, REFUSED, "image.repository is evil.example/acme/wallet, not", id="registry",
            ),
            pytest.param(
                {**pinned("prod", B), **people(f"{REGISTRY}/acme/ledger")}, STAGED, REFUSED, "ledger, not", id="image"
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: b"replicas: 2\n"}, STAGED, PASSED, "one digest", id="nothing-said"
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: b"image: &a {repository: evil}\n"},
                STAGED, REFUSED, "image.repository is evil", id="an-anchor",
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: b"x: &a {repository: evil}\nimage: *a\n"},
                STAGED, REFUSED, "an alias is not followed", id="an-alias",
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: b"image: {repository: a}\nimage: {repository: b}\n"},
                STAGED, REFUSED, "stands here twice", id="twice",
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: b"image: {repository: [a]}\n"},
                STAGED, REFUSED, "must be text", id="no-text",
            ),
            pytest.param(
                {**pinned("prod", B), VALUES: Entry("120000", "1" * 40)}, STAGED, REFUSED, "is no file", id="a-link"
            ),
            pytest.param(
                {**pinned("prod", B), "environments/prod/wallet/release.yaml": Entry("120000", "1" * 40)},
                STAGED, REFUSED, "release.yaml: is not a regular file", id="release-is-a-link",
            ),
            pytest.param(
                {**pinned("prod", B), "environments/prod/wallet/release.yaml": b"image: {tag: latest}\n"},
                STAGED, REFUSED, "release.yaml:1: image", id="a-moving-tag",
            ),
            pytest.param(
                {**pinned("prod", B), "environments/prod/wallet/origin.yaml": b""},
                STAGED, REFUSED, "origin.yaml: source: is required", id="an-empty-origin",
            ),
        ],
    )  # fmt: skip
    def test_table(self, to: Files, base: Files, state: str, why: str) -> None:
        found = verdict("parity", case(to, base))

        assert (found.state, why in found.why) == (state, True), found.why

    def test_settings_that_are_gone(self) -> None:
        of = case(pinned("prod", B), STAGED)
        without = snapshot({p: e for p, e in of.head.entries.items() if p != VALUES and e.mode != TREE})
        found = verdict("parity", Case(of.config, of.to, of.service, of.base, without, of.known, of.now))

        assert (found.state, "is no file: a service has settings" in found.why) == (REFUSED, True)

    def test_a_nonsense_pin_elsewhere_is_not_this_ones_fault(self) -> None:
        files = {**STAGED, "environments/dev/wallet/release.yaml": b"nonsense"}

        assert verdict("parity", case(pinned("prod", B), files)).state == PASSED

    def test_a_way_back_leads_past_a_repository_that_has_moved(self) -> None:
        old = pinned("prod", A, service=Service("wallet", "payments", "acme/purse", "x", "standard"))

        assert verdict("parity", case(old, STAGED)).state == REFUSED
        assert verdict("parity", case(old, STAGED, known=had(old, B))).state == PASSED


def since(release: Release, hours: float, healthy: float | None = None, until: float | None = None) -> Since:
    """A release merged so many hours before now, by #7."""
    ago = [NOW - timedelta(hours=each) if each is not None else None for each in (hours, healthy, until)]
    assert ago[0] is not None
    return Since(release, 7, ago[0], ago[1], ago[2])


class TestSoak:
    @pytest.mark.parametrize(
        ("times", "state", "why"),
        [
            pytest.param([since(B, 24)], PASSED, "staging has had it since Tue 2026-01-06 12:00 UTC, by #7", id="done"),
            pytest.param([since(B, 23.9)], WAITING, "until Wed 2026-01-07 12:06 UTC: staging has", id="not-yet"),
            pytest.param([since(B, 0)], WAITING, "until Thu 2026-01-08 12:00 UTC", id="just-now"),
            pytest.param([since(B, -1)], WAITING, "until Thu 2026-01-08 13:00 UTC", id="in-the-future"),
            pytest.param([], REFUSED, "nobody knows since when staging has it", id="by-hand"),
            pytest.param([since(A, 99)], REFUSED, "nobody knows since when staging has it", id="another"),
            pytest.param([since(C, 1), since(B, 99, until=1)], PASSED, "since Sat", id="replaced-in-time"),
            pytest.param(
                [since(C, 1), since(B, 24, until=1)],
                REFUSED,
                "replaced it Wed 2026-01-07 11:00 UTC, too early",
                id="early",
            ),
            pytest.param(
                [since(B, 1), since(C, 2, until=1), since(B, 99, until=2)], WAITING, "until Thu", id="back-to-it-again"
            ),
        ],
    )
    def test_without_health(self, times: list[Since], state: str, why: str) -> None:
        known = Known({("wallet", "staging"): tuple(times)})
        found = verdict("soak", case(pinned("prod", B), STAGED, gates="{soak: 24h}", known=known))

        assert (found.state, why in found.why) == (state, True), found.why
        assert (found.until is not None) == (state == WAITING)

    @pytest.mark.parametrize(
        ("times", "state", "why"),
        [
            pytest.param([since(B, 99, 24)], PASSED, "found healthy Tue 2026-01-06 12:00 UTC", id="done"),
            pytest.param([since(B, 99, 23)], WAITING, "until Wed 2026-01-07 13:00 UTC", id="not-yet"),
            pytest.param([since(B, 24, 99)], PASSED, "found healthy Tue 2026-01-06", id="before-its-merge"),
            pytest.param([since(B, 23, 99)], WAITING, "until Wed 2026-01-07 13:00", id="before-its-merge-not-yet"),
            pytest.param([since(B, 99)], WAITING, "nobody has found it healthy yet", id="never"),
            pytest.param([since(B, 99, 25, 1)], PASSED, "found healthy", id="replaced-in-time"),
            pytest.param([since(B, 99, 24, 1)], REFUSED, "too early", id="replaced"),
            pytest.param([since(B, 99, None, 2)], REFUSED, "before it was found healthy", id="replaced-while-ill"),
        ],
    )
    def test_with_health(self, times: list[Since], state: str, why: str) -> None:
        known = Known({("wallet", "staging"): tuple(times)})
        found = verdict("soak", case(pinned("prod", B), STAGED, gates="{soak: 24h, health: true}", known=known))

        assert (found.state, why in found.why) == (state, True), found.why

    def test_health_alone(self) -> None:
        known = Known({("wallet", "staging"): (since(B, 1, 0),)})

        assert verdict("soak", case(pinned("prod", B), STAGED, gates="{health: true}", known=known)).state == PASSED

    def test_nobody_asks(self) -> None:
        assert verdict("soak", case(pinned("prod", B), STAGED)).why == "prod asks for none"

    @pytest.mark.parametrize("gates", ["{soak: 24h}", "{soak: 24h, health: true}"])
    def test_a_way_back_does_not_wait_even_where_staging_went_back_too(self, gates: str) -> None:
        known = Known({("wallet", "staging"): (since(A, 0),)}, had(A, B).kept)
        files = {**pinned("staging", A), **pinned("prod", B)}

        assert verdict("soak", case(pinned("prod", A), files, gates=gates, known=known)).state == PASSED

    @pytest.mark.parametrize(
        ("us", "times", "state", "why"),
        [
            pytest.param(B, (since(B, 24), since(B, 30)), PASSED, "eu has had it since", id="both"),
            pytest.param(B, (since(B, 24), since(B, 20)), WAITING, "until Wed 2026-01-07 16:00 UTC: us has", id="one"),
            pytest.param(
                B, (since(B, 22), since(B, 20)), WAITING, "; until Wed 2026-01-07 16:00 UTC: us", id="the-last"
            ),
            pytest.param(B, (since(B, 24), None), REFUSED, "nobody knows since when us has it", id="by-hand-in-one"),
            pytest.param(
                A, (since(B, 20), None), WAITING, "until Wed 2026-01-07 16:00 UTC: eu has", id="not-there-yet"
            ),
        ],
    )
    def test_of_several_the_last_one_decides(
        self, us: Release, times: tuple[Since, Since | None], state: str, why: str
    ) -> None:
        known = Known({("wallet", name): (at,) for name, at in zip(("eu", "us"), times, strict=True) if at})
        found = verdict("soak", joined({**pinned("eu", B), **pinned("us", us)}, known=known, gates="{soak: 24h}"))

        assert (found.state, why in found.why) == (state, True), found.why
        assert found.until == (NOW + timedelta(hours=4) if state == WAITING else None)

    def test_a_hotfix_soaks_where_it_comes_from(self) -> None:
        files = {**pinned("dev", B), **pinned("staging", A)}
        known = Known({("wallet", "dev"): (since(B, 99),), ("wallet", "staging"): (since(A, 1),)})
        of = case(pinned("prod", B), files, gates="{soak: 24h}", prod="hotfix: dev, ", known=known)

        assert "dev has had it since" in verdict("soak", of).why


FREEZE = "{freeze: [{from: 'wed 11:00', to: 'wed 13:00', zone: Asia/Tokyo}, {from: '09:00', to: '14:00', zone: Europe/London, reason: listing day}]}"  # noqa: E501 # one line of YAML


class TestFreeze:
    def test_closed(self) -> None:
        found = verdict("freeze", case(pinned("prod", B), STAGED, gates=FREEZE))

        assert (found.state, found.why) == (WAITING, "until Wed 2026-01-07 14:00 Europe/London: listing day")
        assert found.until == NOW.replace(hour=14)

    def test_open(self) -> None:
        found = verdict("freeze", case(pinned("prod", B), STAGED, gates=FREEZE, now=NOW.replace(hour=14)))

        assert (found.state, found.why) == (PASSED, "no window is closed")

    def test_none(self) -> None:
        assert verdict("freeze", case(pinned("prod", B), STAGED)).why == "prod has no windows"

    def test_a_way_back_passes(self) -> None:
        found = verdict("freeze", case(pinned("prod", A), STAGED, gates=FREEZE, known=had(A, B)))

        assert (found.state, "a way back does not wait until" in found.why) == (PASSED, True)


def held(*tags: str) -> Files:
    return {HOLD: hold_yaml(Hold("fees are wrong", "ann@acme.example", tags))}


class TestHold:
    @pytest.mark.parametrize(
        ("to", "base", "known", "state", "why"),
        [
            pytest.param(B, {}, Known(), PASSED, "none is set", id="none"),
            pytest.param(
                B, held(), Known(), REFUSED, "wallet is held back as a whole by ann@acme.example: fees", id="all"
            ),
            pytest.param(B, held(B.tag), Known(), REFUSED, "wallet bbbbbbb is held back by", id="this-one"),
            pytest.param(
                B,
                held(A.tag, B.tag),
                Known(),
                REFUSED,
                "wallet aaaaaaa and bbbbbbb are held back by",
                id="among-others",
            ),
            pytest.param(B, held(A.tag), Known(), PASSED, "this is another release", id="another"),
            pytest.param(B, {HOLD: b"nonsense"}, Known(), REFUSED, "the file cannot be read", id="broken"),
            pytest.param(B, {HOLD: Entry("120000", "1" * 40)}, Known(), REFUSED, "cannot be read", id="a-link"),
            pytest.param(
                B, {HOLD: b"reason: x\nwho: y\nreleases: []\n"}, Known(), REFUSED, "cannot be", id="of-nothing"
            ),
            pytest.param(A, held(), had(A, B), PASSED, "a way back does not ask", id="a-way-back"),
            pytest.param(A, held(B.tag), had(A, B), PASSED, "this is another release", id="a-way-back-from-it"),
            pytest.param(A, held(A.tag), had(A, B), REFUSED, "wallet aaaaaaa is held back", id="a-way-back-to-it"),
            pytest.param(B, held(B.tag), had(A, B, A), REFUSED, "is held back", id="again-what-was-left"),
            pytest.param(B, held(), had(A, B, A), REFUSED, "is held back", id="again-what-was-left-under-a-whole-hold"),
        ],
    )
    def test_table(self, to: Release, base: Files, known: Known, state: str, why: str) -> None:
        found = verdict("hold", case(pinned("prod", to), {**STAGED, **base}, known=known))

        assert (found.state, why in found.why) == (state, True), found.why

    def test_it_asks_the_default_branch_not_the_pull_request(self) -> None:
        of = case(pinned("prod", B), {**STAGED, **held()})
        lifted = snapshot({p: e for p, e in of.head.entries.items() if p != HOLD and e.mode != TREE})

        assert verdict("hold", Case(of.config, of.to, of.service, of.base, lifted, of.known, of.now)).state == REFUSED


class TestAWayBack:
    """It brings nothing new: the release was there and was not left for an older one, and so were its settings."""

    def back(self, settings: bytes, then: bytes) -> bool:
        base = {**STAGED, **pinned("prod", B), **people()}
        return case({**pinned("prod", A), VALUES: settings}, base, known=had(A, B, settings=then)).returns()

    def test_with_the_settings_of_today_or_of_its_time(self) -> None:
        today = people()[VALUES]
        assert isinstance(today, bytes)

        assert self.back(today, b"old: 1\n")
        assert self.back(b"old: 1\n", b"old: 1\n")

    def test_not_with_any_others(self) -> None:
        assert not self.back(b"env: {LIMIT: none}\n", b"old: 1\n")

    def test_nor_to_what_it_never_had(self) -> None:
        assert not case(pinned("prod", C), STAGED, known=had(A, B)).returns()


def test_a_gate_that_cannot_read_what_it_looks_at_refuses_by_its_name() -> None:
    files = {**pinned("prod", B), "environments/prod/wallet/origin.yaml": b"\xff"}
    gates = "{soak: 24h}"
    refused = {each.gate: each.why for each in pin_verdicts(case(files, STAGED, gates=gates)) if each.state == REFUSED}

    assert refused.keys() == {"order", "parity", "soak"}
    assert refused["parity"] == "cannot be judged: environments/prod/wallet/origin.yaml: is not UTF-8 at byte 0"


def test_the_identity_of_a_release_is_its_objects() -> None:
    ids: list[Identity] = [
        identity(snapshot(pinned("prod", release, chart=chart, run=run)), config(), "prod", "wallet")
        for release, chart, run in ((A, CHART, 7), (B, CHART, 7), (A, OTHER_CHART, 7), (A, CHART, 8))
    ]

    assert len(set(ids)) == 4
    assert ids[0] == identity(snapshot(pinned("dev", A)), config(), "dev", "wallet")
