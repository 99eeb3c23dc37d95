"""Reading the gallery: lists with filters and cursors, single artworks, quotas, readiness."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize
from urllib.parse import parse_qsl

from gallery import pipeline, sql
from gallery.artwork import Artwork, User, Variant, artwork_of, user_of
from gallery.errors import InvalidRequest, NotFound, StorageError, UserNotFound
from gallery.keys import FIRST_VERSION, OriginalKey, rendition_keys
from gallery.ports import Platform
from gallery.records import first, only, transact
from gallery.store import uploads

DEFAULT_LIMIT = 24
MOST = 100
LONGEST_FILTER = 100
LONGEST_WAIT = 25
MOST_LETTERS = 24  # as deep as every SQLite can nest what is done for each
CURSOR = r"(-?[0-9]{1,15})-(.{1,255})"  # milliseconds since 1970, id

_CURSOR = re.compile(CURSOR, re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,2}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which artworks are asked for: the filters' values by the names SQL knows, and how many."""

    filters: Mapping[str, Any]
    before: tuple[int, str] | None
    limit: int


def wish_of(query: str) -> Wish:
    """The wish of a query string. Raises InvalidRequest, naming the parameter."""
    given = _parameters(query)
    texts = {
        name: normalize("NFC", given[name])
        for name in ("username", "category", "tag", "q")
        if given.get(name)
    }
    if any(len(value) > LONGEST_FILTER for value in texts.values()):
        raise InvalidRequest(f"A filter may have at most {LONGEST_FILTER} characters.")
    filters: dict[str, Any] = texts | ({"q": texts["q"].lower()} if "q" in texts else {})
    if "featured" in given:
        if given["featured"] not in ("true", "false"):
            raise InvalidRequest('"featured" must be true or false.')
        filters["featured"] = int(given["featured"] == "true")
    return Wish(filters, _cursor_of(given.get("cursor")), _limit_of(given.get("limit")))


async def list_artworks(platform: Platform, wish: Wish) -> tuple[list[Artwork], str | None]:
    """The newest artworks that pass the filters, and the cursor of the next page."""
    names = tuple(name for name in sql.FILTERS if name in wish.filters)
    letters = _letters_of(wish.filters.get("q", ""))
    values: list[Any] = []
    for name in names:
        values += [*letters, wish.filters[name]] if name == "q" else [wish.filters[name]]
    if wish.before is not None:
        names, values = (*names, "before"), [*values, *wish.before]
    query = sql.listing(names, len(letters) // 2)
    rows = (await transact(platform, (query, (*values, wish.limit + 1))))[0]
    page = [artwork_of(row) for row in rows[: wish.limit]]
    return page, _cursor_after(page[-1]) if len(rows) > wish.limit else None


def _letters_of(text: str) -> list[str]:
    """Capital and small form, in turn, of each letter of a text that has both and is not of ASCII."""
    found = [c for c in dict.fromkeys(text) if not c.isascii() and c.upper() != c and len(c.upper()) == 1]
    return [form for letter in found[:MOST_LETTERS] for form in (letter.upper(), letter)]


async def artwork_by_slug(platform: Platform, username: str, slug: str) -> Artwork:
    row = await only(platform, (sql.ARTWORK_BY_SLUG, (username, slug)))
    if row is None:
        raise NotFound("There is no such artwork.")
    return artwork_of(row)


async def user_by_id(platform: Platform, user_id: str) -> User:
    row = await only(platform, (sql.USER, (user_id,)))
    if row is None:
        raise UserNotFound
    return user_of(row)


async def awaited_readiness(platform: Platform, original: OriginalKey, seconds: int) -> dict[str, bool]:
    """The readiness once all three renditions can be fetched, or after `seconds` whatever it is."""
    began = platform.ticks()
    state: dict[str, bool] = {}

    async def is_done() -> bool:
        state.update(await readiness(platform, original))
        return all(state.values()) or platform.ticks() - began >= seconds

    await pipeline.wait_for_processing(is_done, platform.sleep, tries=seconds + 1)
    return state


async def readiness(platform: Platform, original: OriginalKey) -> dict[str, bool]:
    """Which renditions of an original can be fetched; the record knows best, then flags, then the bucket."""
    key = str(original)
    rows = await transact(platform, (sql.ARTWORK_OF_ORIGINAL, (key,)), uploads.find(key))
    artwork, upload = first(rows[0]), first(rows[1])
    if artwork is not None:
        return dict.fromkeys(_NAMES.values(), True)
    if upload is None or not upload["is_leased"] or upload["holder"] == uploads.REMOVED:
        # Nobody works on it; flags of a create that failed may be read for a while yet.
        return dict.fromkeys(_NAMES.values(), False)
    keys = rendition_keys(original, FIRST_VERSION)
    ready = await asyncio.gather(*(_is_ready(platform, keys[variant]) for variant in _NAMES))
    return dict(zip(_NAMES.values(), ready, strict=True))


_NAMES = {
    Variant.WATERMARK: "display",
    Variant.THUMBNAIL: "thumbnail",
    Variant.ICON: "icon",
}


async def _is_ready(platform: Platform, key: str) -> bool:
    if await pipeline.is_ready(platform.flags, key):
        return True
    try:
        return await platform.objects.head(key) is not None
    except StorageError:
        return False


def parameter(query: str, name: str) -> str | None:
    return _parameters(query).get(name)


def flag(query: str, name: str) -> bool:
    """A parameter that is true or false, false when it is absent. Raises InvalidRequest."""
    value = _parameters(query).get(name, "false")
    if value not in ("true", "false"):
        raise InvalidRequest(f'"{name}" must be true or false.')
    return value == "true"


def seconds_of(query: str) -> int:
    """The parameter `wait` of a readiness, 0 when it is absent. Raises InvalidRequest."""
    text = _parameters(query).get("wait", "0")
    if not _SECONDS.fullmatch(text) or int(text) > LONGEST_WAIT:
        raise InvalidRequest(f'"wait" must be a whole number of seconds from 0 to {LONGEST_WAIT}.')
    return int(text)


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise InvalidRequest("The query is not UTF-8.") from error
    given = dict(pairs)
    if len(given) != len(pairs):
        raise InvalidRequest("The query names a parameter twice.")
    return given


def _limit_of(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > MOST:
        raise InvalidRequest(f'"limit" must be a number from 1 to {MOST}.')
    return int(text)


def _cursor_of(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidRequest('"cursor" must be the "nextCursor" of another page.')
    return int(found[1]), found[2]


def _cursor_after(artwork: Artwork) -> str:
    created = datetime.fromisoformat(artwork.created_at).astimezone(UTC)
    return f"{round(created.timestamp() * 1000)}-{artwork.id}"
