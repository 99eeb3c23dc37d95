"""What people, search engines and feed readers visit: the page with its head, feeds, site maps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gallery import read, users
from gallery.errors import NotFound, PortError, RateLimited
from gallery.http import feeds, page
from gallery.http.context import Context, text_response, throttle_reads, visible_fields
from gallery.http.messages import NO_STORE, Response
from gallery.http.page import Filling
from gallery.store import search
from gallery.store.search import TOP, ListQuery

# Paths that only programs request.
PROGRAMS = ("/api/", "/cdn/")
FEED_LENGTH = 30
# Artworks that a page names to readers without scripts.
LISTED = 24

_CACHED = {"Cache-Control": "public, max-age=300"}
_HTML_ONLY = ("etag", "last-modified", "content-length", "content-encoding")


async def read_home(context: Context) -> Response:
    async def filling() -> Filling:
        shown = await _newest(context, None, LISTED)
        return page.home_filling(context.settings.site, context.origin, shown)

    return await _page(context, await _filled(context, filling))


async def read_artist_page(context: Context) -> Response:
    """The page of an artist; 404 with the page when there is no such user."""
    name = context.parameters["username"]

    async def filling() -> Filling:
        username = await _username(context, name)
        shown = await _newest(context, username, LISTED)
        return page.artist_filling(context.settings.site, context.origin, username, shown)

    return await _page_or_missing(context, filling)


async def read_artwork_page(context: Context) -> Response:
    """The page of an artwork; 404 with the page when everybody may not see such an artwork."""
    username, slug = context.parameters["username"], context.parameters["slug"]

    async def filling() -> Filling:
        artwork = await read.read_artwork_by_slug(context.platform, None, username, slug)
        wire = visible_fields(context, artwork, None)
        return page.artwork_filling(context.settings.site, context.origin, wire)

    return await _page_or_missing(context, filling)


async def read_upload_page(context: Context) -> Response:
    return await _page(context, page.plain_filling(context.settings.site, "Upload"))


async def read_feed(context: Context) -> Response:
    """The newest artworks of all artists as an Atom feed."""
    await throttle_reads(context)
    origin = context.origin
    shown = await _newest(context, None, FEED_LENGTH)
    text = feeds.atom(context.settings.site.name, f"{origin}/", f"{origin}/feed.atom", shown, origin)
    return text_response(context, text, feeds.ATOM, _CACHED)


async def read_artist_feed(context: Context) -> Response:
    """The newest artworks of one artist as an Atom feed. Raises NotFound."""
    await throttle_reads(context)
    username = await _username(context, context.parameters["username"])
    url = f"{context.origin}{page.artist_path(username)}"
    shown = await _newest(context, username, FEED_LENGTH)
    title = f"{username} – {context.settings.site.name}"
    text = feeds.atom(title, url, f"{url}/feed.atom", shown, context.origin)
    return text_response(context, text, feeds.ATOM, _CACHED)


async def read_sitemap_index(context: Context) -> Response:
    await throttle_reads(context)
    starts = await search.sitemap_starts(context.platform)
    urls = [f"{context.origin}/sitemaps/{start}.xml" for start in starts]
    return text_response(context, feeds.sitemap_index(urls), feeds.XML, _CACHED)


async def read_sitemap(context: Context) -> Response:
    """One of the site maps that the index names. Raises NotFound."""
    await throttle_reads(context)
    start, _, extension = context.parameters["file"].partition(".")
    if extension != "xml" or not start.isdecimal() or int(start) >= TOP:
        raise NotFound
    rows = await search.sitemap_rows(context.platform, int(start))
    return text_response(context, feeds.sitemap(context.origin, rows), feeds.XML, _CACHED)


async def read_robots(context: Context) -> Response:
    return text_response(context, feeds.robots(context.origin), "text/plain; charset=utf-8", _CACHED)


async def not_found(context: Context) -> Response:
    """An address that does not exist: the page for a browser that navigates, JSON for every other client."""
    visits = context.request.method in ("GET", "HEAD") and "text/html" in (
        context.request.header("accept") or ""
    )
    if not visits or context.request.path.startswith(PROGRAMS):
        raise NotFound
    return await _missing(context, NotFound())


async def _page(context: Context, filling: Filling, status: int = 200) -> Response:
    """The page with its head filled, under an ETag of its own text. Raises NotFound where none was built."""
    shell = await context.platform.pages.read(context.request.origin)
    if shell is None:
        raise NotFound
    kept = {name: value for name, value in shell.headers.items() if name.lower() not in _HTML_ONLY}
    text = page.fill(shell.text, filling, context.settings.site)
    if status == NotFound.status:
        return Response(status, text, kept | NO_STORE)
    return text_response(context, text, kept["Content-Type"], kept | {"Cache-Control": "no-cache"})


async def _page_or_missing(context: Context, filling: Callable[[], Awaitable[Filling]]) -> Response:
    try:
        return await _page(context, await _filled(context, filling))
    except NotFound as error:
        return await _missing(context, error)


async def _missing(context: Context, error: NotFound) -> Response:
    return await _page(context, page.missing_filling(context.settings.site, error.text), error.status)


async def _filled(context: Context, filling: Callable[[], Awaitable[Filling]]) -> Filling:
    """What an address adds to the page; nothing when it cannot be read now: the page reads it again."""
    try:
        await throttle_reads(context, kind="page ")
        return await filling()
    except (PortError, RateLimited) as error:
        context.platform.log({"event": "head_not_filled", "reason": repr(error)})
        return Filling("")


async def _username(context: Context, name: str) -> str:
    """The username as it is spelt. Raises NotFound."""
    user = await users.find_by_username(context.platform, name)
    if user is None:
        raise NotFound("There is no such artist.")
    return user.username


async def _newest(context: Context, username: str | None, limit: int) -> list[dict[str, Any]]:
    query = ListQuery(username, None, None, None, None, TOP, limit)
    found, _ = await search.list_artworks(context.platform, query)
    return [visible_fields(context, artwork, None) for artwork in found]
