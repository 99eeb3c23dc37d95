"""Reading the gallery: lists with filters and cursors, single artworks, quotas, readiness."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from unicodedata import normalize
from urllib.parse import parse_qsl

from gallery import pipeline, search, sql
from gallery.artwork import Artwork, Row, Variant, artwork_of
from gallery.errors import InvalidRequest, NotFound, StorageError
from gallery.keys import FIRST_VERSION, OriginalKey, rendition_keys
from gallery.ports import Platform, Statement
from gallery.records import first, only, transact
from gallery.store import uploads

DEFAULT_LIMIT = 24
MOST = 100
MOST_PARAMETERS = 50
LONGEST_FILTER = 100
LONGEST_WAIT = 25
CURSOR = r"p[0-9]{1,16}"  # a position
# A search for several terms looks at everything when one of its first terms has at most so many matches, …
PROBES = 3
FEW = 300
# … and else at the artworks of so many blocks, shared out among the terms.
BLOCKS = 12
MOST_BLOCKS = 64

_CURSOR = re.compile(CURSOR)
_SECONDS = re.compile(r"[0-9]{1,2}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
_TOP = 2**52  # above all positions; D1 takes numbers below 2^53 - 1


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which artworks are asked for: `words` None when none were asked for, `before` a position."""

    username: str | None
    category: str | None
    tag: str | None
    featured: bool | None
    words: list[str] | None
    before: int
    limit: int


def list_query_of(query: str) -> ListQuery:
    """The list query of a query string. Raises InvalidRequest, naming the parameter."""
    given = _parameters(query)
    texts = {
        name: normalize("NFC", given[name])
        for name in ("username", "category", "tag", "q")
        if given.get(name)
    }
    if any(len(value) > LONGEST_FILTER for value in texts.values()):
        raise InvalidRequest(f"A filter may have at most {LONGEST_FILTER} characters.")
    featured = given.get("featured")
    if featured not in (None, "true", "false"):
        raise InvalidRequest('"featured" must be true or false.')
    return ListQuery(
        username=texts.get("username"),
        category=texts.get("category"),
        tag=texts.get("tag"),
        featured=None if featured is None else featured == "true",
        words=search.words_of(texts["q"]) if "q" in texts else None,
        before=_cursor_of(given.get("cursor")),
        limit=limit_of(given.get("limit")),
    )


async def list_artworks(platform: Platform, query: ListQuery) -> tuple[list[Artwork], str | None]:
    """The newest artworks that pass the filters, and the cursor of the next page.

    A search that has looked at as much as it may gives a short page, even an empty one, with a cursor.
    """
    if query.words == []:
        return [], None
    page = (query.before, query.limit + 1)
    reaches = _reaches_of(query)
    floor: int | None = None
    if not reaches:
        statement: Statement = (sql.NEWEST, page)
    elif len(reaches) == 1:
        text, subject = reaches[0]
        statement = (sql.NEWEST_OF_FACET if text == sql.FACET_REACH else sql.SEARCH, (*page, subject))
    else:
        terms, floor = await _terms(platform, reaches, query.before)
        if not terms:
            return [], None
        statement = (sql.SEARCH, (*page, " AND ".join(terms)))
    rows = (await transact(platform, statement))[0]
    artworks = [artwork_of(row) for row in rows[: query.limit] if row["artwork"] is not None]
    if len(rows) > query.limit:
        return artworks, f"p{rows[query.limit - 1]['position']}"
    return artworks, None if floor is None else f"p{floor}"


def _reaches_of(query: ListQuery) -> list[tuple[str, str]]:
    """The terms of a query, the rare ones probably first: the statement of their reach, and its subject."""
    featured = None if query.featured is None else str(int(query.featured))
    # As SQLite compares usernames: the case of ASCII does not matter.
    username = query.username and re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), query.username)
    facets = {"user": username, "tag": query.tag, "featured": featured, "category": query.category}
    named = [(sql.FACET_REACH, f"{kind}:{value}") for kind, value in facets.items() if value is not None]
    words = [(sql.WORD_REACH, search.term_of(word)) for word in query.words or ()]
    return sorted(named + words, key=lambda reach: reach[1].startswith("category:"))


async def _terms(
    platform: Platform, reaches: list[tuple[str, str]], before: int
) -> tuple[list[str], int | None]:
    """The terms to search for, none when a filter has no artworks, and the position where the search ends.

    An intersection takes as long as its rarest term has matches. Where each has more than FEW, it is kept to
    the next blocks: those down to the last of these few, or as many as the number of terms allows.
    """
    offsets = [FEW if n < PROBES else 0 for n in range(len(reaches))]
    rows = await transact(
        platform,
        *((text, (before, offset, name)) for (text, name), offset in zip(reaches, offsets, strict=True)),
        (sql.BLOCKS, (before, MOST_BLOCKS + 1)),
    )
    found = [first(answer) for answer in rows[:-1]]
    known = [row for row in found if row is not None]
    if len(known) < len(found):
        return [], None
    terms = [str(row["term"]) for row in known]
    if any(row["reach"] is None for row in known):
        return terms, None
    blocks = _blocks_down_to(min(row["reach"] for row in known[:PROBES]), rows[-1], len(terms))
    if len(blocks) == len(rows[-1]):
        return terms, None
    return [*terms, f"({' OR '.join(block['term'] for block in blocks)})"], blocks[-1]["start"]


def _blocks_down_to(reach: int, blocks: list[Row], terms: int) -> list[Row]:
    reaching = sum(block["start"] > reach for block in blocks) + 1
    return blocks[: min(MOST_BLOCKS, max(reaching, BLOCKS // terms, 1))]


async def artwork_by_slug(platform: Platform, username: str, slug: str) -> Artwork:
    address = normalize("NFC", username), normalize("NFC", slug)
    row = await only(platform, (sql.ARTWORK_BY_SLUG, address))
    if row is None:
        raise NotFound("There is no such artwork.")
    return artwork_of(row)


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
    if query.count("&") >= MOST_PARAMETERS:
        raise InvalidRequest(f"The query has more than {MOST_PARAMETERS} parameters.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise InvalidRequest("The query is not UTF-8.") from error
    given = dict(pairs)
    if len(given) != len(pairs):
        raise InvalidRequest("The query names a parameter twice.")
    return given


def limit_of(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > MOST:
        raise InvalidRequest(f'"limit" must be a number from 1 to {MOST}.')
    return int(text)


def _cursor_of(text: str | None) -> int:
    if text is None:
        return _TOP
    if not _CURSOR.fullmatch(text):
        raise InvalidRequest('"cursor" must be the "nextCursor" of another page.')
    return min(int(text[1:]), _TOP)
