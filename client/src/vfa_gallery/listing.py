"""Pages of records, fetched as the iteration reaches them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from html import escape
from itertools import islice
from typing import Any, Self, TypeVar

from vfa_gallery.errors import UnexpectedAnswer
from vfa_gallery.models import Account, Artwork, html_image

# The largest page that a gallery sends.
PAGE = 100
SHOWN = 20

R = TypeVar("R", Artwork, Account)
GetPage = Callable[[Mapping[str, str]], Any]


def pages(kind: type[R], get: GetPage, params: Mapping[str, str | None], page_size: int) -> Iterator[R]:
    """All records of a list; `get` fetches one page by its query parameters.

    Raises:
        UnexpectedAnswer: an answer is no page of a list.
    """
    query = {name: value for name, value in params.items() if value is not None} | {"limit": str(page_size)}
    while True:
        page = get(query)
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise UnexpectedAnswer(f"the gallery answered no list of {kind.__name__.lower()}s")
        yield from (kind.from_wire(each) for each in page["data"])
        if page.get("nextCursor") is None:
            return
        query["cursor"] = page["nextCursor"]


class Artworks(Iterator[Artwork]):
    """An iterator of artworks, newest first. A notebook shows the first of those that are left."""

    def __init__(self, found: Iterator[Artwork], limit: int | None) -> None:
        self._rest = islice(found, limit)
        self._read: deque[Artwork] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Artwork:
        return self._read.popleft() if self._read else next(self._rest)

    def _repr_html_(self) -> str:
        self._read.extend(islice(self._rest, max(0, SHOWN + 1 - len(self._read))))
        rows = "".join(map(_row, islice(self._read, SHOWN)))
        more = "<p>and more</p>" if len(self._read) > SHOWN else ""
        return f"<table>{rows}</table>{more}" if rows else "<p>no artworks</p>"


def _row(artwork: Artwork) -> str:
    picture = html_image(artwork.icon_url, artwork.alt_text or artwork.title, 64)
    cells = (artwork.title, artwork.username, artwork.category, artwork.id)
    return f"<tr><td>{picture}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
