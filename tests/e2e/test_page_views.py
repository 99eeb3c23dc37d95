"""The gallery and the artwork view, in a real Chromium: addresses, loading, keyboard, screens, safety."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from tests.e2e.browsing import Visit, choose, expect_state, hang, painting, row, rows, start_upload
from tests.e2e.conftest import Account, AccountFactory

LIST = re.compile(r"/api/artworks\?")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"
SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (list) => { for (const shift of list.getEntries()) sum += shift.value; };
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 300);
})"""


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with five artworks, oldest first."""
    made: Account = account()
    details = {"materials": "Ink on paper", "dimensions": "30 × 40 cm", "createdDate": "2024-05"}
    hang(made, "Ink one", 1, category="drawing", tags=["ink", "hills & sea"], **details)
    hang(made, "Weave", 2, category="textile")
    hang(made, "Ink two", 3, category="drawing", tags=["ink"])
    hang(made, MARKUP, 4, description=MARKUP, tags=["<b>"])
    hang(made, "Morning", 5)
    return made


def home(artist: Account) -> str:
    return f"/artists/{artist.username}"


def titles(page: Page) -> list[str]:
    return page.locator(".card .title").all_inner_texts()


def expect_cards(page: Page, count: int) -> None:
    expect(page.locator(".card:not(.empty)")).to_have_count(count)


def two_a_page(route: Route) -> None:
    """Lets the page ask for two artworks at a time, so that five are three pages."""
    parts = urlsplit(route.request.url)
    query = dict(parse_qsl(parts.query)) | {"limit": "2"}
    route.continue_(url=urlunsplit(parts._replace(query=urlencode(query))))


def test_filters_have_addresses_that_survive_a_reload_and_back(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.get_by_label("Category").select_option("drawing")
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
    page.get_by_role("link", name="#hills & sea").click()
    expect_cards(page, 1)
    page.get_by_role("button", name="Remove the tag hills & sea").click()
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
    for path in (home(artist), f"{home(artist)}/morning"):
        page.goto(path)
        expect(page.locator(".picture").first).to_be_visible()
        expect(page.locator(".picture:not(.loaded)")).to_have_count(0)
        assert page.evaluate(SHIFTS) < 0.01


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
    page.goto("/no/such/place")
    expect(page.get_by_role("link", name="See all pictures")).to_be_visible()
    page.goto(home(account()))
    expect(page.get_by_role("heading", name="No pictures yet")).to_be_visible()
    page.goto(f"{home(artist)}?q=nothing+is+called+this")
    expect(page.get_by_role("link", name="Show all pictures")).to_be_visible()

    broken = json.dumps({"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"})
    page.route(LIST, lambda route: route.fulfill(status=500, content_type="application/json", body=broken))
    page.goto(home(artist))
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on our side.")
    page.unroute(LIST)
    page.get_by_role("button", name="Try again").click()
    expect_cards(page, 5)


def test_what_people_typed_shows_as_text(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), artist)
    page.locator(".card", has_text="onerror").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    expect(page.locator(".description")).to_have_text(MARKUP)
    expect(page.locator(".crumbs .here")).to_contain_text(MARKUP)
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_label("Title")).to_have_value(MARKUP)
    assert page.locator("[onerror], main script").count() == 0


def test_an_owner_edits_the_details_and_learns_of_other_changes(
    visit: Visit, account: AccountFactory
) -> None:
    owner = account()
    artwork = hang(owner, "Draft")
    page = visit(f"{home(owner)}/draft", owner, expecting=(412,))
    edit = page.get_by_role("button", name="Edit")
    dialog = page.get_by_role("dialog")
    edit.click()
    dialog.get_by_label("Title").fill("Finished")
    dialog.get_by_label("Materials").fill("Oil on linen")
    dialog.get_by_label("Tags").fill("sea, sea, evening")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Finished")
    saved = owner.client.get(f"/api/artworks/{artwork['id']}").json()["data"]
    assert (saved["title"], saved["materials"], saved["tags"]) == (
        "Finished",
        "Oil on linen",
        ["sea", "evening"],
    )

    edit.click()
    owner.client.patch(f"/api/artworks/{artwork['id']}", json={"description": "Changed elsewhere"})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody changed this artwork in the meantime")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator(".description")).to_have_text("Changed elsewhere")


def test_only_the_owner_is_offered_changes(visit: Visit, artist: Account, account: AccountFactory) -> None:
    for visitor in (None, account()):
        page = visit(f"{home(artist)}/morning", visitor)
        expect(page.get_by_role("button", name="Copy link")).to_be_visible()
        expect(page.get_by_role("button", name="Edit")).to_have_count(0)
        expect(page.get_by_role("button", name="Delete")).to_have_count(0)


def test_the_keyboard_reaches_everything(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the pictures")).to_be_focused()
    page.get_by_role("link", name="Ink two").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ink two")).to_be_focused()
    expect(page.locator(".strip [aria-current]")).to_have_attribute("title", "Ink two")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Weave")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Ink two")).to_be_focused()
    page.go_back()
    expect_cards(page, 5)
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.get_by_label("Token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()


def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), artist, **PHONE)
    for path in (home(artist), f"{home(artist)}/ink-one", "/upload"):
        page.goto(path)
        expect(page.locator(".card .loaded, .stage .loaded, .uppy-Dashboard-browse").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
    choose(page, painting("phone.jpg", size=(300, 200)))
    start_upload(page)
    expect_state(row(page, "phone.jpg"), "done")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    artist.client.delete(f"/api/artworks/{_id_of(artist, 'Phone')}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(scheme: str, visit: Visit, artist: Account, project: Path) -> None:
    axe = (project / "node_modules/axe-core/axe.min.js").read_text()
    page = visit(home(artist), artist, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(".card .loaded")).to_have_count(5)
    check_access(page, axe)
    page.get_by_role("link", name="Ink one").click()
    expect(page.locator(".strip .loaded")).to_have_count(5)
    check_access(page, axe)
    page.get_by_role("button", name="Edit").click()
    check_access(page, axe)
    page.goto("/upload")
    choose(page, painting("one.jpg"), painting("two.jpg", seed=2))
    rows(page).first.locator("summary").click()
    check_access(page, axe)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    check_access(page, axe)


def check_access(page: Page, axe: str) -> None:
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run()")
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious] == []


def test_reduced_motion_and_dark_are_respected(visit: Visit, artist: Account) -> None:
    light = visit(home(artist), color_scheme="light")
    dark = visit(home(artist), color_scheme="dark", reduced_motion="reduce")
    for page in (light, dark):
        expect_cards(page, 5)
    paper = [
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor") for page in (light, dark)
    ]
    assert paper[0] != paper[1]
    moving = "image => getComputedStyle(image).transitionDuration"
    assert light.locator(".card img").first.evaluate(moving) != "0s"
    assert dark.locator(".card img").first.evaluate(moving) == "0s"


def test_the_policy_allows_no_inline_script_and_no_other_host(gallery_url: str) -> None:
    for path in ("/", "/upload", "/artists/somebody/something", "/docs/"):
        answer = httpx.get(f"{gallery_url}{path}", follow_redirects=True)
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=|https?://", answer.text)


def test_the_contract_is_rendered_without_any_other_host(visit: Visit, gallery_url: str) -> None:
    page = visit("/healthz")
    hosts: set[str] = set()
    page.on("request", lambda each: hosts.add(urlsplit(each.url).netloc))
    page.goto("/docs")
    expect(page.locator(".opblock-summary-path").first).to_be_visible()
    assert page.locator(".opblock").count() >= 8
    assert hosts == {urlsplit(gallery_url).netloc}


def test_a_site_can_connect_its_own_session(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")

    def configured(route: Route) -> None:
        empty = 'name="session-endpoint" content="'
        route.fulfill(
            body=route.fetch().text().replace(empty, f"{empty}/session/token"), content_type="text/html"
        )

    page.route(lambda url: urlsplit(url).path.startswith("/artists/"), configured)
    page.route("**/session/token", lambda route: route.fulfill(json={"token": artist.token}))
    page.goto(f"{home(artist)}/morning")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    with page.expect_popup() as original:
        page.get_by_role("button", name="Original").click()
    expect(original.value.locator("img")).to_have_js_property("naturalWidth", 400)
    assert page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })") == "{}"


def _id_of(artist: Account, title: str) -> str:
    answer = artist.client.get("/api/artworks", params={"username": artist.username, "q": title})
    return str(answer.json()["data"][0]["id"])
