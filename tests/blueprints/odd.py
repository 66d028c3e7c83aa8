"""Answers of the worst kind that every question still takes."""

from __future__ import annotations

from typing import Any

from tests.blueprints.rendered import Made

ODD: dict[str, Any] = {
    "description": """It's "odd": {{ x }} ${{ y }} <b> # & \\ 'é' 💶 - [a](b) | c""",
    "owner": "off",
    "organisation": "Acme-2",
    "port": 65535,
    "calls": ["on", "yes"],
    "called_by": ["null", "a" * 40],
    "dependencies": ["s3", "postgres", "kafka", "redis"],
    "data_cidrs": ["10.255.0.0/8", "0.0.0.0/32"],
    "secrets": ["Y", "DATABASE_PASSWORD"],
    "tier": "critical",
    "slo": "99.999",
    "monitoring_label": "acme.example/prometheus=on",
    "gitops_repository": "Acme-2/git.ops_repo",
    "registry": "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "publish_role": "push+only",
    "shiplane": "Acme-2/ship.lane@" + "1f" * 20 + " # v10.20.30",
}
"""For a web service."""


def odd(made: Made) -> dict[str, Any]:
    """Those that this kind can be given."""
    return ODD if made.kind == "http" else {key: value for key, value in ODD.items() if key != "called_by"}
