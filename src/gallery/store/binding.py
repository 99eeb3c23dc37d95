"""Parameters of SQL by name: D1 knows numbers only."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from gallery.ports import Statement

# The time that judges leases and expiries: the database's own, in milliseconds since 1970, read while the
# statement runs. A statement that was long on its way is judged when it arrives.
NOW = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

_NAME = re.compile(r":([a-z_]+)")


def bind(text: str, **values: Any) -> Statement:
    """A statement whose `:name` parameters have these values. Raises TypeError when the names differ."""
    numbered, names = _numbered(text)
    if values.keys() != set(names):
        raise TypeError(f"the statement needs {', '.join(names)}, not {', '.join(values)}")
    return numbered, tuple(values[name] for name in names)


@cache
def _numbered(text: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(_NAME.findall(text)))
    return _NAME.sub(lambda match: f"?{names.index(match[1]) + 1}", text), names
