"""An artist at the page, in a real Chromium: signs in, uploads, is refused, deletes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import (
    PRESIGNED,
    TICKETS,
    Line,
    Visit,
    artworks_of,
    choose,
    expect_state,
    hang,
    open_upload,
    painting,
    row,
    rows,
    sent,
    start_upload,
    titles_of,
)

Faults = Callable[..., None]
STEPS = ("Sending", "Preparing", "In the gallery")

# Notes every step a row goes through, and how far the one bar for everything has come.
WATCH = """() => {
    window.seen = [];
    window.bars = [];
    const note = () => document.querySelectorAll(".row").forEach((row) => {
        const step = row.querySelector("[aria-current=step]")?.textContent ?? "";
        const name = row.querySelector(".filename").textContent.split(" ")[0];
        const now = `${name}: ${step}`;
        if (!window.seen.includes(now)) window.seen.push(now);
        window.bars.push(document.querySelector(".bottom progress").value);
    });
    const options = { subtree: true, attributes: true, childList: true };
    new MutationObserver(note).observe(document.querySelector(".rows"), options);
}"""


# Drops or pastes a file where the focus is.
GIVE = """([type, field, name]) => {
    const files = new DataTransfer();
    const head = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    files.items.add(new File([head, name], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true, [field]: files };
    const Kind = type === "drop" ? DragEvent : ClipboardEvent;
    document.activeElement.dispatchEvent(new Kind(type, options));
}"""


@pytest.fixture(scope="module")
def painter(account: AccountFactory) -> Account:
    """An artist with room for whatever the tests upload."""
    made: Account = account()
    return made


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
    row(page, "weave.jpg").get_by_label("Category").fill("Textile")
    row(page, "weave.jpg").get_by_label("Tags").fill("wool, warm")
    start_upload(page)
    for name in ("dusk_hills.jpg", "field.jpg", "weave.jpg"):
        expect_state(row(page, name), "done")
    expect(page.locator(".quota")).to_contain_text("3 of 100 artworks used")

    page.get_by_role("link", name="See your pictures").click()
    cards = page.locator(".card a")
    expect(cards).to_have_count(3)
    expect(page.locator(".card .loaded")).to_have_count(3)
    assert "/display/" in page.locator(".card img").first.evaluate("image => image.currentSrc")
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


def test_each_picture_says_its_step_and_one_bar_says_all(
    visit: Visit, painter: Account, faults: Faults
) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("slow.jpg"), painting("steady.jpg", "field", 2))
    faults("thumbnail", rendering={"kind": "late", "ms": 2500})
    page.evaluate(WATCH)
    start_upload(page)
    for name in ("slow.jpg", "steady.jpg"):
        expect_state(row(page, name), "done")
        seen = page.evaluate("window.seen")
        steps = [each for each in seen if each in {f"{name}: {step}" for step in STEPS}]
        assert steps == [f"{name}: {step}" for step in STEPS]
    bars = page.evaluate("window.bars")
    assert bars == sorted(bars)
    assert any(0.7 < bar < 1 for bar in bars)
    expect(page.locator("progress")).to_have_count(1)


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
    page = open_upload(visit, painter, expecting=(422,))
    broken = painting("broken.jpg")
    broken["buffer"] = broken["buffer"][:20] + b"not a picture any more" * 50
    disguised: FilePayload = painting("disguised.png") | {"mimeType": "image/png"}
    choose(page, painting("good.jpg"), broken, disguised)
    start_upload(page)
    expect_state(row(page, "good.jpg"), "done")
    # Sent as what it is, whatever it is called.
    expect_state(row(page, "disguised.png"), "done")
    expect_state(row(page, "broken.jpg"), "failed")
    expect(row(page, "broken.jpg").get_by_role("alert")).to_contain_text("cannot be read")
    expect(row(page, "broken.jpg").get_by_role("button", name="Try again")).to_have_count(0)
    row(page, "broken.jpg").get_by_role("button", name="Remove").click()
    expect(rows(page)).to_have_count(2)
    assert {"Good", "Broken"} & titles_of(painter) == {"Good"}


def test_any_category_and_any_date_is_taken(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("dated.jpg"))
    row(page, "dated.jpg").locator("summary").click()
    row(page, "dated.jpg").get_by_label("Created").fill("about 1890")
    row(page, "dated.jpg").get_by_label("Category").fill("Oil & Gold")
    start_upload(page)
    expect_state(row(page, "dated.jpg"), "done")
    row(page, "dated.jpg").get_by_role("link", name="View").click()
    expect(page.locator(".facts")).to_contain_text("about 1890")
    expect(page.locator(".facts")).to_contain_text("Oil & Gold")
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_label("Category")).to_have_value("Oil & Gold")


def test_renditions_are_waited_for_and_not_polled(visit: Visit, painter: Account, faults: Faults) -> None:
    page = open_upload(visit, painter)
    asked = sent(page, "/api/artworks/readiness", "GET")
    faults("icon", rendering={"kind": "late", "ms": 2500})
    choose(page, painting("patient.jpg"))
    start_upload(page)
    expect_state(row(page, "patient.jpg"), "done")
    assert [each.url.rpartition("=")[2] for each in asked] == ["1", "20"]


def test_what_has_failed_is_not_sent_again_with_the_next_pictures(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=(500,))
    broken = {"error": "Something went wrong on our side.", "code": "internal", "requestId": "r"}
    page.route(TICKETS, lambda route: route.fulfill(status=500, json=broken), times=1)
    choose(page, painting("first.jpg"))
    start_upload(page)
    expect_state(row(page, "first.jpg"), "failed")
    choose(page, painting("next.jpg", seed=2))
    start_upload(page)
    expect_state(row(page, "next.jpg"), "done")
    expect_state(row(page, "first.jpg"), "failed")
    row(page, "first.jpg").get_by_role("button", name="Try again").click()
    expect_state(row(page, "first.jpg"), "done")
    assert [each["title"] for each in artworks_of(painter)].count("First") == 1


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
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.evaluate(GIVE, ["drop", "dataTransfer", "dropped.png"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill(painter.token)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(row(page, "dropped.png")).to_be_visible()
    page.locator(".browse").focus()
    page.evaluate(GIVE, ["paste", "clipboardData", "pasted.png"])
    expect(row(page, "pasted.png")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    assert "already in the list" not in page.locator("#notice").inner_text()
    assert page.url.endswith("/upload")


def test_files_that_meet_an_open_dialog_leave_its_text_alone(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill("half a token")
    page.evaluate(GIVE, ["drop", "dataTransfer", "dropped.png"])
    expect(page.get_by_label("Token")).to_have_value("half a token")
    assert page.url.endswith("/")


def test_signing_out_asks_while_pictures_are_on_their_way(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("underway.jpg"))
    Line(page).slow(20_000)
    start_upload(page)
    expect_state(row(page, "underway.jpg"), "sending")
    dialog = page.get_by_role("dialog", name="Stop the uploads?")
    page.get_by_role("button", name="Sign out").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect_state(row(page, "underway.jpg"), "sending")
    page.get_by_role("button", name="Sign out").click()
    dialog.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to upload")).to_be_visible()
    assert "Underway" not in titles_of(painter)
