"""What the tools answered, as failed checks. An answer that shows that nothing was judged is an AuditError, no pass."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scripts.audit.findings import AuditError


class Failed(NamedTuple):
    """A failed check: its name, what failed it, and the tool's words."""

    check: str
    where: str
    message: str


def checkov(said: str, judged: Sequence[str]) -> list[list[Failed]]:
    """From checkov_runner.py, for each of the folders that were to be `judged`."""
    folders = _json("checkov", said)
    for what, each in zip(judged, folders, strict=True):
        if not each["made"]:
            raise AuditError(f"{what}: checkov made no check at all: it does not take the file for what it is")
    return [[Failed(check, _resource(where), message) for check, where, message in each["failed"]] for each in folders]


def _resource(text: str) -> str:
    """checkov's `Kind.namespace.name`, and a pod's labels behind it, as Kind/name; else what stands there."""
    found = re.fullmatch(r"([A-Z]\w*)\.[-a-z0-9]+\.([-a-z0-9]+)(\..*)?", text)
    return f"{found[1]}/{found[2]}" if found else text.strip("/.")


def kube_score(said: str) -> list[Failed]:
    """From `--output-format json`."""
    objects = _json("kube-score", said)
    if not objects:
        raise AuditError("kube-score scored no object")
    found = []
    for each in objects:
        where = f"{each['type_meta']['kind']}/{each['object_meta']['name']}"
        for check in each["checks"]:
            if not check["skipped"] and check["grade"] < 10:
                comments = [f"{comment['path']} {comment['summary']}" for comment in check["comments"] or []]
                found += [
                    Failed(check["check"]["id"], where, comment) for comment in comments or [check["check"]["comment"]]
                ]
    return found


def kubeconform(said: str, kubernetes: str) -> list[Failed]:
    """From `-output json -verbose`."""
    objects = _json("kubeconform", said)["resources"]
    if not any(each["status"] in ("statusValid", "statusInvalid", "statusError") for each in objects):
        raise AuditError("kubeconform judged no object")
    return [
        Failed(f"schema-{kubernetes}", f"{each['kind']}/{each['name']}", error)
        for each in objects
        if each["status"] in ("statusInvalid", "statusError")
        for error in [f"{e['path']}: {e['msg']}" for e in each.get("validationErrors") or ()] or [each["msg"]]
    ]


def hadolint(said: str) -> list[Failed]:
    """From `--format json`."""
    return [
        Failed(each["code"], "Dockerfile", f"line {each['line']}: {each['message']}")
        for each in _json("hadolint", said)
    ]


def zizmor(said: str, where: str) -> list[Failed]:
    """From `--format json-v1`."""
    found = []
    for each in _json("zizmor", said):
        start = each["locations"][0]["concrete"]["location"]["start_point"]
        found.append(Failed(each["ident"], where, f"line {start['row'] + 1}: {each['desc']}"))
    return found


def actionlint(said: str, where: str) -> list[Failed]:
    """From `-format '{{json .}}'`."""
    return [
        Failed(each["kind"], where, f"line {each['line']}: {each['message']}") for each in _json("actionlint", said)
    ]


def yamllint(said: str, root: Path) -> list[Failed]:
    """From `-f parsable`: `path:line:column: [level] message (rule)`."""
    found = []
    for line in said.splitlines():
        parts = re.fullmatch(r"(.+?):(\d+):\d+: \[\w+\] (.+?)(?: \(([-\w]+)\))?", line)
        if parts is None:
            raise AuditError(f"yamllint says what is not understood: {line}")
        where = str(Path(parts[1]).relative_to(root))
        found.append(Failed(parts[4] or "syntax", where, f"line {parts[2]}: {parts[3]}"))
    return found


def check_jsonschema(said: str, where: str) -> list[Failed]:
    """From `--output-format json`."""
    answer = _json("check-jsonschema", said)
    return [
        Failed("schema", where, f"{each.get('path', '')} {each['message']}".strip())
        for each in [*answer["errors"], *answer.get("parse_errors", ())]
    ]


def _json(tool: str, said: str) -> Any:
    try:
        return json.loads(said)
    except json.JSONDecodeError:
        raise AuditError(f"{tool} says what is no JSON: {said[:200]!r}") from None
