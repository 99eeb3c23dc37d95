"""The routes: which handler answers which method at which address."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gallery.errors import NotFound
from gallery.http import handlers, site
from gallery.http.context import Context
from gallery.http.messages import Response

Handler = Callable[[Context], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """An address; `{names}` in it stand for one segment, `{key}` for all that follows."""

    template: str
    methods: Mapping[str, Handler]
    allow: str


def _route(template: str, **methods: Handler) -> Route:
    names = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return Route(template, methods, ", ".join(sorted(names)))


ROUTES = (
    _route(
        "/api/artworks/{id}",
        GET=handlers.read_artwork,
        PATCH=handlers.change_artwork,
        DELETE=handlers.remove_artwork,
    ),
    _route("/cdn/{key}", GET=handlers.deliver_object),
    _route("/api/artworks", GET=handlers.list_artworks, POST=handlers.create_artwork),
    _route("/api/artworks/upload-url", POST=handlers.create_upload_ticket),
    _route("/api/artworks/readiness", GET=handlers.read_readiness),
    _route("/api/artworks/{id}/reprocess", POST=handlers.reprocess_artwork),
    _route("/api/users/{username}/artworks/{slug}", GET=handlers.read_artwork_by_slug),
    _route("/api/users", GET=handlers.read_users, POST=handlers.create_user),
    _route("/api/users/{id}", GET=handlers.read_user, PATCH=handlers.change_user),
    _route("/api/me", GET=handlers.read_me),
    _route("/api/sweep", POST=handlers.sweep_now),
    _route("/healthz", GET=handlers.read_health),
    _route("/openapi.json", GET=handlers.read_openapi),
)
# For people and search engines. What has a file of its own never comes here, but for "/".
SITE = (
    _route("/", GET=site.read_home),
    _route("/upload", GET=site.read_upload_page),
    _route("/feed.atom", GET=site.read_feed),
    _route("/robots.txt", GET=site.read_robots),
    _route("/sitemap.xml", GET=site.read_sitemap_index),
    _route("/sitemaps/{file}", GET=site.read_sitemap),
    _route("/artists/{username}", GET=site.read_artist_page),
    _route("/artists/{username}/feed.atom", GET=site.read_artist_feed),
    _route("/artists/{username}/{slug}", GET=site.read_artwork_page),
)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([^/]+)", template.replace("{key}", "(.+)")))


_ALL = (*ROUTES, *SITE)
_FIXED = {route.template: route for route in _ALL if "{" not in route.template}
_VARIABLE = tuple((_pattern(route.template), route) for route in _ALL if "{" in route.template)


def route_of(path: str) -> tuple[Route | None, tuple[str, ...]]:
    """The route of a path, if there is one, and the decoded arguments in it. Raises NotFound."""
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed, ()
    for pattern, route in _VARIABLE:
        found = pattern.fullmatch(path)
        if found is not None:
            return route, tuple(_decoded(argument) for argument in found.groups())
    return None, ()


def _decoded(argument: str) -> str:
    if "%" not in argument:
        return argument
    try:
        return unquote_to_bytes(argument).decode()
    except UnicodeDecodeError:
        raise NotFound from None
