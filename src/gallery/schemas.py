"""The schemas of the OpenAPI document, with the limits that the fields are checked against."""

from __future__ import annotations

from typing import Any

from gallery import errors, fields, keys
from gallery.artwork import Category, Variant

Schema = dict[str, Any]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ARTWORK_ID = "^art_[0-9a-f]{32}$"
ORIGINAL_KEY = rf"^originals/[A-Za-z0-9_-]{{1,64}}/{_UUID}\.({'|'.join(keys.EXTENSIONS.values())})$"
OBJECT_KEY = rf"^(display|thumbnails|icons)/[A-Za-z0-9_-]{{1,64}}/{_UUID}(\.v[1-9][0-9]{{0,8}})?\.jpg$"
_TIME = {"type": "string", "format": "date-time", "description": "ISO 8601, UTC"}
_HIDDEN = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069"
_BREAKS = "\\t\\n\\r\\u2028\\u2029"


def _object(required: tuple[str, ...] | None = None, /, **properties: Schema) -> Schema:
    """An object; all its properties are required unless some are named."""
    needed = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties} | ({"required": needed} if needed else {})


def _text(longest: int, *, lines: bool = False, needed: bool = False) -> Schema:
    """A text without characters that cannot be printed, as `fields` reads it."""
    hidden = _HIDDEN if lines else _HIDDEN + _BREAKS
    pattern = f"^[^{hidden}]*[^\\s{hidden}][^{hidden}]*$" if needed else f"^[^{hidden}]*$"
    return {"type": "string", "maxLength": longest, "pattern": pattern} | ({"minLength": 1} if needed else {})


def _nullable(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def data_of(schema: Schema) -> Schema:
    return _object(data=schema)


_COUNT: Schema = {"type": "integer", "minimum": 0}
_SIDE: Schema = {"type": "integer", "minimum": 1}
_FLAG: Schema = {"type": "boolean"}
_ID: Schema = {"type": "string", "pattern": ARTWORK_ID}
_KEY: Schema = {"type": "string", "pattern": ORIGINAL_KEY}
_URL: Schema = {"type": "string", "format": "uri"}
_WORD: Schema = {"type": "string"}

_SAID: dict[str, Schema] = {
    "title": _text(fields.TITLE, needed=True),
    "description": _nullable(_text(fields.DESCRIPTION, lines=True)),
    "materials": _nullable(_text(fields.LINE)),
    "dimensions": _nullable(_text(fields.LINE)),
    "createdDate": {"type": ["string", "null"], "pattern": f"^({fields.DATE_PATTERN})?$"},
    "category": {"type": ["string", "null"], "enum": [*Category, None]},
    "tags": {"type": ["array", "null"], "maxItems": fields.TAGS, "items": _text(fields.TAG)},
}


def error_codes() -> dict[str, int]:
    """Every error code a client may meet, with its status."""
    found: dict[str, int] = {}
    classes: list[type[errors.GalleryError]] = [errors.GalleryError]
    while classes:
        kind = classes.pop()
        found[kind.code] = kind.status
        classes += kind.__subclasses__()
    return dict(sorted(found.items()))


def components() -> dict[str, Schema]:
    return {
        "Error": _object(
            error={"type": "string", "description": "A sentence a person can act on"},
            code={"type": "string", "enum": list(error_codes())},
            requestId=_WORD,
        ),
        "Health": _object(
            status={"const": "ok"}, renderers=_object(**{variant: {"const": "ok"} for variant in Variant})
        ),
        "TicketRequest": _object(
            ("filename", "contentType"),
            filename=_text(fields.FILENAME, needed=True),
            contentType={"type": "string", "enum": list(keys.ACCEPTED_TYPES)},
            size={"type": ["integer", "null"], "minimum": 1, "description": "Bytes; signed when given"},
        ),
        "Ticket": _object(
            uploadUrl=_URL,
            key=_KEY,
            method={"const": "PUT"},
            headers={
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "To be sent with the PUT exactly as they are",
            },
            expiresAt=_TIME,
            maxBytes=_SIDE,
        ),
        "NewArtwork": _object(("title", "originalKey"), originalKey=_KEY, **_SAID),
        "ArtworkChange": _object((), **_SAID, isFeatured=_FLAG) | {"minProperties": 1},
        "Artwork": _artwork(),
        "Page": _object(
            data={"type": "array", "items": _ref("Artwork")},
            nextCursor={"type": ["string", "null"]},
        ),
        "User": _object(
            id=_WORD, username=_WORD, artworkLimit=_COUNT, artworkCount=_COUNT, artworkRemaining=_COUNT
        ),
        "Readiness": _object(display=_FLAG, thumbnail=_FLAG, icon=_FLAG),
        "Sweep": _object(
            dryRun=_FLAG,
            objectsSeen=_COUNT,
            artworksSeen=_COUNT,
            objectsRemoved=_COUNT,
            removed={"type": "array", "items": _WORD},
            missing={
                "type": "array",
                "items": _object(artwork=_ID, keys={"type": "array", "items": _WORD}),
            },
            failed={"type": "array", "items": _WORD},
        ),
    }


def _artwork() -> Schema:
    text: Schema = {"type": ["string", "null"]}
    schema = _object(
        id=_ID,
        userId=_WORD,
        username=_WORD,
        slug=_WORD,
        title=_WORD,
        description=text,
        materials=text,
        dimensions=text,
        createdDate=text,
        category={"type": "string", "enum": list(Category)},
        tags={"type": "array", "items": _WORD},
        originalUrl=_URL,
        displayUrl=_URL,
        thumbnailUrl=_URL,
        iconUrl=_URL,
        width=_SIDE,
        height=_SIDE,
        originalWidth=_SIDE,
        originalHeight=_SIDE,
        dominantColor={"type": ["string", "null"], "pattern": "^#[0-9a-f]{6}$"},
        thumbHash={"type": ["string", "null"], "description": "Base64"},
        status={"const": "ready"},
        isFeatured=_FLAG,
        processedAt=_TIME,
        createdAt=_TIME,
        updatedAt=_TIME,
    )
    schema["properties"]["originalDownloadUrl"] = _URL | {
        "description": "For the owner only: a signed URL of the original, good for 10 to 15 minutes"
    }
    return schema
