"""An artist at the page, in a real Chromium: signs in, uploads, is refused, loses the connection, deletes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect
from tests.e2e.browsing import (
    Line,
    Visit,
    artworks_of,
    choose,
    expect_state,
    hang,
    painting,
    row,
    rows,
    start_upload,
)
from tests.e2e.conftest import Account, AccountFactory

Faults = Callable[..., None]

TICKETS = "**/api/artworks/upload-url"
PRESIGNED = re.compile("X-Amz-Signature=")
# Notes every state a row goes through, and how many renditions are ticked off then.
WATCH = """() => {
    window.seen = [];
    const note = () => document.querySelectorAll(".row").forEach((row) => {
        const made = row.querySelectorAll(".made").length;
        const name = row.querySelector(".filename").textContent.split(" ")[0];
        const now = `${name} ${row.dataset.state} ${made}`;
        if (!window.seen.includes(now)) window.seen.push(now);
    });
    const options = { subtree: true, attributes: true, childList: true };
    new MutationObserver(note).observe(document.querySelector(".rows"), options);
}"""


@pytest.fixture(scope="module")
def painter(account: AccountFactory) -> Account:
    """An artist with room for whatever the tests upload."""
    made: Account = account()
    return made


def titles_of(artist: Account) -> set[str]:
    return {each["title"] for each in artworks_of(artist)}


def sent(page: Page, pattern: str | re.Pattern[str], method: str = "POST") -> list[Request]:
    """Requests that the page sends from now on, as a list that grows."""
    requests: list[Request] = []
    page.on(
        "request",
        lambda each: (
            requests.append(each) if each.method == method and re.search(pattern, each.url) else None
        ),
    )
    return requests


def open_upload(visit: Visit, account: Account, expecting: tuple[int | str, ...] = ()) -> Page:
    page = visit("/upload", account, expecting)
    expect(page.locator(".uppy-Dashboard-browse")).to_be_visible()
    return page


def test_an_artist_signs_in_uploads_three_pictures_opens_one_and_deletes_it(
    visit: Visit, account: AccountFactory
) -> None:
    artist = account()
    page = visit("/")
    scripts = sent(page, r"/assets/", "GET")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill(f"  {artist.token}\n")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=artist.username)).to_be_visible()
    assert scripts == [], "nothing of the uploader may load before somebody uploads"

    page.get_by_role("link", name="Upload", exact=True).click()
    expect(page.locator(".quota")).to_contain_text("0 of 100 artworks used")
    field, weave = painting("field.jpg", "field", 2), painting("weave.jpg", "weave", 3)
    choose(page, painting("dusk_hills.jpg"), field, weave)
    expect(row(page, "dusk_hills.jpg").get_by_label("Title")).to_have_value("Dusk hills")
    row(page, "field.jpg").get_by_label("Title").fill("Feld № 2 – 野")
    row(page, "weave.jpg").locator("summary").click()
    row(page, "weave.jpg").get_by_label("Category").select_option("textile")
    row(page, "weave.jpg").get_by_label("Tags").fill("wool, warm")
    start_upload(page)
    for name in ("dusk_hills.jpg", "field.jpg", "weave.jpg"):
        expect_state(row(page, name), "done")
    expect(page.locator(".quota")).to_contain_text("3 of 100 artworks used")

    page.get_by_role("link", name="See your pictures").click()
    cards = page.locator(".card a")
    expect(cards).to_have_count(3)
    expect(page.locator(".card .loaded")).to_have_count(3)
    assert page.locator(".card img").first.evaluate("image => image.naturalWidth") == 300
    page.get_by_role("link", name="Weave").click()
    expect(page.locator(".stage .loaded")).to_be_visible()
    expect(page.locator(".crumbs .loaded img")).to_have_js_property("naturalWidth", 128)
    expect(page.locator(".panel")).to_contain_text("Textile")
    assert page.url.endswith(f"/artists/{artist.username}/weave")
    page.reload()
    expect(page.get_by_role("heading", name="Weave")).to_be_visible()

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(cards).to_have_count(2)
    assert titles_of(artist) == {"Dusk hills", "Feld № 2 – 野"}
    assert artist.token not in page.url
    assert page.evaluate("JSON.stringify({ ...localStorage }) + document.cookie") == "{}"


def test_renditions_are_ticked_off_one_by_one(visit: Visit, painter: Account, faults: Faults) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("slow.jpg"), painting("steady.jpg", "field", 2))
    faults("thumbnail", rendering={"kind": "late", "ms": 1200})
    page.evaluate(WATCH)
    start_upload(page)
    for name in ("slow.jpg", "steady.jpg"):
        expect_state(row(page, name), "done")
        seen = page.evaluate("window.seen")
        assert f"{name} sending 0" in seen
        assert {f"{name} rendering 1", f"{name} rendering 2"} & set(seen)
        assert f"{name} done 3" in seen


def test_a_quota_that_is_reached_is_said_before_anything_is_sent(
    visit: Visit, account: AccountFactory
) -> None:
    artist = account(limit=2)
    first = hang(artist, "The first")
    page = open_upload(visit, artist)
    puts = sent(page, PRESIGNED, "PUT")
    choose(page, painting("second.jpg"), painting("third.jpg", seed=2))
    expect_state(row(page, "third.jpg"), "parked")
    expect(row(page, "third.jpg")).to_contain_text("Your limit of 2 artworks is reached")
    start_upload(page)
    expect_state(row(page, "second.jpg"), "done")
    expect(page.locator(".quota")).to_contain_text("2 of 2 artworks used")
    expect_state(row(page, "third.jpg"), "parked")
    assert len(puts) == 1

    artist.client.delete(f"/api/artworks/{first['id']}")
    page.reload()
    expect(page.locator(".quota")).to_contain_text("1 left")


def test_a_quota_used_up_elsewhere_is_refused_beside_the_file(visit: Visit, account: AccountFactory) -> None:
    artist = account(limit=1)
    page = open_upload(visit, artist, expecting=(429,))
    choose(page, painting("late.jpg"))
    hang(artist, "Faster")
    start_upload(page)
    expect_state(row(page, "late.jpg"), "failed")
    expect(row(page, "late.jpg").get_by_role("alert")).to_have_text("Artwork limit reached")


def test_refusals_of_the_server_stand_beside_their_files(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=(415, 422))
    broken = painting("broken.jpg")
    broken["buffer"] = broken["buffer"][:20] + b"not a picture any more" * 50
    drawing = {
        "name": "drawing.svg",
        "mimeType": "image/svg+xml",
        "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    choose(page, painting("good.jpg"), broken, drawing)  # type: ignore[arg-type]
    start_upload(page)
    expect_state(row(page, "good.jpg"), "done")
    for name, words in (("broken.jpg", "cannot be read"), ("drawing.svg", "image/png")):
        expect_state(row(page, name), "failed")
        expect(row(page, name).get_by_role("alert")).to_contain_text(words)
        expect(row(page, name).get_by_role("button", name="Try again")).to_have_count(0)
    row(page, "broken.jpg").get_by_role("button", name="Remove").click()
    expect(rows(page)).to_have_count(2)
    assert {"Good", "Broken"} & titles_of(painter) == {"Good"}


def test_an_upload_goes_on_when_the_lost_connection_is_back(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=("net::ERR",))
    choose(page, painting("big.jpg"))
    line = Line(page)
    line.slow(20_000)
    start_upload(page)
    expect(row(page, "big.jpg").locator(".status")).to_have_text(re.compile(r"Sending: [1-9]\d? %"))
    line.cut()
    expect_state(row(page, "big.jpg"), "failed")
    expect(row(page, "big.jpg").get_by_role("alert")).to_contain_text("The connection was lost")
    assert "Big" not in titles_of(painter)
    line.mend()
    expect_state(row(page, "big.jpg"), "done")
    assert "Big" in titles_of(painter)


def test_a_failed_transfer_is_tried_again_by_hand(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=("net::ERR",))
    choose(page, painting("again.jpg"))
    page.route(TICKETS, lambda route: route.abort())
    start_upload(page)
    expect_state(row(page, "again.jpg"), "failed")
    page.unroute(TICKETS)
    row(page, "again.jpg").get_by_role("button", name="Try again").click()
    expect_state(row(page, "again.jpg"), "done")


def test_an_expired_ticket_is_replaced_by_a_new_one(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=(403,))
    tickets = sent(page, "/upload-url$")
    puts = sent(page, PRESIGNED, "PUT")

    def expire(route: Route) -> None:
        if len(puts) > 1:
            route.continue_()
        else:
            route.fulfill(
                status=403, content_type="application/xml", body="<Error><Code>ExpiredRequest</Code></Error>"
            )

    page.route(PRESIGNED, expire)
    choose(page, painting("patient.jpg"))
    start_upload(page)
    expect_state(row(page, "patient.jpg"), "done")
    assert len(tickets) == 2
    assert puts[0].url != puts[1].url


def test_a_failed_rendering_is_tried_again_without_sending_the_file_twice(
    visit: Visit, painter: Account, faults: Faults
) -> None:
    page = open_upload(visit, painter, expecting=(500,))
    puts = sent(page, PRESIGNED, "PUT")
    faults("icon", rendering={"kind": "error"})
    choose(page, painting("stubborn.jpg"))
    start_upload(page)
    expect_state(row(page, "stubborn.jpg"), "failed")
    expect(row(page, "stubborn.jpg").get_by_role("alert")).to_have_text(
        "Image processing failed. Please try again."
    )
    faults("icon")
    row(page, "stubborn.jpg").get_by_role("button", name="Try again").click()
    expect_state(row(page, "stubborn.jpg"), "done")
    assert len(puts) == 1


@pytest.mark.parametrize("stage", ["sending", "rendering"])
def test_a_cancelled_upload_leaves_no_artwork(
    stage: str, visit: Visit, painter: Account, faults: Faults
) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("regretted.jpg"))
    if stage == "sending":
        Line(page).slow(20_000)
    else:
        faults("watermark", rendering={"kind": "late", "ms": 1000})
    start_upload(page)
    expect_state(row(page, "regretted.jpg"), stage)
    row(page, "regretted.jpg").get_by_role("button", name="Cancel").click()
    expect(rows(page)).to_have_count(0)
    assert "Regretted" not in titles_of(painter)


def test_files_can_be_dropped_and_pasted_anywhere(visit: Visit, painter: Account) -> None:
    page = visit("/")
    give = """([type, field, name]) => {
        const files = new DataTransfer();
        files.items.add(new File(["x".repeat(99)], name, { type: "image/png" }));
        const options = { bubbles: true, cancelable: true, [field]: files };
        const Kind = type === "drop" ? DragEvent : ClipboardEvent;
        document.body.dispatchEvent(new Kind(type, options));
    }"""
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.evaluate(give, ["drop", "dataTransfer", "dropped.png"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill(painter.token)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(row(page, "dropped.png")).to_be_visible()
    page.evaluate(give, ["paste", "clipboardData", "pasted.png"])
    expect(row(page, "pasted.png")).to_be_visible()
    assert page.url.endswith("/upload")


def test_a_busy_gallery_is_waited_for(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=(429, 503))
    answers = [(429, "rate_limited"), (503, "overloaded")]

    def refuse(route: Route) -> None:
        status, code = answers.pop(0)
        body = {"error": "Please wait.", "code": code, "requestId": "r"}
        route.fulfill(status=status, json=body, headers={"retry-after": "1"})

    for address in (TICKETS, "**/api/artworks"):
        page.route(address, refuse, times=1)
    choose(page, painting("busy.jpg"))
    start_upload(page)
    expect(row(page, "busy.jpg").locator(".status")).to_have_text("Please wait. Trying again in 1 second.")
    expect_state(row(page, "busy.jpg"), "done")
    assert answers == []


def test_a_session_that_ends_takes_no_chosen_file_with_it(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=(401,))
    choose(page, painting("kept.jpg"))
    refusal = {"error": "The token has expired.", "code": "unauthorized", "requestId": "r"}
    page.route(TICKETS, lambda route: route.fulfill(status=401, json=refusal))
    start_upload(page)
    expect_state(row(page, "kept.jpg"), "failed")
    expect(row(page, "kept.jpg").get_by_role("alert")).to_contain_text("Please sign in again")
    page.unroute(TICKETS)
    page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill("not a token")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Token").fill(painter.token)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    row(page, "kept.jpg").get_by_role("button", name="Try again").click()
    expect_state(row(page, "kept.jpg"), "done")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to upload")).to_be_visible()
