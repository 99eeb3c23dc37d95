"""An owner at an artwork, in a real Chromium: changes, deletes, gets the original; the site's own session."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import Visit, hang, home, sent

READ = "**/api/users/**"
CHANGE = "**/api/artworks/art_*"


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with one artwork that stays."""
    made: Account = account()
    hang(made, "Morning")
    return made


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


def configured(route: Route) -> None:
    """The page of a site that has a session of its own."""
    document = route.fetch().text()
    for name, address in (("session-endpoint", "/session/token"), ("sign-out-page", "/logout")):
        empty = f'name="{name}" content="'
        document = document.replace(empty, empty + address)
    route.fulfill(body=document, content_type="text/html")


def test_a_site_can_connect_its_own_session(visit: Visit, artist: Account) -> None:
    page = visit("/healthz")
    page.route(lambda url: urlsplit(url).path.startswith("/artists/"), configured)
    page.route("**/session/token", lambda route: route.fulfill(json={"token": artist.token}))
    page.goto(f"{home(artist)}/morning")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    with page.expect_popup() as original:
        page.get_by_role("button", name="Original").click()
    expect(original.value.locator("img")).to_have_js_property("naturalWidth", 400)
    assert page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })") == "{}"
    page.route("**/logout?*", lambda route: route.fulfill(body="Good-bye", content_type="text/html"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Good-bye")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"return": [f"{home(artist)}/morning"]}


def test_an_edit_waits_for_the_latest_details_and_names_their_version(
    visit: Visit, account: AccountFactory
) -> None:
    owner = account()
    hang(owner, "Known")
    page = visit(home(owner), owner)
    held: list[Route] = []
    page.route(READ, lambda route: held.append(route))
    changes = sent(page, "/api/artworks/art_", "PATCH")
    page.get_by_role("link", name="Known").click()
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(page.get_by_role("button", name="Edit")).to_have_attribute("aria-disabled", "true")
    expect(dialog).to_have_count(0)

    tags = [_weakened(route) for route in held]
    page.unroute(READ)
    dialog.get_by_label("Title").fill("Renamed")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed")
    assert [each.headers["if-match"] for each in changes] == tags[-1:]


def _weakened(route: Route) -> str:
    """Answers as a proxy that compresses does: the ETag, which is weak now."""
    answer = route.fetch()
    tag = "W/" + answer.headers["etag"].removeprefix("W/")
    route.fulfill(response=answer, headers=answer.headers | {"etag": tag})
    return tag


def test_what_cannot_be_read_cannot_be_edited(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), artist, expecting=("net::ERR",))
    page.route(READ, lambda route: route.abort())
    page.get_by_role("link", name="Morning").click()
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("#notice")).to_contain_text("The latest details are needed for that")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.unroute(READ)
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_label("Title")).to_have_value("Morning")


def test_a_change_that_is_under_way_cannot_be_dismissed(visit: Visit, account: AccountFactory) -> None:
    owner = account()
    hang(owner, "Slow")
    page, dialog, held = _saving(visit, owner, "slow")
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Cancel").click(force=True)
    expect(dialog).to_be_visible()
    held[0].continue_()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Saved anyway")


def test_a_change_counts_although_its_dialog_was_left(visit: Visit, account: AccountFactory) -> None:
    owner = account()
    hang(owner, "Left")
    page, dialog, held = _saving(visit, owner, "left")
    page.go_back()
    expect(dialog).to_have_count(0)
    held[0].continue_()
    expect(page.locator("#notice")).to_have_text("Saved")
    expect(page).to_have_title(f"{owner.username} · Gallery")


def _saving(visit: Visit, owner: Account, slug: str) -> tuple[Page, Locator, list[Route]]:
    """A page where a new title is being saved: its dialog, and the request that is held back."""
    page = visit(home(owner), owner)
    held: list[Route] = []
    page.locator(f".card a[href$='/{slug}']").click()
    page.get_by_role("button", name="Edit").click()
    page.route(CHANGE, lambda route: held.append(route))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Saved anyway")
    with page.expect_request(CHANGE):
        dialog.get_by_role("button", name="Save").click()
    return page, dialog, held


def test_a_deletion_whose_answer_is_lost_can_be_repeated(visit: Visit, account: AccountFactory) -> None:
    owner = account()
    hang(owner, "Doubtful")
    page = visit(f"{home(owner)}/doubtful", owner, expecting=("net::ERR", 404))

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(CHANGE, lose, times=1)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The gallery cannot be reached")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#notice")).to_have_text("Deleted “Doubtful”")
    expect(page.get_by_role("heading", name="No pictures")).to_be_visible()


def test_an_original_that_is_asked_for_too_late_leaves_no_empty_window(visit: Visit, artist: Account) -> None:
    page = visit(f"{home(artist)}/morning", artist, expecting=(401,))
    expect(page.get_by_role("button", name="Original")).to_be_visible()
    refusal = {"error": "The token has expired.", "code": "unauthorized", "requestId": "r"}
    page.route(READ, lambda route: route.fulfill(status=401, json=refusal), times=1)
    with page.expect_popup() as window:
        page.get_by_role("button", name="Original").click()
    expect(page.locator("#notice")).to_have_text("Your session has ended. Please sign in again.")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert window.value.is_closed() or window.value.wait_for_event("close")


def test_a_session_endpoint_that_answers_no_json_means_that_nobody_is_signed_in(visit: Visit) -> None:
    page = visit("/healthz")
    page.route("**/upload", configured)
    page.route("**/session/token", lambda route: route.fulfill(body="<p>Log in", content_type="text/html"))
    page.goto("/upload")
    expect(page.get_by_role("heading", name="Sign in to upload")).to_be_visible()


def test_a_session_endpoint_that_is_down_is_asked_again(visit: Visit, artist: Account) -> None:
    page = visit("/healthz", expecting=(502,))
    page.route("**/upload", configured)
    page.route("**/session/token", lambda route: route.fulfill(status=502, body="down"))
    page.goto("/upload")
    expect(page.get_by_role("alert")).to_contain_text("The gallery cannot be reached")
    page.unroute("**/session/token")
    page.route("**/session/token", lambda route: route.fulfill(json={"token": artist.token}))
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name=artist.username)).to_be_visible()
