"""How pictures hang, in a real Chromium: rows, squares, phones, versions by width, the lightbox."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import LIST, Visit, expect_cards, hang, hang_five, home, sent
from tests.support.e2e.paintings import paint
from tests.support.pictures import encode
from tools.stack import Stack

SHAPES = ((1600, 1200), (1200, 1600), (1500, 1500), (2000, 500), (600, 900), (1800, 1200), (1200, 1600))
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NARROWER = (640, 1280)

# Of every picture of the grid: its place, its own shape, and device pixels drawn for each of its pixels.
HUNG = """() => [...document.querySelectorAll(".card:not([hidden]) img")].map((image) => {
    const [place, row] = [image.getBoundingClientRect(), image.closest(".card").getBoundingClientRect()];
    const own = Number(new URL(image.currentSrc).searchParams.get("width"));
    const [width, height] = [image.getAttribute("width"), image.getAttribute("height")].map(Number);
    const shown = Math.min(place.width, (place.height * width) / height);
    const { top, bottom, left, right } = row;
    return { top, bottom, left, right, stretch: (shown * devicePixelRatio) / own, own, shown };
})"""


# How wide the lightbox shows its picture.
SHOWN_WIDTH = """() =>
    document.querySelector(".pswp__item[aria-hidden=false] img").getBoundingClientRect().width"""


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with five artworks."""
    made: Account = account()
    hang_five(made)
    return made


@pytest.fixture(scope="module")
def bytes_of() -> Callable[[int, int], bytes]:
    """A JPEG of a size."""
    made: dict[tuple[int, int], bytes] = {}

    def encoded(width: int, height: int) -> bytes:
        if (width, height) not in made:
            made[width, height] = encode(paint("field", width, height), "JPEG", quality=60)
        return made[width, height]

    return encoded


def served(page: Page, like: dict[str, Any], bytes_of: Callable[[int, int], bytes]) -> None:
    """Lets lists answer with artworks of many shapes, each with narrower display versions."""
    works = []
    for number, (width, height) in enumerate(SHAPES):
        widths = [each for each in NARROWER if each < width] + [width]
        versions = [
            {
                "url": f"/cdn/shape-{number}.jpg?width={each}&height={height * each // width}",
                "width": each,
                "height": height * each // width,
            }
            for each in widths
        ]
        works.append(
            like
            | {"id": f"art_{number}", "slug": f"shape-{number}", "title": f"Shape {number}"}
            | {"width": width, "height": height, "display": versions, "displayUrl": versions[-1]["url"]}
        )

    def image(route: Route) -> None:
        width, height = map(int, re.findall(r"(?:width|height)=(\d+)", route.request.url))
        # A small JPEG stands in for a large one: what is asked for is what counts.
        route.fulfill(body=bytes_of(width // 10, max(1, height // 10)), content_type="image/jpeg")

    page.route(LIST, lambda route: route.fulfill(json={"data": works, "nextCursor": None}))
    page.route(re.compile(r"/cdn/shape-"), image)


@pytest.mark.parametrize("density", [1, 2])
@pytest.mark.parametrize("width", [390, 768, 1440, 2560])
def test_no_thumbnail_is_drawn_above_its_own_pixels(
    width: int, density: int, visit: Visit, artist: Account, bytes_of: Callable[[int, int], bytes]
) -> None:
    like = artist.client.get("/api/artworks", params={"username": artist.username}).json()["data"][0]
    page = visit("/healthz", viewport={"width": width, "height": 900}, device_scale_factor=density)
    served(page, like, bytes_of)
    page.goto(home(artist))
    expect(page.locator(".card .loaded")).to_have_count(len(SHAPES))
    for each in page.evaluate(HUNG):
        assert each["stretch"] <= 1.01, each
    page.locator(".hanging button").last.dispatch_event("click")
    expect(page.locator(".card .loaded")).to_have_count(len(SHAPES))
    for frame in page.locator(".card .picture").all():
        own = frame.evaluate("""frame => {
            const image = frame.querySelector("img");
            const { searchParams: query } = new URL(image.currentSrc);
            const shorter = Math.min(query.get("width"), query.get("height"));
            return image.getBoundingClientRect().width * devicePixelRatio / shorter;
        }""")
        assert own <= 1.02


def test_the_artwork_page_offers_three_widths_of_a_large_picture(
    visit: Visit, account: AccountFactory, bytes_of: Callable[[int, int], bytes]
) -> None:
    owner = account()
    answer = owner.create(owner.upload(bytes_of(1600, 1200)), "Large")
    assert answer.status_code == 201, answer.text
    page = visit(f"{home(owner)}/large", viewport={"width": 390, "height": 844})
    image = page.locator(".stage .loaded img")
    offered = [each.split(" ") for each in (image.get_attribute("srcset") or "").split(", ")]
    assert [width for _, width in offered] == ["640w", "1280w", "1600w"]
    for url, width in offered:
        body = page.request.get(url).body()
        assert f"{Image.open(io.BytesIO(body)).width}w" == width
    assert image.evaluate("image => image.currentSrc") == offered[0][0]


def test_no_more_bytes_come_than_a_place_needs(
    visit: Visit, artist: Account, bytes_of: Callable[[int, int], bytes]
) -> None:
    like = artist.client.get("/api/artworks", params={"username": artist.username}).json()["data"][0]
    page = visit("/healthz", viewport={"width": 1440, "height": 900})
    served(page, like, bytes_of)
    page.goto(home(artist))
    expect(page.locator(".card .loaded")).to_have_count(len(SHAPES))
    for each in page.evaluate(HUNG):
        assert each["own"] <= max(640, 2 * each["shown"]), each


def test_rows_are_justified_and_show_whole_pictures(
    visit: Visit, artist: Account, bytes_of: Callable[[int, int], bytes]
) -> None:
    like = artist.client.get("/api/artworks", params={"username": artist.username}).json()["data"][0]
    page = visit("/healthz", viewport={"width": 1440, "height": 900})
    served(page, like, bytes_of)
    page.goto(home(artist))
    expect(page.locator(".card .loaded")).to_have_count(len(SHAPES))
    hung = page.evaluate(HUNG)
    tops = sorted({round(each["top"]) for each in hung})
    assert len(tops) >= 2
    grid = page.locator(".grid").bounding_box()
    assert grid is not None
    for top in tops[:-1]:
        row = [each for each in hung if round(each["top"]) == top]
        assert max(each["bottom"] for each in row) - min(each["bottom"] for each in row) < 1
        assert row[0]["left"] == pytest.approx(grid["x"], abs=1)
        assert row[-1]["right"] == pytest.approx(grid["x"] + grid["width"], abs=1)
    brand = page.locator(".brand").bounding_box()
    assert brand is not None
    assert brand["x"] == pytest.approx(grid["x"], abs=1)
    assert page.locator(".card img").first.evaluate("image => getComputedStyle(image).objectFit") == "contain"


def test_a_phone_shows_two_columns(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), **PHONE)
    expect_cards(page, 5)
    lefts = {
        round(card.evaluate("card => card.getBoundingClientRect().left"))
        for card in page.locator(".card").all()
    }
    assert len(lefts) == 2
    tops = [card.evaluate("card => card.getBoundingClientRect().top") for card in page.locator(".card").all()]
    assert tops == sorted(tops)


def test_squares_are_a_choice_that_is_kept(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.get_by_role("button", name="Squares").click()
    shapes = "frames => frames.map((frame) => frame.clientWidth / frame.clientHeight)"
    assert page.locator(".card .picture").evaluate_all(shapes) == pytest.approx([1] * 5, abs=0.02)
    page.reload()
    expect_cards(page, 5)
    expect(page.get_by_role("button", name="Squares")).to_have_attribute("aria-pressed", "true")
    assert page.locator(".card .picture").evaluate_all(shapes) == pytest.approx([1] * 5, abs=0.02)
    page.get_by_role("button", name="Whole pictures").click()
    assert page.locator(".card .picture").evaluate_all(shapes) != pytest.approx([1] * 5, abs=0.02)


def test_featured_works_come_first_and_once(visit: Visit, account: AccountFactory, stack: Stack) -> None:
    artist = account()
    chosen = hang(artist, "Chosen long ago", 1)
    hang(artist, "Made since", 2)
    stack.rows("UPDATE artworks SET is_featured = 1 WHERE id = ?", chosen["id"])
    page = visit("/")
    first = page.locator(".card:not(.empty)").first
    expect(first).to_contain_text("Featured")
    titles = page.locator(".card .title").all_inner_texts()
    assert titles.index("Chosen long ago") < titles.index("Made since")
    assert titles.count("Chosen long ago") == 1
    page.goto(home(artist))
    expect_cards(page, 2)
    assert page.locator(".card .title").all_inner_texts() == ["Made since", "Chosen long ago"]
    stack.rows("UPDATE artworks SET is_featured = 0 WHERE id = ?", chosen["id"])


def test_the_search_follows_what_is_typed(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.get_by_label("Search titles, names and tags").press_sequentially("ink", delay=20)
    expect_cards(page, 2)
    expect(page.get_by_label("Search titles, names and tags")).to_be_focused()
    expect(page.locator(".matches").get_by_role("link", name="#ink", exact=True)).to_be_visible()
    page.get_by_label("Search titles, names and tags").press_sequentially(" one", delay=20)
    expect_cards(page, 1)
    assert urlsplit(page.url).query == "q=ink+one"
    # One step back for all that was typed.
    page.go_back()
    expect_cards(page, 5)
    page.goto("/")
    page.get_by_label("Search titles, names and tags").press_sequentially(artist.username, delay=0)
    page.locator(".matches").get_by_role("link", name=artist.username).click()
    assert urlsplit(page.url).path == home(artist)


def test_filters_fold_behind_one_button_on_phones(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), **PHONE)
    expect_cards(page, 5)
    expect(page.get_by_label("Category")).to_be_hidden()
    fold = page.get_by_role("button", name="Filters")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.get_by_label("Category").fill("drawing")
    page.get_by_label("Category").press("Enter")
    expect_cards(page, 2)
    expect(fold).to_have_text("Filters · 2")


def lightbox_of(page: Page, artist: Account, slug: str = "ink-two") -> None:
    page.goto(f"{home(artist)}/{slug}")
    expect(page.locator(".strip li")).to_have_count(5)
    expect(page.locator(".stage .loaded")).to_be_visible()


def test_the_lightbox_opens_zooms_moves_and_gives_the_focus_back(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")
    scripts = sent(page, r"/assets/(kept/lightbox|lightbox/)", "GET")
    lightbox_of(page, artist)
    assert scripts == []
    page.get_by_role("button", name="Enlarge").click()
    box = page.locator(".pswp")
    expect(box).to_have_class(re.compile("pswp--open"))
    assert len(scripts) == 2
    expect(
        box.locator(".pswp__item[aria-hidden=false] img.pswp__img:not(.pswp__img--placeholder)")
    ).to_be_visible()
    expect(box.locator(".lightbox-count")).to_have_text("3 / 5")
    # The neighbours are there before they are asked for.
    expect(box.locator(".pswp__item img.pswp__img:not(.pswp__img--placeholder)")).to_have_count(3)
    page.keyboard.press("ArrowRight")
    expect(box.locator(".lightbox-caption")).to_contain_text("Weave")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('.pswp').contains(document.activeElement)")
    before = page.evaluate(SHOWN_WIDTH)
    box.get_by_role("button", name="Zoom").click()
    expect(box).to_have_class(re.compile("pswp--zoomed-in"))
    page.wait_for_function(f"before => ({SHOWN_WIDTH})() > before * 1.5", arg=before)
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(page.get_by_role("heading", name="Weave")).to_be_visible()
    assert page.url.endswith("/weave")
    assert page.evaluate("document.activeElement !== document.body")


def test_the_lightbox_closes_where_it_was_opened(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", reduced_motion="reduce")
    lightbox_of(page, artist)
    enlarge = page.get_by_role("button", name="Enlarge")
    enlarge.press("Enter")
    expect(page.locator(".pswp")).to_have_class(re.compile("pswp--open"))
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".pswp")).to_have_count(0)
    expect(enlarge).to_be_focused()
    assert page.url.endswith("/ink-two")
    page.go_back()
    assert page.url.endswith("/healthz")
