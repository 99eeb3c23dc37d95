"""JSON from strangers: no duplicate names, no NaN, no depth or numbers that break a parser."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from gallery.errors import InvalidRequest

DEPTH = 8
_DIGITS = 40

# An unclosed string is taken to its end at once: beginning anew at each of its quotes costs quadratic time.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def parse(data: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises InvalidRequest with the reason."""
    _check_depth(data)
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_small_int,
        )
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not JSON.") from error


def parse_object(data: bytes) -> dict[str, Any]:
    value = parse(data)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return value


def _check_depth(data: bytes) -> None:
    # The parser recurses; in WebAssembly its stack ends before Python's own limit is reached.
    if data.count(b"[") + data.count(b"{") <= DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH:
            raise InvalidRequest(f"The body is nested deeper than {DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("The body names a field twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidRequest(f"{name} is not JSON.")


def _small_int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise InvalidRequest("The body has a number too large to be meant.")
    return int(digits)
