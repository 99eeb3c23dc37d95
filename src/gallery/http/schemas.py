"""The schemas of the OpenAPI document, with the limits that the fields are checked against."""

from __future__ import annotations

from typing import Any

from gallery import errors, formats, keys, names, settings, variants
from gallery.artwork import ACTIVE, OTHER, Artwork, Category, User, UserStatus, original_of
from gallery.http import fields
from gallery.keys import urls_of
from gallery.times import iso
from gallery.variants import Variant

Schema = dict[str, Any]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ORIGINAL_KEY = rf"^originals/[A-Za-z0-9_-]{{1,64}}/{_UUID}\.({'|'.join(formats.EXTENSIONS.values())})$"
OBJECT_KEY = rf"^(display|thumbnails|icons)/[A-Za-z0-9_-]{{1,64}}/{_UUID}(\.v[1-9][0-9]{{0,8}})?\.jpg$"
_PLACES = "|".join((keys.ORIGINALS, *variants.FOLDERS.values(), "artworks/"))
AUDIT_CURSOR = {"type": "string", "pattern": f"^({_PLACES})", "maxLength": 1024}
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
_ID: Schema = {"type": "string", "minLength": 1}
_KEY: Schema = {"type": "string", "pattern": ORIGINAL_KEY}
_URL: Schema = {"type": "string", "format": "uri"}
# What another program recorded is answered as it stands there.
_STORED_URL: Schema = {"type": ["string", "null"]}
_WORD: Schema = {"type": "string"}

_SAID: dict[str, Schema] = {
    "title": _text(fields.TITLE, needed=True),
    "description": _nullable(_text(fields.DESCRIPTION, lines=True)),
    "materials": _nullable(_text(fields.LINE)),
    "dimensions": _nullable(_text(fields.LINE)),
    "createdDate": _nullable(_text(fields.DATE)) | {"examples": ["2024", "2024-05-31", "about 1890"]},
    "category": _nullable(_text(fields.CATEGORY))
    | {"examples": list(Category), "description": f"Any text; `{OTHER}` when there is none"},
    "tags": {"type": ["array", "null"], "maxItems": fields.TAGS, "items": _text(fields.TAG)},
}


# What operators say of a user.
_ACCOUNT: dict[str, Schema] = {
    "username": {
        "type": "string",
        "minLength": 1,
        "maxLength": names.USERNAME_LENGTH,
        "description": f"{names.USERNAME_RULE[0].upper()}{names.USERNAME_RULE[1:]}; kept in NFC",
    },
    "artworkLimit": {"type": "integer", "minimum": 0, "maximum": settings.MOST_ARTWORKS},
    "subject": _nullable(_text(fields.SUBJECT)) | {"description": "Who it is to the identity provider"},
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
            ("error", "code", "requestId"),
            error={"type": "string", "description": "What happened, in a sentence"},
            code={"type": "string", "enum": list(error_codes())},
            requestId=_WORD,
            detail={"type": "string", "description": "What can be done about it"},
        ),
        "Health": _object(
            status={"const": "ok"}, renderers=_object(**{variant: {"const": "ok"} for variant in Variant})
        ),
        "TicketRequest": _object(
            ("filename", "contentType"),
            filename=_text(fields.FILENAME, needed=True),
            contentType={
                "type": "string",
                "maxLength": 100,
                "pattern": f"^({'|'.join((*formats.ACCEPTED_TYPES, *formats.ALIASES))})( ?;[!-~]*)?$",
                "examples": list(formats.ACCEPTED_TYPES),
                "description": "One of the accepted types, whatever its case, also image/jpg, image/pjpeg,"
                " image/x-png, and with parameters. The PUT sends it as it was said here.",
            },
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
        "ArtworkChange": _object((), **_SAID, isFeatured=_FLAG | {"description": "The operators' choice"})
        | {"minProperties": 1},
        "Artwork": _artwork(),
        "Page": _object(
            data={"type": "array", "items": _ref("Artwork")},
            nextCursor={"type": ["string", "null"]},
        ),
        "NewUser": _object(
            ("username",), id={"type": ["string", "null"], "pattern": f"^({keys.USER_ID})?$"}, **_ACCOUNT
        ),
        "UserChange": _object(
            (),
            **_ACCOUNT,
            status={"type": "string", "enum": list(UserStatus)},
            revokeTokens={"const": True, "description": "Refuse every token issued until now"},
        )
        | {"minProperties": 1},
        "Account": _account(),
        "Accounts": _object(
            data={"type": "array", "items": _ref("Account")},
            nextCursor={"type": ["string", "null"]},
        ),
        "User": _object(
            id=_WORD, username=_WORD, artworkLimit=_COUNT, artworkCount=_COUNT, artworkRemaining=_COUNT
        ),
        "Readiness": _object(display=_FLAG, thumbnail=_FLAG, icon=_FLAG),
        "Sweep": _object(
            dryRun=_FLAG,
            uploadsSeen=_COUNT,
            objectsSeen=_COUNT,
            artworksSeen=_COUNT,
            objectsRemoved=_COUNT,
            removed={"type": "array", "items": _WORD},
            missing={
                "type": "array",
                "items": _object(artwork=_ID, keys={"type": "array", "items": _WORD}),
            },
            replaced={"type": "array", "items": _ID},
            renewed={"type": "array", "items": _ID},
            failed={"type": "array", "items": _WORD},
            nextCursor={"type": ["string", "null"], "description": "Where an audit goes on"},
        ),
    }


def _account() -> Schema:
    text: Schema = {"type": ["string", "null"]}
    return _object(
        id=_WORD,
        username=_WORD,
        artworkLimit=_COUNT,
        artworkCount=_COUNT,
        artworkRemaining=_COUNT,
        status={"type": "string", "enum": list(UserStatus)},
        tokensValidAfter=_nullable(_TIME) | {"description": "Tokens issued before it are refused"},
        issuer=text,
        subject=text,
        createdAt=_TIME,
    )


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
        category=_WORD,
        tags={"type": "array", "items": _WORD},
        displayUrl=_STORED_URL,
        thumbnailUrl=_STORED_URL,
        iconUrl=_STORED_URL,
        width=_nullable(_SIDE),
        height=_nullable(_SIDE),
        originalWidth=_nullable(_SIDE),
        originalHeight=_nullable(_SIDE),
        dominantColor={"type": ["string", "null"], "pattern": "^#[0-9a-f]{6}$"},
        thumbHash={"type": ["string", "null"], "description": "Base64"},
        status={"type": "string", "description": f"`{ACTIVE}` for everything public"},
        isFeatured=_FLAG,
        processedAt=_nullable(_TIME),
        createdAt=_TIME,
        updatedAt=_TIME,
    )
    schema["properties"]["originalUrl"] = _STORED_URL | {
        "description": "For the owner and operators; for everybody where originals are public"
    }
    schema["properties"]["originalDownloadUrl"] = _URL | {
        "description": "For the owner only: a signed URL of the original, good for 10 to 15 minutes; absent"
        " when the original is not the one that the artwork was made of"
    }
    schema["properties"]["originalReplaced"] = {
        "const": True,
        "description": "For the owner only, and only when another file is in the place of the original",
    }
    return schema


def _urls(artwork: Artwork, base: str) -> dict[str, str | None]:
    original = original_of(artwork)
    if original is not None:
        return {**urls_of(base, original, artwork.version)}
    return {
        "originalUrl": artwork.original_url,
        "displayUrl": artwork.display_url,
        "thumbnailUrl": artwork.thumbnail_url,
        "iconUrl": artwork.icon_url,
    }


def artwork_out(artwork: Artwork, base: str) -> dict[str, Any]:
    """One artwork with all that is recorded of it."""
    return {
        "id": artwork.id,
        "userId": artwork.user_id,
        "username": artwork.username,
        "slug": artwork.slug,
        "title": artwork.title,
        "description": artwork.description,
        "materials": artwork.materials,
        "dimensions": artwork.dimensions,
        "createdDate": artwork.created_date,
        "category": artwork.category,
        "tags": list(artwork.tags),
        **_urls(artwork, base),
        "width": artwork.width,
        "height": artwork.height,
        "originalWidth": artwork.original_width,
        "originalHeight": artwork.original_height,
        "dominantColor": artwork.dominant_color,
        "thumbHash": artwork.thumb_hash,
        "status": artwork.status,
        "isFeatured": artwork.is_featured,
        "processedAt": artwork.processed_at,
        "createdAt": artwork.created_at,
        "updatedAt": artwork.updated_at,
    }


def user_out(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "artworkLimit": user.artwork_limit,
        "artworkCount": user.artwork_count,
        "artworkRemaining": user.remaining,
    }


def account_out(user: User) -> dict[str, Any]:
    """One user as operators see it."""
    revoked = iso(user.tokens_valid_after / 1000) if user.tokens_valid_after else None
    return user_out(user) | {
        "status": user.status,
        "tokensValidAfter": revoked,
        "issuer": user.issuer,
        "subject": user.subject,
        "createdAt": user.created_at,
    }
