"""The page for everybody: by keyboard, on a phone, to a screen reader, with reduced motion, in the dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import (
    LIST,
    Visit,
    choose,
    expect_cards,
    expect_state,
    hang_five,
    home,
    open_upload,
    painting,
    row,
    rows,
    start_upload,
    tab_to,
)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WIDE = {"viewport": {"width": 1280, "height": 720}}
BROKEN = {"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"}


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with five artworks."""
    made: Account = account()
    hang_five(made)
    return made


@pytest.fixture(scope="module")
def axe(project: Path) -> str:
    return (project / "node_modules/axe-core/axe.min.js").read_text()


def test_the_keyboard_leads_through_the_gallery(visit: Visit, artist: Account) -> None:
    page = visit(home(artist))
    expect_cards(page, 5)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the pictures")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Category"))
    page.keyboard.type("drawing")
    page.keyboard.press("Enter")
    expect_cards(page, 2)
    expect(page.get_by_label("Category")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect_cards(page, 5)
    tab_to(page, page.get_by_role("link", name="Ink two"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ink two")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Weave")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Next: Ink one"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ink one")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="#ink", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="#ink")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Remove the tag ink"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recent work")).to_be_visible()


def test_the_keyboard_signs_in_uploads_edits_and_deletes(visit: Visit, account: AccountFactory) -> None:
    artist = account()
    page = visit("/")
    page.on("filechooser", lambda chooser: chooser.set_files(painting("keys.jpg")))
    sign_in = page.get_by_role("button", name="Sign in")
    dialog = page.get_by_role("dialog")
    tab_to(page, sign_in)
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(sign_in).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.insert_text(artist.token)
    tab_to(page, dialog.get_by_role("button", name="Sign in"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    tab_to(page, page.get_by_role("link", name="Upload", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upload")).to_be_focused()
    tab_to(page, page.locator(".browse"))
    page.keyboard.press("Enter")
    picture = row(page, "keys.jpg")
    tab_to(page, picture.get_by_label("Title"))
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("By keyboard")
    tab_to(page, picture.locator("summary"))
    page.keyboard.press("Space")
    tab_to(page, picture.get_by_label("Materials"))
    page.keyboard.insert_text("Ten fingers")
    tab_to(page, page.get_by_role("button", name="Upload 1 picture"))
    page.keyboard.press("Enter")
    expect_state(picture, "done")
    tab_to(page, picture.get_by_role("link", name="View"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keyboard")).to_be_focused()
    expect(page.locator(".facts")).to_contain_text("Ten fingers")

    edit, delete = page.get_by_role("button", name="Edit"), page.get_by_role("button", name="Delete")
    tab_to(page, edit)
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Title")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("Typed")
    tab_to(page, dialog.get_by_role("button", name="Save"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Typed")).to_be_visible()
    expect(edit).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(edit).to_be_focused()
    tab_to(page, delete)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(delete).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, dialog.get_by_role("button", name="Delete"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=artist.username)).to_be_focused()
    expect(page.get_by_role("heading", name="No pictures")).to_be_visible()


def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), artist, **PHONE)
    for path in (home(artist), f"{home(artist)}/ink-one", "/upload"):
        page.goto(path)
        expect(page.locator(".card .loaded, .stage .loaded, .browse").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
    choose(page, painting("phone.jpg", size=(300, 200)))
    start_upload(page)
    expect_state(row(page, "phone.jpg"), "done")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    artist.client.delete(f"/api/artworks/{_id_of(artist, 'Phone')}")


@pytest.mark.parametrize("device", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    scheme: str, device: dict[str, Any], visit: Visit, artist: Account, axe: str
) -> None:
    page = visit(home(artist), artist, color_scheme=scheme, reduced_motion="reduce", **device)
    expect(page.locator(".card .title").first).to_be_visible()
    check_access(page, axe)
    page.get_by_role("link", name="Ink one").click()
    expect(page.locator(".stage .loaded")).to_be_visible()
    check_access(page, axe)
    for action in ("Edit", "Delete"):
        page.get_by_role("button", name=action).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check_access(page, axe)
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.goto("/upload")
    choose(page, painting("one.jpg"), painting("two.jpg", seed=2))
    rows(page).first.locator("summary").click()
    page.locator(".shared summary").click()
    check_access(page, axe)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    check_access(page, axe)


@pytest.mark.parametrize("device", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_something_is_missing(
    scheme: str, device: dict[str, Any], visit: Visit, account: AccountFactory, artist: Account, axe: str
) -> None:
    options = {"color_scheme": scheme, "reduced_motion": "reduce", **device}
    page = open_upload(visit, account(limit=1), expecting=(404, 500, "net::ERR"), **options)
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    choose(page, painting("fits.jpg"), painting("waits.jpg", seed=2), notes)
    expect_state(row(page, "waits.jpg"), "parked")
    expect_state(row(page, "notes.txt"), "failed")
    check_access(page, axe)
    for path, heading in (
        ("/artists/nobody-of-that-name", "No pictures"),
        ("/no/such/place", "There is nothing here"),
        (f"{home(artist)}/no-such-picture", "This picture is not here"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        check_access(page, axe)
    page.route("**/cdn/**", lambda route: route.abort())
    page.goto(home(artist))
    expect(page.locator(".card .failed").first).to_be_visible()
    check_access(page, axe)
    page.goto(f"{home(artist)}/ink-one")
    expect(page.get_by_role("alert")).to_contain_text("The picture could not be loaded.")
    check_access(page, axe)
    page.route(LIST, lambda route: route.fulfill(status=500, json=BROKEN))
    page.goto(home(artist))
    expect(page.get_by_role("alert")).to_contain_text(BROKEN["error"])
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


def _id_of(artist: Account, title: str) -> str:
    answer = artist.client.get("/api/artworks", params={"username": artist.username, "q": title})
    return str(answer.json()["data"][0]["id"])
