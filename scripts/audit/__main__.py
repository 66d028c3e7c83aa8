"""Judge all that Shiplane writes, beside the chart of `helm create`: one table, then each finding that is not listed.

Exit code 0 when there is no finding but those that scripts/audit/skips.yaml lists, and each of these still occurs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from generator.errors import ShiplaneError
from scripts.audit import findings, go_tools, subjects
from scripts.audit.findings import AuditError, Finding, Skip
from scripts.audit.go_tools import NotRunError
from scripts.audit.judges import CHART_JUDGES, SERVICE_JUDGES, Bench
from scripts.audit.subjects import Manifests, Service
from scripts.audit.table import table

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
PAGE = ROOT / "docs" / "findings.md"
_Task = tuple[str, Sequence[Manifests | Service], Callable[[], Iterator[Finding]]]
"""A tool, what it judges, and how."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 clean, 1 not."""
    parser = argparse.ArgumentParser(prog="make audit", description="Judge all that Shiplane writes.")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help="charts/ and blueprints/ of this folder")
    parser.add_argument("--docs", action="store_true", help="only write the table of skips in docs/findings.md")
    given = parser.parse_args(arguments)
    try:
        skips = findings.load()
        if given.docs:
            PAGE.write_text(findings.documented(PAGE.read_text(encoding="utf-8"), skips), encoding="utf-8")
            return 0
        return audit(given.root.resolve(), skips)
    except (AuditError, ShiplaneError, OSError, subprocess.CalledProcessError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1


def audit(root: Path, skips: Sequence[Skip]) -> int:
    """Judge the charts and blueprints of `root`, and tell; the exit code."""
    programs, missing = _programs()
    with tempfile.TemporaryDirectory(prefix="shiplane-audit-") as folder:
        bench = Bench(programs, Path(folder))
        ran, found = _judged(root, bench, missing)
    left = findings.unlisted((each for each in found if each.subject != subjects.BASELINE), skips)
    stale = findings.stale(found, skips, missing)
    print(f"rendered for Kubernetes {subjects.OLDEST} and {subjects.NEWEST}")
    print(table(ran, found, skips, subjects.BASELINE))
    for tool, why in sorted(missing.items()):
        print(f"not run: {tool}: {why}")
    for note in sorted(bench.notes):
        print(f"not run: {note}")
    for finding in left:
        print(f"finding: {finding}")
    for skip in stale:
        print(f"listed, but does not occur: {skip}")
    print(f"audit: {len(left)} findings that are not listed, {len(stale)} listed that do not occur")
    return 1 if left or stale else 0


def _programs() -> tuple[Mapping[str, Path], Mapping[str, str]]:
    """The programs that are not in .venv, and why those that are not there are not run."""
    checkov = TOOLS / "checkov" / "bin"
    if not (checkov / "python").exists():
        raise AuditError("checkov is not there: make audit sets it up")
    programs, missing = {"checkov": checkov / "python", "shellcheck": checkov / "shellcheck"}, {}
    for tool in go_tools.PINNED:
        try:
            programs[tool.name] = go_tools.program(tool, TOOLS / "go")
        except NotRunError as why:
            missing[tool.name] = str(why)
    return programs, missing


def _judged(root: Path, bench: Bench, missing: Collection[str]) -> tuple[list[tuple[str, str]], set[Finding]]:
    """Which tool judged which subject, as (subject, tool), the baseline first; and all that they found."""
    helms = subjects.helms(TOOLS)
    if len(helms) == 1:
        bench.notes.add("the other major of helm: it is not in .tools/")
    services = list(subjects.services(root, bench.work))
    rendered = [
        *subjects.baseline(helms, bench.work),
        *subjects.charts(root, helms, bench.work),
        *subjects.generated(services, helms, bench.work),
    ]
    tasks: list[_Task] = [
        *((tool, rendered, partial(judge, bench, rendered)) for tool, judge in CHART_JUDGES.items()),
        *((tool, services, partial(judge, bench, services)) for tool, judge in SERVICE_JUDGES.items()),
    ]
    tasks = [task for task in tasks if task[0] not in missing]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = {each for findings in pool.map(lambda task: list(task[2]()), tasks) for each in findings}
    return [(each.subject, tool) for tool, judged, _ in tasks for each in judged], found


if __name__ == "__main__":
    sys.exit(main())
