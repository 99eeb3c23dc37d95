"""The client agrees with the gateway: codes, categories, fields, limits, formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from tests.unit.gallery.test_usernames import BAD, NAMES

from gallery import errors as gateway_errors
from gallery import fields as gateway_fields
from gallery import keys as gateway_keys
from gallery import originals as gateway_originals
from gallery import settings as gateway_settings
from gallery import usernames as gateway_usernames
from gallery.artwork import Category as GatewayCategory
from gallery.openapi import document
from vfa_gallery import (
    Account,
    AccountChanges,
    Artwork,
    Category,
    Changes,
    Details,
    InvalidRequest,
    Me,
    Readiness,
    SweepReport,
    UnexpectedAnswer,
    limits,
)
from vfa_gallery.errors import Passing, error_of
from vfa_gallery.models import UploadTicket, camel
from vfa_gallery.originals import picture_type


def leaves(kind: type[gateway_errors.GalleryError]) -> Iterator[type[gateway_errors.GalleryError]]:
    for below in kind.__subclasses__():
        yield from leaves(below)
        yield below


@pytest.mark.parametrize("kind", list(leaves(gateway_errors.GalleryError)), ids=lambda kind: kind.__name__)
def test_every_refusal_of_the_gateway_has_an_exception(kind: type[gateway_errors.GalleryError]) -> None:
    error = error_of(kind.status, {"error": "A sentence.", "code": kind.code}, {})
    assert (error.code, error.status) == (kind.code, kind.status)
    passes = kind.status in {409, 500, 503} or kind.code == "rate_limited"
    lasts = kind.code in ("not_configured", "already_exists")
    assert isinstance(error, Passing) == (passes and not lasts)
    # The client never asks for ranges or with methods that are not there.
    assert isinstance(error, UnexpectedAnswer) == (kind.status in {405, 416})


def test_the_categories_are_the_same() -> None:
    assert [*Category] == [*GatewayCategory]


def properties(schema: str) -> set[str]:
    return set(document("https://gallery.example")["components"]["schemas"][schema]["properties"])


def fields(kind: type) -> set[str]:
    return {camel(each.name) for each in dataclasses.fields(kind)}


def test_an_artwork_has_the_fields_of_the_contract() -> None:
    # Galleries of today may lack what the client reads already.
    assert fields(Artwork) | {"altText", "display"} == properties("Artwork") | {"etag", "altText", "display"}


def test_the_other_records_have_no_field_that_the_contract_lacks() -> None:
    assert fields(Me) == properties("User")
    assert fields(Account) == properties("Account")
    assert fields(UploadTicket) == properties("Ticket") - {"maxBytes"}
    assert fields(Readiness) == properties("Readiness")
    assert fields(SweepReport) == properties("Sweep")


def test_what_may_be_said_of_an_artwork_is_the_same() -> None:
    new = {camel(name) for name in Details.__annotations__} | {"originalKey"}
    assert new == properties("NewArtwork") | {"altText"}
    assert {camel(name) for name in Changes.__annotations__} == properties("ArtworkChange") | {"altText"}
    assert {camel(name) for name in AccountChanges.__annotations__} == properties("UserChange")


@pytest.mark.parametrize("name", [*NAMES, *BAD.values()])
def test_what_a_username_may_be_is_the_same(name: str) -> None:
    assert limits.parse_username(name) == gateway_usernames.parse_username(name)
    assert limits.USERNAME_RULE == gateway_usernames.RULE


def test_the_limits_are_the_same() -> None:
    lines = ("materials", "dimensions")
    assert {
        "title": gateway_fields.TITLE,
        "description": gateway_fields.DESCRIPTION,
        "alt_text": 1000,
        **dict.fromkeys(lines, gateway_fields.LINE),
        "created_date": gateway_fields.DATE,
        "category": gateway_fields.CATEGORY,
    } == limits.TEXTS | {"alt_text": 1000}
    assert (limits.TAGS, limits.TAG) == (gateway_fields.TAGS, gateway_fields.TAG)
    assert (limits.FILENAME, limits.USERNAME) == (gateway_fields.FILENAME, gateway_usernames.LENGTH)
    assert gateway_settings.MAX_UPLOAD_BYTES == limits.MAX_UPLOAD_BYTES
    assert tuple(limits.CONTENT_TYPES) == gateway_keys.ACCEPTED_TYPES
    assert gateway_keys.ALIASES == limits.CONTENT_TYPE_ALIASES


TEXTS = [
    "",
    "Dusk",
    "x" * 50,
    "x" * 51,
    "x" * 200,
    "x" * 201,
    "x" * 5001,
    "a\nb",
    "a\x00b",
    "\u202e",
    "\ud800",
]


@pytest.mark.parametrize("field", ["title", "description", "materials", "created_date", "category"])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{len(text)} {text[:3]!a}")
def test_the_client_refuses_what_the_gateway_refuses(field: str, text: str) -> None:
    read = {
        "title": gateway_fields.title_of,
        "description": gateway_fields.description_text_of,
        "materials": gateway_fields.materials_of,
        "created_date": gateway_fields.date_of,
        "category": gateway_fields.category_of,
    }[field]
    assert is_refused(lambda: limits.check_changes({field: text}), InvalidRequest) == is_refused(
        lambda: read({camel(field): text}), gateway_errors.InvalidRequest
    )


@pytest.mark.parametrize("tags", [[], ["a"] * 20, ["a"] * 21, ["x" * 51], ["a\nb"]], ids=str)
def test_tags_are_refused_alike(tags: list[str]) -> None:
    assert is_refused(lambda: limits.check_changes({"tags": tags}), InvalidRequest) == is_refused(
        lambda: gateway_fields.tags_of({"tags": tags}), gateway_errors.InvalidRequest
    )


def is_refused(check: Callable[[], object], kind: type[Exception]) -> bool:
    try:
        check()
    except kind:
        return True
    return False


HEADS = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WebP": b"RIFF\x00\x00\x00\x00WEBP",
    "GIF87": b"GIF87a",
    "GIF89": b"GIF89a",
    "TIFF, little endian": b"II*\x00",
    "TIFF, big endian": b"MM\x00*",
    "BigTIFF, little endian": b"II+\x00",
    "BigTIFF, big endian": b"MM\x00+",
    "BMP": b"BM",
    "AVIF": b"\x00\x00\x00\x20ftypavif",
    "text": b"Dear all",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_formats_are_recognised_by_the_same_bytes(head: bytes) -> None:
    head = head.ljust(16, b"\0")
    assert picture_type(head) == gateway_originals.type_of(head)
