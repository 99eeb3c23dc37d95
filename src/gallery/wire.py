"""The names on the wire: what clients read of an artwork, a user, an upload ticket."""

from __future__ import annotations

from typing import Any

from gallery.artwork import Artwork, User, Variant
from gallery.keys import OriginalKey, parse_original, rendition_keys
from gallery.times import iso


def urls_of(base: str, original: OriginalKey, version: int) -> dict[str, str]:
    """The four public URLs of an artwork; `base` is the domain of the renditions."""
    keys = rendition_keys(original, version)
    return {
        "originalUrl": f"{base}/{original}",
        "displayUrl": f"{base}/{keys[Variant.WATERMARK]}",
        "thumbnailUrl": f"{base}/{keys[Variant.THUMBNAIL]}",
        "iconUrl": f"{base}/{keys[Variant.ICON]}",
    }


def original_of(artwork: Artwork) -> OriginalKey | None:
    """The key of its original; None where another program recorded the artwork without one of ours."""
    return parse_original(artwork.original_key or "")


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
