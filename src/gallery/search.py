"""The language of search: the words of a query as terms of the full-text index.

The index folds case and accents, and finds a word by its first letters. No term may be a syntax error, and
none may be two words to the index: that is a phrase, which an index without positions of words refuses.
"""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import category, normalize

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
