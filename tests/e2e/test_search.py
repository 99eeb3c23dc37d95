"""Search over HTTP: words are found as soon as they are written, and no longer once they are removed."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest
from tests.support.e2e.accounts import AccountFactory
from tests.support.pictures import jpeg
from tools.stack import Stack

SMALL = jpeg(96, 72)
NASTY = [
    *[
        '"',
        "'",
        '"a',
        "*",
        "a*",
        "^a",
        "terms:a",
        "-a",
        "(",
        ")",
        "AND",
        "a OR",
        "NOT a",
        "NEAR(a b)",
        "{a}",
        "%",
    ],
    *[
        "\0",
        "\u0301",
        "\ue000",
        "\U0010ffff",
        "\u200d",
        "; DROP TABLE artworks",
        "夕" * 100,
        "x" * 100,
        "½",
        "İ",
    ],
    *["a b c d e f g h i j k l m n o p q r s t u v w x y z", "گ", "ᬅᬓ᭄ᬱ", "𞤀𞤣", "ߒߞߏ", "ⵣ", "😀"],
]


def found(client: httpx.Client, **filters: Any) -> list[str]:
    """Ids on all pages."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get("/api/artworks", params=filters | cursor)
        assert answer.status_code == 200, answer.text
        ids += [artwork["id"] for artwork in answer.json()["data"]]
        if answer.json()["nextCursor"] is None:
            return ids
        cursor = {"cursor": answer.json()["nextCursor"]}


def test_an_artwork_is_found_by_its_words(account: AccountFactory, anonymous: httpx.Client) -> None:
    word = f"w{secrets.token_hex(5)}"
    artist, other = account(username=f"élodie-{word}"), account()
    fields = {"description": f"Huile, {word}x", "tags": [f"{word} tag", "海辺"], "category": "painting"}
    made = artist.create(artist.upload(SMALL), f"Été à {word} 夕焼けの山", **fields).json()["data"]
    twin = other.create(other.upload(SMALL), f"Another {word}").json()["data"]
    own = {"username": artist.username}
    assert found(anonymous, q=word) == [twin["id"], made["id"]]
    assert found(anonymous, q=word[:8], limit=1) == [twin["id"], made["id"]]
    for asked in (f"ETE {word}", f"{word}x", f"elodie {word}", f"tag {word}", f"焼け {word}", f"海辺 {word}"):
        assert found(anonymous, q=asked) == [made["id"]], asked
    assert found(anonymous, tag=f"{word} tag") == [made["id"]]
    assert found(anonymous, tag=f"{word} tag", q="été", category="painting", featured="false", **own) == [
        made["id"]
    ]
    assert found(anonymous, tag=f"{word} tag", q="été", category="drawing", **own) == []
    assert found(anonymous, tag=word) == found(anonymous, q=word[1:]) == []
    address = f"/api/artworks/{made['id']}"
    assert artist.client.patch(address, json={"description": None, "tags": ["dusk"]}).status_code == 200
    assert found(anonymous, q=f"{word}x") == found(anonymous, tag=f"{word} tag") == []
    assert found(anonymous, tag="dusk", **own) == [made["id"]]
    assert artist.client.delete(address).status_code == 204
    assert found(anonymous, q=word) == [twin["id"]]


@pytest.mark.parametrize("asked", NASTY)
def test_no_query_is_an_error(anonymous: httpx.Client, asked: str) -> None:
    found(anonymous, q=asked)
    found(anonymous, q=asked, tag=asked, username=asked, category="painting")


def test_a_new_name_is_found_and_the_old_one_is_not(
    stack: Stack, account: AccountFactory, anonymous: httpx.Client
) -> None:
    before, after = f"b{secrets.token_hex(5)}", f"a{secrets.token_hex(5)}"
    artist = account(username=before)
    made = artist.create(artist.upload(SMALL)).json()["data"]["id"]
    assert found(anonymous, q=before) == found(anonymous, username=before) == [made]
    stack.rows("UPDATE users SET username = ? WHERE id = ?", after, artist.user_id)
    assert found(anonymous, q=after) == found(anonymous, username=after) == [made]
    assert found(anonymous, q=before) == found(anonymous, username=before) == []
