"""The page when the connection breaks, a ticket expires or a session ends, in a real Chromium."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import (
    PRESIGNED,
    TICKETS,
    Line,
    Visit,
    artworks_of,
    choose,
    expect_state,
    open_upload,
    painting,
    row,
    sent,
    start_upload,
    titles_of,
)
from tools.stack import Stack

from gallery.access.signing import Signer

ME = "**/api/me"


@pytest.fixture(scope="module")
def painter(account: AccountFactory) -> Account:
    """An artist with room for whatever the tests upload."""
    made: Account = account()
    return made


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


@pytest.mark.parametrize(
    ("address", "sentence"),
    [(TICKETS, "The gallery cannot be reached"), (PRESIGNED, "The file could not be sent")],
    ids=["ticket", "transfer"],
)
def test_what_breaks_off_while_online_is_tried_again_some_times_and_then_by_hand(
    address: str | re.Pattern[str], sentence: str, visit: Visit, painter: Account
) -> None:
    page = open_upload(visit, painter, expecting=("net::ERR",))
    page.clock.install()
    choose(page, painting("again.jpg"))
    page.route(address, lambda route: route.abort("connectionreset"))
    start_upload(page)
    again = row(page, "again.jpg")
    hasten(page, again.locator(".status", has_text=re.compile(r"broke off\. Trying again in \d second")))
    hasten(page, again.get_by_role("alert").get_by_text(f"{sentence}, although you are online"))
    expect_state(again, "failed")
    page.unroute(address)
    page.clock.resume()
    again.get_by_role("button", name="Try again").click()
    expect_state(again, "done")


def test_a_transfer_that_broke_off_goes_on_by_itself(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=("net::ERR",))
    choose(page, painting("resumed.jpg"))
    # Uppy repeats a transfer three times by itself, within a second.
    page.route(PRESIGNED, lambda route: route.abort("connectionreset"), times=4)
    start_upload(page)
    expect_state(row(page, "resumed.jpg"), "done")


def test_a_create_whose_answer_is_lost_makes_one_artwork(visit: Visit, painter: Account) -> None:
    page = open_upload(visit, painter, expecting=("net::ERR",))

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/api/artworks", lose, times=1)
    choose(page, painting("answered_twice.jpg"))
    start_upload(page)
    expect_state(row(page, "answered_twice.jpg"), "done")
    assert [each["title"] for each in artworks_of(painter)].count("Answered twice") == 1


def test_an_expired_ticket_is_replaced_by_a_new_one(visit: Visit, painter: Account, stack: Stack) -> None:
    page = open_upload(visit, painter, expecting=(403,))
    tickets = sent(page, "/upload-url$")

    def age(route: Route) -> None:
        answer = route.fetch()
        ticket = answer.json()
        route.fulfill(response=answer, json=ticket | {"uploadUrl": issued_an_hour_ago(stack, ticket)})

    page.route(TICKETS, age, times=1)
    choose(page, painting("patient.jpg"))
    with page.expect_response(lambda each: each.status == 403) as refused:
        start_upload(page)
    assert "expired" in refused.value.text()
    expect_state(row(page, "patient.jpg"), "done")
    assert len(tickets) == 2


def issued_an_hour_ago(stack: Stack, ticket: dict[str, Any]) -> str:
    """The URL of a ticket as it would be had it been issued then: rightly signed, long since expired."""
    secrets = json.loads((stack.state / "secrets.json").read_text())
    url = urlsplit(ticket["uploadUrl"])
    folder, bucket, key = url.path.partition("/vfa-gallery/")
    signer = Signer(
        endpoint=f"{url.scheme}://{url.netloc}{folder}",
        bucket=bucket.strip("/"),
        access_key_id=secrets["R2_ACCESS_KEY_ID"],
        secret_access_key=secrets["R2_SECRET_ACCESS_KEY"],
    )
    then = datetime.now(UTC) - timedelta(hours=1)
    headers = ticket["headers"] | {"Content-Length": str(ticket["maxBytes"])}
    return signer.presign("PUT", key, now=then, lifetime=900, headers=headers)


def hasten(page: Page, until: Locator) -> None:
    """Lets the page's clock run fast until something shows; answers still take the time they take."""
    for _ in range(100):
        if until.is_visible():
            return
        page.clock.run_for(300)
    raise AssertionError(f"nothing like {until}")


def test_a_start_without_the_gallery_forgets_no_token(visit: Visit, painter: Account) -> None:
    page = visit("/healthz", painter, expecting=("net::ERR",))
    page.route(ME, lambda route: route.abort())
    page.goto("/upload")
    banner = page.get_by_role("banner")
    expect(page.get_by_role("alert")).to_contain_text("The gallery cannot be reached")
    expect(banner.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("The gallery cannot be reached")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    reconnect = banner.get_by_role("button", name="Reconnect")
    with page.expect_event("requestfailed"):
        reconnect.press("Enter")
    expect(reconnect).to_be_focused()
    page.unroute(ME)
    reconnect.press("Enter")
    expect(page.locator(".quota")).to_be_visible()
    expect(banner.get_by_role("link", name=painter.username)).to_be_visible()


def test_who_is_signed_in_is_found_out_once_the_connection_is_back(visit: Visit, painter: Account) -> None:
    page = visit("/healthz", painter, expecting=("net::ERR",))
    page.route(ME, lambda route: route.abort())
    page.goto("/upload")
    expect(page.get_by_role("alert")).to_contain_text("The gallery cannot be reached")
    page.unroute(ME)
    line = Line(page)
    line.cut()
    line.mend()
    expect(page.locator(".quota")).to_be_visible()


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
