"""The OpenAPI 3.1 document: every operation, every answer, every error code."""

from __future__ import annotations

from typing import Any

from gallery import formats, keys
from gallery.artwork import Category
from gallery.http import fields, schemas
from gallery.http.schemas import Schema

_ANYWHERE = ("internal", "not_configured", "unavailable")
_USER = ("unauthorized", "suspended")
_PICTURE = ("too_large", "unsupported_type", "unreadable_image", "processing_failed", "overloaded")
# What an error says beside its body, and which errors do.
_ERROR_HEADERS = {
    "Retry-After": (
        "Seconds",
        ("conflict", "upload_limit_reached", "rate_limited", "overloaded", "unavailable"),
    ),
    "Allow": ("The methods this address answers to", ("method_not_allowed",)),
    "WWW-Authenticate": ("`Bearer`", ("unauthorized",)),
    "Content-Range": ("The file's size", ("range_not_satisfiable",)),
}


def document(origin: str) -> dict[str, Any]:
    """The document, for a gallery at this origin."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vfa-gallery",
            "version": "1.0.0",
            "summary": "Artworks: originals with thumbnail, icon and watermarked display version.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": origin}],
        "paths": paths(),
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "HS256, `sub` is the user's id; or of the gallery's identity provider. "
                    "`exp` is needed.",
                }
            },
        },
    }


def paths() -> dict[str, dict[str, Any]]:
    artwork = _answer("The artwork", _ref("Artwork"), etag=True)
    account = _answer("The user", _ref("Account"))
    timed = _headers(**{"Server-Timing": "Each stage and variant, in milliseconds"})
    made = artwork | {"headers": artwork["headers"] | timed | _headers(Location="The artwork's address")}
    artwork_id = _parameter("id", "path", {"type": "string", "minLength": 1})
    return {
        "/api/artworks/upload-url": {
            "post": _operation(
                "createUploadTicket",
                "Ask where to upload an original",
                {"200": _json("The upload ticket", _ref("Ticket"))},
                (
                    *_USER,
                    "invalid_request",
                    "not_found",
                    "too_large",
                    "unsupported_type",
                    "artwork_limit_reached",
                    "upload_limit_reached",
                    "rate_limited",
                ),
                body="TicketRequest",
                user=True,
            )
        },
        "/api/artworks": {
            "post": _operation(
                "createArtwork",
                "Make an artwork of an uploaded original",
                {
                    "200": made | {"description": "The artwork this original has already"},
                    "201": made | {"description": "The new artwork"},
                },
                (
                    *_USER,
                    "invalid_request",
                    "forbidden",
                    "not_found",
                    "conflict",
                    "artwork_limit_reached",
                    "rate_limited",
                    *_PICTURE,
                ),
                body="NewArtwork",
                user=True,
            ),
            "get": _operation(
                "listArtworks",
                "The newest artworks",
                {
                    "200": _json("A page; the last has no nextCursor", _ref("Page"), etag=True),
                    "304": _KNOWN,
                },
                (*_USER, "invalid_request", "rate_limited"),
                parameters=[*_filters(), _IF_NONE_MATCH],
                user=None,
            ),
        },
        "/api/artworks/readiness": {
            "get": _operation(
                "readReadiness",
                "Which renditions of an original can be fetched by now",
                {"200": _json("The three renditions", _ref("Readiness"))},
                (*_USER, "invalid_request", "forbidden", "rate_limited"),
                parameters=[
                    _parameter("originalKey", "query", _key(schemas.ORIGINAL_KEY), required=True),
                    _parameter(
                        "wait",
                        "query",
                        {
                            "type": "integer",
                            "minimum": 0,
                            "maximum": fields.LONGEST_WAIT,
                            "default": 0,
                            "description": "Seconds to wait for all three before answering",
                        },
                    ),
                ],
                user=True,
            )
        },
        "/api/artworks/{id}": {
            "parameters": [artwork_id],
            "get": _operation(
                "readArtwork",
                "One artwork; its owner also gets leave to download the original",
                {"200": artwork, "304": _KNOWN},
                (*_USER, "not_found", "rate_limited"),
                parameters=[_IF_NONE_MATCH],
                user=None,
            ),
            "patch": _operation(
                "changeArtwork",
                "Change what is said of an artwork; for its owner, and for operators what is featured",
                {"200": artwork},
                (
                    *_USER,
                    "invalid_request",
                    "forbidden",
                    "not_found",
                    "conflict",
                    "precondition_failed",
                    "too_large",
                ),
                body="ArtworkChange",
                parameters=[_IF_MATCH],
                user=True,
            ),
            "delete": _operation(
                "removeArtwork",
                "Remove an artwork with all its files",
                {"204": _empty("It is gone")},
                (*_USER, "forbidden", "not_found", "precondition_failed"),
                parameters=[_IF_MATCH],
                user=True,
            ),
        },
        "/api/artworks/{id}/reprocess": {
            "parameters": [artwork_id],
            "post": _operation(
                "reprocessArtwork",
                "Render an artwork again; for its owner and for operators",
                {"200": artwork | {"headers": artwork["headers"] | timed}},
                (
                    *_USER,
                    "forbidden",
                    "not_found",
                    "conflict",
                    "original_replaced",
                    "rate_limited",
                    *_PICTURE,
                ),
                user=True,
            ),
        },
        "/api/users/{username}/artworks/{slug}": {
            "parameters": [
                _parameter("username", "path", {"type": "string", "minLength": 1}),
                _parameter("slug", "path", {"type": "string", "minLength": 1}),
            ],
            "get": _operation(
                "readArtworkBySlug",
                "One artwork by its readable address",
                {"200": artwork, "304": _KNOWN},
                (*_USER, "not_found", "rate_limited"),
                parameters=[_IF_NONE_MATCH],
                user=None,
            ),
        },
        "/api/users": {
            "get": _operation(
                "listUsers",
                "Users in the order of their names; for operators",
                {"200": _json("One page", _ref("Accounts"))},
                (*_USER, "invalid_request", "forbidden"),
                parameters=[
                    _parameter("username", "query", _TEXT | {"description": "Only the user of this name"}),
                    _LIMIT,
                    _parameter("cursor", "query", _TEXT | {"description": "`nextCursor` of another page"}),
                ],
                user=True,
            ),
            "post": _operation(
                "createUser",
                "Make a user; for operators",
                {"201": account | {"headers": account["headers"] | _headers(Location="The user's address")}},
                (*_USER, "invalid_request", "forbidden", "already_exists", "too_large"),
                body="NewUser",
                user=True,
            ),
        },
        "/api/users/{id}": {
            "parameters": [_parameter("id", "path", {"type": "string", "pattern": f"^{keys.USER_ID}$"})],
            "get": _operation(
                "readUser",
                "One user; for operators",
                {"200": account},
                (*_USER, "forbidden", "not_found"),
                user=True,
            ),
            "patch": _operation(
                "changeUser",
                "Rename, limit, suspend or sign out a user; for operators",
                {"200": account},
                (*_USER, "invalid_request", "forbidden", "not_found", "already_exists", "too_large"),
                body="UserChange",
                user=True,
            ),
        },
        "/api/me": {
            "get": _operation(
                "readMe",
                "The caller's quota and its use",
                {
                    "200": _json("The caller", schemas.data_of(_ref("User")), etag=True),
                    "304": _KNOWN,
                },
                (*_USER, "not_found", "rate_limited"),
                parameters=[_IF_NONE_MATCH],
                user=True,
            )
        },
        "/api/sweep": {
            "post": _operation(
                "sweep",
                "End uploads that are over, or walk through the whole bucket; for operators",
                {"200": _json("What was seen and done", schemas.data_of(_ref("Sweep")))},
                (*_USER, "invalid_request", "forbidden"),
                parameters=[
                    _parameter("dryRun", "query", {"type": "boolean", "default": False}),
                    _parameter("audit", "query", {"type": "boolean", "default": False}),
                    _parameter("cursor", "query", schemas.AUDIT_CURSOR | {"description": "Of an audit"}),
                ],
                user=True,
            )
        },
        "/cdn/{key}": {
            "parameters": [
                _parameter("key", "path", _key(schemas.OBJECT_KEY) | {"description": "With its slashes"})
            ],
            "get": _operation(
                "readObject",
                "A rendition, whole or in part",
                {
                    "200": _picture("The rendition"),
                    "206": _picture("The part asked for", **{"Content-Range": "Which part it is"}),
                    "304": _KNOWN,
                },
                ("forbidden", "not_found", "precondition_failed", "range_not_satisfiable", "rate_limited"),
                parameters=[
                    _IF_NONE_MATCH,
                    _IF_MATCH,
                    _condition("Range", "One part of the file, as `bytes=0-1023`"),
                    _condition("If-Range", "The ETag for which the part is wanted; else all is sent"),
                ],
            ),
        },
        "/healthz": {
            "get": _operation(
                "readHealth",
                "Whether the gallery and its renderers answer; `renderers` of a 503 says which does not",
                {"200": _json("They do", _ref("Health"))},
                ("rate_limited",),
            )
        },
        "/openapi.json": {
            "get": _operation(
                "readOpenapi",
                "This document",
                {
                    "200": _json("OpenAPI 3.1", {"type": "object"}, etag=True),
                    "304": _KNOWN,
                },
                ("rate_limited",),
                parameters=[_IF_NONE_MATCH],
            )
        },
    }


def _operation(
    name: str,
    summary: str,
    answers: dict[str, Any],
    codes: tuple[str, ...],
    *,
    body: str | None = None,
    parameters: list[Schema] | None = None,
    user: bool | None = False,
) -> dict[str, Any]:
    """`user` says whether a token is needed; None: it may be sent and then must be valid."""
    security: list[dict[str, list[str]]] = [{"bearer": []}] if user else []
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": [{}, {"bearer": []}] if user is None else security,
        "responses": answers | _errors(codes),
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(body)}},
        }
    return operation


def _errors(codes: tuple[str, ...]) -> dict[str, Any]:
    """The errors of an operation by status, the method's own and those that can meet any request."""
    statuses = schemas.error_codes()
    named: dict[int, list[str]] = {}
    for code in (*codes, *_ANYWHERE, "method_not_allowed"):
        named.setdefault(statuses[code], []).append(code)
    return {str(status): _error(named[status]) for status in sorted(named)}


def _error(codes: list[str]) -> Schema:
    error = {"allOf": [_ref("Error"), {"properties": {"code": {"enum": codes}}}]}
    answer = _json(", ".join(codes), error)
    for name, (description, senders) in _ERROR_HEADERS.items():
        if set(codes) & set(senders):
            answer["headers"] |= {name: _header(description, required=set(codes) <= set(senders))}
    return answer


def _filters() -> list[Schema]:
    text = _TEXT
    return [
        _parameter("username", "query", text),
        _parameter("category", "query", text | {"examples": list(Category)}),
        _parameter("tag", "query", text),
        _parameter("q", "query", text | {"description": "Words of title, tags, description or username"}),
        _parameter("featured", "query", {"type": "boolean"}),
        _LIMIT,
        _parameter("cursor", "query", _key(f"^{fields.CURSOR}$")),
    ]


def _answer(description: str, schema: Schema, *, etag: bool = False) -> Schema:
    return _json(description, schemas.data_of(schema), etag=etag)


def _json(description: str, schema: Schema, *, etag: bool = False) -> Schema:
    headers = {"X-Request-Id": _header("Names the request in the logs", required=True)}
    if etag:
        headers["ETag"] = _header("For If-None-Match and, of one artwork, If-Match", required=True)
    return {
        "description": description,
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    }


def _picture(description: str, **headers: str) -> Schema:
    return {
        "description": description,
        "headers": {
            "ETag": _header("For If-None-Match and If-Range", required=True),
            "Accept-Ranges": _header("`bytes`", required=True),
            **_headers(**headers),
        },
        "content": {kind: {} for kind in (*formats.ACCEPTED_TYPES, "application/octet-stream")},
    }


def _empty(description: str) -> Schema:
    return {"description": description}


def _headers(**described: str) -> dict[str, Schema]:
    return {name: _header(description) for name, description in described.items()}


def _header(description: str, *, required: bool = False) -> Schema:
    return {"description": description, "required": required, "schema": {"type": "string"}}


def _parameter(name: str, place: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


def _condition(name: str, description: str) -> Schema:
    return _parameter(name, "header", {"type": "string"}) | {"description": description}


def _key(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Schema = {"type": "string", "maxLength": fields.LONGEST_FILTER}
_LIMIT = _parameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": fields.MOST, "default": fields.DEFAULT_LIMIT},
)
_KNOWN = _empty("Nothing has changed")
_IF_NONE_MATCH = _condition("If-None-Match", "ETags of what is known already: 304 if one is still right")
_IF_MATCH = _condition("If-Match", "The ETag that must still be right")
