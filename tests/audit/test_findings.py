"""Skips: what they cover, when they are out of date, and the page that lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.audit.__main__ import PAGE
from scripts.audit.findings import AuditError, Finding, Skip, documented, load, stale, unlisted
from scripts.audit.table import table

FOUND = Finding("python answers", "checkov", "CKV_K8S_35", "Deployment/wallet", "secrets as files")
SKIP = Skip("checkov", "CKV_K8S_35", "* answers", "Deployment/*", "they are expected there")


def test_a_skip_covers_what_it_names_and_no_more() -> None:
    others = [
        Finding("python answers, secrets as files", "checkov", "CKV_K8S_35", "Deployment/wallet", ""),
        Finding("python answers", "kube-score", "CKV_K8S_35", "Deployment/wallet", ""),
        Finding("python answers", "checkov", "CKV_K8S_3", "Deployment/wallet", ""),
        Finding("python answers", "checkov", "CKV_K8S_35", "Pod/wallet", ""),
    ]

    assert unlisted([FOUND, *others], [SKIP]) == sorted(others)
    assert unlisted([FOUND], []) == [FOUND]


def test_a_skip_that_covers_nothing_is_stale_unless_its_tool_did_not_run() -> None:
    assert stale([FOUND], [SKIP], ()) == []
    assert stale([], [SKIP], ()) == [SKIP]
    assert stale([], [SKIP], {"kube-score"}) == [SKIP]
    assert stale([], [SKIP], {"checkov"}) == []


@pytest.mark.parametrize(
    "entry",
    [
        "{tool: checkov, check: A, subject: '*', where: '*'}",
        "{tool: checkov, check: A, subject: '*', where: '*', reason: ' '}",
        "{tool: checkov, check: A, subject: '*', where: '*', reason: so, until: never}",
        "{tool: checkov, check: 35, subject: '*', where: '*', reason: so}",
    ],
)
def test_a_skip_without_its_reason_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "skips.yaml"
    path.write_text(f"- {entry}\n")

    with pytest.raises(AuditError, match=r"skips\.yaml: entry 1: it has to say check, reason, "):
        load(path)


def test_the_page_lists_the_skips() -> None:
    page = PAGE.read_text()

    assert documented(page, load()) == page


def test_the_page_has_its_marks() -> None:
    with pytest.raises(AuditError, match="<!-- skips -->"):
        documented("# What the judges find\n", [SKIP])


def test_the_table_shows_what_is_left_what_is_listed_and_what_was_not_judged() -> None:
    baseline = Finding("helm create", "checkov", "CKV_K8S_35", "Deployment/demo", "")
    ran = [("helm create", "checkov"), ("python answers", "checkov"), ("python answers", "hadolint")]
    found = [baseline, FOUND, Finding("python answers", "hadolint", "DL3007", "Dockerfile", "")]
    everywhere = Skip("checkov", "CKV_K8S_35", "*", "*", "the baseline has no skips")

    assert table(ran, found, [everywhere], "helm create").splitlines()[:3] == [
        "                checkov  hadolint",
        "helm create           1         -",
        "python answers      0+1         1",
    ]
