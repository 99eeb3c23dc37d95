"""The artwork: what is recorded of it, and how a row of the table reads."""

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
    """What the artist says of an artwork."""

    title: str
    description: str | None = None
    materials: str | None = None
    dimensions: str | None = None
    created_date: str | None = None
    category: str = OTHER
    tags: tuple[str, ...] = ()


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class User:
    """An account. Tokens issued before `tokens_valid_after` (milliseconds since 1970) are refused.

    `issuer` and `subject` say who it is to an identity provider, where it has one.
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
        return max(0, self.artwork_limit - self.artwork_count)


@dataclass(frozen=True, slots=True)
class Artwork:
    """One record; `version` counts its renditions, `revision` its changes.

    What another program recorded has URLs as stored, and no key, sizes or colours. `original_etag` is that
    of the original that was rendered, None where it was not noted. Times are ISO 8601.
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
    original_key: str | None
    original_url: str | None
    display_url: str | None
    thumbnail_url: str | None
    icon_url: str | None
    version: int
    width: int | None
    height: int | None
    original_width: int | None
    original_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    original_etag: str | None
    status: str
    revision: int
    processed_at: str | None
    created_at: str
    updated_at: str
    tags: tuple[str, ...]
    is_featured: bool


def original_of(artwork: Artwork) -> OriginalKey | None:
    """The key of its original; None where another program recorded the artwork without one of ours."""
    return parse_original(artwork.original_key or "")
