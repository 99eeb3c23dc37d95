"""Lists and search: the words of a query as terms of the full-text index, and the pages read from it.

The index ignores case and accents, and finds a word by its first letters. A term must not be a syntax error,
and must be one word to the index: two would be a phrase, which an index without positions of words refuses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import category, normalize

from gallery.artwork import Artwork
from gallery.ports import Platform, Row, Statement
from gallery.store import artworks
from gallery.store.artworks import artwork_of
from gallery.store.database import batch, bind, first, rows_of
from gallery.times import iso_of

WORD = 16  # letters of a word that count: the longest prefix that schema.sql indexes
WORDS = 8  # words of a query that count, the longest
# A search for several terms considers all artworks when one of its first PROBES terms has at most FEW
# matches.
PROBES = 3
FEW = 300
# Otherwise it considers the artworks of SHARED_BLOCKS blocks, divided by the number of terms.
SHARED_BLOCKS = 12
MOST_BLOCKS = 64
TOP = 2**52  # above all positions; D1 takes numbers below 2^53 - 1

# Scripts without spaces between words, as in schema.sql: Thai to Myanmar, Khmer, CJK and kana.
_UNSPACED = "\u0e00-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")

# The rowids of the full-text index are positions: a page is read from them in order, without sorting.
# D1 binds numbers as REAL, by which FTS5 cannot seek.
_ROW = f"p.position, ({artworks.SELECT} WHERE a.id = p.artwork_id) AS artwork"
_MATCHES = "FROM artwork_search s CROSS JOIN artwork_positions p ON p.position = s.rowid"
_NEXT = "s.rowid < CAST(:before AS INTEGER) ORDER BY s.rowid DESC LIMIT :most"
NEWEST = f"""
SELECT {_ROW} FROM artwork_positions p WHERE p.position < :before ORDER BY p.position DESC LIMIT :most
"""  # noqa: S608 (constants only, here and below)
SEARCH = f"SELECT {_ROW} {_MATCHES} WHERE artwork_search MATCH :expression AND {_NEXT}"
NEWEST_OF_FACET = f"""
SELECT {_ROW} {_MATCHES}
WHERE artwork_search MATCH COALESCE((SELECT '"' || token || '"' FROM search_facets WHERE name = :facet), '""')
  AND {_NEXT}
"""  # noqa: S608

# The position of the match after the first `skip` ones of a term, NULL when there are fewer.
FACET_REACH = """
SELECT '"' || token || '"' AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH '"' || token || '"' AND rowid < CAST(:before AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET :skip
) AS reach
FROM search_facets WHERE name = :facet
"""
WORD_REACH = """
SELECT :term AS term, (
  SELECT rowid FROM artwork_search
  WHERE artwork_search MATCH :term AND rowid < CAST(:before AS INTEGER)
  ORDER BY rowid DESC LIMIT 1 OFFSET :skip
) AS reach
"""
BLOCKS = """
SELECT start, '"' || token || '"' AS term FROM search_blocks
WHERE start < :before ORDER BY start DESC LIMIT :most
"""
# Site maps: one for each block, whose artworks never move to another.
SITEMAP_STARTS = "SELECT start FROM search_blocks ORDER BY start"
SITEMAP = """
SELECT u.username, a.slug, a.updated_at
FROM artwork_positions p JOIN artworks a ON a.id = p.artwork_id JOIN users u ON u.id = a.user_id
WHERE p.position >= :start
  AND p.position < COALESCE((SELECT min(start) FROM search_blocks WHERE start > :start), :top)
ORDER BY p.position LIMIT :most
"""
# A site map has at most 50,000 addresses (sitemaps.org): each artwork's and its artist's.
SITEMAP_ARTWORKS = 25_000


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which artworks to list; None for no filter. `before` is a position, `limit` the size of the page."""

    username: str | None
    category: str | None
    tag: str | None
    featured: bool | None
    words: list[str] | None
    before: int
    limit: int


@dataclass(frozen=True, slots=True)
class _Filter:
    """A facet by its name, or a word as a term of the index."""

    text: str
    is_facet: bool

    def reach(self, before: int, skip: int) -> Statement:
        if self.is_facet:
            return bind(FACET_REACH, facet=self.text, before=before, skip=skip)
        return bind(WORD_REACH, term=self.text, before=before, skip=skip)

    def page(self, before: int, most: int) -> Statement:
        """A page of the artworks that pass this filter alone."""
        if self.is_facet:
            return bind(NEWEST_OF_FACET, facet=self.text, before=before, most=most)
        return bind(SEARCH, expression=self.text, before=before, most=most)


def words_of(query: str) -> list[str]:
    """The words that must all be found, longest first: at most WORDS, of at most WORD letters each.

    Runs of a script without spaces become their pairs of neighboring characters, which overlap.
    """
    found = [part for word in _split(normalize("NFC", query).lower()) for part in _parts(word)]
    distinct = sorted(dict.fromkeys(found), key=len, reverse=True)
    # A word that another one begins with is found wherever that is.
    needed = [w for n, w in enumerate(distinct) if not any(longer.startswith(w) for longer in distinct[:n])]
    return needed[:WORDS]


def term_of(word: str) -> str:
    """The term of the index for words that begin with this one, in each of their Unicode normal forms."""
    others = (normalize(form, word) for form in ("NFC", "NFD", "NFKC"))
    terms = [f'"{each}"*' for each in dict.fromkeys((word, *(o for o in others if _split(o) == [o])))]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


async def list_artworks(platform: Platform, query: ListQuery) -> tuple[list[Artwork], str | None]:
    """The newest artworks that pass the filters, and the cursor of the next page, None after the last.

    A search that has considered as many artworks as it may returns a short page, even an empty one, with a
    cursor. Raises DatabaseError.
    """
    if query.words == []:
        return [], None
    before, most = query.before, query.limit + 1
    filters = _filters_of(query)
    floor: int | None = None
    if not filters:
        statement = bind(NEWEST, before=before, most=most)
    elif len(filters) == 1:
        statement = filters[0].page(before, most)
    else:
        terms, floor = await _terms(platform, filters, before)
        if not terms:
            return [], None
        statement = bind(SEARCH, expression=" AND ".join(terms), before=before, most=most)
    rows = await rows_of(platform, statement)
    page = [artwork_of(row) for row in rows[: query.limit] if row["artwork"] is not None]
    if len(rows) > query.limit:
        return page, f"p{rows[query.limit - 1]['position']}"
    return page, None if floor is None else f"p{floor}"


async def sitemap_starts(platform: Platform) -> list[int]:
    """The site maps by the least position in each. Raises DatabaseError."""
    return [row["start"] for row in await rows_of(platform, bind(SITEMAP_STARTS))]


async def sitemap_rows(platform: Platform, start: int) -> list[tuple[str, str, str | None]]:
    """The artworks of one site map: username, slug and time of the last change. Raises DatabaseError."""
    rows = await rows_of(platform, bind(SITEMAP, start=start, top=TOP, most=SITEMAP_ARTWORKS))
    return [(row["username"], row["slug"], iso_of(row["updated_at"])) for row in rows]


def _filters_of(query: ListQuery) -> list[_Filter]:
    """The filters of a query, those that probably have few matches first."""
    featured = None if query.featured is None else str(int(query.featured))
    # As SQLite compares usernames: the case of ASCII letters does not matter.
    username = query.username and re.sub("[A-Z]+", lambda capitals: capitals[0].lower(), query.username)
    facets = {"user": username, "tag": query.tag, "featured": featured}
    named = [_Filter(f"{kind}:{value}", True) for kind, value in facets.items() if value is not None]
    words = [_Filter(term_of(word), False) for word in query.words or ()]
    last = [_Filter(f"category:{query.category}", True)] if query.category is not None else []
    return named + words + last


async def _terms(platform: Platform, filters: Sequence[_Filter], before: int) -> tuple[list[str], int | None]:
    """The terms to search for, none when a filter has no artworks, and the position where the search ends.

    An intersection takes as long as its rarest term has matches. Where each has more than FEW, the search is
    restricted to the next blocks: those down to the FEWth match, or as many as the number of terms allows.
    """
    *answers, blocks = await batch(
        platform,
        [
            *(each.reach(before, FEW if n < PROBES else 0) for n, each in enumerate(filters)),
            bind(BLOCKS, before=before, most=MOST_BLOCKS + 1),
        ],
    )
    known = [row for answer in answers if (row := first(answer)) is not None]
    if len(known) < len(filters):
        return [], None
    terms = [str(row["term"]) for row in known]
    if any(row["reach"] is None for row in known):
        return terms, None
    chosen = _blocks_down_to(min(row["reach"] for row in known[:PROBES]), blocks, len(terms))
    if len(chosen) == len(blocks):
        return terms, None
    return [*terms, f"({' OR '.join(block['term'] for block in chosen)})"], chosen[-1]["start"]


def _blocks_down_to(reach: int, blocks: Sequence[Row], terms: int) -> Sequence[Row]:
    reaching = sum(block["start"] > reach for block in blocks) + 1
    return blocks[: min(MOST_BLOCKS, max(reaching, SHARED_BLOCKS // terms, 1))]


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
