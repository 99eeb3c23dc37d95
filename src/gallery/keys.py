"""Object keys: the grammar of what the bucket holds. The server makes every key."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gallery.formats import FORMATS
from gallery.variants import FOLDERS, VARIANTS, Variant

# Version of the renditions that a create makes, whichever of its attempts: their keys follow from the
# original's.
FIRST_VERSION = 1
ORIGINALS = "originals/"

# The grammar, also for the patterns of the OpenAPI document.
USER_ID = r"[^\s/\x00-\x1f\x7f]{1,255}"
USER_PART = r"[A-Za-z0-9_-]{1,64}"  # the part of a key that names the user
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EXTENSION = "|".join(each.extension for each in FORMATS)
FOLDER = "|".join(folder.removesuffix("/") for folder in FOLDERS.values())
VERSION = r"[1-9][0-9]{0,8}"

_ORIGINAL = re.compile(rf"{ORIGINALS}({USER_PART})/({UUID})\.({EXTENSION})")
_NARROWER = r"(?:-([1-9][0-9]{0,5}))?"
_RENDITION = re.compile(rf"({FOLDER})/({USER_PART})/({UUID})(?:\.v({VERSION}))?{_NARROWER}\.jpg")
_USER_PART = re.compile(USER_PART)
_USER_ID = re.compile(USER_ID)


@dataclass(frozen=True, slots=True)
class OriginalKey:
    """`originals/<userId>/<uuid>.<ext>`."""

    user_id: str
    uuid: str
    extension: str

    def __str__(self) -> str:
        return f"{ORIGINALS}{self.user_id}/{self.uuid}.{self.extension}"


@dataclass(frozen=True, slots=True)
class RenditionKey:
    """`<folder>/<userId>/<uuid>.jpg`, from the second version on `<uuid>.v<N>.jpg`.

    A narrower one has its width in pixels before the extension: `<uuid>-640.jpg`.
    """

    variant: Variant
    user_id: str
    uuid: str
    version: int
    width: int | None = None

    def __str__(self) -> str:
        suffix = "" if self.version == FIRST_VERSION else f".v{self.version}"
        suffix += "" if self.width is None else f"-{self.width}"
        return f"{FOLDERS[self.variant]}{self.user_id}/{self.uuid}{suffix}.jpg"

    def possible_originals(self) -> list[str]:
        """The keys its original may have: a rendition's key does not tell the original's extension."""
        return [str(OriginalKey(self.user_id, self.uuid, each.extension)) for each in FORMATS]


def is_user_id(text: str) -> bool:
    """Whether a text can be a user's id. Ids may come from other programs and hold almost anything."""
    return _USER_ID.fullmatch(text) is not None


def user_part(user_id: str) -> str:
    """How keys name a user: by the id, or by its SHA-256 where a key cannot hold the id."""
    if _USER_PART.fullmatch(user_id):
        return user_id
    return f"id-{hashlib.sha256(user_id.encode()).hexdigest()[:48]}"


def parse_original(key: str) -> OriginalKey | None:
    """The parts of an original's key, None for any other text."""
    match = _ORIGINAL.fullmatch(key)
    return OriginalKey(*match.groups()) if match else None


def parse_rendition(key: str) -> RenditionKey | None:
    """The parts of a rendition's key, None for any other text."""
    match = _RENDITION.fullmatch(key)
    if match is None or match[4] == str(FIRST_VERSION):
        return None
    variant = next(each for each, folder in FOLDERS.items() if folder == f"{match[1]}/")
    width = int(match[5]) if match[5] else None
    if width is not None and width not in VARIANTS[variant].widths:
        return None
    return RenditionKey(variant, match[2], match[3], int(match[4] or FIRST_VERSION), width)


def rendition_keys(original: OriginalKey, version: int) -> dict[Variant, str]:
    """The keys of one version's renditions, without the narrower ones."""
    return {each: str(RenditionKey(each, original.user_id, original.uuid, version)) for each in Variant}


def narrower_keys(variant: Variant, original: OriginalKey, version: int) -> dict[int, str]:
    """The keys that a variant's narrower renditions have, by width in pixels, ascending."""
    part = (variant, original.user_id, original.uuid, version)
    return {width: str(RenditionKey(*part, width)) for width in VARIANTS[variant].widths}


def all_keys(original: OriginalKey, version: int) -> list[str]:
    """Every key that one version's renditions may have; narrower ones need not exist."""
    narrower = [key for each in Variant for key in narrower_keys(each, original, version).values()]
    return [*rendition_keys(original, version).values(), *narrower]


def public_urls(base: str, original: OriginalKey, version: int) -> dict[str, str]:
    """The public URLs of an artwork by column: `original_url`, `display_url` and so on.

    `base` is the URL of the domain that serves the renditions.
    """
    keys = rendition_keys(original, version)
    renditions = {f"{VARIANTS[variant].name}_url": f"{base}/{key}" for variant, key in keys.items()}
    return {"original_url": f"{base}/{original}"} | renditions
