"""Plain scalars of YAML as Kubernetes reads them: YAML 1.1 with `y` and `n`, without times and base 60 (go-yaml 2)."""

from __future__ import annotations

import re

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}
_FALSE = {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|[1-9][0-9]*|0)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LONGEST = 30  # characters; longer ones are no numbers that anything in Kubernetes takes


def plain(text: str) -> object:
    """The value of a scalar without quotes: nothing, a boolean, a number, else the text itself."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    digits = text.replace("_", "")
    if len(text) <= _LONGEST and text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(digits):
            return _integer(digits)
        if _FLOAT.fullmatch(digits):
            return float(digits)
    return text


def _integer(digits: str) -> int:
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return sign * (int(digits, 8) if octal else int(digits, 0))
