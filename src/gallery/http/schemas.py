"""JSON on the wire: the schemas of the OpenAPI document, and artworks and users in responses.

Names on the wire are those of Python in camelCase.
"""

from __future__ import annotations

from typing import Any

from gallery import audit, errors, keys, names, settings
from gallery.artwork import ACTIVE, OTHER, Artwork, Category, User, UserStatus
from gallery.formats import ACCEPTED_TYPES, ALIASES
from gallery.http import fields
from gallery.http.fields import camel
from gallery.keys import narrower_keys, public_urls
from gallery.times import iso
from gallery.variants import VARIANTS, Variant, VariantSpec

Schema = dict[str, Any]

ORIGINAL_KEY = rf"{keys.ORIGINALS}{keys.USER_PART}/{keys.UUID}\.({keys.EXTENSION})"


def _object_key(spec: VariantSpec) -> str:
    narrower = f"(-({'|'.join(map(str, spec.widths))}))?" if spec.widths else ""
    return rf"{spec.folder}{keys.USER_PART}/{keys.UUID}(\.v{keys.VERSION})?{narrower}\.jpg"


OBJECT_KEY = f"({'|'.join(map(_object_key, VARIANTS.values()))})"
AUDIT_CURSOR: Schema = {
    "type": "string",
    "pattern": f"^({'|'.join(audit.WALK)})",
    "maxLength": audit.LONGEST_CURSOR,
}
_TIME: Schema = {"type": "string", "format": "date-time", "description": "ISO 8601, UTC"}
# The characters that fields refuse, as patterns of JSON Schema write them.
_UNPRINTABLE = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069"
_BREAKS = "\\t\\n\\r\\u2028\\u2029"


def pattern(expression: str) -> Schema:
    """A text that matches the whole expression."""
    return {"type": "string", "pattern": f"^{expression}$"}


def data_of(schema: Schema) -> Schema:
    """An object with the member `data`."""
    return _object(data=schema)


def _object(required: tuple[str, ...] | None = None, /, **properties: Schema) -> Schema:
    """An object; all its properties are required unless some are named."""
    needed = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties} | ({"required": needed} if needed else {})


def _text(longest: int, *, lines: bool = False, needed: bool = False) -> Schema:
    """A text without unprintable characters, as `fields` reads it."""
    hidden = _UNPRINTABLE if lines else _UNPRINTABLE + _BREAKS
    expression = f"[^{hidden}]*[^\\s{hidden}][^{hidden}]*" if needed else f"[^{hidden}]*"
    return pattern(expression) | {"maxLength": longest} | ({"minLength": 1} if needed else {})


def _nullable(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _page_of(name: str) -> Schema:
    return _object(data=_array(_ref(name)), nextCursor=_nullable(_WORD))


_COUNT: Schema = {"type": "integer", "minimum": 0}
_SIDE: Schema = {"type": "integer", "minimum": 1}
_FLAG: Schema = {"type": "boolean"}
_ID: Schema = {"type": "string", "minLength": 1}
_KEY = pattern(ORIGINAL_KEY)
_URL: Schema = {"type": "string", "format": "uri"}
_WORD: Schema = {"type": "string"}
_NULLABLE_TEXT = _nullable(_WORD)

# What clients send of an artwork.
_DESCRIPTION: dict[str, Schema] = {
    "title": _text(fields.TITLE, needed=True),
    "description": _nullable(_text(fields.DESCRIPTION, lines=True)),
    "materials": _nullable(_text(fields.LINE)),
    "dimensions": _nullable(_text(fields.LINE)),
    "createdDate": _nullable(_text(fields.DATE)) | {"examples": ["2024", "2024-05-31", "about 1890"]},
    "category": _nullable(_text(fields.CATEGORY))
    | {"examples": list(Category), "description": f"Any text; `{OTHER}` when there is none"},
    "tags": {"type": ["array", "null"], "maxItems": fields.TAGS, "items": _text(fields.TAG)},
    "altText": _nullable(_text(fields.ALT_TEXT, lines=True))
    | {"description": "What the picture shows, for people who cannot see it"},
}
# What responses contain of an artwork, by field of Artwork. URLs of another program's artwork are as stored.
_ARTWORK: dict[str, Schema] = {
    "id": _ID,
    "user_id": _WORD,
    "username": _WORD,
    "slug": _WORD,
    "title": _WORD,
    "description": _NULLABLE_TEXT,
    "materials": _NULLABLE_TEXT,
    "dimensions": _NULLABLE_TEXT,
    "created_date": _NULLABLE_TEXT,
    "category": _WORD,
    "tags": _array(_WORD),
    "alt_text": _NULLABLE_TEXT,
    "original_url": _NULLABLE_TEXT
    | {"description": "For the owner and operators; for everybody where originals are public"},
    **{f"{spec.name}_url": _NULLABLE_TEXT | {"description": spec.title} for spec in VARIANTS.values()},
    "display": _array(_object(url=_WORD, width=_SIDE, height=_SIDE))
    | {"description": "The display version in ascending widths, the last one whole; can be empty"},
    "width": _nullable(_SIDE),
    "height": _nullable(_SIDE),
    "original_width": _nullable(_SIDE),
    "original_height": _nullable(_SIDE),
    "dominant_color": _NULLABLE_TEXT | {"pattern": "^#[0-9a-f]{6}$"},
    "thumb_hash": _NULLABLE_TEXT | {"description": "Base64"},
    "status": _WORD | {"description": f"`{ACTIVE}` for everything public"},
    "is_featured": _FLAG,
    "processed_at": _nullable(_TIME),
    "created_at": _TIME,
    "updated_at": _TIME,
}
_USER: dict[str, Schema] = {
    "id": _WORD,
    "username": _WORD,
    "artworkLimit": _COUNT,
    "artworkCount": _COUNT,
    "artworkRemaining": _COUNT,
}
# What operators send of a user.
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
_STATUS: Schema = {"type": "string", "enum": list(UserStatus)}


def artwork_out(artwork: Artwork, base: str) -> dict[str, Any]:
    """An artwork with all its fields; `base` is the URL of the domain that serves the renditions."""
    shown = {name: getattr(artwork, name) for name in _ARTWORK if name != "display"}
    if artwork.original is not None:
        shown |= public_urls(base, artwork.original, artwork.version)
    shown["display"] = _display_out(artwork, base, shown["display_url"])
    return {camel(name): shown[name] for name in _ARTWORK}


def _display_out(artwork: Artwork, base: str, url: str | None) -> list[dict[str, Any]]:
    found = []
    if artwork.original is not None:
        narrower = narrower_keys(Variant.WATERMARK, artwork.original, artwork.version)
        found = [
            {"url": f"{base}/{narrower[width]}", "width": width, "height": height}
            for width, height in artwork.display_sizes
            if width in narrower
        ]
    if url and artwork.width and artwork.height:
        found.append({"url": url, "width": artwork.width, "height": artwork.height})
    return found


def user_out(user: User) -> dict[str, Any]:
    """A user with the use of the quota."""
    return {
        "id": user.id,
        "username": user.username,
        "artworkLimit": user.artwork_limit,
        "artworkCount": user.artwork_count,
        "artworkRemaining": user.remaining,
    }


def account_out(user: User) -> dict[str, Any]:
    """A user as operators see it."""
    revoked = iso(user.tokens_valid_after / 1000) if user.tokens_valid_after else None
    return user_out(user) | {
        "status": user.status,
        "tokensValidAfter": revoked,
        "issuer": user.issuer,
        "subject": user.subject,
        "createdAt": user.created_at,
    }


def error_codes() -> dict[str, int]:
    """The status of every error code that a client may meet."""
    found: dict[str, int] = {}
    classes: list[type[errors.GalleryError]] = [errors.GalleryError]
    while classes:
        kind = classes.pop()
        found[kind.code] = kind.status
        classes += kind.__subclasses__()
    return dict(sorted(found.items()))


def components() -> dict[str, Schema]:
    """The schemas that the document refers to, by name."""
    return {
        "Error": _object(
            ("error", "code", "requestId"),
            error=_WORD | {"description": "What happened, in a sentence"},
            code=_WORD | {"enum": list(error_codes())},
            requestId=_WORD,
            detail=_WORD | {"description": "What can be done about it"},
        ),
        "Health": _object(
            status={"const": "ok"}, renderers=_object(**{variant: {"const": "ok"} for variant in VARIANTS})
        ),
        "TicketRequest": _object(
            ("filename", "contentType"),
            filename=_text(fields.FILENAME, needed=True),
            contentType=pattern(f"({'|'.join((*ACCEPTED_TYPES, *ALIASES))})( ?;[!-~]*)?")
            | {
                "maxLength": fields.CONTENT_TYPE,
                "examples": list(ACCEPTED_TYPES),
                "description": f"One of the accepted types, whatever its case, or {', '.join(ALIASES)};"
                " with parameters or without. The PUT sends it exactly as it is here.",
            },
            size=_nullable(_SIDE) | {"description": "Bytes; signed when given"},
        ),
        "Ticket": _object(
            uploadUrl=_URL,
            key=_KEY,
            method={"const": "PUT"},
            headers={
                "type": "object",
                "additionalProperties": _WORD,
                "description": "To be sent with the PUT exactly as they are",
            },
            expiresAt=_TIME,
            maxBytes=_SIDE,
        ),
        "NewArtwork": _object(("title", "originalKey"), originalKey=_KEY, **_DESCRIPTION),
        "ArtworkChange": _object(
            (), **_DESCRIPTION, isFeatured=_FLAG | {"description": "The operators' choice"}
        )
        | {"minProperties": 1},
        "Artwork": _artwork(),
        "Page": _page_of("Artwork"),
        "NewUser": _object(
            ("username",), id=_NULLABLE_TEXT | {"pattern": f"^({keys.USER_ID})?$"}, **_ACCOUNT
        ),
        "UserChange": _object(
            (),
            **_ACCOUNT,
            status=_STATUS,
            revokeTokens={"const": True, "description": "Refuse every token issued until now"},
        )
        | {"minProperties": 1},
        "Account": _object(
            **_USER,
            status=_STATUS,
            tokensValidAfter=_nullable(_TIME) | {"description": "Tokens issued before it are refused"},
            issuer=_NULLABLE_TEXT,
            subject=_NULLABLE_TEXT,
            createdAt=_TIME,
        ),
        "Accounts": _page_of("Account"),
        "User": _object(**_USER),
        "Readiness": _object(**{spec.name: _FLAG for spec in VARIANTS.values()}),
        "Sweep": _object(
            dryRun=_FLAG,
            uploadsSeen=_COUNT,
            objectsSeen=_COUNT,
            artworksSeen=_COUNT,
            objectsRemoved=_COUNT,
            removed=_array(_WORD),
            missing=_array(_object(artwork=_ID, keys=_array(_WORD))),
            replaced=_array(_ID),
            renewed=_array(_ID),
            failed=_array(_WORD),
            nextCursor=_NULLABLE_TEXT | {"description": "Where an audit goes on"},
        ),
    }


def _artwork() -> Schema:
    always = {camel(name): schema for name, schema in _ARTWORK.items()}
    for_owners: dict[str, Schema] = {
        "originalDownloadUrl": _URL
        | {
            "description": "For the owner only: a signed URL of the original, good for 10 to 15 minutes;"
            " absent when the original is not the one that the artwork was made of"
        },
        "originalReplaced": {
            "const": True,
            "description": "For the owner only, and only when another file is in the place of the original",
        },
    }
    required = tuple(name for name in always if name != "originalUrl")
    return _object(required, **always, **for_owners)
