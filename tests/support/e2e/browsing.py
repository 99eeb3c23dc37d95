"""A real Chromium for the end-to-end tests: fixtures that open the page, words for what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import (
    Browser,
    Dialog,
    FilePayload,
    Locator,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)
from tests.support.e2e.paintings import paint
from tests.support.pictures import encode
from tools.setup import find_browser

if TYPE_CHECKING:
    from tests.support.e2e.accounts import Account

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TIMEOUT_MS = 15_000
MOST_TABS = 40
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"
PRESIGNED = re.compile("X-Amz-Signature=")
TICKETS = "**/api/artworks/upload-url"
LIST = re.compile(r"/api/artworks\?")
# What Chromium itself writes to the console about an answer a test asked for.
_STATUS = re.compile(r"Failed to load resource: .*status of (\d+)")

Visit = Callable[..., Page]


def launch(playwright: Playwright) -> Browser:
    executable = find_browser()
    assert executable, "no Chromium is installed"
    expect.set_options(timeout=TIMEOUT_MS)
    return playwright.chromium.launch(executable_path=executable, args=FLAGS)


# Playwright keeps an event loop running as long as it is up, so it must not outlive the tests that need it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, gallery_url: str) -> Iterator[Visit]:
    """Opens a path as an account or as nobody.

    Afterwards the console must hold no error that the test did not announce: `expecting` lists HTTP statuses
    and words of network errors.
    """
    contexts = []
    errors: list[str] = []

    def open_page(
        path: str, account: Account | None = None, expecting: tuple[int | str, ...] = (), **options: Any
    ) -> Page:
        context = browser.new_context(base_url=gallery_url, **options)
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))

        def dismiss(dialog: Dialog) -> None:
            # Leaving with unsent files asks, and the tests leave all the same.
            if dialog.type == "beforeunload":
                dialog.accept()
                return
            errors.append(f"a dialog opened: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", dismiss)

        def read(kind: str, text: str) -> None:
            status = _STATUS.search(text)
            announced = (
                int(status[1]) in expecting if status else any(str(word) in text for word in expecting)
            )
            if kind == "error" and not announced:
                errors.append(text)

        page.on("console", lambda message: read(message.type, message.text))
        if account is not None:
            page.add_init_script(f"sessionStorage.setItem('gallery.token', '{account.token}')")
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == [], errors


def painting(
    name: str, kind: str = "hills", seed: int = 1, size: tuple[int, int] = (900, 700)
) -> FilePayload:
    """A file to choose: a painted JPEG."""
    return {
        "name": name,
        "mimeType": "image/jpeg",
        "buffer": encode(paint(kind, *size, seed), "JPEG", quality=88),
    }


def hang(account: Account, title: str, seed: int = 1, **fields: Any) -> dict[str, Any]:
    """Creates an artwork over the API; the record."""
    key = account.upload(painting("a.jpg", "circles", seed, (400, 300))["buffer"])
    answer = account.create(key, title, **fields)
    # Where tests share a machine, a renderer misses its deadline now and then; clients repeat the create too.
    for _ in range(3):
        if answer.status_code < 500:
            break
        answer = account.create(key, title, **fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["data"])


def hang_five(account: Account) -> None:
    """Five artworks, oldest first."""
    details = {"materials": "Ink on paper", "dimensions": "30 × 40 cm", "createdDate": "2024-05"}
    hang(account, "Ink one", 1, category="drawing", tags=["ink", tag_of(account)], **details)
    hang(account, "Weave", 2, category="textile")
    hang(account, "Ink two", 3, category="drawing", tags=["ink"])
    hang(account, MARKUP, 4, description=MARKUP, tags=["<b>"])
    hang(account, "Morning", 5)


def tag_of(account: Account) -> str:
    """A tag that nobody else's artworks have."""
    return f"hills & {account.username}"


def home(account: Account) -> str:
    return f"/artists/{account.username}"


def artworks_of(account: Account) -> list[dict[str, Any]]:
    answer = account.client.get("/api/artworks", params={"username": account.username, "limit": 100})
    return list(answer.json()["data"])


def expect_cards(page: Page, count: int) -> None:
    expect(page.locator(".card:not(.empty)")).to_have_count(count)


def titles_of(account: Account) -> set[str]:
    return {each["title"] for each in artworks_of(account)}


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


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Presses Tab until the target has the focus."""
    expect(target).to_be_visible()
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{MOST_TABS} times {key} do not reach {target}")


def open_upload(
    visit: Visit, account: Account, expecting: tuple[int | str, ...] = (), **options: Any
) -> Page:
    page = visit("/upload", account, expecting, **options)
    expect(page.locator(".browse")).to_be_visible()
    return page


def choose(page: Page, *files: FilePayload) -> None:
    """Picks files on the upload page and waits for their rows."""
    before = rows(page).count()
    page.locator(".drop input").set_input_files(list(files))
    expect(rows(page)).to_have_count(before + len(files))


def rows(page: Page) -> Locator:
    return page.locator(".row")


def row(page: Page, filename: str) -> Locator:
    return page.locator(".row", has_text=filename)


def start_upload(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Upload \d+ picture")).click()


def expect_state(place: Locator, state: str) -> None:
    expect(place).to_have_attribute("data-state", state)


class Line:
    """The page's connection: slowed down, cut, mended."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def slow(self, bytes_per_second: int) -> None:
        self._set(False, bytes_per_second)

    def cut(self) -> None:
        self._set(True, 0)

    def mend(self) -> None:
        self._set(False, -1)

    def _set(self, offline: bool, upload: int) -> None:
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
        self._session.send("Network.emulateNetworkConditions", conditions)
