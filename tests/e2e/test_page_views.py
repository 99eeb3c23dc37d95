"""The gallery and the artwork view, in a real Chromium: addresses, loading, failures, safety."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import LIST, MARKUP, Visit, expect_cards, hang, hang_five, home, sent, tag_of
from tests.unit.gallery.test_other_writers import INSERT, ROW
from tools.stack import Stack

SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (list) => { for (const shift of list.getEntries()) sum += shift.value; };
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 300);
})"""


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with five artworks."""
    made: Account = account()
    hang_five(made)
    return made


def titles(page: Page) -> list[str]:
    return page.locator(".card .title").all_inner_texts()


def two_a_page(route: Route) -> None:
    """Lets the page ask for two artworks at a time, so that five are three pages."""
    parts = urlsplit(route.request.url)
    query = dict(parse_qsl(parts.query)) | {"limit": "2"}
    route.continue_(url=urlunsplit(parts._replace(query=urlencode(query))))


def test_filters_have_addresses_that_survive_a_reload_and_back(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.get_by_label("Category").fill("drawing")
    page.get_by_label("Category").press("Enter")
    expect_cards(page, 2)
    assert urlsplit(page.url).query == "category=drawing"
    page.get_by_label("Search titles").fill("two")
    page.get_by_label("Search titles").press("Enter")
    expect_cards(page, 1)
    page.reload()
    expect_cards(page, 1)
    assert titles(page) == ["Ink two"]
    expect(page.get_by_label("Search titles")).to_have_value("two")
    page.go_back()
    expect_cards(page, 2)
    page.go_back()
    expect_cards(page, 5)
    page.get_by_role("link", name="Ink one").click()
    page.get_by_role("link", name=f"#{tag_of(artist)}").click()
    expect_cards(page, 1)
    page.get_by_role("button", name=f"Remove the tag {tag_of(artist)}").click()
    assert urlsplit(page.url).path == "/"


def test_the_artist_filter_leads_to_the_artist(visit: Visit, artist: Account) -> None:
    page = visit("/")
    page.get_by_label("Artist").fill(artist.username)
    page.get_by_label("Artist").press("Enter")
    expect(page.get_by_role("heading", name=artist.username)).to_be_visible()
    assert urlsplit(page.url).path == home(artist)


def test_more_pictures_load_as_the_grid_is_scrolled(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", viewport={"width": 390, "height": 300})
    page.route(LIST, two_a_page)
    page.goto(home(artist))
    expect_cards(page, 5)
    assert titles(page) == ["Morning", MARKUP, "Ink two", "Weave", "Ink one"]


def test_nothing_moves_while_pictures_arrive(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")

    def late(route: Route) -> None:
        time.sleep(0.15)
        route.continue_()

    page.route(re.compile(r"/cdn/|/api/"), late)
    wide, phone = ViewportSize(width=1280, height=720), ViewportSize(width=390, height=844)
    for size, path in ((wide, home(artist)), (wide, f"{home(artist)}/morning"), (phone, home(artist))):
        page.set_viewport_size(size)
        page.goto(path)
        expect(page.locator(".picture").first).to_be_visible()
        expect(page.locator(".picture:not(.loaded)")).to_have_count(0)
        assert page.evaluate(SHIFTS) < 0.001


def test_a_likeness_stands_in_until_the_picture_is_there(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")
    page.route("**/cdn/**", lambda _: None)
    page.goto(home(artist))
    expect_cards(page, 5)
    likeness = page.locator(".card canvas.likeness").first
    colours = likeness.evaluate(
        "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    )
    assert colours > 3
    assert page.locator(".card .picture").first.evaluate("frame => frame.style.getPropertyValue('--tone')")


def test_the_way_back_leads_to_the_same_place_in_the_grid(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), viewport={"width": 390, "height": 500})
    expect_cards(page, 5)
    last = page.get_by_role("link", name="Ink one")
    last.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 100
    last.click()
    expect(page.get_by_role("heading", name="Ink one")).to_be_focused()
    page.go_back()
    expect(last).to_be_in_viewport()
    expect(last).to_be_focused()
    assert page.evaluate("scrollY") == place


def test_states_say_what_to_do(visit: Visit, artist: Account, account: AccountFactory) -> None:
    page = visit(f"{home(artist)}/no-such-picture", expecting=(404, 500))
    expect(page.get_by_role("heading", name="This picture is not here")).to_be_visible()
    expect(page.locator(".actions:visible")).to_have_text("See all pictures")
    page.goto("/no/such/place")
    expect(page.get_by_role("link", name="See all pictures")).to_be_visible()
    page.goto(home(account()))
    expect(page.get_by_role("heading", name="No pictures")).to_be_visible()
    page.goto(f"{home(artist)}?q=nothing+is+called+this")
    expect(page.get_by_role("link", name="Show all pictures")).to_be_visible()

    broken = json.dumps({"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"})
    page.route(LIST, lambda route: route.fulfill(status=500, content_type="application/json", body=broken))
    page.goto(home(artist))
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on our side.")
    page.unroute(LIST)
    page.get_by_role("button", name="Try again").click()
    expect_cards(page, 5)


def test_what_a_link_asks_for_in_vain_is_not_offered_again(visit: Visit) -> None:
    page = visit("/healthz", expecting=(400, 404))
    for path in (f"/?category={'x' * 150}", f"/?q={'x' * 150}"):
        page.goto(path)
        expect(page.get_by_role("heading", name="There is nothing to show")).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        expect(page.get_by_role("link", name="Show all pictures")).to_have_attribute("href", "/")
    page.goto("/artists/nobody-of-that-name")
    expect(page.get_by_text("There is nothing by nobody-of-that-name here.")).to_be_visible()


def test_the_search_takes_no_more_than_the_api_does(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    page.get_by_label("Search titles").press_sequentially("x" * 120, delay=0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_each_view_has_a_title_of_its_own(visit: Visit, artist: Account) -> None:
    name = artist.username
    titles = {
        "/": "Recent work · Gallery",
        home(artist): f"{name} · Gallery",
        f"{home(artist)}?category=drawing&q=two": f"{name} · “two” · Drawing · Gallery",
        f"{home(artist)}/ink-one": f"Ink one by {name} · Gallery",
        f"{home(artist)}/no-such-picture": "Not found · Gallery",
        "/upload": "Upload · Gallery",
        "/no/such/place": "Not found · Gallery",
    }
    page = visit("/", expecting=(404,))
    for path, title in titles.items():
        page.goto(path)
        expect(page).to_have_title(title)


def test_a_shared_link_leads_on_to_the_artists_other_pictures(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")
    lists = sent(page, LIST, "GET")
    page.goto(f"{home(artist)}/ink-two")
    expect(page.locator(".strip [aria-current]")).to_have_attribute("title", "Ink two")
    page.route("**/api/users/**", lambda _: None)
    for key, title in (("ArrowRight", "Weave"), ("ArrowRight", "Ink one"), ("ArrowLeft", "Weave")):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=title)).to_be_focused()
        expect(page.locator(".stage .picture")).to_be_visible()
        expect(page.locator(".strip [aria-current]")).to_have_attribute("title", title)
    page.get_by_role("link", name="Next: Ink one").click()
    expect(page.get_by_role("heading", name="Ink one")).to_be_focused()
    assert len(lists) == 1


def without_record(route: Route) -> None:
    """The page as the gateway answers it when it cannot read the artwork."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace(' id="artwork"', ""))


def test_a_shared_link_shows_its_picture_before_anything_else_is_fetched(
    visit: Visit, artist: Account
) -> None:
    page = visit("/healthz")
    pictures: list[Route] = []
    page.route("**/cdn/display/**", lambda route: pictures.append(route))
    later = sent(page, r"/api/|/cdn/icons/|\.woff2", "GET")
    page.goto(f"{home(artist)}/ink-two", wait_until="commit")
    expect(page.get_by_role("heading", name="Ink two")).to_be_visible()
    expect(page.locator(".stage .likeness")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("Drawing")
    assert later == []
    for route in pictures:
        route.continue_()
    expect(page.locator(".stage .loaded")).to_be_visible()
    expect(page.locator(".strip [aria-current]")).to_have_attribute("title", "Ink two")
    paths = " ".join(urlsplit(each.url).path for each in later)
    for part in (f"/api/users/{artist.username}/artworks/ink-two", "/cdn/icons/", "figtree", "instrument"):
        assert part in paths


def test_the_record_of_a_document_is_not_taken_for_another_artwork(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")

    def of_another(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"slug":"ink-two"', '"slug":"weave"'))

    page.route(f"**{home(artist)}/ink-two", of_another)
    page.route("**/api/users/**", lambda _: None)
    page.goto(f"{home(artist)}/ink-two")
    expect(page.get_by_text("Fetching the picture…")).to_be_visible()


def test_an_artwork_that_is_gone_since_its_document_was_made_says_so(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", expecting=(404,))
    gone = {"error": "Not found", "code": "not_found", "requestId": "r"}
    page.route("**/api/users/**", lambda route: route.fulfill(status=404, json=gone))
    page.goto(f"{home(artist)}/ink-two")
    expect(page.get_by_role("heading", name="This picture is not here")).to_be_visible()


def test_the_focus_stays_at_an_artwork_that_is_not_known_yet(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", expecting=(500,))
    broken = {"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"}
    page.route("**/api/users/**", lambda route: route.fulfill(status=500, json=broken))
    page.route(f"**{home(artist)}/ink-two", without_record)
    page.goto(f"{home(artist)}/ink-two")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on our side.")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.unroute("**/api/users/**")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.get_by_role("heading", name="Ink two")).to_be_focused()


def test_the_focus_goes_on_to_the_pictures_that_were_asked_for(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", expecting=(500,))
    page.add_init_script("IntersectionObserver.prototype.observe = () => {}")
    page.route(LIST, two_a_page)
    page.goto(home(artist))
    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.get_by_role("link", name="Ink two")).to_be_focused()
    page.unroute(LIST)
    broken = {"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"}
    page.route(LIST, lambda route: route.fulfill(status=500, json=broken))
    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    page.unroute(LIST)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Ink one")).to_be_focused()
    expect_cards(page, 5)


def test_a_picture_that_does_not_load_says_so(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", expecting=("net::ERR",))
    page.route("**/cdn/**", lambda route: route.abort())
    page.goto(home(artist))
    expect(page.locator(".card .failed").get_by_text("Not available")).to_have_count(5)
    page.get_by_role("link", name="Morning").click()
    expect(page.get_by_role("alert")).to_contain_text("The picture could not be loaded.")
    # The artwork's own reading shows it anew; from here on nobody but the button does.
    page.wait_for_load_state("networkidle")
    page.unroute("**/cdn/**")
    reads = sent(page, "/api/users/", "GET")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".stage .loaded")).to_be_visible()
    assert len(reads) == 1


def test_a_link_that_cannot_be_copied_is_said_to_everybody(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    page.goto(f"{home(artist)}/morning")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#notice")).to_contain_text("copy the link from the address bar")


def test_what_people_typed_shows_as_text(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), artist)
    page.locator(".card", has_text="onerror").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    expect(page.locator(".description")).to_have_text(MARKUP)
    expect(page.locator(".crumbs .here")).to_contain_text(MARKUP)
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_label("Title")).to_have_value(MARKUP)
    assert page.locator("[onerror], main script").count() == 0


def test_the_policy_allows_no_inline_script_and_no_other_host(gallery_url: str) -> None:
    for path in ("/", "/upload", "/artists/somebody/something", "/docs/"):
        answer = httpx.get(f"{gallery_url}{path}", follow_redirects=True)
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<style|<[a-z][^>]* (?:style|on\w+)=", answer.text)
        for script in re.findall(r"<script[^>]*>", answer.text):
            assert re.search(r'src="/assets/|type="application/(ld\+)?json"', script)
        for link in re.findall(r"<link[^>]* rel=.(?:stylesheet|modulepreload|icon).[^>]*>", answer.text):
            assert re.search(r'href="/', link)


def test_the_contract_is_rendered_without_any_other_host(visit: Visit, gallery_url: str) -> None:
    page = visit("/healthz")
    hosts: set[str] = set()
    page.on("request", lambda each: hosts.add(urlsplit(each.url).netloc))
    page.goto("/docs")
    expect(page.locator(".opblock-summary-path").first).to_be_visible()
    assert page.locator(".opblock").count() >= 8
    assert hosts == {urlsplit(gallery_url).netloc}


def test_an_artwork_of_another_program_takes_the_shape_of_its_picture(
    visit: Visit, account: AccountFactory, stack: Stack
) -> None:
    artist = account()
    shown = hang(artist, "Ours", 5)
    values = {
        **ROW,
        "id": f"theirs {artist.user_id}",
        "user_id": artist.user_id,
        "slug": "theirs",
        "title": "Theirs",
        "display_url": shown["displayUrl"],
        "thumbnail_url": shown["thumbnailUrl"],
        "icon_url": None,
    }
    stack.rows(INSERT, *values.values())
    page = visit(f"/artists/{artist.username}/theirs")
    expect(page.get_by_role("heading", name="Theirs")).to_be_visible()
    expect(page.locator(".stage .picture.loaded")).to_be_visible()
    ratio = page.locator(".stage .picture").evaluate("frame => frame.style.getPropertyValue('--ratio')")
    assert float(ratio) == pytest.approx(shown["width"] / shown["height"], rel=0.01)
    expect(page.locator(".facts")).to_contain_text("Oil & Gold")
    expect(page.locator(".facts")).not_to_contain_text("pixels")
    page.goto(home(artist))
    expect(page.locator(".card").first).to_be_visible()
