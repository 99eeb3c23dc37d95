"""Object keys: the grammar of what the bucket holds. The server makes every key."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gallery.formats import EXTENSIONS
from gallery.variants import FOLDERS, Variant

# Of the renditions of every create, whichever try makes them: who knows the original's key knows theirs.
FIRST_VERSION = 1
ORIGINALS = "originals/"

USER_ID = r"[^\s/\x00-\x1f\x7f]{1,255}"
USER = r"[A-Za-z0-9_-]{1,64}"  # the part of a key that says whose it is
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ORIGINAL = re.compile(rf"originals/({USER})/({_UUID})\.({'|'.join(EXTENSIONS.values())})")
_RENDITION = re.compile(rf"(display|thumbnails|icons)/({USER})/({_UUID})(?:\.v([1-9][0-9]{{0,8}}))?\.jpg")
_IS_USER = re.compile(USER)
_IS_USER_ID = re.compile(USER_ID)


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
    """`<folder>/<userId>/<uuid>.jpg`, from the second version on `<uuid>.v<N>.jpg`."""

    variant: Variant
    user_id: str
    uuid: str
    version: int

    def __str__(self) -> str:
        return f"{FOLDERS[self.variant]}{self.user_id}/{self.uuid}{_mark(self.version)}.jpg"

    def possible_originals(self) -> list[str]:
        """The keys its original may have; the rendition's own key does not tell the extension."""
        return [str(OriginalKey(self.user_id, self.uuid, ext)) for ext in EXTENSIONS.values()]


def is_user_id(text: str) -> bool:
    """Whether a text can be the id of a user, who may be another program's."""
    return _IS_USER_ID.fullmatch(text) is not None


def user_part(user_id: str) -> str:
    """How keys name a user: by the id or, where no key can hold it, by its SHA-256."""
    if _IS_USER.fullmatch(user_id):
        return user_id
    return f"id-{hashlib.sha256(user_id.encode()).hexdigest()[:48]}"


def parse_original(key: str) -> OriginalKey | None:
    match = _ORIGINAL.fullmatch(key)
    return OriginalKey(*match.groups()) if match else None


def parse_rendition(key: str) -> RenditionKey | None:
    match = _RENDITION.fullmatch(key)
    if match is None or match[4] == "1":
        return None
    variant = next(v for v, folder in FOLDERS.items() if folder == f"{match[1]}/")
    return RenditionKey(variant, match[2], match[3], int(match[4] or 1))


def rendition_keys(original: OriginalKey, version: int) -> dict[Variant, str]:
    """Where the three renditions of one version of an original are kept."""
    tail = f"{original.user_id}/{original.uuid}{_mark(version)}.jpg"
    return {variant: folder + tail for variant, folder in FOLDERS.items()}


def _mark(version: int) -> str:
    return "" if version == 1 else f".v{version}"


def urls_of(base: str, original: OriginalKey, version: int) -> dict[str, str]:
    """The four public URLs of an artwork; `base` is the domain of the renditions."""
    keys = rendition_keys(original, version)
    return {
        "originalUrl": f"{base}/{original}",
        "displayUrl": f"{base}/{keys[Variant.WATERMARK]}",
        "thumbnailUrl": f"{base}/{keys[Variant.THUMBNAIL]}",
        "iconUrl": f"{base}/{keys[Variant.ICON]}",
    }
