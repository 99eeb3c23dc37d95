"""The accepted formats: their content types, file extensions and first bytes."""

from __future__ import annotations

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/tiff": "tiff",
}
ACCEPTED_TYPES = tuple(EXTENSIONS)
# Names that some programs give to the accepted types.
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-webp": "image/webp",
    "image/tif": "image/tiff",
    "image/x-tif": "image/tiff",
    "image/x-tiff": "image/tiff",
}


def media_type_of(content_type: str) -> str | None:
    """The accepted type that a Content-Type means, None for none: case and parameters do not matter."""
    essence = content_type.partition(";")[0].strip().lower()
    meant = ALIASES.get(essence, essence)
    return meant if meant in EXTENSIONS else None


HEAD_BYTES = 16


def type_of(head: bytes) -> str | None:
    """The content type the first bytes of a file show, None for none that is accepted."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "image/tiff"
    return None
