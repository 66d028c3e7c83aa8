from __future__ import annotations

import pytest

from service.settings import Settings, WrongSettings, read


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read({}) == Settings()


def test_the_environment_decides() -> None:
    given = read({"PORT": "9000", "LOG_LEVEL": "debug", "FINISH_SECONDS": "2.5", "VERSION": "abc"})
    assert (given.port, given.log_level, given.finish_seconds, given.version) == (9000, "DEBUG", 2.5, "abc")
    assert read({"DRAIN_SECONDS": "2.5"}).drain_seconds == 2.5


@pytest.mark.parametrize("port", ["0", "65536", "80.5", "http", "nan"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(WrongSettings, match="PORT: must be"):
        read({"PORT": port})


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(WrongSettings) as wrong:
        read({"PORT": "x", "LOG_LEVEL": "loud", "FINISH_SECONDS": "-1"})
    assert [each.split(":")[0] for each in wrong.value.problems] == ["PORT", "LOG_LEVEL", "FINISH_SECONDS"]
