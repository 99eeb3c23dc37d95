"""Every regular expression of the gateway takes time in proportion to what it reads."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import gallery
from gallery.http.messages import LONGEST_BODY
from gallery.http.router import _VARIABLE

Pattern = re.Pattern[Any]

# What a pattern of these files repeats, begins or ends with, or stumbles over.
UNITS = (
    *('"', '\\"', '"\\', "\\", "{", "[", "]", '"a', '","', 'W/"', "W/", 'W/"a"', '"!', "a", "A", "0", "1"),
    *(
        "-",
        "--",
        "a-",
        "_",
        ".",
        "..",
        ",",
        "/",
        "a/",
        "%",
        "=",
        " ",
        "\t",
        "\n",
        "\u2028",
        "é",
        "क",
        "ि",
        "\x00",
    ),
    *(
        "bytes=",
        "bytes=0-",
        "0-",
        "originals/",
        "originals/a/",
        "display/a/",
        "art_",
        "2024-",
        "02-29",
        "://",
    ),
    *("/api/users/", "/api/artworks/", "/cdn/", "/artists/", "a.b", "eyJ", "+", "*", "\ud800", "\u202e"),
)
# At 64 KiB even the slowest takes a few milliseconds; what costs the square takes seconds.
LONGEST_SECONDS = 0.25


def patterns() -> Iterator[tuple[str, Pattern]]:
    for found in pkgutil.walk_packages(gallery.__path__, "gallery."):
        if found.name == "gallery.cloudflare":  # only in a Worker
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{found.name}.{name}", value
    for pattern, route in _VARIABLE:
        yield f"route {route.path}", pattern


PATTERNS = dict(patterns())


def texts() -> Iterator[str]:
    for unit in UNITS:
        for end in ("", "!", '"'):
            yield (unit * (LONGEST_BODY // len(unit)))[: LONGEST_BODY - 1] + end
    for first in ('"', "originals/a/", "a"):
        for unit in UNITS:
            yield (first + unit * (LONGEST_BODY // len(unit)))[:LONGEST_BODY]


TEXTS = list(texts())


def seconds(pattern: Pattern, text: str) -> float:
    """How long it takes to find, to match, to find all of and to replace, once."""
    is_bytes = isinstance(pattern.pattern, bytes)
    subject: Any = text.encode(errors="replace") if is_bytes else text
    start = time.thread_time()
    pattern.search(subject)
    pattern.fullmatch(subject)
    pattern.findall(subject)
    pattern.sub(subject[:0], subject)
    return time.thread_time() - start


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_done_soon_with_64_kib_of_anything(name: str) -> None:
    slow = {}
    for text in TEXTS:
        taken = seconds(PATTERNS[name], text)
        if taken > LONGEST_SECONDS:  # once more: caches may have been cold
            taken = min(taken, seconds(PATTERNS[name], text))
        if taken > LONGEST_SECONDS:
            slow[text[:20]] = taken
    assert slow == {}


def test_a_pattern_that_costs_the_square_is_found() -> None:
    text = '\\"' * (LONGEST_BODY // 2)
    assert seconds(re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL), text[: LONGEST_BODY // 4]) > LONGEST_SECONDS
