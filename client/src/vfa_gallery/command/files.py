"""The files that the arguments of a command stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_of(given: Iterable[Path], *, recursive: bool) -> list[Path]:
    """Each file once, under the first of its names; those in folders unless they are hidden."""
    found: dict[str, Path] = {}
    for path in _expand(given, recursive):
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _expand(given: Iterable[Path], recursive: bool) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        below = path.rglob("*") if recursive else path.iterdir()
        yield from sorted(each for each in below if each.is_file() and not each.name.startswith("."))
