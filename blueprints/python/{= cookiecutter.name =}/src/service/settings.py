"""What the service is told from outside: environment variables, read once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    """All settings, with what holds when the environment is silent; times are in seconds."""

    service: str = "{= cookiecutter.name =}"
    version: str = "unknown"
    host: str = "0.0.0.0"  # noqa: S104  # a pod has one address, and its NetworkPolicy says who reaches it
    port: int = {= cookiecutter.port =}
    log_level: str = "INFO"
{=% if cookiecutter.kind == "http" %=}
    drain_seconds: float = 0.0
{=% endif %=}
    finish_seconds: float = 30.0


class WrongSettings(Exception):
    """The environment says something that cannot be; `problems` names every variable concerned."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def read(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` gives; raises WrongSettings with all that is wrong in it."""
    default, problems = Settings(), []

    def number(name: str, otherwise: float, least: float, most: float) -> float:
        text = environment.get(name, "").strip()
        try:
            value = float(text) if text else otherwise
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            problems.append(f"{name}: must be a number from {least:g} to {most:g}, not {text!r}")
        return value

    port = number("PORT", default.port, 1, 65535)
    if port % 1 and math.isfinite(port):
        problems.append(f"PORT: must be a whole number, not {port!r}")
    level = environment.get("LOG_LEVEL", "").upper() or default.log_level
    if level not in LEVELS:
        problems.append(f"LOG_LEVEL: must be one of {', '.join(LEVELS)}, not {level!r}")
{=% if cookiecutter.kind == "http" %=}
    drain = number("DRAIN_SECONDS", default.drain_seconds, 0, 3600)
{=% endif %=}
    finish = number("FINISH_SECONDS", default.finish_seconds, 0, 3600)
    if problems:
        raise WrongSettings(problems)
    return Settings(
        service=environment.get("SERVICE") or default.service,
        version=environment.get("VERSION") or default.version,
        host=environment.get("HOST") or default.host,
        port=int(port),
        log_level=level,
{=% if cookiecutter.kind == "http" %=}
        drain_seconds=drain,
{=% endif %=}
        finish_seconds=finish,
    )
