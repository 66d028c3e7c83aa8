"""The golden charts' alerts, judged by Prometheus's own promtool: each fires on what it is for, and on nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import ShiplaneError
from tests.charts.golden import SERVICE, WORKER, Objects, Render, objects

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: it comes with the package prometheus")
SELF = 'namespace="wallets", service="wallet"'
POD = "wallet-6d4cf56db6-x7k2p"
CONTAINER = f'namespace="wallets", pod="{POD}", container="service"'
SCALER = 'namespace="wallets", horizontalpodautoscaler="wallet"'
MINUTES = 74 * 60
"""How long a case lasts that is about the error budget: past the longest window."""
SHORT = 2 * 60
"""How long the others last."""
STEP = 5  # minutes from one evaluation to the next


def counted(chart: Path, result: str, series: str, route: str = "/v1/echo") -> dict[str, str]:
    """What a pod has done: its messages by result, or its requests by status and route."""
    labels = f'{SELF}, pod="{POD}", version="1f"'
    if chart == WORKER:
        return {f'messages_total{{{labels}, result="{result}"}}': series}
    status = {"ok": "200", "error": "500"}.get(result, result)
    return {f'http_requests_total{{{labels}, method="POST", route="{route}", status="{status}"}}': series}


def _steady(a_minute: float, minutes: int = MINUTES) -> str:
    return f"0+{a_minute}x{minutes}"


def _burst(a_minute: float, minutes: int) -> str:
    """Nothing until the last `minutes`, then so many a minute."""
    return f"0x{MINUTES - minutes} 0+{a_minute}x{minutes}"


UP = {f'up{{{SELF}, pod="{POD}"}}': f"1x{MINUTES}"}
RESTARTS = f"kube_pod_container_status_restarts_total{{{CONTAINER}}}"
THROTTLED, PERIODS = (f"container_cpu_cfs_{name}_total{{{CONTAINER}}}" for name in ("throttled_periods", "periods"))
COPIES, MOST = (
    f"kube_horizontalpodautoscaler_{name}{{{SCALER}}}" for name in ("status_current_replicas", "spec_max_replicas")
)


def _secret(status: str, namespace: str = 'namespace="wallets"', name: str = "wallet") -> str:
    return f'externalsecret_status_condition{{{namespace}, name="{name}", condition="Ready", status="{status}"}}'


WELL = {
    RESTARTS: f"0x{MINUTES - 10} 1x10",
    THROTTLED: _steady(60),
    PERIODS: _steady(600),
    COPIES: f"9x{MINUTES}",
    MOST: f"10x{MINUTES}",
    _secret("False"): f"0x{MINUTES}",
    _secret("True"): f"1x{MINUTES}",
}
NO_ERRORS = {
    SERVICE: {
        **counted(SERVICE, "404", _steady(60)),
        **counted(SERVICE, "503", _steady(12), "/health/ready"),  # probes are nobody's requests
    },
    WORKER: {f'messages_in_progress{{{SELF}, pod="{POD}"}}': f"4x{MINUTES}"},
}
BUDGETS: dict[str, tuple[dict[str, str], set[str]]] = {
    "all is well": ({"ok": _steady(600), "error": _steady(1)}, set()),  # one in 600 fails: promised is one in 200
    "there is nothing to do": ({}, set()),
    "there is nothing to do any more": ({"ok": f"0+600x60 36000x{MINUTES}"}, set()),
    "there is little to do and all fails": ({"error": _steady(1)}, set()),
    "a tenth fails for an hour": ({"ok": _steady(600), "error": _burst(67, 65)}, {"ErrorBudgetBurnsFast"}),
    "a tenth failed, and it is over": ({"ok": _steady(600), "error": f"0+67x60 4020x{MINUTES - 60}"}, set()),
    "one in 25 fails for seven hours": ({"ok": _steady(600), "error": _burst(25, 420)}, {"ErrorBudgetBurns"}),
    "one in 100 fails for days": ({"ok": _steady(600), "error": _steady(6)}, {"ErrorBudgetBurnsSlowly"}),
    "all fail for days": (
        {"error": _steady(600)},
        {"ErrorBudgetBurnsFast", "ErrorBudgetBurns", "ErrorBudgetBurnsSlowly"},
    ),
    "another service fails": ({"another's error": _steady(600)}, set()),
}
"""What a pod has done, by result, and the alerts that fire then."""
UP_SHORT = dict.fromkeys(UP, f"1x{SHORT}")
STATES: dict[str, tuple[dict[str, str], set[str]]] = {
    "no pod": ({}, {"ServiceAbsent"}),
    "no pod answers": (dict.fromkeys(UP_SHORT, f"1x{SHORT - 15} 0x15"), {"ServiceAbsent"}),
    "a pod restarts and restarts": ({**UP_SHORT, RESTARTS: f"0x{SHORT - 10} 1+1x10"}, {"PodRestarts"}),
    "another service's pod restarts": (
        {**UP_SHORT, RESTARTS.replace("wallet-", "wallet-api-"): f"0x{SHORT - 10} 1+1x10"},
        set(),
    ),
    "no copy is left to add": ({**UP_SHORT, COPIES: f"10x{SHORT}", MOST: f"10x{SHORT}"}, {"AutoscalerAtMaximum"}),
    "a third of all periods is throttled": (
        {**UP_SHORT, THROTTLED: _steady(200), PERIODS: _steady(600)},
        {"CpuThrottled"},
    ),
    "the secret is not read": ({**UP_SHORT, _secret("False"): f"1x{SHORT}"}, {"SecretNotSynced"}),
    "the secret is not read, told otherwise": (
        {**UP_SHORT, _secret("False", 'namespace="eso", exported_namespace="wallets"'): f"1x{SHORT}"},
        {"SecretNotSynced"},
    ),
    "another secret is not read": ({**UP_SHORT, _secret("False", name="orders"): f"1x{SHORT}"}, set()),
}


def alerts(rendered: Objects) -> Iterator[dict[str, Any]]:
    """The alerts of the chart's own rules."""
    groups = rendered["PrometheusRule"]["spec"]["groups"]
    yield from (rule for group in groups for rule in group["rules"] if "alert" in rule)


def _promtool(folder: Path, what: str, document: dict[str, Any]) -> tuple[int, str]:
    path = folder / f"{what}.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [str(PROMTOOL), *(["check", "rules"] if what == "rules" else ["test", "rules"]), str(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def judged(folder: Path, rendered: Objects, series: dict[str, str], step: int = STEP, **asked: Any) -> str:
    """What promtool has against what is `asked` of `series`, with rules that are evaluated each `step` minutes."""
    code, said = _promtool(folder, "rules", rendered["PrometheusRule"]["spec"])
    assert code == 0, said
    given = [{"series": key, "values": values} for key, values in series.items()]
    tests = [{"interval": "1m", "input_series": given, **asked}]
    code, said = _promtool(
        folder, "test", {"rule_files": ["rules.yaml"], "evaluation_interval": f"{step}m", "tests": tests}
    )
    return said if code else ""


def firing(names: set[str], minutes: int) -> list[dict[str, Any]]:
    """What is asked: that after so many minutes exactly these alerts fire."""
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)]
    ask = 'count by (alertname) (ALERTS{alertstate="firing"})'
    return [{"expr": ask, "eval_time": f"{minutes}m", "exp_samples": expected}]


@needs_promtool
def test_prometheus_takes_every_rule(render: Render, tmp_path: Path) -> None:
    code, said = _promtool(tmp_path, "rules", render()["PrometheusRule"]["spec"])
    assert code == 0, said


@needs_promtool
@pytest.mark.parametrize("case", BUDGETS)
def test_exactly_these_budgets_burn(helm4: Path, chart: Path, tmp_path: Path, case: str) -> None:
    results, names = BUDGETS[case]
    series = {**UP, **({**WELL, **NO_ERRORS[chart]} if case == "all is well" else {})}
    for result, values in results.items():
        ours = counted(chart, result.removeprefix("another's "), values)
        theirs = {key.replace('service="wallet"', 'service="orders"'): value for key, value in ours.items()}
        series |= theirs if result.startswith("another's ") else ours
    rendered = objects(helm4, tmp_path, chart=chart)
    assert judged(tmp_path, rendered, series, promql_expr_test=firing(names, MINUTES)) == ""


@needs_promtool
@pytest.mark.parametrize("case", STATES)
def test_exactly_these_alerts_fire(helm4: Path, chart: Path, tmp_path: Path, case: str) -> None:
    series, names = STATES[case]
    rendered = objects(helm4, tmp_path, chart=chart)
    assert judged(tmp_path, rendered, series, promql_expr_test=firing(names, SHORT)) == ""


FIRED = set().union(*(names for _, names in [*BUDGETS.values(), *STATES.values()]))


def test_every_alert_fires_in_a_case_above(helm4: Path, tmp_path: Path) -> None:
    assert {each["alert"] for each in alerts(objects(helm4, tmp_path))} == FIRED


READ = {
    SERVICE: ("fails 10% of its requests", "end without a server error"),
    WORKER: ("fails 10% of its messages", "are handled without an error"),
}


@needs_promtool
def test_what_somebody_reads_at_night(helm4: Path, chart: Path, tmp_path: Path) -> None:
    rendered = objects(helm4, tmp_path, {"owner": "payments", "tier": "critical", "slo": 99.9}, chart=chart)
    labels = {"tier": "critical", "owner": "payments", "namespace": "wallets", "service": "wallet"}
    book = "https://github.com/acme/service/blob/main/docs/runbook.md"
    restarts = {
        "exp_labels": {**labels, "severity": "ticket", "pod": POD},
        "exp_annotations": {
            "summary": f"{POD} keeps restarting",
            "description": "10 restarts in 15 minutes: it crashes, runs out of memory, or fails its liveness probe.",
            "runbook_url": f"{book}#podrestarts",
        },
    }
    summary, promise = READ[chart]
    burning = {
        "exp_labels": {**labels, "severity": "page"},
        "exp_annotations": {
            "summary": f"wallet {summary}",
            "description": f"Over 1h; promised is that 99.9 % {promise}. "
            "An hour of this costs 2 % of a month's error budget; two days cost all of it.",
            "runbook_url": f"{book}#errorbudgetburnsfast",
        },
    }
    series = {
        **UP,
        **counted(chart, "ok", "0+540x120"),
        **counted(chart, "error", "0+60x120"),
        RESTARTS: "0x110 1+1x10",
    }
    asked = [
        {"eval_time": "2h", "alertname": "PodRestarts", "exp_alerts": [restarts]},
        {"eval_time": "2h", "alertname": "ErrorBudgetBurnsFast", "exp_alerts": [burning]},
    ]
    assert judged(tmp_path, rendered, series, step=1, alert_rule_test=asked) == ""


def test_every_alert_says_who_what_and_where_to_read_on(render: Render) -> None:
    rendered = render({"owner": "off", "tier": "critical", "runbook": "https://acme.example/wallet.md"})
    for each in alerts(rendered):
        assert each["labels"]["severity"] in {"page", "ticket"}
        assert each["labels"].items() >= {"owner": "off", "tier": "critical", "service": "wallet"}.items()
        assert each["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert each["annotations"]["runbook_url"] == f"https://acme.example/wallet.md#{each['alert'].lower()}"
        assert re.fullmatch(r"\d+[mh]", each["for"])
    assert not re.search(r"<[A-Z]+>", json.dumps(rendered["PrometheusRule"]))


def test_the_promise_sets_the_thresholds(render: Render) -> None:
    for slo in 95, 99.95, 99.999:
        burning = [each["expr"] for each in alerts(render({"slo": slo})) if each["alert"].startswith("ErrorBudget")]
        factors = [re.findall(rf"> ([\d.]+) \* \(100 - {re.escape(str(slo))}\) / 100", each) for each in burning]
        assert factors == [["14.4", "14.4"], ["6", "6"], ["1", "1"]]


def test_rules_of_its_own_stand_beside_them(helm: Path, chart: Path, tmp_path: Path) -> None:
    copy = tmp_path / "chart"
    shutil.copytree(chart, copy)
    rule = {"alert": "Own", "expr": "up{<SELF>} == 0", "annotations": {"summary": "{{ $labels.pod }}"}}
    (copy / "alerts" / "own.yaml").write_text(yaml.safe_dump({"groups": [{"name": "own", "rules": [rule]}]}))
    own = objects(helm, tmp_path, chart=copy)["PrometheusRule own"]
    assert own["metadata"]["name"] == "wallet-own"
    assert own["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert own["spec"]["groups"][0]["rules"] == [{**rule, "expr": f"up{{{SELF}}} == 0"}]


def test_alerts_can_be_left_out_but_not_be_blind(render: Render) -> None:
    off = {"metrics": {"enabled": False}}
    assert "PrometheusRule" not in render({**off, "alerts": {"enabled": False}})
    with pytest.raises(ShiplaneError, match=r"alerts\.enabled: without metrics\.enabled"):
        render(off)
