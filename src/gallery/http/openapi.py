"""The OpenAPI 3.1 document: how operations, their parameters and their responses are written in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gallery import __version__
from gallery.formats import ACCEPTED_TYPES
from gallery.http import schemas
from gallery.http.context import Context
from gallery.http.messages import Response
from gallery.http.schemas import Schema

Handler = Callable[[Context], Awaitable[Response]]

# Errors that any request may meet, and those of every request with a token.
_ANY = ("internal", "not_configured", "unavailable", "method_not_allowed")
USER = ("unauthorized", "suspended")
# Errors of rendering an original.
PICTURE = ("too_large", "unsupported_type", "unreadable_image", "processing_failed", "overloaded")
# Headers of errors, each with the codes that have it.
_ERROR_HEADERS = {
    "Retry-After": (
        "Seconds",
        ("conflict", "upload_limit_reached", "rate_limited", "overloaded", "unavailable"),
    ),
    "Allow": ("The methods this address answers to", ("method_not_allowed",)),
    "WWW-Authenticate": ("`Bearer`", ("unauthorized",)),
    "Content-Range": ("The file's size", ("range_not_satisfiable",)),
}


def document(origin: str, paths: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a gallery at this origin."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vfa-gallery",
            "version": __version__,
            "summary": "Artworks: originals with thumbnail, icon and watermarked display version.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": origin}],
        "paths": paths,
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


@dataclass(frozen=True, slots=True)
class Method:
    """What answers a method at an address, and its operation in the document."""

    handler: Handler
    operation: Mapping[str, Any] = field(default_factory=dict)


def operation(
    handler: Handler,
    name: str,
    summary: str,
    responses: dict[str, Any],
    errors: Iterable[str] = (),
    *,
    body: str | None = None,
    parameters: Iterable[Schema] = (),
    token: bool | None = False,
) -> Method:
    """A method with its operation: id, responses by status, codes of errors, schema of the body.

    `token` tells whether a bearer token is needed; None means that it is optional, but must be valid.
    """
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": [{}, {"bearer": []}] if token is None else [{"bearer": []}] if token else [],
        "responses": responses | _error_responses(errors),
    }
    if parameters:
        described["parameters"] = list(parameters)
    if body:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(body)}}}
    return Method(handler, described)


def _error_responses(codes: Iterable[str]) -> dict[str, Any]:
    statuses = schemas.error_codes()
    by_status: dict[int, list[str]] = {}
    for code in (*codes, *_ANY):
        by_status.setdefault(statuses[code], []).append(code)
    return {str(status): _error_response(by_status[status]) for status in sorted(by_status)}


def _error_response(codes: list[str]) -> Schema:
    schema = {"allOf": [ref("Error"), {"properties": {"code": {"enum": codes}}}]}
    response = json_of(", ".join(codes), schema)
    for name, (description, having) in _ERROR_HEADERS.items():
        if set(codes) & set(having):
            response["headers"] |= {name: _header(description, required=set(codes) <= set(having))}
    return response


def data_of(
    description: str, name: str, *, etag: bool = False, headers: Mapping[str, str] | None = None
) -> Schema:
    """A JSON response `{"data": …}` with a component's schema."""
    return json_of(description, schemas.data_of(ref(name)), etag=etag, headers=headers)


def json_of(
    description: str, schema: Schema, *, etag: bool = False, headers: Mapping[str, str] | None = None
) -> Schema:
    """A JSON response with its headers by name and description."""
    described = {"X-Request-Id": _header("Names the request in the logs", required=True)}
    if etag:
        described["ETag"] = _header("For If-None-Match and, of one artwork, If-Match", required=True)
    return {
        "description": description,
        "headers": described | _headers(headers or {}),
        "content": {"application/json": {"schema": schema}},
    }


def picture(description: str, headers: Mapping[str, str] | None = None) -> Schema:
    """A response with an object of the bucket."""
    return {
        "description": description,
        "headers": {
            "ETag": _header("For If-None-Match and If-Range", required=True),
            "Accept-Ranges": _header("`bytes`", required=True),
            **_headers(headers or {}),
        },
        "content": {kind: {} for kind in (*ACCEPTED_TYPES, "application/octet-stream")},
    }


def empty(description: str) -> Schema:
    """A response without a body."""
    return {"description": description}


def _headers(described: Mapping[str, str]) -> dict[str, Schema]:
    return {name: _header(description) for name, description in described.items()}


def _header(description: str, *, required: bool = False) -> Schema:
    return {"description": description, "required": required, "schema": {"type": "string"}}


def query(name: str, schema: Schema, *, required: bool = False) -> Schema:
    """A query parameter."""
    return {"name": name, "in": "query", "required": required, "schema": schema}


def path_parameter(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def request_header(name: str, description: str) -> Schema:
    """An optional header of a request."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": description,
    }


def ref(name: str) -> Schema:
    """A reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


NOT_MODIFIED = empty("Nothing has changed")
IF_NONE_MATCH = request_header("If-None-Match", "ETags of what is known already: 304 if one is still right")
IF_MATCH = request_header("If-Match", "The ETag that must still be right")
