"""The visual order of a text of mixed directions: the Unicode Bidirectional Algorithm (UAX #9).

For one short line without explicit embeddings, overrides or isolates, which names cannot contain; paired
brackets (rule N0) are treated as plain neutrals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar
from unicodedata import bidirectional, mirrored

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_NEUTRAL = {"B", "S", "WS", "ON", "BN"}
_MIRRORS = str.maketrans("()[]{}<>«»", ")(][}{><»«")

T = TypeVar("T")


def levels(text: str) -> list[int]:
    """The embedding level of each character: even from left to right, odd from right to left."""
    kinds = [bidirectional(character) or "L" for character in text]
    base = next((int(kind != "L") for kind in kinds if kind in _STRONG), 0)
    direction = "R" if base else "L"
    kinds = _weak(kinds, direction)
    kinds = _neutral(kinds, direction)
    return [_level(kind, base) for kind in kinds]


def visual(runs: Sequence[T], level_of: Callable[[T], int]) -> list[T]:
    """Runs in visual order, from left to right (rule L2)."""
    ordered = list(runs)
    known = [level_of(run) for run in ordered]
    for level in range(max(known, default=0), 0, -1):
        start = 0
        for deep, group in groupby([level_of(run) >= level for run in ordered]):
            end = start + len(list(group))
            if deep:
                ordered[start:end] = ordered[start:end][::-1]
            start = end
    return ordered


def reversed_text(text: str) -> str:
    """A text of neutral characters in visual order inside a right-to-left run (rule L4)."""
    return "".join(c.translate(_MIRRORS) if mirrored(c) else c for c in reversed(text))


def _level(kind: str, base: int) -> int:
    if kind == "R":
        return base + (base + 1) % 2
    if kind == "L":
        return base + base % 2
    return base + (1 if base % 2 else 2)  # numbers


def _weak(kinds: list[str], direction: str) -> list[str]:
    """Rules W1 to W7: marks, numbers and what stands between numbers."""
    kinds = list(kinds)
    before = direction
    for at, kind in enumerate(kinds):  # W1
        kinds[at] = before = before if kind == "NSM" else kind
    strong = direction
    for at, kind in enumerate(kinds):  # W2
        strong = kind if kind in _STRONG else strong
        if kind == "EN" and strong == "AL":
            kinds[at] = "AN"
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for at in range(1, len(kinds) - 1):  # W4
        left, kind, right = kinds[at - 1 : at + 2]
        if left == right and ((kind in ("ES", "CS") and left == "EN") or (kind == "CS" and left == "AN")):
            kinds[at] = left
    kinds = _terminators(kinds)
    strong = direction
    for at, kind in enumerate(kinds):  # W7
        strong = kind if kind in ("L", "R") else strong
        if kind == "EN" and strong == "L":
            kinds[at] = "L"
    return kinds


def _terminators(kinds: list[str]) -> list[str]:
    """Rules W5 and W6: signs beside a number belong to it, all other separators are neutral."""
    resolved, start = list(kinds), 0
    for kind, group in groupby(kinds):
        end = start + len(list(group))
        if kind == "ET" and "EN" in (*resolved[start - 1 : start], *resolved[end : end + 1]):
            resolved[start:end] = ["EN"] * (end - start)
        start = end
    return ["ON" if kind in ("ES", "ET", "CS") else kind for kind in resolved]


def _neutral(kinds: list[str], direction: str) -> list[str]:
    """Rules N1 and N2: a neutral between two of one direction takes it, another takes the line's."""
    resolved, start = list(kinds), 0
    for neutral, group in groupby([kind in _NEUTRAL for kind in kinds]):
        end = start + len(list(group))
        if neutral:
            left = _side(kinds[start - 1]) if start else direction
            right = _side(kinds[end]) if end < len(kinds) else direction
            resolved[start:end] = [left if left == right else direction] * (end - start)
        start = end
    return resolved


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"
