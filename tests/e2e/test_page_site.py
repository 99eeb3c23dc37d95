"""The page as a site, in a real Chromium: settings, sessions of several tabs, print, the contract."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect
from tests.e2e.test_page_access import check_access
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.e2e.browsing import Visit, expect_cards, hang, hang_five, home
from tools.stack import Stack

SITE = {
    "name": "Kunsthalle",
    "tagline": "Prints since 1890",
    "logoUrl": "/favicon.svg",
    "accent": "#ffd400",
    "footerText": "© Kunsthalle",
    "footerLinks": [
        {"text": "Imprint", "url": "/imprint"},
        {"text": "Trap", "url": "javascript:alert(1)"},
    ],
}
LONG = "A title that goes on and on because the artist believes that a title is a poem " * 2
RIGHT_TO_LEFT = "لوحة 12 عند الغروب"


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    """An artist with five artworks."""
    made: Account = account()
    hang_five(made)
    return made


@pytest.fixture(scope="module")
def axe(project: Path) -> str:
    return (project / "node_modules/axe-core/axe.min.js").read_text()


def configured(route: Route) -> None:
    """The page of an operator who has settings."""
    place = re.compile(r'(<script type="application/json" id="site">).*?(</script>)', re.DOTALL)
    settings = json.dumps(SITE).replace("<", "\\u003c")
    text = place.sub(lambda found: found[1] + settings + found[2], route.fetch().text())
    route.fulfill(body=text, content_type="text/html")


def test_a_site_has_its_operators_name_logo_colour_and_footer(
    visit: Visit, artist: Account, axe: str
) -> None:
    page = visit("/healthz")
    page.route(lambda url: urlsplit(url).path in ("/", home(artist)), configured)
    page.goto("/")
    expect(page).to_have_title("Recent work · Kunsthalle")
    expect(page.locator(".brand")).to_have_text("Kunsthalle")
    expect(page.locator(".brand img")).to_have_js_property("complete", True)
    expect(page.get_by_text("Prints since 1890")).to_be_visible()
    footer = page.get_by_role("contentinfo")
    expect(footer).to_contain_text("© Kunsthalle")
    expect(footer.get_by_role("link")).to_have_text(["Imprint", "API", "Licences"])
    accent = "getComputedStyle(document.documentElement).getPropertyValue('--on-accent')"
    assert page.evaluate(accent) == "#000000"
    check_access(page, axe)
    page.goto(home(artist))
    expect_cards(page, 5)
    expect(page.get_by_text("Prints since 1890")).to_be_hidden()


def test_new_tabs_stay_signed_in_while_one_is_open(visit: Visit, artist: Account) -> None:
    page = visit("/", artist)
    expect(page.get_by_role("link", name=artist.username, exact=True)).to_be_visible()
    other = page.context.new_page()
    other.goto("/upload")
    expect(other.locator(".quota")).to_be_visible()
    assert other.evaluate("JSON.stringify({ ...localStorage }) + document.cookie") == "{}"
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_users_of_a_local_stack_sign_in_with_a_click(visit: Visit, artist: Account, stack: Stack) -> None:
    assert stack.url
    page = visit("/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("dialog").get_by_role("button", name=artist.username, exact=True).click()
    expect(page.get_by_role("banner").get_by_role("link", name=artist.username)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_gallery_elsewhere_offers_no_users(visit: Visit) -> None:
    page = visit("/healthz", expecting=(404,))
    page.route("**/.local/users", lambda route: route.fulfill(status=404, json={}))
    page.goto("/")
    with page.expect_response("**/.local/users"):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.locator(".local-users")).to_be_hidden()


def test_a_reload_leads_back_to_the_same_place(visit: Visit, artist: Account) -> None:
    page = visit(home(artist), viewport={"width": 390, "height": 400})
    expect_cards(page, 5)
    page.get_by_role("link", name="Ink one").scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 100
    page.reload()
    expect_cards(page, 5)
    page.wait_for_function("place => Math.abs(scrollY - place) < 2", arg=place)


def test_print_shows_the_picture_and_what_is_known_of_it(visit: Visit, artist: Account) -> None:
    page = visit(f"{home(artist)}/ink-one")
    expect(page.locator(".stage .loaded")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in ("#header", "#footer", ".strip", ".crumbs", ".panel .actions"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.get_by_role("heading", name="Ink one")).to_be_visible()
    expect(page.locator(".stage img")).to_be_visible()


def test_names_and_titles_of_any_script_and_length_keep_their_place(
    visit: Visit, account: AccountFactory
) -> None:
    owner = account()
    long = hang(owner, LONG.strip())
    hang(owner, RIGHT_TO_LEFT, 2)
    page = visit(f"{home(owner)}/{long['slug']}")
    parts = page.locator(".crumbs li")
    expect(parts).to_have_count(3)
    for part in (parts.nth(0), parts.nth(1)):
        assert part.locator("a").evaluate("link => link.scrollWidth <= link.clientWidth")
    page.goto(home(owner))
    expect_cards(page, 2)
    title = page.locator(".card .title", has_text=RIGHT_TO_LEFT)
    assert title.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert title.evaluate("element => getComputedStyle(element).direction") == "rtl"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_lightbox_squares_and_folded_filters(
    scheme: str, visit: Visit, artist: Account, axe: str
) -> None:
    page = visit(
        home(artist), color_scheme=scheme, reduced_motion="reduce", viewport={"width": 390, "height": 844}
    )
    expect_cards(page, 5)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Squares").click()
    check_access(page, axe)
    page.get_by_role("link", name="Ink one").click()
    page.get_by_role("button", name="Enlarge").click()
    expect(page.locator(".pswp.pswp--open")).to_be_visible()
    expect(page.locator(".lightbox-count")).to_be_visible()
    check_access(page, axe)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_contract_has_samples_groups_and_both_colours(scheme: str, visit: Visit, axe: str) -> None:
    page = visit("/docs/", color_scheme=scheme)
    expect(page.locator(".opblock-tag").first).to_contain_text("Upload")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 20, 19)") == (scheme == "dark")
    create = page.locator("#operations-Artworks-createArtwork")
    create.locator(".opblock-summary-control").click()
    expect(create.locator("textarea")).to_have_value(re.compile("Still Life"))
    refused = create.locator(".response", has_text="429")
    expect(refused).to_contain_text("artwork_limit_reached")
    # What Swagger UI draws is its own.
    page.evaluate(axe)
    found = page.evaluate('axe.run({ exclude: ["#viewer"] })')["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_a_sample_of_the_contract_works_as_it_stands(visit: Visit, account: AccountFactory) -> None:
    owner = account()
    artwork = hang(owner, "Sampled")
    page = visit("/docs/")
    for operation, group in (("createUploadTicket", "Upload"), ("changeArtwork", "Artworks")):
        place = page.locator(f"#operations-{group}-{operation}")
        place.locator(".opblock-summary-control").click()
        body = json.loads(place.locator("textarea").first.input_value())
        if operation == "changeArtwork":
            answer = owner.client.patch(f"/api/artworks/{artwork['id']}", json=body)
        else:
            answer = owner.client.post("/api/artworks/upload-url", json=body)
        assert answer.status_code == 200, answer.text
