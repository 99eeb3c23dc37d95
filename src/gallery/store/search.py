"""Lists and search: the words of a query as terms of the full-text index, and the pages read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import category, normalize

from gallery.artwork import Artwork
from gallery.ports import Platform, Row, Statement
from gallery.store.artworks import (
    _ARTWORK,
    artwork_of,
)
from gallery.store.database import first, transact
from gallery.times import iso_of

WORD = 16  # so many letters of a word count: the longest prefix that schema.sql indexes
WORDS = 8  # so many words of a query count, the longest
# Scripts without spaces between words, as schema.sql has them: Thai to Myanmar, Khmer, CJK and kana.
_UNSPACED = "\u0e00-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def words_of(query: str) -> list[str]:
    """The words that must all be found, longest first: at most WORDS, of at most WORD letters each.

    Runs of a script without spaces become their pairs of neighbours, which overlap.
    """
    found = [part for word in _split(normalize("NFC", query).lower()) for part in _parts(word)]
    distinct = sorted(dict.fromkeys(found), key=len, reverse=True)
    # A word that another one begins with is found wherever that is.
    needed = [w for n, w in enumerate(distinct) if not any(longer.startswith(w) for longer in distinct[:n])]
    return needed[:WORDS]


def term_of(word: str) -> str:
    """The word as the index is asked for it: whatever begins with it, in each of its spellings."""
    others = (normalize(form, word) for form in ("NFC", "NFD", "NFKC"))
    terms = [f'"{each}"*' for each in dict.fromkeys((word, *(o for o in others if _split(o) == [o])))]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _split(text: str) -> list[str]:
    letters = "".join(c if category(c)[0] in "LNM" else " " for c in text)
    return [word for word in letters.split() if any(category(c)[0] in "LN" for c in word)]


def _parts(word: str) -> list[str]:
    runs = _RUNS.findall(word)
    pairs = [pair for run in runs if _IS_UNSPACED.match(run) for pair in _pairs(run)]
    # The index knows where a word begins, but not where the scripts change within it.
    return pairs if _IS_UNSPACED.match(word) else [runs[0][:WORD], *pairs]


def _pairs(run: str) -> list[str]:
    return ["".join(pair) for pair in pairwise(run)] or [run]


# Lists. The rowids of the full-text index are positions: a page is read from them in order, without sorting.
# ?1 only positions below this one, ?2 at most so many. D1 binds a number as REAL, which FTS5 cannot seek.
_LISTED = f"p.position, ({_ARTWORK} WHERE a.id = p.artwork_id) AS artwork"
_FOUND = "FROM artwork_search s CROSS JOIN artwork_positions p ON p.position = s.rowid"
_NEXT = "s.rowid < CAST(?1 AS INTEGER) ORDER BY s.rowid DESC LIMIT ?2"
NEWEST = f"SELECT {_LISTED} FROM artwork_positions p WHERE p.position < ?1 ORDER BY p.position DESC LIMIT ?2"  # noqa: S608
# ?3 expression
SEARCH = f"SELECT {_LISTED} {_FOUND} WHERE artwork_search MATCH ?3 AND {_NEXT}"
# ?3 name of a facet
NEWEST_OF_FACET = f"""
SELECT {_LISTED} {_FOUND}
WHERE artwork_search MATCH COALESCE((SELECT '"' || token || '"' FROM search_facets WHERE name = ?3), '""')
  AND {_NEXT}
"""  # noqa: S608

# How far down so many matches of one term reach; no position when there are fewer.
# ?1 only positions below this one, ?2 matches to pass over, ?3 name of a facet or term
FACET_REACH = """
SELECT '"' || token || '"' AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH '"' || token || '"' AND rowid < CAST(?1 AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET ?2
) AS reach
FROM search_facets WHERE name = ?3
"""
WORD_REACH = """
SELECT ?3 AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH ?3 AND rowid < CAST(?1 AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET ?2
) AS reach
"""
# ?1 only those that begin below this position, ?2 at most so many
BLOCKS = """
SELECT start, '"' || token || '"' AS term FROM search_blocks WHERE start < ?1 ORDER BY start DESC LIMIT ?2
"""
# The site maps: one for each block, whose artworks never move to another.
SITEMAP_STARTS = "SELECT start FROM search_blocks ORDER BY start"
# ?1 least position, ?2 above all positions, ?3 at most so many
SITEMAP = """
SELECT u.username, a.slug, a.updated_at
FROM artwork_positions p JOIN artworks a ON a.id = p.artwork_id JOIN users u ON u.id = a.user_id
WHERE p.position >= ?1
  AND p.position < COALESCE((SELECT min(start) FROM search_blocks WHERE start > ?1), ?2)
ORDER BY p.position LIMIT ?3
"""
# A site map has at most 50,000 addresses: each artwork's and its artist's.
SITEMAP_ARTWORKS = 25_000


# A search for several terms looks at everything when one of its first terms has at most so many matches, …
PROBES = 3
FEW = 300
# … and else at the artworks of so many blocks, shared out among the terms.
SHARED_BLOCKS = 12
MOST_BLOCKS = 64
TOP = 2**52  # above all positions; D1 takes numbers below 2^53 - 1


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
        statement: Statement = (NEWEST, page)
    elif len(reaches) == 1:
        text, subject = reaches[0]
        statement = (NEWEST_OF_FACET if text == FACET_REACH else SEARCH, (*page, subject))
    else:
        terms, floor = await _terms(platform, reaches, query.before)
        if not terms:
            return [], None
        statement = (SEARCH, (*page, " AND ".join(terms)))
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
    named = [(FACET_REACH, f"{kind}:{value}") for kind, value in facets.items() if value is not None]
    words = [(WORD_REACH, term_of(word)) for word in query.words or ()]
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
        (BLOCKS, (before, MOST_BLOCKS + 1)),
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
    return blocks[: min(MOST_BLOCKS, max(reaching, SHARED_BLOCKS // terms, 1))]


async def sitemap_starts(platform: Platform) -> list[int]:
    """Which site maps there are, by the least position in each."""
    return [row["start"] for row in (await transact(platform, (SITEMAP_STARTS, ())))[0]]


async def sitemap_rows(platform: Platform, start: int) -> list[tuple[str, str, str | None]]:
    """The artworks of one site map: username, slug and the time of the last change."""
    rows = (await transact(platform, (SITEMAP, (start, TOP, SITEMAP_ARTWORKS))))[0]
    return [(row["username"], row["slug"], iso_of(row["updated_at"])) for row in rows]
