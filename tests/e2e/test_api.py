"""The API beyond the create, over HTTP."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.support.e2e.accounts import Account, AccountFactory
from tests.support.pictures import jpeg

SMALL = jpeg(96, 72)
RENDITIONS = ("displayUrl", "thumbnailUrl", "iconUrl")
ADDRESSES = {
    "/healthz": {"GET", "HEAD"},
    "/openapi.json": {"GET", "HEAD"},
    "/api/me": {"GET", "HEAD"},
    "/api/artworks": {"GET", "HEAD", "POST"},
    "/api/artworks/upload-url": {"POST"},
    "/api/artworks/readiness": {"GET", "HEAD"},
    "/api/artworks/art_x": {"GET", "HEAD", "PATCH", "DELETE"},
    "/api/artworks/art_x/reprocess": {"POST"},
    "/api/users/x/artworks/y": {"GET", "HEAD"},
    "/api/sweep": {"POST"},
    "/cdn/x": {"GET", "HEAD"},
    "/artists/x": {"GET", "HEAD"},
}


@pytest.fixture
def artwork(artist: Account) -> dict[str, Any]:
    """A new artwork of the artist's."""
    answer = artist.create(artist.upload(SMALL), "Still Life")
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["data"])


@pytest.fixture(scope="module")
def exhibition(account: AccountFactory) -> tuple[Account, list[dict[str, Any]]]:
    """An artist with five artworks, the newest first."""
    curator = account()
    made = []
    for number in range(5):
        kind = "painting" if number % 2 else "drawing"
        answer = curator.create(
            curator.upload(SMALL), f"Bild {number}", category=kind, tags=[f"n{number}", kind]
        )
        made.append(answer.json()["data"])
    return curator, made[::-1]


def public(artwork: dict[str, Any]) -> dict[str, Any]:
    """The artwork as somebody sees it who is not its owner."""
    return {
        name: value for name, value in artwork.items() if name not in ("originalUrl", "originalDownloadUrl")
    }


def test_an_artwork_reads_the_same_by_id_by_slug_and_in_a_list(
    anonymous: httpx.Client, exhibition: tuple[Account, list[dict[str, Any]]]
) -> None:
    curator, made = exhibition
    listed = anonymous.get("/api/artworks", params={"username": curator.username}).json()
    assert listed == {"data": [public(artwork) for artwork in made], "nextCursor": None}
    for artwork in made:
        by_id = anonymous.get(f"/api/artworks/{artwork['id']}").json()["data"]
        by_slug = anonymous.get(f"/api/users/{curator.username}/artworks/{quote(artwork['slug'])}").json()[
            "data"
        ]
        assert by_id == by_slug == public(artwork)


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({"category": "painting"}, ["Bild 3", "Bild 1"]),
        ({"tag": "n2"}, ["Bild 2"]),
        ({"q": "bil", "tag": "n4"}, ["Bild 4"]),
        ({"q": "nirgends"}, []),
        ({"q": "%"}, []),
        ({"featured": "true"}, []),
        ({"featured": "false", "limit": "1"}, ["Bild 4"]),
    ],
)
def test_filters_choose_artworks(
    anonymous: httpx.Client,
    exhibition: tuple[Account, list[dict[str, Any]]],
    filters: dict[str, str],
    titles: list[str],
) -> None:
    answer = anonymous.get("/api/artworks", params={"username": exhibition[0].username, **filters})
    assert [artwork["title"] for artwork in answer.json()["data"]] == titles


def test_pages_follow_each_other_while_artworks_are_added(
    anonymous: httpx.Client, exhibition: tuple[Account, list[dict[str, Any]]], artist: Account
) -> None:
    made, seen, cursor = exhibition[1], [], ""
    for _ in range(200):
        page = anonymous.get(f"/api/artworks?limit=2{cursor}").json()
        seen += [found["id"] for found in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
        if len(seen) < 8:
            assert artist.create(artist.upload(SMALL)).status_code == 201
    assert len(set(seen)) == len(seen)
    assert {artwork["id"] for artwork in made} <= set(seen)


def test_a_change_is_seen_and_a_stale_one_refused(
    artist: Account, anonymous: httpx.Client, artwork: dict[str, Any]
) -> None:
    path = f"/api/artworks/{artwork['id']}"
    read = anonymous.get(path)
    changed = artist.client.patch(path, json={"title": "静物"}, headers={"If-Match": read.headers["etag"]})
    assert changed.status_code == 200
    after = anonymous.get(path)
    assert after.json()["data"]["title"] == "静物"
    assert after.json()["data"]["slug"] == artwork["slug"]
    stale = artist.client.patch(path, json={"title": "x"}, headers={"If-Match": read.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")


def test_a_removed_artwork_is_gone_with_its_files(
    artist: Account, anonymous: httpx.Client, artwork: dict[str, Any]
) -> None:
    used = artist.client.get("/api/me").json()["data"]["artworkCount"]
    path = f"/api/artworks/{artwork['id']}"
    assert artist.client.delete(path).status_code == 204
    assert anonymous.get(path).status_code == 404
    assert artist.client.delete(path).status_code == 404
    assert {httpx.get(artwork[name]).status_code for name in RENDITIONS} == {404}
    assert httpx.get(artwork["originalDownloadUrl"]).status_code == 404
    assert artist.client.get("/api/me").json()["data"]["artworkCount"] == used - 1


def test_reprocessing_gives_new_urls_that_work(artist: Account, artwork: dict[str, Any]) -> None:
    answer = artist.client.post(f"/api/artworks/{artwork['id']}/reprocess")
    assert answer.status_code == 200, answer.text
    again = answer.json()["data"]
    for name in RENDITIONS:
        assert again[name] != artwork[name]
        assert httpx.get(again[name]).status_code == 200
    assert again["originalUrl"] == artwork["originalUrl"]
    assert "thumbnail;dur=" in answer.headers["server-timing"]


def test_readiness_before_and_after(artist: Account) -> None:
    key = artist.upload(SMALL)

    def ready() -> Any:
        return artist.client.get("/api/artworks/readiness", params={"originalKey": key}).json()

    assert ready() == {"display": False, "thumbnail": False, "icon": False}
    assert artist.create(key).status_code == 201
    assert ready() == {"display": True, "thumbnail": True, "icon": True}


def test_the_same_original_again_gives_the_same_artwork(artist: Account) -> None:
    key = artist.upload(SMALL)
    first, again = artist.create(key, "One"), artist.create(key, "Two")
    assert (first.status_code, again.status_code) == (201, 200)
    assert public(first.json()["data"]) == public(again.json()["data"])


@pytest.mark.parametrize("target", ["/api/artworks", "/api/artworks/{id}", "/api/me", "/openapi.json"])
def test_json_that_was_read_before_is_304(artist: Account, artwork: dict[str, Any], target: str) -> None:
    path = target.replace("{id}", artwork["id"])
    first = artist.client.get(path)
    assert "no-cache" in first.headers["cache-control"]
    again = artist.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_errors_are_never_cached(anonymous: httpx.Client) -> None:
    for path in ("/api/artworks/art_x", "/api/me", "/cdn/x", "/nothing", "/api/artworks?limit=0"):
        answer = anonymous.get(path)
        assert answer.status_code >= 400
        assert answer.headers["cache-control"] == "no-store"


def test_a_rendition_is_delivered_whole_in_part_and_not_at_all(artwork: dict[str, Any]) -> None:
    url = artwork["displayUrl"]
    whole = httpx.get(url)
    data, etag = whole.content, whole.headers["etag"]
    assert whole.headers["content-length"] == str(len(data))
    assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert data[:3] == b"\xff\xd8\xff"

    def get(**headers: str) -> httpx.Response:
        return httpx.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    part = get(Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, data[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    assert get(Range="bytes=-7").content == data[-7:]
    assert get(Range="bytes=7-", If_Range=etag).content == data[7:]
    assert get(Range="bytes=7-", If_Range='"other"').content == data
    assert get(If_None_Match=etag).status_code == 304
    assert get(If_Match='"other"').status_code == 412
    outside = get(Range=f"bytes={len(data)}-")
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(data)}")
    head = httpx.head(url)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)
    assert head.headers["content-length"] == str(len(data))


def test_ranges_put_together_are_the_whole(artwork: dict[str, Any]) -> None:
    whole = httpx.get(artwork["displayUrl"]).content
    step = len(whole) // 5 + 1
    parts = [
        httpx.get(artwork["displayUrl"], headers={"Range": f"bytes={at}-{at + step - 1}"}).content
        for at in range(0, len(whole), step)
    ]
    assert hashlib.sha256(b"".join(parts)).digest() == hashlib.sha256(whole).digest()


@pytest.mark.parametrize(("path", "methods"), ADDRESSES.items())
def test_methods_are_answered_or_refused_with_allow(
    anonymous: httpx.Client, path: str, methods: set[str]
) -> None:
    options = anonymous.options(path)
    assert (options.status_code, options.content) == (204, b"")
    assert set(options.headers["allow"].split(", ")) == methods | {"OPTIONS"}
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "PURGE"} - methods:
        refused = anonymous.request(method, path)
        assert refused.status_code == 405, method
        assert refused.headers["allow"] == options.headers["allow"]
        if method != "HEAD":
            assert refused.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/artworks/",
        "/healthz/x",
        "/cdn/",
        "/api/artworks/a/b/c",
    ],
)
def test_unknown_addresses_are_json(anonymous: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = anonymous.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_picture_says_what_a_page_needs_before_it_loads(artwork: dict[str, Any]) -> None:
    assert (artwork["width"], artwork["height"]) == (96, 72)
    assert (artwork["originalWidth"], artwork["originalHeight"]) == (96, 72)
    assert artwork["dominantColor"].startswith("#")
    assert artwork["thumbHash"]


def test_operators_sweep_by_hand(artist: Account, operator: httpx.Client, artwork: dict[str, Any]) -> None:
    assert artist.client.post("/api/sweep").status_code == 403
    dry = operator.post("/api/sweep?dryRun=true").json()["data"]
    assert dry["dryRun"] is True
    wet = operator.post("/api/sweep").json()["data"]
    assert (wet["removed"], wet["missing"], wet["failed"]) == ([], [], [])
    assert httpx.get(artwork["displayUrl"]).status_code == 200
