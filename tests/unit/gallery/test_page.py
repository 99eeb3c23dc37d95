"""The head of the gallery's page: what it says, and that nothing typed by people can break out of it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.support.gallery.fakes import SHELL

from gallery.http.page import (
    LONGEST_DESCRIPTION,
    Filling,
    artist_filling,
    artwork_filling,
    description_of,
    fill,
    home_filling,
    missing_filling,
    preview_of,
)
from gallery.settings import Site

ORIGIN = "https://gallery.example.org"
SITE = Site(name="Blue House", tagline="Pictures from the harbour.")
HOSTILE = "</title></script><script>alert(1)</script><!-- \"'><img src=x onerror=alert(1)> \u2028&amp;\x00"


def artwork(**fields: Any) -> dict[str, Any]:
    base = "https://cdn.example.org/display/u/1"
    return {
        "id": "11111111-1111-4111-8111-111111111111",
        "username": "ada",
        "slug": "low-tide",
        "title": "Low tide",
        "description": "Boats on sand.",
        "materials": "oil on wood",
        "dimensions": None,
        "createdDate": "2024",
        "category": "painting",
        "tags": ["sea", "boats"],
        "displayUrl": f"{base}.jpg",
        "thumbnailUrl": "https://cdn.example.org/thumbnails/u/1.jpg",
        "display": [
            {"url": f"{base}-640.jpg", "width": 640, "height": 480},
            {"url": f"{base}-1280.jpg", "width": 1280, "height": 960},
            {"url": f"{base}.jpg", "width": 2048, "height": 1536},
        ],
        "altText": "Three boats lie on wet sand.",
        "width": 2048,
        "height": 1536,
        "createdAt": "2026-01-02T03:04:05.000Z",
        "updatedAt": "2026-02-02T03:04:05.000Z",
        **fields,
    }


class Seen(HTMLParser):
    """The elements of a document, and the text of those that matter here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag if tag != "script" else f"script {dict(attrs).get('type')}"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (as HTMLParser calls it)
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def meta(self, name: str) -> str | None:
        return next(
            (
                a["content"]
                for t, a in self.tags
                if t == "meta" and name in (a.get("name"), a.get("property"))
            ),
            None,
        )

    def links(self, rel: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "link" and attributes.get("rel") == rel]


def page(filling: Filling, site: Site = SITE) -> Seen:
    return Seen(fill(SHELL, filling, site))


def test_an_artwork_page_names_the_artwork_its_artist_and_its_picture() -> None:
    seen = page(artwork_filling(SITE, ORIGIN, artwork()))
    assert seen.texts["title"] == "Low tide by ada – Blue House"
    assert seen.meta("description") == seen.meta("og:description") == "Boats on sand."
    assert seen.links("canonical")[0]["href"] == seen.meta("og:url") == f"{ORIGIN}/artists/ada/low-tide"
    assert seen.meta("og:image") == "https://cdn.example.org/display/u/1-1280.jpg"
    assert (seen.meta("og:image:width"), seen.meta("og:image:height")) == ("1280", "960")
    assert seen.meta("og:image:alt") == "Three boats lie on wet sand."
    assert seen.meta("twitter:card") == "summary_large_image"


def test_the_title_and_description_of_the_shell_are_replaced() -> None:
    seen = page(artwork_filling(SITE, ORIGIN, artwork()))
    assert sum(tag == "title" for tag, _ in seen.tags) == 1
    assert (
        sum(tag == "meta" and attributes.get("name") == "description" for tag, attributes in seen.tags) == 1
    )


def test_an_artwork_page_preloads_the_picture_in_the_widths_there_are() -> None:
    [preload] = page(artwork_filling(SITE, ORIGIN, artwork())).links("preload")
    assert preload["as"] == "image"
    assert [part.split()[1] for part in str(preload["imagesrcset"]).split(", ")] == ["640w", "1280w", "2048w"]
    [alone] = page(artwork_filling(SITE, ORIGIN, artwork(display=[]))).links("preload")
    assert "imagesrcset" not in alone


def test_structured_data_describes_a_visual_artwork() -> None:
    seen = page(artwork_filling(SITE, ORIGIN, artwork()))
    data = json.loads(seen.texts["script application/ld+json"])
    assert data["@type"] == "VisualArtwork"
    assert data["name"] == "Low tide"
    assert data["creator"] == {"@type": "Person", "name": "ada", "url": f"{ORIGIN}/artists/ada"}
    assert "size" not in data  # what is not known is left out


def test_an_artwork_page_holds_the_record() -> None:
    wire = artwork(title=HOSTILE)
    text = fill(SHELL, artwork_filling(SITE, ORIGIN, wire), SITE)
    data = text.partition('id="artwork">')[2].partition("</script>")[0]
    assert json.loads(data) == wire


def test_readers_without_scripts_see_the_picture_and_its_text() -> None:
    text = fill(SHELL, artwork_filling(SITE, ORIGIN, artwork()), SITE)
    plain = text.partition("<noscript>")[2].partition("</noscript>")[0]
    seen = Seen(plain)
    [(_, image)] = [(tag, attributes) for tag, attributes in seen.tags if tag == "img"]
    assert image["alt"] == "Three boats lie on wet sand."
    assert (image["width"], image["height"]) == ("2048", "1536")
    assert "Boats on sand." in plain


@pytest.mark.parametrize(
    "field", ["title", "description", "materials", "dimensions", "category", "altText", "createdDate"]
)
def test_hostile_texts_stay_texts(field: str) -> None:
    wire = artwork(**{field: HOSTILE}, tags=[HOSTILE], username=HOSTILE, slug=HOSTILE)
    for filling in (
        artwork_filling(SITE, ORIGIN, wire),
        artist_filling(SITE, ORIGIN, HOSTILE, [wire]),
        home_filling(SITE, ORIGIN, [wire]),
        missing_filling(SITE, HOSTILE),
    ):
        seen = page(filling, Site(name=HOSTILE, tagline=HOSTILE, footer_links=((HOSTILE, "/imprint"),)))
        assert [a for tag, a in seen.tags if tag == "script" and "json" not in str(a.get("type"))] == []
        assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
        assert sum(tag == "title" for tag, _ in seen.tags) == 1
        assert not any(tag == "img" and attributes.get("src") == "x" for tag, attributes in seen.tags)


def test_only_a_page_without_content_says_that_it_needs_scripts() -> None:
    assert "needs scripts" not in fill(SHELL, artwork_filling(SITE, ORIGIN, artwork()), SITE)
    assert "needs scripts" in fill(SHELL, Filling("<title>Upload</title>"), SITE)


def test_an_artwork_without_pictures_has_a_page_too() -> None:
    bare = artwork(displayUrl=None, thumbnailUrl=None, display=[], width=None, height=None)
    seen = page(artwork_filling(SITE, ORIGIN, bare))
    assert seen.meta("og:image") is None
    assert seen.links("preload") == []


def test_lists_of_nothing_have_pages_too() -> None:
    assert page(home_filling(SITE, ORIGIN, [])).texts["title"] == "Blue House"
    assert page(artist_filling(SITE, ORIGIN, "ada", [])).meta("og:image") is None


def test_lists_link_their_feed_and_their_artworks() -> None:
    seen = page(artist_filling(SITE, ORIGIN, "ada", [artwork()]))
    assert seen.links("alternate")[0]["href"] == f"{ORIGIN}/artists/ada/feed.atom"
    assert ("a", {"href": "/artists/ada/low-tide"}) in seen.tags


def test_the_operators_settings_reach_the_page() -> None:
    site = Site(name="Blue House", accent="#0b6e4f", footer_links=(("Imprint", "/imprint"),))
    data = json.loads(page(Filling(""), site).texts["script application/json"])
    assert data["maxUploadBytes"] == 31_457_280
    assert data["name"] == "Blue House"
    assert data["accent"] == "#0b6e4f"
    assert data["footerLinks"] == [{"text": "Imprint", "url": "/imprint"}]
    assert "logoUrl" not in data


def test_a_missing_page_is_not_to_be_indexed() -> None:
    assert page(missing_filling(SITE, "There is no such artwork.")).meta("robots") == "noindex"


def test_a_shell_without_markers_stays_as_it_is() -> None:
    shell = "<!doctype html><title>Old</title>"
    assert fill(shell, artwork_filling(SITE, ORIGIN, artwork()), SITE) == shell


def test_descriptions_are_one_short_line() -> None:
    assert description_of(artwork(description="One\n\n  two")) == "One two"
    long = description_of(artwork(description="word " * 100))
    assert len(long) <= LONGEST_DESCRIPTION
    assert long.endswith("word…")
    assert description_of(artwork(description=None, altText=None)) == "oil on wood, 2024"
    bare = artwork(description=None, altText=None, materials=None, createdDate=None)
    assert description_of(bare) == "An artwork by ada."


def test_the_preview_is_the_narrowest_that_is_wide_enough() -> None:
    assert (preview_of(artwork()) or {})["width"] == 1280
    small = artwork(display=[{"url": "https://x/1.jpg", "width": 500, "height": 400}])
    assert (preview_of(small) or {})["width"] == 500
    assert (preview_of(artwork(display=[])) or {})["url"] == artwork()["displayUrl"]
