"""The mistakes of several requests, so that all of them are told at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from generator.errors import Problem, ShiplaneError


class Gathered:
    """Gathers what several steps refuse, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: dict[Problem, int] = {}

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is refused inside the `with`, and go on after it."""
        try:
            yield
        except ShiplaneError as error:
            self._found.update(dict.fromkeys(error.problems, error.exit_code))

    def tell(self) -> None:
        """Raise all that was gathered, if anything was."""
        if self._found:
            raise ShiplaneError(self._found, max(self._found.values()))
