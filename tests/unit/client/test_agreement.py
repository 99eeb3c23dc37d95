"""The client agrees with the gateway: codes, categories, fields, limits, formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from tests.unit.gallery.test_usernames import BAD, NAMES

from gallery import errors, formats, names, settings
from gallery.artwork import Category as GatewayCategory
from gallery.http import fields as gateway
from gallery.http.routes import document
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


def leaves(kind: type[errors.GalleryError]) -> Iterator[type[errors.GalleryError]]:
    for below in kind.__subclasses__():
        yield from leaves(below)
        yield below


@pytest.mark.parametrize("kind", list(leaves(errors.GalleryError)), ids=lambda kind: kind.__name__)
def test_every_refusal_of_the_gateway_has_an_exception(kind: type[errors.GalleryError]) -> None:
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
    assert limits.parse_username(name) == names.parse_username(name)
    assert limits.USERNAME_RULE == names.USERNAME_RULE


def test_the_limits_are_the_same() -> None:
    assert {
        "title": gateway.TITLE,
        "description": gateway.DESCRIPTION,
        "alt_text": getattr(gateway, "ALT_TEXT", 1000),
        "materials": gateway.LINE,
        "dimensions": gateway.LINE,
        "created_date": gateway.DATE,
        "category": gateway.CATEGORY,
    } == limits.TEXTS
    assert (limits.TAGS, limits.TAG) == (gateway.TAGS, gateway.TAG)
    assert (limits.FILENAME, limits.USERNAME) == (gateway.FILENAME, names.USERNAME_LENGTH)
    assert settings.MAX_UPLOAD_BYTES == limits.MAX_UPLOAD_BYTES
    assert tuple(limits.CONTENT_TYPES) == formats.ACCEPTED_TYPES
    assert formats.ALIASES == limits.CONTENT_TYPE_ALIASES


LENGTHS = (0, 4, 50, 51, 200, 201, 500, 501, 1000, 1001, 5000, 5001)
TEXTS = [*("x" * length for length in LENGTHS), "a\nb", "a\x00b", "\u202e", "\ud800"]


@pytest.mark.parametrize(
    "field", [name for name in limits.TEXTS if camel(name) in properties("ArtworkChange")]
)
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{len(text)} {text[:3]!a}")
def test_the_client_refuses_the_texts_that_the_gateway_refuses(field: str, text: str) -> None:
    assert is_refused(field, text) == is_refused_by_gateway(field, text)


@pytest.mark.parametrize("tags", [[], ["a"] * 20, ["a"] * 21, ["x" * 51], ["a\nb"]], ids=str)
def test_the_client_refuses_the_tags_that_the_gateway_refuses(tags: list[str]) -> None:
    assert is_refused("tags", tags) == is_refused_by_gateway("tags", tags)


def is_refused(field: str, value: object) -> bool:
    try:
        limits.check_changes({field: value})
    except InvalidRequest:
        return True
    return False


def is_refused_by_gateway(field: str, value: object) -> bool:
    try:
        gateway.changes_of({camel(field): value})
    except errors.InvalidRequest:
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
    assert picture_type(head) == formats.detect_media_type(head)
