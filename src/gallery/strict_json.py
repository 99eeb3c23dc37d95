"""JSON of requests: without duplicate names, NaN, deep nesting or very long numbers."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from gallery.errors import InvalidRequest

DEPTH = 8
_DIGITS = 40

# An unclosed string matches up to its end: trying again from each of its quotes would take quadratic time.
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
    """The object of a JSON text in UTF-8. Raises InvalidRequest with the reason."""
    value = parse(data)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return value


def _check_depth(data: bytes) -> None:
    # The parser recurses, and the stack of WebAssembly ends before Python's recursion limit.
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
        raise InvalidRequest(f"The body has a number of more than {_DIGITS} digits.")
    return int(digits)
