"""What search engines, messengers and feed readers get: filled heads, feeds, site maps, robots.txt."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.pictures import jpeg

HOSTILE = "</title><script>alert(1)</script> \"'> & Ebbe 潮"
HTML = {"Accept": "text/html"}
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def painter(account: AccountFactory) -> Account:
    return account()


@pytest.fixture(scope="module")
def artwork(painter: Account) -> dict[str, object]:
    answer = painter.create(painter.upload(jpeg(1600, 1200)), HOSTILE, description="Boats on <b>sand</b>.")
    assert answer.status_code == 201, answer.text
    data: dict[str, object] = answer.json()["data"]
    return data


def page_of(artwork: dict[str, object]) -> str:
    return f"/artists/{artwork['username']}/{artwork['slug']}"


def test_an_artwork_page_previews_the_artwork(anonymous: httpx.Client, artwork: dict[str, object]) -> None:
    answer = anonymous.get(page_of(artwork), headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    text = answer.text
    assert text.count("<title>") == 1
    assert "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert(1)" not in text
    image = re.search(r'<meta property="og:image" content="([^"]+)">', text)
    assert image
    assert anonymous.get(image[1]).headers["content-type"] == "image/jpeg"
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', text)
    assert data
    assert json.loads(data[1])["name"] == HOSTILE
    assert f'<img src="{artwork["displayUrl"]}"' in text.partition("<noscript>")[2]


def test_pages_are_revalidated(anonymous: httpx.Client, artwork: dict[str, object], painter: Account) -> None:
    for path in ("/", "/upload", f"/artists/{painter.username}", page_of(artwork)):
        first = anonymous.get(path, headers=HTML)
        assert "script-src 'self'" in first.headers["content-security-policy"]
        again = anonymous.get(path, headers=HTML | {"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304), path


def test_a_missing_artwork_or_artist_is_404_with_the_page(anonymous: httpx.Client, painter: Account) -> None:
    for path in (f"/artists/{painter.username}/no-such-work", "/artists/no-such-artist", "/no-such-page"):
        answer = anonymous.get(path, headers=HTML)
        assert answer.status_code == 404
        assert 'content="noindex"' in answer.text
        assert "/assets/page.js" in answer.text


def test_feeds_and_site_maps_name_the_artwork(
    anonymous: httpx.Client, artwork: dict[str, object], painter: Account
) -> None:
    for path in ("/feed.atom", f"/artists/{painter.username}/feed.atom"):
        answer = anonymous.get(path)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.content)  # noqa: S314 (our own)
        assert HOSTILE in [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    index = re.findall(r"<loc>([^<]+)</loc>", anonymous.get("/sitemap.xml").text)
    maps = [anonymous.get(address).text for address in index]
    assert any(f"/{artwork['slug']}</loc>" in text or "%E6%BD%AE</loc>" in text for text in maps)
    robots = anonymous.get("/robots.txt").text
    assert f"Sitemap: {index[0].partition('/sitemaps/')[0]}/sitemap.xml" in robots
