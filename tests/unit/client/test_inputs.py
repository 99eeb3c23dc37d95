"""What `upload` takes, and what it refuses before anything is sent."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from tests.support.client.contract import PICTURE, TOKEN, Contract, Reply

from vfa_gallery import (
    FileProblem,
    Gallery,
    GalleryError,
    InvalidRequest,
    NotFound,
    TooLarge,
    UnsupportedType,
    errors,
)
from vfa_gallery.originals import Source

URL = "/cdn/picture%20one.jpg"


def created(contract: Contract) -> dict[str, Any]:
    (artwork,) = contract.artworks.values()
    return artwork


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_any_bytes_are_uploaded(gallery: Gallery, contract: Contract, kind: Any) -> None:
    artwork = gallery.upload(kind(PICTURE), title="Dusk")
    assert contract.objects[artwork.original_key] == PICTURE


def test_an_open_file_is_uploaded_from_where_it_stands_and_stays_open(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "dusk.jpg"
    path.write_bytes(b"head" + PICTURE)
    contract.order("PUT .*", Reply(500, b""))
    with path.open("rb") as file:
        file.seek(4)
        artwork = gallery.upload(file, title="Dusk")
        assert not file.closed
    assert contract.objects[artwork.original_key] == PICTURE
    (asked, *_) = contract.calls("POST /api/artworks/upload-url")
    assert json.loads(asked.body)["filename"] == "dusk.jpg"


def test_a_pipe_is_uploaded_though_it_can_be_read_once(gallery: Gallery, contract: Contract) -> None:
    reading, writing = os.pipe()
    os.write(writing, PICTURE[:60_000])
    os.close(writing)
    contract.order("PUT .*", Reply(None))
    with os.fdopen(reading, "rb") as pipe:
        artwork = gallery.upload(pipe, title="Dusk")
    assert contract.objects[artwork.original_key] == PICTURE[:60_000]


def test_what_is_at_a_url_is_uploaded_without_the_token_going_there(
    gallery: Gallery, contract: Contract
) -> None:
    contract.objects["picture one.jpg"] = PICTURE
    artwork = gallery.upload(contract.url + URL, title="Dusk")
    assert contract.objects[artwork.original_key] == PICTURE
    (asked,) = contract.calls("POST /api/artworks/upload-url")
    assert json.loads(asked.body)["filename"] == "picture one.jpg"
    (fetched,) = contract.calls("GET /cdn/.*")
    assert "Authorization" not in fetched.headers


def test_a_url_that_leads_nowhere_or_to_too_much_is_an_error(gallery: Gallery, contract: Contract) -> None:
    contract.order("GET .*", Reply(404, b"<html>"))
    with pytest.raises(NotFound):
        gallery.upload(contract.url + URL, title="Dusk")
    contract.objects["picture one.jpg"] = PICTURE
    with Gallery(contract.url, TOKEN, max_upload_bytes=50_000) as small, pytest.raises(TooLarge):
        small.upload(contract.url + URL, title="Dusk")
    assert contract.calls("POST .*") == []


def test_a_file_in_text_mode_is_a_mistake_that_is_named(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Dear all")
    with (tmp_path / "a.txt").open() as file, pytest.raises(TypeError, match="binary mode"):
        gallery.upload(file, title="Dusk")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("original", "kind", "message"),
    [
        (
            b"Dear all",
            UnsupportedType,
            "picture is not a picture of an accepted format: JPEG, PNG",
        ),
        (b"BM" + bytes(100), UnsupportedType, "accepted format"),
        (b"", FileProblem, "picture is empty"),
        (PICTURE + bytes(30 << 20), TooLarge, "picture has 30.1 MB; a file may have at most 30 MB"),
        ("no/such/file.jpg", FileProblem, "No such file"),
        (io.BytesIO(b""), FileProblem, "empty"),
    ],
    ids=["text", "BMP", "empty", "large", "missing", "empty file"],
)
def test_a_file_that_would_be_refused_is_not_sent(
    gallery: Gallery, contract: Contract, original: Source, kind: type[GalleryError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        gallery.upload(original, title="Dusk")
    assert contract.seen == []


def test_a_gallery_may_accept_larger_files(contract: Contract) -> None:
    large = PICTURE + bytes(30 << 20)
    with Gallery(contract.url, TOKEN, max_upload_bytes=None) as gallery:
        assert gallery.upload(large, title="Dusk").id in contract.artworks


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"title": ""}, "the title is empty"),
        ({"title": "x" * 201}, "the title has 201 characters; at most 200 are accepted"),
        ({"title": 7}, "the title is a text, not int"),
        ({"title": "a\nb"}, "the title has characters that cannot be printed"),
        ({"title": "A", "description": "x" * 5001}, "the description has 5,001 characters; at most 5,000"),
        ({"title": "A", "alt_text": "x" * 1001}, "the alt text has 1,001 characters"),
        ({"title": "A", "created_date": "x" * 51}, "the created date has 51 characters"),
        ({"title": "A", "category": "x" * 51}, "the category has 51 characters"),
        ({"title": "A", "tags": "lake"}, r"tags are several texts, as in \['lake', 'dusk'\]"),
        ({"title": "A", "tags": ["a"] * 21}, "at most 20 tags, these are 21"),
        ({"title": "A", "tags": [7]}, "the tag is a text, not int"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_field_that_would_be_refused_is_not_sent(
    gallery: Gallery, contract: Contract, details: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        gallery.upload(PICTURE, **details)
    assert contract.seen == []


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            {"title": "A", "author": "Ann"},
            "no field 'author'; the fields are alt_text, category",
        ),
        ({"title": "A", "createdDate": "2024"}, "did you mean created_date?"),
        ({"title": "A", "is_featured": True}, "no field 'is_featured'"),
        ({}, "a title is needed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_keyword_that_is_no_field_is_a_mistake(
    gallery: Gallery, contract: Contract, details: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        gallery.upload(PICTURE, **details)
    assert contract.seen == []


def test_a_change_is_checked_as_a_new_artwork_is(gallery: Gallery, contract: Contract) -> None:
    with pytest.raises(TypeError, match="no field 'author'"):
        gallery.update("art_1", author="Ann")  # type: ignore[call-arg]
    with pytest.raises(InvalidRequest, match="is_featured is True or False"):
        gallery.update("art_1", is_featured="yes")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="the title is empty"):
        gallery.update("art_1", title=" ")
    assert contract.seen == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (date(2024, 5, 31), "2024-05-31"),
        (datetime(2024, 5, 31, 23, 59, tzinfo=UTC), "2024-05-31"),
        ("about 1890", "about 1890"),
        (None, None),
    ],
    ids=str,
)
def test_a_date_may_be_a_date(gallery: Gallery, contract: Contract, given: Any, sent: str | None) -> None:
    gallery.upload(PICTURE, title="Dusk", created_date=given)
    assert created(contract)["createdDate"] == sent


@pytest.mark.parametrize(
    "tags", [["a", "b"], ("a", "b"), iter(["a", "b"]), {"a": 1, "b": 2}], ids=lambda each: type(each).__name__
)
def test_tags_may_be_any_several_texts(gallery: Gallery, contract: Contract, tags: Any) -> None:
    gallery.upload(PICTURE, title="Dusk", tags=tags, alt_text="A lake\nat dusk")
    assert created(contract)["tags"] == ["a", "b"]
    assert created(contract)["altText"] == "A lake\nat dusk"


def test_names_of_users_are_checked_before_they_are_sent(gallery: Gallery, contract: Contract) -> None:
    with pytest.raises(InvalidRequest, match="a username is 1 to 64"):
        gallery.add_user("a b")
    with pytest.raises(InvalidRequest, match="a username is 1 to 64"):
        gallery.change_user("usr_1", username="a/b")
    assert contract.seen == []


def test_sources_are_typed() -> None:
    sources: list[Source] = ["a.jpg", Path("a.jpg"), b"", bytearray(), memoryview(b""), io.BytesIO()]
    file: BinaryIO = io.BytesIO()
    assert len([*sources, file]) == 7
    assert issubclass(errors.Unreachable, errors.Passing)
