"""Where the benchmarks run: a home, an identity and temporary files of their own, whoever starts them."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def enter(folder: Path) -> None:
    """Set the environment of this process, and of all that it starts, up in `folder`; our tools come last on PATH."""
    (folder / "home").mkdir()
    (folder / "home" / ".gitconfig").write_text(
        "[user]\n\tname = Dev\n\temail = dev@acme.example\n[safe]\n\tdirectory = *\n"
    )
    os.environ.update(
        HOME=str(folder / "home"),
        TMPDIR=str(folder),
        GIT_CONFIG_NOSYSTEM="1",
        PYTHONPATH=str(ROOT),
        PATH=f"{os.environ['PATH']}:{ROOT / '.tools' / 'bin'}",
    )
