"""Quantities as Kubernetes writes them: `500m`, `1Gi`, `1e3`."""

from __future__ import annotations

import re
from decimal import Decimal

_NUMBER = r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))"
_FORM = re.compile(rf"{_NUMBER}(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{{1,2}}))?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"


def quantity(value: object) -> Decimal | None:
    """The number that a quantity is; None for what is none (Kubernetes: apimachinery's resource.Quantity)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _FORM.fullmatch(str(value).strip())
    if found is None:
        return None
    number, unit, exponent = found.groups()
    if unit and unit.endswith("i"):
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(unit[0]) + 1)
    return Decimal(number).scaleb(_DECIMAL[unit] if unit else int(exponent or 0))
