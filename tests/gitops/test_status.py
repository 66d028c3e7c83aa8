"""The table of what is where: what it says, how it looks, and that nonsense in one place hides nothing in another."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops import status
from gitops.config import Config
from gitops.model import Entry, Move, Release, Snapshot
from gitops.pull_request import PullRequest
from tests.gitops.literal import CHART, WALLET, A, B, founded, lane, pinned, snapshot

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
LANE = lane()


def request(number: int, what: Release, environment: str, *, ago: timedelta | None = None) -> PullRequest:
    """An open pull request for wallet, or one that was merged some time ago."""
    return PullRequest(
        number=number,
        url=f"x#{number}",
        state="open" if ago is None else "merged",
        title="t",
        body="",
        branch="b",
        base="0" * 40,
        head="1" * 40,
        fingerprint="f",
        author="ann@acme.example",
        requester="ann@acme.example",
        opened=NOW,
        move=Move("wallet", environment, None, what),
        merged=None if ago is None else NOW - ago,
    )


def rows(
    files: dict[str, bytes | Entry], *, opened: tuple[PullRequest, ...] = (), merged: tuple[PullRequest, ...] = ()
) -> list[status.Row]:
    """The table of a repository with these files beside those of a new one; reads what `status` would read."""
    whole = snapshot({**founded(), **files})
    roots = tuple(f"{root}/" for root in status.roots(LANE))
    listing = Snapshot(whole.tip, {p: Entry(e.mode, e.oid) for p, e in whole.entries.items() if p.startswith(roots)})
    read = {path: whole.entries[path] for path in status.files(LANE, listing)}
    last = {(r.move.service, r.move.environment): r for r in merged if r.move}
    return status.rows(LANE, Snapshot(whole.tip, {**listing.entries, **read}), opened, last)


def lines(found: list[status.Row], config: Config = LANE) -> list[str]:
    return status.table(config, found, NOW).split("\n")


CATALOG = {"services/wallet.yaml": b"owner: payments\n"}


def test_a_new_repository_has_no_rows() -> None:
    assert rows({}) == []
    assert lines([]) == ["service  dev  staging  prod"]


def test_a_service_that_is_known_and_nowhere() -> None:
    assert lines(rows({**CATALOG}))[1].split() == ["wallet", "–", "–", "–"]


def test_the_whole_table(snapshot: Any) -> None:
    hours = timedelta(hours=1)
    found = rows(
        {
            **CATALOG,
            "services/trading-engine.yaml": b"",
            "services/ledger.yaml": b"",
            **pinned("dev", B),
            **pinned("staging", A),
            **pinned("prod", A),
            **{path.replace("wallet", "ledger"): data for path, data in pinned("dev", A).items()},
            **{path.replace("wallet", "ledger"): data for path, data in pinned("staging", A).items()},
            "environments/prod/ledger/release.yaml": b"image: 5\n",
        },
        opened=(request(418, B, "staging"),),
        merged=(
            request(1, B, "dev", ago=10 * hours / 60),
            request(2, A, "staging", ago=30 * hours),
            request(3, A, "prod", ago=120 * 24 * hours),
        ),
    )

    snapshot.assert_match("\n".join(lines(found)) + "\n", "table.txt")
    snapshot.assert_match(json.dumps(status.items(found), indent=2) + "\n", "items.json")


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(seconds=-3600), "now"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_ages(since: timedelta, told: str) -> None:
    assert status.age(since) == told


def test_behind_is_whoever_lacks_what_the_one_before_has() -> None:
    (row,) = rows({**CATALOG, **pinned("dev", B), **pinned("staging", A), **pinned("prod", A)})

    assert [cell.behind for cell in row.cells.values()] == [(), ("dev",), ()]
    assert lines([row])[1].split() == ["wallet", "bbbbbbb", "aaaaaaa", "←", "behind", "aaaaaaa"]


JOINED = """\
  dev: {cluster: a, registry: r.acme.example}
  eu: {from: dev, cluster: b}
  us: {from: dev, cluster: c}
  prod: {from: [eu, us], cluster: d, gates: {approvals: 1}}
"""


@pytest.mark.parametrize(
    ("eu", "us", "prod", "behind", "told"),
    [
        (A, A, A, (), "aaaaaaa"),
        (B, A, A, ("eu",), "aaaaaaa  ← behind eu"),
        (A, B, A, ("us",), "aaaaaaa  ← behind us"),
        (B, B, A, ("eu", "us"), "aaaaaaa  ← behind eu, us"),
        (None, B, A, ("us",), "aaaaaaa  ← behind us"),
        (A, B, None, ("eu", "us"), "–"),
    ],
)
def test_where_a_lane_joins_it_is_told_behind_whom(
    eu: Release | None, us: Release | None, prod: Release | None, behind: tuple[str, ...], told: str
) -> None:
    joined = lane(JOINED)
    pins = {"eu": eu, "us": us, "prod": prod}
    files = {path: data for name, what in pins.items() if what for path, data in pinned(name, what).items()}
    (row,) = status.rows(joined, snapshot({**CATALOG, **files}), (), {})

    assert row.cells["prod"].behind == behind
    assert lines([row], joined)[1].endswith(told)


def test_another_chart_under_the_same_image_is_behind_too() -> None:
    (row,) = rows({**CATALOG, **pinned("dev", A, chart={**CHART, "values.yaml": b""}), **pinned("staging", A)})

    assert row.cells["staging"].behind


def test_what_was_never_there_is_not_called_behind_in_the_table() -> None:
    (row,) = rows({**CATALOG, **pinned("dev", A)})

    assert row.cells["staging"].behind
    assert lines([row])[1].split() == ["wallet", "aaaaaaa", "–", "–"]


def test_an_open_pull_request_for_what_was_never_there() -> None:
    (row,) = rows({**CATALOG, **pinned("dev", A)}, opened=(request(4, A, "staging"),))

    assert lines([row])[1].split() == ["wallet", "aaaaaaa", "–", "#4", "–"]


def test_since_is_told_only_of_the_merge_that_set_this_pin() -> None:
    """A pin that somebody set by hand has no time of its own."""
    (row,) = rows({**CATALOG, **pinned("dev", A)}, merged=(request(1, B, "dev", ago=timedelta(days=1)),))

    assert row.cells["dev"].since is None


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"image: 5\n",
        b"image: {tag: latest, digest: x}\n",
        b"[" * 100_000,
        b"\xff\xfe",
        b"a: &a [*a]\n",
        b"--- \n---\n",
        b"<<<<<<< HEAD\n",
    ],
)
@pytest.mark.parametrize("file", ["release.yaml", "origin.yaml"])
def test_nonsense_is_told_in_its_cell_and_hides_nothing_else(nonsense: bytes, file: str) -> None:
    place = f"environments/staging/wallet/{file}"
    (row,) = rows(
        {**CATALOG, **pinned("dev", A), **pinned("staging", A), **pinned("prod", A), place: nonsense},
        opened=(request(4, A, "staging"),),
    )

    assert row.cells["staging"].problem.startswith(place)
    assert lines([row])[1].split()[:5] == ["wallet", "aaaaaaa", "unreadable", "#4", "aaaaaaa"]
    assert "bring back the last good one" in row.cells["staging"].problem


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_pin_that_is_no_file(mode: str) -> None:
    place = "environments/dev/wallet/release.yaml"
    (row,) = rows({**CATALOG, **pinned("dev", A), place: Entry(mode, "9" * 40)})

    assert row.cells["dev"].problem.startswith(f"{place}: is not a regular file")


def test_a_folder_where_a_pin_should_be() -> None:
    (row,) = rows({**CATALOG, "environments/dev/wallet/release.yaml/x": b""})

    assert "is not a regular file" in row.cells["dev"].problem


def test_a_service_that_only_an_environment_knows_has_a_row() -> None:
    assert [row.service for row in rows(dict(pinned("prod", A)))] == ["wallet"]


def test_what_only_looks_like_a_service_has_none() -> None:
    others = {
        "services/README.md": b"",
        "services/deep/er.yaml": b"",
        "environments/dev/notes.md": b"",
        "environments/dev/wallet/chart/release.yaml": b"",
        "environments/elsewhere/ghost/release.yaml": b"",
    }

    assert rows(dict(others)) == []


HOSTILE = ["日本語-service", "\x1b[31mred", "two\nlines", "\udcff\udcfe", "x" * 100, "e\u0301tude", "\u202eabc"]


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_names_neither_act_on_the_terminal_nor_break_a_column(name: str) -> None:
    found = rows({**CATALOG, f"services/{name}.yaml": b"", f"environments/dev/{name}/release.yaml": b"image: 5\n"})
    header, *told = lines(found)
    column = _width(header[: header.index("dev")])

    assert len(told) == 2
    assert all(line.isprintable() for line in told)
    for line in told:
        start, rest = _cut(line, column)
        assert start.endswith("  ")
        assert rest.startswith(("unreadable", "–"))
    assert json.dumps(status.items(found), ensure_ascii=False).encode()
    assert all(cell.problem.replace("\n", "").isprintable() for row in found for cell in row.cells.values())


def test_an_everyday_table_fits_an_everyday_terminal() -> None:
    days = timedelta(days=100)
    found = rows(
        {**CATALOG, **pinned("dev", B), **pinned("staging", A), **pinned("prod", A)},
        opened=(request(418, B, "staging"),),
        merged=tuple(request(n, r, e, ago=days) for n, (r, e) in enumerate([(B, "dev"), (A, "staging"), (A, "prod")])),
    )

    assert max(map(len, lines(found))) <= 80


def test_one_environment() -> None:
    alone = lane("  dev: {cluster: a, registry: r.acme.example}\n")

    assert status.table(alone, [status.Row("wallet", {"dev": status.Cell(A)})], NOW) == "service  dev\nwallet   aaaaaaa"


def test_json_is_for_programs() -> None:
    (item,) = status.items(
        rows({**CATALOG, **pinned("dev", A)}, merged=(request(1, A, "dev", ago=timedelta(hours=2)),))
    )

    assert item == {
        "service": "wallet",
        "environments": {
            "dev": _cell(tag=A.tag, digest=A.digest, since="2026-01-10T10:00:00+00:00"),
            "staging": _cell(behind=True, behind_of=["dev"]),
            "prod": _cell(),
        },
    }


def _cell(**known: Any) -> dict[str, Any]:
    nothing = {"tag": None, "digest": None, "since": None, "pull_request": None, "problem": None}
    return {**nothing, "behind": False, "behind_of": [], **known}


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(line: str, column: int) -> tuple[str, str]:
    """What stands before and after a column of the terminal."""
    end = next(end for end in range(len(line) + 1) if _width(line[:end]) >= column and not _joined(line, end))
    return line[:end], line[end:]


def _joined(line: str, end: int) -> bool:
    return end < len(line) and unicodedata.combining(line[end]) != 0


def test_the_catalog_is_not_read_for_the_table() -> None:
    """A broken entry stops a release; it does not stop anybody from looking."""
    assert [row.service for row in rows({"services/wallet.yaml": b"[" * 10, **pinned("dev", A)})] == [WALLET.name]
