"""What an artist chooses, in a real Chromium: judged before it is sent, previewed, described, never lost."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import (
    PRESIGNED,
    Line,
    Visit,
    artworks_of,
    choose,
    expect_state,
    hang,
    home,
    open_upload,
    painting,
    row,
    rows,
    sent,
    start_upload,
)
from tests.support.pictures import encode

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LONG = "a-picture-with-a-name-" + "that-goes-on-and-on-" * 8 + "without-a-blank.jpg"
# The colour of a preview's corner and its shape.
PREVIEW = (
    """canvas => [[...canvas.getContext("2d").getImageData(0, 0, 1, 1).data], canvas.width / canvas.height]"""
)
# Drops a picture of 35 MB.
DROP_LARGE = """() => {
    const head = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const files = new DataTransfer();
    files.items.add(new File([head, new Uint8Array(35 << 20)], "large.png", { type: "image/png" }));
    const about = { bubbles: true, cancelable: true, dataTransfer: files };
    document.body.dispatchEvent(new DragEvent("drop", about));
}"""
DRAG = """type => {
    const files = new DataTransfer();
    files.items.add(new File(["x"], "a.png", { type: "image/png" }));
    const about = { bubbles: true, cancelable: true, dataTransfer: files };
    document.body.dispatchEvent(new DragEvent(type, about));
}"""


@pytest.fixture(scope="module")
def painter(account: AccountFactory) -> Account:
    """An artist with room for whatever the tests upload."""
    made: Account = account()
    return made


def payload(name: str, mime: str, buffer: bytes) -> FilePayload:
    return {"name": name, "mimeType": mime, "buffer": buffer}


def test_limits_are_said_before_and_refusals_when_a_file_is_chosen(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    tickets = sent(page, "/upload-url$")
    expect(page.locator(".drop")).to_contain_text("JPEG, PNG, WebP, GIF or TIFF, up to 30 MB each")
    accept = page.locator(".drop input").get_attribute("accept") or ""
    assert accept.split(",") == ["image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff"]
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(400)
    choose(
        page,
        payload("empty.jpg", "image/jpeg", b""),
        payload("notes.txt", "text/plain", b"not a picture"),
        payload("drawing.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        payload("IMG_1.heic", "image/heic", heic),
        payload("noise.jpg", "image/jpeg", bytes(99)),
        painting("good.jpg", size=(300, 200)),
    )
    page.evaluate(DROP_LARGE)
    expect(rows(page)).to_have_count(7)
    refusals = {
        "empty.jpg": "The file is empty.",
        "large.png": "The file has 35 MB; at most 30 MB can be uploaded.",
        "notes.txt": "Only pictures can be uploaded: JPEG, PNG, WebP, GIF or TIFF.",
        "drawing.svg": "Choose a JPEG, PNG, WebP, GIF or TIFF.",
        "IMG_1.heic": "This browser cannot open HEIC pictures.",
        "noise.jpg": "What is in the file is not what its name says.",
    }
    for name, words in refusals.items():
        expect_state(row(page, name), "failed")
        expect(row(page, name).get_by_role("alert")).to_contain_text(words)
        expect(row(page, name).get_by_role("button")).to_have_text(["Remove"])
    expect_state(row(page, "good.jpg"), "ready")
    expect(page.get_by_role("button", name="Upload 1 picture")).to_be_visible()
    row(page, "notes.txt").get_by_role("button", name="Remove").click()
    expect(rows(page)).to_have_count(6)
    assert tickets == []


def test_an_avif_is_converted_where_the_browser_can_read_it(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    choose(page, payload("modern.avif", "image/avif", encode(Image.new("RGB", (64, 48), "teal"), "AVIF")))
    expect(row(page, "modern.jpg")).to_contain_text("Converted from AVIF to JPEG")
    start_upload(page)
    expect_state(row(page, "modern.jpg"), "done")
    shown = next(each for each in artworks_of(painter) if each["title"] == "Modern")
    assert (shown["originalWidth"], shown["originalHeight"]) == (64, 48)


def test_a_file_name_of_any_length_fits(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, (), **PHONE)
    choose(page, painting(LONG, size=(300, 200)))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = row(page, "a-picture").get_by_label("Title").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


def test_previews_tell_the_truth(visit: Visit, account: AccountFactory) -> None:
    page = open_upload(visit, account(limit=1))
    ink = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
    tiff = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(tiff, "TIFF")
    choose(
        page,
        payload("ink.png", "image/png", encode(ink, "PNG")),
        payload(
            "wide.png", "image/png", encode(Image.fromarray(np.full((50, 1000, 3), 90, np.uint8)), "PNG")
        ),
        payload("scan.tif", "image/tiff", tiff.getvalue()),
    )
    # Also of files that the quota has no room for.
    expect_state(row(page, "wide.png"), "parked")
    for name, corner, shape in (("ink.png", [255] * 4, 80 / 60), ("wide.png", [90, 90, 90, 255], 192 / 10)):
        canvas = row(page, name).locator(".preview canvas")
        expect(canvas).to_be_visible()
        pixel, ratio = canvas.evaluate(PREVIEW)
        assert pixel == corner
        assert ratio == pytest.approx(shape, rel=0.05)
    expect(row(page, "scan.tif").locator(".preview")).to_have_text("TIFF")


def test_what_is_said_of_all_is_said_of_each_that_says_nothing_else(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    choose(
        page, painting("alike_one.jpg", size=(300, 200)), painting("alike_two.jpg", seed=2, size=(300, 200))
    )
    row(page, "alike_two.jpg").locator("summary").click()
    row(page, "alike_two.jpg").get_by_label("Materials").fill("Ink")
    shared = page.locator(".shared")
    shared.locator("summary").click()
    shared.get_by_label("Category").fill("Textile")
    shared.get_by_label("Tags").fill("warm, wool")
    shared.get_by_label("Materials").fill("Wool")
    shared.get_by_label("Created").fill("2024")
    row(page, "alike_one.jpg").get_by_label("Alternative text").fill("A blanket on a chair")
    start_upload(page)
    for name in ("alike_one.jpg", "alike_two.jpg"):
        expect_state(row(page, name), "done")
    saved = {each["title"]: each for each in artworks_of(painter)}
    for title, materials in (("Alike one", "Wool"), ("Alike two", "Ink")):
        assert saved[title]["category"] == "textile"
        assert saved[title]["tags"] == ["warm", "wool"]
        assert saved[title]["materials"] == materials
        assert saved[title]["createdDate"] == "2024"
    assert [saved[title]["altText"] for title in ("Alike one", "Alike two")] == ["A blanket on a chair", None]
    page.goto(f"{home(painter)}/{saved['Alike one']['slug']}")
    expect(page.locator(".stage img")).to_have_attribute("alt", "A blanket on a chair")


def asks_when_left(page: Page) -> bool:
    """Whether the browser asks before the page is loaded anew; it is loaded all the same."""
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.reload()
    return "beforeunload" in asked


def test_leaving_asks_and_what_was_typed_survives_a_reload(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    kept = painting("kept.jpg", size=(300, 200))
    choose(page, kept)
    row(page, "kept.jpg").get_by_label("Title").fill("Kept in mind")
    row(page, "kept.jpg").get_by_label("Alternative text").fill("Dunes")
    assert asks_when_left(page)
    expect(page.locator(".kept")).to_contain_text("Choose “kept.jpg” again")
    choose(page, kept)
    expect(row(page, "kept.jpg").get_by_label("Title")).to_have_value("Kept in mind")
    expect(row(page, "kept.jpg").get_by_label("Alternative text")).to_have_value("Dunes")
    expect(page.locator(".kept")).to_be_hidden()
    row(page, "kept.jpg").get_by_role("button", name="Remove").click()
    assert not asks_when_left(page)
    expect(page.locator(".browse")).to_be_visible()
    expect(page.locator(".kept")).to_be_hidden()


def test_an_edit_is_not_lost_by_accident(visit: Visit, account: AccountFactory) -> None:
    owner = account()
    hang(owner, "Edited")
    page = visit(f"{home(owner)}/edited", owner)
    page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog", name="Edit the details")
    dialog.get_by_label("Materials").fill("Gold leaf")
    assert asks_when_left(page)
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(dialog.get_by_label("Materials")).to_have_value("Gold leaf")
    question = page.get_by_role("dialog", name="Discard your changes?")
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_label("Materials")).to_have_value("Gold leaf")
    dialog.get_by_role("button", name="Cancel").click()
    question.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(dialog.get_by_label("Materials")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_header_says_how_far_uploads_are_while_one_is_elsewhere(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    choose(page, painting("under_way.jpg"))
    Line(page).slow(30_000)
    start_upload(page)
    expect(page.locator(".bottom progress")).to_be_visible()
    page.get_by_role("link", name="Gallery", exact=True).click()
    expect(page.locator(".under-way")).to_contain_text("%")
    Line(page).mend()
    expect(page.locator("#notice")).to_contain_text("is in the gallery")
    expect(page.locator(".under-way")).to_be_hidden()


def test_the_focus_never_falls_to_the_body(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter)
    at = "document.activeElement.className"
    choose(page, painting("focused.jpg", size=(300, 200)))
    page.get_by_role("button", name="Upload 1 picture").press("Enter")
    assert page.evaluate(at) == "summary"
    expect_state(row(page, "focused.jpg"), "done")
    page.get_by_role("button", name="Clear the list").press("Enter")
    expect(rows(page)).to_have_count(0)
    expect(page.locator(".browse")).to_be_focused()
    puts = sent(page, PRESIGNED, "PUT")
    choose(page, painting("stopped.jpg"))
    Line(page).slow(20_000)
    start_upload(page)
    expect_state(row(page, "stopped.jpg"), "sending")
    row(page, "stopped.jpg").get_by_role("button", name="Cancel").press("Enter")
    expect(rows(page)).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")
    assert len(puts) == 1


def test_a_place_to_drop_is_shown_wherever_files_are_dragged(visit: Visit) -> None:
    page = visit("/")
    place = page.get_by_text("Drop the pictures anywhere")
    expect(place).to_be_hidden()
    page.evaluate(DRAG, "dragover")
    expect(place).to_be_visible()
    page.evaluate(DRAG, "dragleave")
    expect(place).to_be_hidden()
    page.evaluate(DRAG, "dragover")
    page.evaluate(DRAG, "drop")
    expect(place).to_be_hidden()
    assert page.url.endswith("/upload")
