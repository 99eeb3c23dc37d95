"""The site's addresses: the page with its head, feeds, site maps, robots.txt."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.support.gallery.creates import create
from tests.support.gallery.fakes import SHELL
from tests.support.gallery.tokens import bearer
from tests.support.gallery.world import World, json_of

HTML = {"Accept": "text/html,*/*"}
FEED = "{http://www.w3.org/2005/Atom}"


async def world_with(*titles: str, **fields: Any) -> World:
    world = World()
    world.user()
    for title in titles:
        answer = await create(world, world.original(), title=title, **fields)
        assert answer.status == 201, answer.body
    return world


async def test_an_artwork_page_has_its_title_and_picture_in_the_head() -> None:
    world = await world_with("Low <tide>")
    answer = await world.ask("GET", "/artists/ada/low-tide", headers=HTML)
    assert answer.status == 200
    text = str(answer.body)
    assert "<title>Low &lt;tide&gt; by ada – Gallery</title>" in text
    assert 'property="og:image"' in text
    assert "<noscript><article" in text
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Security-Policy"] == "its own"


async def test_a_page_is_answered_304_to_who_has_it() -> None:
    world = await world_with("Low tide")
    for path in ("/", "/artists/ada", "/artists/ada/low-tide", "/upload", "/feed.atom", "/sitemap.xml"):
        first = await world.ask("GET", path)
        again = await world.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status, again.status, again.body) == (200, 304, None), path


@pytest.mark.parametrize(
    "path", ["/artists/nobody", "/artists/ada/nothing", "/artists/nobody/nothing", "/artists/%00"]
)
async def test_a_missing_page_is_the_page_with_404(path: str) -> None:
    world = await world_with("Low tide")
    answer = await world.ask("GET", path, headers=HTML)
    assert answer.status == 404
    assert 'name="robots" content="noindex"' in str(answer.body)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == "its own"


async def test_artworks_that_are_not_public_have_no_page_and_no_place_in_lists() -> None:
    world = await world_with("Low tide")
    world.database.rows("UPDATE artworks SET status = 'hidden'")
    assert (await world.ask("GET", "/artists/ada/low-tide")).status == 404
    for path in ("/", "/artists/ada", "/feed.atom", "/artists/ada/feed.atom", "/sitemaps/0.xml"):
        answer = await world.ask("GET", path)
        assert answer.status == 200
        assert "low-tide" not in str(answer.body), path


async def test_the_page_goes_out_when_the_database_does_not_answer() -> None:
    world = await world_with("Low tide")
    for path in ("/", "/artists/ada", "/artists/ada/low-tide"):
        world.database.faults = ["D1_ERROR: gone"]
        answer = await world.ask("GET", path, headers=HTML)
        assert answer.status == 200, path
        assert "<title>Gallery</title>" in str(answer.body)


async def test_the_page_goes_out_to_who_reads_too_much() -> None:
    world = await world_with("Low tide")
    world.read_limiter.left = 0
    answer = await world.ask("GET", "/artists/ada", headers={"CF-Connecting-IP": "192.0.2.1"} | HTML)
    assert answer.status == 200
    feed = await world.ask("GET", "/feed.atom", headers={"CF-Connecting-IP": "192.0.2.1"})
    assert feed.status == 429


async def test_without_a_page_there_is_json() -> None:
    world = World()
    world.pages.page = None
    for path in ("/", "/upload", "/artists/ada"):
        answer = await world.ask("GET", path, headers=HTML)
        assert (answer.status, json_of(answer)["code"]) == (404, "not_found")


async def test_a_person_who_is_lost_sees_the_page_and_a_program_json() -> None:
    world = World()
    page = await world.ask("GET", "/nothing", headers=HTML)
    assert page.status == 404
    assert "</html>" in str(page.body)
    assert (
        json_of(await world.ask("GET", "/nothing", headers={"Accept": "application/json"}))["code"]
        == "not_found"
    )
    assert json_of(await world.ask("POST", "/nothing", headers=HTML))["code"] == "not_found"
    for path in ("/api/nothing", "/cdn/nothing", "/api/artworks/art_1"):
        assert json_of(await world.ask("GET", path, headers=HTML))["code"] == "not_found"


@pytest.mark.parametrize("path", ["/", "/upload", "/artists/ada", "/feed.atom", "/robots.txt"])
async def test_pages_are_read_only(path: str) -> None:
    world = await world_with("Low tide")
    assert (await world.ask("POST", path)).headers["Allow"] == "GET, HEAD, OPTIONS"
    head = await world.ask("HEAD", path)
    assert (head.status, head.body) == (200, None)


async def test_feeds_hold_the_newest_artworks() -> None:
    world = await world_with("First", "Second")
    for path in ("/feed.atom", "/artists/ada/feed.atom"):
        answer = await world.ask("GET", path)
        feed = ElementTree.fromstring(str(answer.body).encode())  # noqa: S314 (our own)
        assert [e.findtext(f"{FEED}title") for e in feed.findall(f"{FEED}entry")] == ["Second", "First"]
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
    world.user("usr_bob", "bob")
    other = await world.ask("GET", "/artists/bob/feed.atom")
    assert (other.status, "<entry>" in str(other.body)) == (200, False)


async def test_the_feed_of_nobody_is_404() -> None:
    answer = await World().ask("GET", "/artists/nobody/feed.atom")
    assert (answer.status, json_of(answer)["code"]) == (404, "not_found")


async def test_the_site_map_leads_to_every_artwork() -> None:
    world = await world_with("First", "Second")
    index = str((await world.ask("GET", "/sitemap.xml")).body)
    [path] = [part.partition("</loc>")[0].partition("://")[2] for part in index.split("<loc>")[1:]]
    found = str((await world.ask("GET", "/" + path.partition("/")[2])).body)
    for address in ("/artists/ada<", "/artists/ada/first<", "/artists/ada/second<"):
        assert address in found


@pytest.mark.parametrize(
    "name", ["0.txt", "x.xml", "-1.xml", "9999999999999999999999.xml", "0", ".xml", "²³.xml"]
)
async def test_other_site_maps_are_404(name: str) -> None:
    assert (await World().ask("GET", f"/sitemaps/{name}")).status == 404


async def test_robots_learn_of_the_site_map_at_the_public_address() -> None:
    world = World(PUBLIC_URL="https://gallery.example.org")
    answer = await world.ask("GET", "/robots.txt")
    assert "Sitemap: https://gallery.example.org/sitemap.xml" in str(answer.body)


async def test_the_site_is_called_as_the_operator_says() -> None:
    world = World(
        SITE_NAME="Blue House", SITE_FOOTER_LINKS="Our shop https://shop.example.org, Imprint /imprint"
    )
    text = str((await world.ask("GET", "/", headers=HTML)).body)
    assert "<title>Blue House</title>" in text
    data = json.loads(text.partition('id="site">')[2].partition("</script>")[0])
    assert data["footerLinks"][0] == {"text": "Our shop", "url": "https://shop.example.org"}


async def test_a_page_with_a_token_shows_what_everybody_sees() -> None:
    world = await world_with("Low tide")
    answer = await world.ask("GET", "/artists/ada/low-tide", headers=bearer("usr_ada"))
    assert "originals/" not in str(answer.body)


def test_the_shell_of_these_tests_has_the_markers_of_the_real_one() -> None:
    for marker in ("<!--head-->", "<!--noscript-->", '<script type="application/json" id="site">'):
        assert SHELL.count(marker) == 1
