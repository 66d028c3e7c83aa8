"""A worker's own alerts, judged by promtool: a pod that hangs, and how few messages are too few to speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.blueprints.test_chart import anchors
from tests.charts.golden import WORKER, objects
from tests.charts.test_matrix import made
from tests.charts.test_service_alerts import FIRED, POD, SELF, UP, alerts, firing, judged, needs_promtool

OTHER = "wallet-6d4cf56db6-q9w4z"


def _at_work(series: str, pod: str = POD) -> dict[str, str]:
    return {f'messages_in_progress{{{SELF}, pod="{pod}", version="1f"}}': series}


def _handled(series: str, result: str = "ok", pod: str = POD) -> dict[str, str]:
    return {f'messages_total{{{SELF}, pod="{pod}", version="1f", result="{result}"}}': series}


CASES: dict[str, tuple[dict[str, str], set[str]]] = {
    "it waits for messages": ({**_at_work("0x60"), **_handled("40x60")}, set()),
    "it is always at work": ({**_at_work("1x60"), **_handled("0+20x60")}, set()),
    "it hangs": ({**_at_work("0x40 1x20"), **_handled("0+20x40 800x20")}, {"MessagesStalled"}),
    "it hangs on several": ({**_at_work("0x40 5x20"), **_handled("0+20x40 800x20")}, {"MessagesStalled"}),
    "it hangs on its first": ({**_at_work("0x40 1x20"), **_handled("0x60")}, {"MessagesStalled"}),
    "it hangs and has never counted": (_at_work("0x40 1x20"), {"MessagesStalled"}),
    "it has hung for eight minutes": ({**_at_work("0x51 1x9"), **_handled("0+20x51 1020x9")}, set()),
    "it began eight minutes ago": ({**_at_work("_x51 1x9"), **_handled("_x51 0x9")}, set()),
    "it hung, and goes on": ({**_at_work("1x60"), **_handled("0+20x20 400x35 420x5")}, set()),
    "it hung, and waits": ({**_at_work("1x55 0x5"), **_handled("0+20x20 400x40")}, set()),
    "it hung, and began anew": ({**_at_work("1x60"), **_handled("0+20x20 400x30 0x3 1x5")}, set()),
    "it was at work when it was replaced": ({**_at_work("1x50 stale"), **_handled("0+1x44 45x6 stale")}, set()),
    "all that it does fails": ({**_at_work("1x60"), **_handled("0x60"), **_handled("0+1x60", "error")}, set()),
    "each message takes nine minutes": ({**_at_work("1x60"), **_handled("0x8 1x8 2x8 3x8 4x8 5x8 6x8")}, set()),
    "it has counted none but its first": ({**_at_work("1x60"), **_handled("_x55 1x5")}, set()),
    "one of two hangs": (
        {**_at_work("1x60"), **_handled("40x60"), **_at_work("1x60", OTHER), **_handled("0+20x60", pod=OTHER)},
        {"MessagesStalled"},
    ),
    "another service hangs": (
        {key.replace('service="wallet"', 'service="orders"'): value for key, value in _at_work("1x60").items()},
        set(),
    ),
}
"""An hour each, minute by minute, and the alerts that fire then."""


@needs_promtool
@pytest.mark.parametrize("case", CASES)
def test_what_hangs_is_told_and_what_takes_its_time_is_not(helm4: Path, tmp_path: Path, case: str) -> None:
    series, names = CASES[case]
    rendered = objects(helm4, tmp_path, chart=WORKER)
    assert judged(tmp_path, rendered, {**UP, **series}, step=1, promql_expr_test=firing(names, 60)) == ""


@needs_promtool
def test_a_worker_with_long_messages_says_so(helm4: Path, tmp_path: Path) -> None:
    series = {**UP, **CASES["it hangs"][0]}
    for minutes, names in (18, {"MessagesStalled"}), (30, set()):
        rendered = objects(helm4, tmp_path, {"alerts": {"stalledMinutes": minutes}}, chart=WORKER)
        assert judged(tmp_path, rendered, series, step=1, promql_expr_test=firing(names, 60)) == ""


@needs_promtool
def test_what_somebody_reads_who_is_woken(helm4: Path, tmp_path: Path) -> None:
    expected = {
        "exp_labels": {
            "severity": "page",
            "tier": "standard",
            "owner": "platform",
            "namespace": "wallets",
            "service": "wallet",
            "pod": POD,
        },
        "exp_annotations": {
            "summary": f"{POD} has been at work for 10 minutes and finished nothing",
            "description": "Messages in hand: 5. What waits behind them is not handled either.",
            "runbook_url": "https://github.com/acme/service/blob/main/docs/runbook.md#messagesstalled",
        },
    }
    asked = [{"eval_time": "60m", "alertname": "MessagesStalled", "exp_alerts": [expected]}]
    series = {**UP, **CASES["it hangs on several"][0]}
    assert judged(tmp_path, objects(helm4, tmp_path, chart=WORKER), series, step=1, alert_rule_test=asked) == ""


@needs_promtool
@pytest.mark.parametrize(
    ("slo", "failures", "names"),
    [(99.5, 5, set()), (99.5, 6, {"ErrorBudgetBurnsFast"}), (99.9, 1, set()), (99.9, 2, {"ErrorBudgetBurnsFast"})],
)
def test_one_failure_of_a_quiet_queue_wakes_nobody(
    helm4: Path, tmp_path: Path, slo: float, failures: int, names: set[str]
) -> None:
    """Of 75 messages an hour, just more than the fewest that count, the last ones fail."""
    rendered = objects(helm4, tmp_path, {"slo": slo}, chart=WORKER)
    series = {**UP, **_handled("0+1.25x120"), **_handled(f"0x115 {failures}x5", "error")}
    assert judged(tmp_path, rendered, series, step=1, promql_expr_test=firing(names, 120)) == ""


def test_every_alert_fires_in_a_case(helm4: Path, tmp_path: Path) -> None:
    assert {each["alert"] for each in alerts(objects(helm4, tmp_path, chart=WORKER))} == FIRED | {"MessagesStalled"}


def test_every_alert_has_its_section_in_the_runbook(helm4: Path, tmp_path: Path) -> None:
    root = made(tmp_path, WORKER)
    runbook = (root / "docs" / "runbook.md").read_text()
    found = anchors(runbook)
    assert len(found) == len(set(found))
    for each in alerts(objects(helm4, tmp_path, chart=root / "chart")):
        assert each["annotations"]["runbook_url"].partition("#")[2] in found
    assert set(re.findall(r"\]\(#([^)]*)\)", runbook)) <= set(found)
    for word in "http_", "called_by`,", "drainSeconds", "answers for":
        assert word not in runbook
