"""The artwork: what is recorded of it, and how a row of the table reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gallery.times import iso, iso_of

ACTIVE = "active"
OTHER = "other"


class Variant(StrEnum):
    THUMBNAIL = "thumbnail"
    ICON = "icon"
    WATERMARK = "watermark"


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


@dataclass(frozen=True, slots=True)
class User:
    id: str
    username: str
    artwork_limit: int
    artwork_count: int

    @property
    def remaining(self) -> int:
        return max(0, self.artwork_limit - self.artwork_count)


@dataclass(frozen=True, slots=True)
class Artwork:
    """One record; `version` counts its renditions, `revision` its changes.

    `original_etag` is that of the original they were made of, None where it was not noted.

    What another program recorded has URLs as stored, and no key, sizes or colours. Times are ISO 8601.
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


Row = Mapping[str, Any]


def artwork_of(row: Row) -> Artwork:
    *values, processed, created_ms, updated, tags, is_featured = json.loads(row["artwork"])
    created = iso(created_ms / 1000)
    read: list[Any] = [
        iso_of(processed),
        created,
        iso_of(updated) or created,
        tags_of(tags),
        bool(is_featured),
    ]
    return Artwork(*values, *read)


def tags_of(text: str | None) -> tuple[str, ...]:
    """Recorded tags: a JSON array, or what another program writes: texts between commas."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    parts = found if isinstance(found, list) else str(text).split(",")
    return tuple(tag for part in parts if (tag := str(part).strip()))


def text_of_tags(tags: tuple[str, ...]) -> str | None:
    """Tags as they are recorded; None when there are none."""
    return json.dumps(tags, ensure_ascii=False) if tags else None


def user_of(row: Row) -> User:
    return User(str(row["id"]), row["username"], row["artwork_limit"], row["artwork_count"])
