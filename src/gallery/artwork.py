"""The artwork: what is recorded of it, and how a row of the table reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Variant(StrEnum):
    THUMBNAIL = "thumbnail"
    ICON = "icon"
    WATERMARK = "watermark"


class Category(StrEnum):
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
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Description:
    """What the artist says of an artwork."""

    title: str
    description: str | None = None
    materials: str | None = None
    dimensions: str | None = None
    created_date: str | None = None
    category: Category = Category.OTHER
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
    """One record; `version` counts its renditions, `revision` its changes."""

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
    original_key: str
    version: int
    width: int
    height: int
    original_width: int
    original_height: int
    dominant_color: str | None
    thumb_hash: str | None
    status: str
    revision: int
    processed_at: str
    created_at: str
    updated_at: str
    tags: tuple[str, ...]
    is_featured: bool


Row = Mapping[str, Any]


def artwork_of(row: Row) -> Artwork:
    values = json.loads(row["artwork"])
    tags, is_featured = values[-2:]
    values[-2:] = tuple(tags), bool(is_featured)
    return Artwork(*values)


def user_of(row: Row) -> User:
    return User(**{each.name: row[each.name] for each in fields(User)})
