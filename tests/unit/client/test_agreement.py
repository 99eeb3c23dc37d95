"""The client agrees with the gateway on names: codes, categories, fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from tests.unit.gallery.test_usernames import BAD, NAMES

from gallery import errors, names
from gallery.artwork import Category as GatewayCategory
from gallery.http.routes import document
from vfa_gallery import (
    Account,
    AccountChanges,
    Artwork,
    Category,
    Changes,
    Details,
    Me,
    Readiness,
    SweepReport,
    UnexpectedAnswer,
)
from vfa_gallery.command import usernames
from vfa_gallery.errors import Passing, error_of
from vfa_gallery.models import UploadTicket, camel


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
    assert fields(Artwork) == properties("Artwork") | {"etag"}


def test_the_other_records_have_no_field_that_the_contract_lacks() -> None:
    assert fields(Me) == properties("User")
    assert fields(Account) == properties("Account")
    assert fields(UploadTicket) == properties("Ticket") - {"maxBytes"}
    assert fields(Readiness) == properties("Readiness")
    assert fields(SweepReport) == properties("Sweep")


def test_what_may_be_said_of_an_artwork_is_the_same() -> None:
    assert {camel(name) for name in Details.__annotations__} | {"originalKey"} == properties("NewArtwork")
    assert {camel(name) for name in Changes.__annotations__} == properties("ArtworkChange")
    assert {camel(name) for name in AccountChanges.__annotations__} == properties("UserChange")


@pytest.mark.parametrize("name", [*NAMES, *BAD.values()])
def test_what_a_username_may_be_is_the_same(name: str) -> None:
    assert usernames.parse_username(name) == names.parse_username(name)
    assert usernames.RULE == names.USERNAME_RULE
