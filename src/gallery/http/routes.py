"""The routes: each address with its methods, and each method with its handler and its OpenAPI operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gallery.artwork import Category
from gallery.http import fields, handlers, openapi, schemas, site
from gallery.http.context import Context, tagged_response, throttle_reads
from gallery.http.messages import Response
from gallery.http.openapi import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    PICTURE,
    USER,
    Method,
    data_of,
    empty,
    json_of,
    operation,
    path_parameter,
    picture,
    query,
    ref,
    request_header,
)
from gallery.http.schemas import Schema
from gallery.keys import USER_ID


@dataclass(frozen=True, slots=True)
class Route:
    """An address. `{name}` in it stands for one segment, `{key}` for all that follows.

    `parameters` describes the names in the OpenAPI document.
    """

    path: str
    methods: Mapping[str, Method]
    parameters: tuple[Schema, ...] = ()

    @property
    def allow(self) -> str:
        """The value of an Allow header."""
        names = {*self.methods, "OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        return ", ".join(sorted(names))


def _route(path: str, *parameters: Schema, **methods: Method) -> Route:
    return Route(path, methods, parameters)


async def read_openapi(context: Context) -> Response:
    """The OpenAPI document."""
    await throttle_reads(context)
    return tagged_response(context, document(context.origin))


def document(origin: str) -> dict[str, Any]:
    """The OpenAPI document of a gallery at this origin."""
    return openapi.document(origin, {each.path: _path_item(each) for each in ROUTES})


def _path_item(route: Route) -> dict[str, Any]:
    parameters: dict[str, Any] = {"parameters": list(route.parameters)} if route.parameters else {}
    return parameters | {name.lower(): method.operation for name, method in route.methods.items()}


_TEXT: Schema = {"type": "string", "maxLength": fields.LONGEST_FILTER}
_NAME: Schema = {"type": "string", "minLength": 1}
_FALSE: Schema = {"type": "boolean", "default": False}
_LIMIT = query(
    "limit", {"type": "integer", "minimum": 1, "maximum": fields.MOST, "default": fields.DEFAULT_LIMIT}
)
_ARTWORK_ID = path_parameter("id", _NAME)
_USER_ID = path_parameter("id", {"type": "string", "pattern": f"^{USER_ID}$"})
_ARTWORK = data_of("The artwork", "Artwork", etag=True)
_ACCOUNT = data_of("The user", "Account")
_TIMING = {"Server-Timing": "Each stage and variant, in milliseconds"}
_CREATED = _TIMING | {"Location": "The artwork's address"}

ROUTES = (
    _route(
        "/api/artworks/upload-url",
        POST=operation(
            handlers.issue_upload,
            "createUploadTicket",
            "Ask where to upload an original",
            {"200": json_of("The upload ticket", ref("Ticket"))},
            (
                *USER,
                "invalid_request",
                "not_found",
                "too_large",
                "unsupported_type",
                "artwork_limit_reached",
                "upload_limit_reached",
                "rate_limited",
            ),
            body="TicketRequest",
            token=True,
        ),
    ),
    _route(
        "/api/artworks",
        POST=operation(
            handlers.create_artwork,
            "createArtwork",
            "Make an artwork of an uploaded original",
            {
                "200": data_of(
                    "The artwork this original has already", "Artwork", etag=True, headers=_CREATED
                ),
                "201": data_of("The new artwork", "Artwork", etag=True, headers=_CREATED),
            },
            (
                *USER,
                "invalid_request",
                "forbidden",
                "not_found",
                "conflict",
                "artwork_limit_reached",
                "rate_limited",
                *PICTURE,
            ),
            body="NewArtwork",
            token=True,
        ),
        GET=operation(
            handlers.list_artworks,
            "listArtworks",
            "The newest artworks",
            {
                "200": json_of("A page; the last has no nextCursor", ref("Page"), etag=True),
                "304": NOT_MODIFIED,
            },
            (*USER, "invalid_request", "rate_limited"),
            parameters=(
                query("username", _TEXT),
                query("category", _TEXT | {"examples": list(Category)}),
                query("tag", _TEXT),
                query("q", _TEXT | {"description": "Words of title, tags, description or username"}),
                query("featured", {"type": "boolean"}),
                _LIMIT,
                query("cursor", schemas.pattern(fields.CURSOR)),
                IF_NONE_MATCH,
            ),
            token=None,
        ),
    ),
    _route(
        "/api/artworks/readiness",
        GET=operation(
            handlers.read_readiness,
            "readReadiness",
            "Which renditions of an original can be fetched by now",
            {"200": json_of("The three renditions", ref("Readiness"))},
            (*USER, "invalid_request", "forbidden", "rate_limited"),
            parameters=(
                query("originalKey", schemas.pattern(schemas.ORIGINAL_KEY), required=True),
                query(
                    "wait",
                    {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": fields.LONGEST_WAIT,
                        "default": 0,
                        "description": "Seconds to wait for all three before answering",
                    },
                ),
            ),
            token=True,
        ),
    ),
    _route(
        "/api/artworks/{id}",
        _ARTWORK_ID,
        GET=operation(
            handlers.read_artwork,
            "readArtwork",
            "One artwork; its owner also gets leave to download the original",
            {"200": _ARTWORK, "304": NOT_MODIFIED},
            (*USER, "not_found", "rate_limited"),
            parameters=(IF_NONE_MATCH,),
            token=None,
        ),
        PATCH=operation(
            handlers.change_artwork,
            "changeArtwork",
            "Change what is said of an artwork; for its owner, and for operators what is featured",
            {"200": _ARTWORK},
            (
                *USER,
                "invalid_request",
                "forbidden",
                "not_found",
                "conflict",
                "precondition_failed",
                "too_large",
            ),
            body="ArtworkChange",
            parameters=(IF_MATCH,),
            token=True,
        ),
        DELETE=operation(
            handlers.delete_artwork,
            "removeArtwork",
            "Remove an artwork with all its files",
            {"204": empty("It is gone")},
            (*USER, "forbidden", "not_found", "precondition_failed"),
            parameters=(IF_MATCH,),
            token=True,
        ),
    ),
    _route(
        "/api/artworks/{id}/reprocess",
        _ARTWORK_ID,
        POST=operation(
            handlers.reprocess_artwork,
            "reprocessArtwork",
            "Render an artwork again; for its owner and for operators",
            {"200": data_of("The artwork", "Artwork", etag=True, headers=_TIMING)},
            (
                *USER,
                "forbidden",
                "not_found",
                "conflict",
                "original_replaced",
                "rate_limited",
                *PICTURE,
            ),
            token=True,
        ),
    ),
    _route(
        "/api/users/{username}/artworks/{slug}",
        path_parameter("username", _NAME),
        path_parameter("slug", _NAME),
        GET=operation(
            handlers.read_artwork_by_slug,
            "readArtworkBySlug",
            "One artwork by its readable address",
            {"200": _ARTWORK, "304": NOT_MODIFIED},
            (*USER, "not_found", "rate_limited"),
            parameters=(IF_NONE_MATCH,),
            token=None,
        ),
    ),
    _route(
        "/api/users",
        GET=operation(
            handlers.list_users,
            "listUsers",
            "Users in the order of their names; for operators",
            {"200": json_of("One page", ref("Accounts"))},
            (*USER, "invalid_request", "forbidden"),
            parameters=(
                query("username", _TEXT | {"description": "Only the user of this name"}),
                _LIMIT,
                query("cursor", _TEXT | {"description": "`nextCursor` of another page"}),
            ),
            token=True,
        ),
        POST=operation(
            handlers.create_user,
            "createUser",
            "Make a user; for operators",
            {"201": data_of("The user", "Account", headers={"Location": "The user's address"})},
            (*USER, "invalid_request", "forbidden", "already_exists", "too_large"),
            body="NewUser",
            token=True,
        ),
    ),
    _route(
        "/api/users/{id}",
        _USER_ID,
        GET=operation(
            handlers.read_user,
            "readUser",
            "One user; for operators",
            {"200": _ACCOUNT},
            (*USER, "forbidden", "not_found"),
            token=True,
        ),
        PATCH=operation(
            handlers.change_user,
            "changeUser",
            "Rename, limit, suspend or sign out a user; for operators",
            {"200": _ACCOUNT},
            (*USER, "invalid_request", "forbidden", "not_found", "already_exists", "too_large"),
            body="UserChange",
            token=True,
        ),
    ),
    _route(
        "/api/me",
        GET=operation(
            handlers.read_me,
            "readMe",
            "The caller's quota and its use",
            {"200": data_of("The caller", "User", etag=True), "304": NOT_MODIFIED},
            (*USER, "not_found", "rate_limited"),
            parameters=(IF_NONE_MATCH,),
            token=True,
        ),
    ),
    _route(
        "/api/sweep",
        POST=operation(
            handlers.sweep,
            "sweep",
            "End uploads that are over, or walk through the whole bucket; for operators",
            {"200": data_of("What was seen and done", "Sweep")},
            (*USER, "invalid_request", "forbidden"),
            parameters=(
                query("dryRun", _FALSE),
                query("audit", _FALSE),
                query("cursor", schemas.AUDIT_CURSOR | {"description": "Of an audit"}),
            ),
            token=True,
        ),
    ),
    _route(
        "/cdn/{key}",
        path_parameter("key", schemas.pattern(schemas.OBJECT_KEY)) | {"description": "With its slashes"},
        GET=operation(
            handlers.read_object,
            "readObject",
            "A rendition, whole or in part",
            {
                "200": picture("The rendition"),
                "206": picture("The part asked for", {"Content-Range": "Which part it is"}),
                "304": NOT_MODIFIED,
            },
            ("forbidden", "not_found", "precondition_failed", "range_not_satisfiable", "rate_limited"),
            parameters=(
                IF_NONE_MATCH,
                IF_MATCH,
                request_header("Range", "One part of the file, as `bytes=0-1023`"),
                request_header("If-Range", "The ETag for which the part is wanted; else all is sent"),
            ),
        ),
    ),
    _route(
        "/healthz",
        GET=operation(
            handlers.read_health,
            "readHealth",
            "Whether the gallery and its renderers answer; `renderers` of a 503 says which does not",
            {"200": json_of("They do", ref("Health"))},
            ("rate_limited",),
        ),
    ),
    _route(
        "/openapi.json",
        GET=operation(
            read_openapi,
            "readOpenapi",
            "This document",
            {"200": json_of("OpenAPI 3.1", {"type": "object"}, etag=True), "304": NOT_MODIFIED},
            ("rate_limited",),
            parameters=(IF_NONE_MATCH,),
        ),
    ),
)
# For people, search engines and feed readers. All other files of the page are served as static assets.
SITE = tuple(
    Route(path, {"GET": Method(handler)})
    for path, handler in (
        ("/", site.read_home),
        ("/upload", site.read_upload_page),
        ("/feed.atom", site.read_feed),
        ("/robots.txt", site.read_robots),
        ("/sitemap.xml", site.read_sitemap_index),
        ("/sitemaps/{file}", site.read_sitemap),
        ("/artists/{username}", site.read_artist_page),
        ("/artists/{username}/feed.atom", site.read_artist_feed),
        ("/artists/{username}/{slug}", site.read_artwork_page),
    )
)
