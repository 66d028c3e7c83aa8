"""Run by checkov's own python: all folders in one process, since checkov's start takes seconds and a folder none.

stdin: [[framework, folder], ...]; stdout: for each, how many checks were made and those failed, as [check, resource,
message]. checkov's own command judges several folders too, but counts the first one's checks again with each.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from checkov.dockerfile.runner import Runner as Dockerfile  # type: ignore[import-not-found] # of its own environment
from checkov.github_actions import runner as workflows  # type: ignore[import-not-found] # the same
from checkov.kubernetes.runner import Runner as Kubernetes  # type: ignore[import-not-found] # the same
from checkov.runner_filter import RunnerFilter  # type: ignore[import-not-found] # the same

_RUNNERS = {"kubernetes": Kubernetes, "dockerfile": Dockerfile, "github_actions": workflows.Runner}

# checkov passes over whole workflows without a word where its own schema, of years ago, does not know a key or an
# expression. Whether a file is a workflow is for check-jsonschema and actionlint to say.
workflows.is_schema_valid = lambda _: True


def _judge(framework: str, folder: str) -> dict[str, Any]:
    report = _RUNNERS[framework]().run(root_folder=folder, runner_filter=RunnerFilter(framework=[framework]))
    failed = [*report.failed_checks, *report.skipped_checks]  # no comment in a file silences a check
    return {
        "made": len(failed) + len(report.passed_checks),
        "failed": [
            *([check.check_id, check.resource, check.check_name] for check in failed),
            *(["parsing", path, "checkov cannot read it"] for path in report.parsing_errors),
        ],
    }


if __name__ == "__main__":
    print(json.dumps([_judge(framework, folder) for framework, folder in json.load(sys.stdin)]))
