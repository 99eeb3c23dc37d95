"""Artworks and users: what is recorded of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gallery.keys import OriginalKey, parse_original

ACTIVE = "active"
OTHER = "other"


class Category(StrEnum):
    """Suggestions; a category may be any text."""

    PAINTING = "painting"
    DRAWING = "drawing"
    PHOTOGRAPHY = "photography"
    SCULPTURE = "sculpture"
    DIGITAL = "digital"
    PRINTMAKING = "printmaking"
    ILLUSTRATION = "illustration"
    MIXED_MEDIA = "mixed_media"
    TEXTILE = "textile"
    CERAMICS = "ceramics"
    OTHER = OTHER


@dataclass(frozen=True, slots=True)
class Description:
    """The columns of an artwork that its owner writes."""

    title: str
    description: str | None = None
    materials: str | None = None
    dimensions: str | None = None
    created_date: str | None = None
    category: str = OTHER
    tags: tuple[str, ...] = ()
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The columns of an artwork that rendering its original writes.

    `version` is part of the renditions' keys. `width` and `height` are the display version's, in pixels, None
    where neither the renderer nor R2 tells them. `display_sizes` are the widths and heights of the narrower
    display renditions, in ascending order. `original_etag` is that of the original that was rendered.
    """

    version: int
    original_etag: str
    original_url: str
    display_url: str
    thumbnail_url: str
    icon_url: str
    width: int | None
    height: int | None
    original_width: int | None
    original_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    processed_at: str
    display_sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Artwork:
    """One record. `revision` counts its changes. Times are ISO 8601.

    An artwork that another program recorded has URLs as stored, and no key, sizes or colors of ours.
    """

    id: str
    user_id: str
    username: str
    slug: str
    title: str
    description: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | None
    category: str
    tags: tuple[str, ...]
    alt_text: str | None
    original_key: str | None
    original_etag: str | None
    original_url: str | None
    display_url: str | None
    thumbnail_url: str | None
    icon_url: str | None
    version: int
    width: int | None
    height: int | None
    display_sizes: tuple[tuple[int, int], ...]
    original_width: int | None
    original_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    status: str
    is_featured: bool
    revision: int
    processed_at: str | None
    created_at: str
    updated_at: str

    @property
    def original(self) -> OriginalKey | None:
        """The key of its original, None for an artwork that another program recorded without one of ours."""
        return parse_original(self.original_key or "")


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class User:
    """A user's account. Tokens issued before `tokens_valid_after` (milliseconds since 1970) are refused.

    `issuer` and `subject` identify the user at an identity provider, where there is one.
    """

    id: str
    username: str
    artwork_limit: int
    artwork_count: int
    status: str
    tokens_valid_after: int
    issuer: str | None
    subject: str | None
    created_at: str

    @property
    def is_suspended(self) -> bool:
        return self.status != UserStatus.ACTIVE

    @property
    def remaining(self) -> int:
        """How many more artworks the user may create."""
        return max(0, self.artwork_limit - self.artwork_count)
