from __future__ import annotations

import json
import logging

from service.logs import JsonLines


def test_no_field_replaces_a_key_of_the_schema() -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "said %s", ("this",), None)
    record.fields = {"level": "LOUD", "more": 1}
    line = json.loads(JsonLines("echo", "abc").format(record))
    assert (line["level"], line["msg"], line["more"]) == ("INFO", "said this", 1)
    assert list(line)[:6] == ["time", "level", "msg", "service", "version", "trace_id"]
