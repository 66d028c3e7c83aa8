"""Where the blueprints and the golden charts lie: in the wheel's data, else in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "data"
ROOT = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parent.parent
"""The folder that holds `blueprints/` and `charts/`."""
