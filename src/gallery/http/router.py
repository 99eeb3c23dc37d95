"""Finds the route of a path, and its path parameters."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from gallery.errors import NotFound
from gallery.http.routes import ROUTES, SITE, Route


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace("{key}", "(?P<key>.+)")))


_ALL = (*ROUTES, *SITE)
_FIXED = {route.path: route for route in _ALL if "{" not in route.path}
_VARIABLE = tuple((_pattern(route.path), route) for route in _ALL if "{" in route.path)


def find_route(path: str) -> tuple[Route | None, dict[str, str]]:
    """The route of a path, None when there is none, and the decoded path parameters.

    Raises NotFound when a parameter is not UTF-8.
    """
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed, {}
    for pattern, route in _VARIABLE:
        match = pattern.fullmatch(path)
        if match is not None:
            return route, {name: _decoded(value) for name, value in match.groupdict().items()}
    return None, {}


def _decoded(parameter: str) -> str:
    if "%" not in parameter:
        return parameter
    try:
        return unquote_to_bytes(parameter).decode()
    except UnicodeDecodeError:
        raise NotFound from None
