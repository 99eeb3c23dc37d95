"""Atom feeds, site maps and robots.txt."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from tests.unit.gallery.test_page import HOSTILE, ORIGIN, artwork

from gallery.http.feeds import EPOCH, atom, robots, sitemap, sitemap_index

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def feed(*artworks: dict[str, Any], title: str = "ada") -> ElementTree.Element:
    text = atom(title, f"{ORIGIN}/artists/ada", f"{ORIGIN}/artists/ada/feed.atom", artworks, ORIGIN)
    return ElementTree.fromstring(text.encode())  # noqa: S314 (our own)


def test_a_feed_has_what_atom_requires() -> None:
    found = feed(artwork(), artwork(id="2", updatedAt="2026-03-01T00:00:00.000Z"))
    for name in ("id", "title", "updated"):
        assert found.findtext(ATOM + name)
    assert found.findtext(f"{ATOM}updated") == "2026-03-01T00:00:00.000Z"
    entries = found.findall(f"{ATOM}entry")
    assert len(entries) == 2
    for entry in entries:
        assert entry.findtext(f"{ATOM}id")
        assert entry.findtext(f"{ATOM}title") == "Low tide"
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == "ada"
        assert "1.jpg" in (entry.findtext(f"{ATOM}content") or "")


def test_an_empty_feed_is_a_feed() -> None:
    found = feed()
    assert found.findtext(f"{ATOM}updated") == EPOCH
    assert found.findall(f"{ATOM}entry") == []


def test_a_feed_tells_where_it_is_and_what_it_is_of() -> None:
    links = {link.get("rel"): link.get("href") for link in feed().findall(f"{ATOM}link")}
    assert links == {"self": f"{ORIGIN}/artists/ada/feed.atom", "alternate": f"{ORIGIN}/artists/ada"}


@pytest.mark.parametrize("text", [HOSTILE, "\x00\x08\x0b\ufffe\ud800", "]]>", "&#0;"])
def test_hostile_texts_make_no_broken_feed(text: str) -> None:
    found = feed(artwork(title=text, description=text, tags=[text], altText=text), title=text)
    [entry] = found.findall(f"{ATOM}entry")
    assert entry.findall(f"{ATOM}script") == []
    assert "<script>alert" not in (entry.findtext(f"{ATOM}content") or "").replace("&lt;", "")


def test_a_site_map_lists_artworks_and_each_artist_once() -> None:
    rows = [("ada", "one", "2026-01-01T00:00:00.000Z"), ("ada", "two", "2026-01-02T00:00:00.000Z")]
    found = ElementTree.fromstring(sitemap(ORIGIN, rows).encode())  # noqa: S314 (our own)
    locations = [url.findtext(f"{MAP}loc") for url in found]
    assert locations == [f"{ORIGIN}/artists/ada", f"{ORIGIN}/artists/ada/one", f"{ORIGIN}/artists/ada/two"]
    assert found[1].findtext(f"{MAP}lastmod") == "2026-01-01T00:00:00.000Z"


def test_an_index_lists_site_maps() -> None:
    found = ElementTree.fromstring(sitemap_index([f"{ORIGIN}/sitemaps/0.xml"]).encode())  # noqa: S314 (our own)
    assert [each.findtext(f"{MAP}loc") for each in found] == [f"{ORIGIN}/sitemaps/0.xml"]


def test_robots_are_told_of_the_site_map() -> None:
    assert f"Sitemap: {ORIGIN}/sitemap.xml" in robots(ORIGIN)
