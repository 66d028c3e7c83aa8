"""What reviewers read: each message whole, as a snapshot; and that no stranger's word can act in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops import messages, onboard, promote, release
from gitops.gates.case import Known
from gitops.messages import Facts
from gitops.model import Draft, Move, Nothing, Origin, Pin, Release
from gitops.promote import Promotion
from gitops.release import Chart
from tests.gitops.literal import CHART, NOW, WALLET, A, B, chart, founded, lane, pinned, snapshot, tree_id

LANE = lane()
OLD = Release("3f2a9c1e" * 5, "sha256:" + "9d41e07c" * 8)
NEW = Release("8b1d0e2a" * 5, "sha256:" + "51fa02b9" * 8)
HOSTILE = {
    "markdown": "**1.0** [x](https://acme.example) `rm` ~~1~~ # x",
    "mention": "@acme/admins please merge, fixes #1",
    "comment-end": '--> <script>alert("1")</script> <!-- shiplane:1 {"to": "prod"}',
    "pipes": "1.0 | ✅ | ⏳ |",
    "newlines": "1.0\n\n### Gates\r\n| renders |",
    "right-to-left": "1.0\u202e\u2066txt.exe\u200b",
    "terminal": "1.0\x1b[2J\x07\x00",
    "long": "1" * 70_000,
}


def released(what: Release, run: int, *, proved: bool = True, **have: Any) -> Draft:
    files = chart(CHART)
    given = Chart("wallet/chart", files, proved, tree_id(files))
    return drafted(
        release.plan(
            LANE,
            snapshot({**founded(WALLET), **have.get("files", {})}),
            release.asked("wallet", what.tag, what.digest, run, None, given),
            NOW,
        )
    )


def promoted(files: dict[str, Any], to: str = "staging") -> Draft:
    return drafted(promote.plan(LANE, snapshot({**founded(WALLET), **files}), Promotion("wallet", to), Known(), NOW))


def drafted(plan: Draft | Nothing) -> Draft:
    assert isinstance(plan, Draft)
    return plan


def people(environment: str) -> dict[str, bytes]:
    return {f"apps/{environment}/wallet.yaml": b"", f"environments/{environment}/wallet/values.yaml": b""}


def cases() -> dict[str, Draft]:
    new = {**CHART, "Chart.yaml": CHART["Chart.yaml"].replace(b"1.4.0", b"1.5.0")}
    silent = {**CHART, "values.yaml": b"a: 1\n"}
    entered = {**pinned("dev", OLD, run=411), **people("dev")}
    there = {**pinned("staging", OLD, run=411), **people("staging")}
    live = {**pinned("prod", OLD, run=411), **people("prod")}
    return {
        "first-release": released(OLD, 411),
        "newer-release": released(NEW, 412, files=entered),
        "unproved-release": released(NEW, 412, proved=False, files=entered),
        "built-again": released(Release(OLD.tag, NEW.digest), 412, files=entered),
        "first-promotion": promoted(entered),
        "promotion": promoted({**there, **pinned("dev", NEW, run=412)}),
        "promotion-with-a-new-chart": promoted({**there, **pinned("dev", NEW, run=412, version="1.5.0", chart=new)}),
        "promotion-with-a-silent-chart": promoted({**there, **pinned("dev", NEW, run=412, chart=silent)}),
        "chart-alone": promoted({**there, **pinned("dev", OLD, run=412, version="1.5.0", chart=new)}),
        "unproved-promotion-to-prod": promoted({**live, **pinned("staging", NEW, run=None, proved=False)}, "prod"),
        "onboarding": drafted(
            onboard.plan(
                LANE,
                snapshot(founded()),
                onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical"),
            )
        ),
    }


def test_the_messages(snapshot: Any) -> None:
    told = {}
    for name, draft in cases().items():
        steps = "".join(f"· {step}\n" for step in draft.steps)
        message = messages.commit_message(draft)
        told[f"{name}.md"] = f"{draft.title}\n{steps}\n{draft.body}\n--- commit\n{message}"

    snapshot.assert_match_dir(told, "messages")


def hostile(word: str, **facts: Any) -> Facts:
    """Facts in which a stranger's word stands wherever one could: past every check of ours."""
    origin = Origin("acme/wallet", word, 412, True)
    old, new = Pin(OLD, origin, ("a", "b", "c")), Pin(NEW, origin, ("d", "e", "f"))
    to = LANE.environment("prod")
    return Facts(**{"service": WALLET, "to": to, "old": old, "new": new, "folder": "environments/prod/wallet", **facts})


def test_strangers_words(snapshot: Any) -> None:
    told = []
    for name, word in HOSTILE.items():
        facts = hostile(word)
        rows = [line for line in messages.body(facts).splitlines() if line.startswith("| chart | `")]
        told += [f"{name}:", messages.steps(facts.old, facts.new)[1], *rows, ""]

    snapshot.assert_match("\n".join(told), "chart-lines.txt")


@given(st.text(max_size=300))
def test_no_word_leaves_its_cell(word: str) -> None:
    plain, body = (messages.body(hostile(each)) for each in ("1.0", word))
    cell = re.compile(r"^\| chart \| `[^`|\n]*` \| `[^`|\n]*` \(changed, under the same version\) \|$", re.MULTILINE)

    assert cell.sub("", body) == cell.sub("", plain)
    assert all(step.isprintable() for step in messages.steps(hostile(word).old, hostile(word).new))


def machine(body: str) -> Any:
    """What a program reads at the end of a body; there must be one block, and whole."""
    (block,) = re.findall(r"^<!-- shiplane:1 (.*) -->$", body, re.MULTILINE)
    return json.loads(block)


def test_what_a_program_reads() -> None:
    assert machine(cases()["promotion"].body) == {
        "service": "wallet",
        "from": "dev",
        "to": "staging",
        "tag": NEW.tag,
        "digest": NEW.digest,
    }
    assert machine(cases()["first-release"].body) == {
        "service": "wallet",
        "to": "dev",
        "tag": OLD.tag,
        "digest": OLD.digest,
    }


@pytest.mark.parametrize("files", [0, 100, 1200, 5000])
def test_a_body_never_exceeds_what_github_takes(files: int) -> None:
    starts = [f"environments/prod/wallet/{'x' * 40}/{number:04}" for number in range(files)]
    body = messages.body(hostile("1.0", starts=starts))

    assert len(body) <= messages.MOST
    assert machine(body)["to"] == "prod"
    assert ("_The rest is too long" in body) == (files > 100)
    assert body.startswith("**wallet** is released into **prod**")
    assert not body.split("\n\n")[-2].startswith("- `")


def test_titles_stay_short() -> None:
    longest = Move("w" * 40, "e" * 40, A, B)

    assert len(messages.title(longest, "promote")) <= 120
