"""The accepted formats: their names, content types, file extensions and first bytes."""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 16  # of a file, enough to tell the formats apart


@dataclass(frozen=True, slots=True)
class Format:
    """`aliases` are content types that some programs use for it.

    A file begins with one of the `signatures`.
    """

    name: str
    media_type: str
    extension: str
    aliases: tuple[str, ...]
    signatures: tuple[bytes, ...]


FORMATS = (
    Format("JPEG", "image/jpeg", "jpg", ("image/jpg", "image/pjpeg"), (b"\xff\xd8\xff",)),
    Format("PNG", "image/png", "png", ("image/x-png",), (b"\x89PNG\r\n\x1a\n",)),
    Format("WebP", "image/webp", "webp", ("image/x-webp",), (b"RIFF",)),
    Format("GIF", "image/gif", "gif", (), (b"GIF87a", b"GIF89a")),
    # Classic TIFF and BigTIFF, each in both byte orders.
    Format(
        "TIFF",
        "image/tiff",
        "tiff",
        ("image/tif", "image/x-tif", "image/x-tiff"),
        (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ),
)
ACCEPTED_TYPES = tuple(each.media_type for each in FORMATS)
EXTENSIONS = {each.media_type: each.extension for each in FORMATS}
ALIASES = {alias: each.media_type for each in FORMATS for alias in each.aliases}

_WEBP = slice(8, 12)  # RIFF is a container of many formats; this part of the header names its own


def media_type_of(content_type: str) -> str | None:
    """The accepted media type that a Content-Type means, None for any other. Parameters are ignored."""
    essence = content_type.partition(";")[0].strip().lower()
    meant = ALIASES.get(essence, essence)
    return meant if meant in EXTENSIONS else None


def detect_media_type(head: bytes) -> str | None:
    """The accepted media type that the first HEAD_BYTES of a file show, None for any other."""
    for each in FORMATS:
        if head.startswith(each.signatures):
            return None if each.name == "WebP" and head[_WEBP] != b"WEBP" else each.media_type
    return None
