"""Atom feeds (RFC 4287), the site map (sitemaps.org) and robots.txt, from artworks in their wire form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from gallery.http.page import alternative_text, artist_path, artwork_path

ATOM = "application/atom+xml; charset=utf-8"
XML = "application/xml; charset=utf-8"
EPOCH = "1970-01-01T00:00:00Z"

# XML 1.0, 2.2: other control characters cannot be written, not even as references.
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'

Wire = Mapping[str, Any]


def atom(title: str, url: str, feed_url: str, artworks: Iterable[Wire], origin: str) -> str:
    """A feed of artworks, newest first; `url` is the page of the same list."""
    shown = list(artworks)
    updated = max((each["updatedAt"] for each in shown), default=EPOCH)
    entries = "".join(_entry(each, origin) for each in shown)
    return (
        f'{_HEAD}<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{_text(feed_url)}</id><title>{_text(title)}</title><updated>{updated}</updated>"
        f'<link rel="self" type="application/atom+xml" href="{_text(feed_url)}"/>'
        f'<link rel="alternate" type="text/html" href="{_text(url)}"/>{entries}</feed>\n'
    )


def sitemap(origin: str, artworks: Iterable[tuple[str, str, str | None]]) -> str:
    """A site map of artworks, given as username, slug and time of the last change, and of their artists."""
    urls: dict[str, str | None] = {}
    for username, slug, updated in artworks:
        urls.setdefault(artist_path(username))
        urls[artwork_path({"username": username, "slug": slug})] = updated
    entries = "".join(
        f"<url><loc>{_text(origin + path)}</loc>{_modified(when)}</url>" for path, when in urls.items()
    )
    return f'{_HEAD}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>\n'


def sitemap_index(urls: Iterable[str]) -> str:
    """An index of site maps, each of which holds at most 50,000 addresses."""
    entries = "".join(f"<sitemap><loc>{_text(url)}</loc></sitemap>" for url in urls)
    return (
        f'{_HEAD}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>\n'
    )


def robots(origin: str) -> str:
    """robots.txt (RFC 9309): everything but the API may be read."""
    return f"User-agent: *\nDisallow: /api/\nDisallow: /upload\n\nSitemap: {origin}/sitemap.xml\n"


def _entry(artwork: Wire, origin: str) -> str:
    url = f"{origin}{artwork_path(artwork)}"
    picture = artwork.get("displayUrl")
    content = f"<p>{escape(artwork.get('description') or '')}</p>"
    if picture:
        content = f'<p><img src="{escape(picture)}" alt="{escape(alternative_text(artwork))}"></p>' + content
    categories = "".join(f'<category term="{_text(tag)}"/>' for tag in artwork.get("tags") or ())
    return (
        f"<entry><id>{_text(origin)}/api/artworks/{_text(artwork['id'])}</id>"
        f"<title>{_text(artwork['title'])}</title>"
        f"<author><name>{_text(artwork['username'])}</name>"
        f"<uri>{_text(origin + artist_path(artwork['username']))}</uri></author>"
        f"<published>{artwork['createdAt']}</published><updated>{artwork['updatedAt']}</updated>"
        f'<link rel="alternate" type="text/html" href="{_text(url)}"/>{categories}'
        f'<content type="html">{_text(content)}</content></entry>'
    )


def _modified(when: str | None) -> str:
    return f"<lastmod>{when}</lastmod>" if when else ""


def _text(value: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", value))
