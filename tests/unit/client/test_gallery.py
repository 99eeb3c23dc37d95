"""The client against a gallery that speaks the contract."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.client.contract import PICTURE, TOKEN, Contract, Reply

from vfa_gallery import (
    Artwork,
    FileProblem,
    Gallery,
    NotFound,
    PreconditionFailed,
    Progress,
    Stage,
    Unauthorized,
    UnexpectedAnswer,
)


def test_an_upload_is_a_ticket_a_put_and_a_create(gallery: Gallery, contract: Contract) -> None:
    artwork = gallery.upload(PICTURE, title="Dusk", category="painting", tags=["lake"], created_date="2024")
    assert [f"{each.method} {each.path.split('?')[0]}" for each in contract.seen] == [
        "POST /api/artworks/upload-url",
        "PUT /bucket/originals/usr_ann/00000001.jpg",
        "POST /api/artworks",
    ]
    assert contract.objects["originals/usr_ann/00000001.jpg"] == PICTURE
    assert (artwork.title, artwork.category, artwork.tags, artwork.created_date) == (
        "Dusk",
        "painting",
        ("lake",),
        "2024",
    )
    assert artwork.created_at == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert artwork.original_key == "originals/usr_ann/00000001.jpg"


def test_the_token_goes_to_the_gallery_and_nowhere_else(gallery: Gallery, contract: Contract) -> None:
    artwork = gallery.upload(PICTURE, title="Dusk")
    gallery.fetch(artwork.icon_url)
    to_others = [*contract.calls("PUT .*"), *contract.calls("GET /cdn/.*")]
    assert len(to_others) == 2
    assert not any("Authorization" in each.headers for each in to_others)
    assert "token" not in repr(gallery)


def test_a_netrc_takes_neither_the_place_of_the_token_nor_of_the_ticket(
    gallery: Gallery, contract: Contract, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert gallery.upload(PICTURE, title="Dusk").id in contract.artworks


def test_a_path_is_sent_under_its_name_with_the_type_of_its_bytes(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "really-a-jpeg.png"
    path.write_bytes(PICTURE)
    gallery.upload(path, title="Dusk")
    (asked,) = contract.calls("POST /api/artworks/upload-url")
    assert b'"filename": "really-a-jpeg.png", "contentType": "image/jpeg", "size": 100004' in asked.body


def test_progress_comes_by_the_block_and_ends_with_done(gallery: Gallery) -> None:
    heard: list[Progress] = []
    gallery.upload(PICTURE, title="Dusk", on_progress=heard.append)
    sending = [each.sent for each in heard if each.stage == Stage.SENDING]
    assert sending == sorted(sending)
    assert len(sending) > 5
    assert sending[-1] == len(PICTURE)
    assert [each.stage for each in heard[-2:]] == [Stage.RENDERING, Stage.DONE]
    assert {each.total for each in heard} == {len(PICTURE)}


def test_what_a_progress_callback_raises_stops_the_upload(gallery: Gallery, contract: Contract) -> None:
    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.sent > 50_000:
            raise Enough

    with pytest.raises(Enough):
        gallery.upload(PICTURE, title="Dusk", on_progress=stop)
    assert contract.artworks == {}
    assert contract.objects == {}


@pytest.mark.parametrize("given", [b"", "empty", "missing", "."])
def test_a_file_that_cannot_be_sent_is_refused_before_any_call(
    gallery: Gallery, contract: Contract, tmp_path: Path, given: str | bytes
) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(FileProblem):
        gallery.upload(given if isinstance(given, bytes) else tmp_path / given, title="Nothing")
    assert contract.seen == []


def test_a_file_that_shrinks_on_its_way_is_no_broken_connection(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(PICTURE)

    def truncate(_: str) -> None:
        path.write_bytes(PICTURE[:50_000])

    with pytest.raises(FileProblem, match="shorter"):
        gallery.upload(path, title="Dusk", on_key=truncate)
    assert len(contract.calls("POST /api/artworks/upload-url")) == 1
    assert contract.objects == {}


def test_a_file_that_grows_on_its_way_is_sent_as_it_was_announced(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(PICTURE)

    def grow(_: str) -> None:
        path.write_bytes(PICTURE + PICTURE)

    artwork = gallery.upload(path, title="Dusk", on_key=grow)
    assert contract.objects[artwork.original_key] == PICTURE


def test_iterating_over_artworks_fetches_pages_as_it_goes(gallery: Gallery, contract: Contract) -> None:
    for number in range(5):
        gallery.upload(PICTURE, title=f"Number {number}")
    found = gallery.artworks(username="ann", page_size=2)
    assert contract.calls("GET .*") == []
    assert next(found).title == "Number 4"
    assert len(contract.calls("GET .*")) == 1
    assert [each.title for each in found] == ["Number 3", "Number 2", "Number 1", "Number 0"]
    assert len(contract.calls("GET .*")) == 3
    assert list(gallery.artworks(username="bob", featured=False, query="x")) == []


def test_an_artwork_read_changed_and_deleted(gallery: Gallery, contract: Contract) -> None:
    made = gallery.upload(PICTURE, title="Draft", description="A lake")
    assert gallery.get(made.id).title == "Draft"
    changed = gallery.update(made, title="Final", description=None)
    assert (changed.title, changed.description) == ("Final", None)
    gallery.delete(changed)
    assert contract.artworks == {}
    with pytest.raises(NotFound):
        gallery.get(made.id)
    with pytest.raises(NotFound):
        gallery.delete(made)


def test_a_change_respects_what_others_changed_unless_told_otherwise(gallery: Gallery) -> None:
    made = gallery.upload(PICTURE, title="Draft")
    gallery.update(made.id, title="By someone else")
    with pytest.raises(PreconditionFailed):
        gallery.update(made, title="Final")
    assert gallery.update(made, title="Final", overwrite=True).title == "Final"


def test_a_tag_that_was_weakened_on_its_way_goes_back_as_it_came(
    gallery: Gallery, contract: Contract
) -> None:
    made = gallery.upload(PICTURE, title="Draft")
    contract.order(
        f"GET /api/artworks/{made.id}", Reply(200, {"data": contract.artworks[made.id]}, {"ETag": 'W/"1"'})
    )
    read = gallery.get(made.id)
    assert gallery.update(read, title="Final").title == "Final"
    assert contract.calls("PATCH .*")[0].headers["If-Match"] == 'W/"1"'
    with pytest.raises(PreconditionFailed):
        gallery.update(read, title="Too late")


def test_an_id_is_one_segment_of_the_path_whatever_it_holds(gallery: Gallery, contract: Contract) -> None:
    with pytest.raises(NotFound):
        gallery.get("../me?x=1")
    assert contract.seen[-1].path == "/api/artworks/..%2Fme%3Fx%3D1"


def test_readiness_and_me_are_values(gallery: Gallery) -> None:
    made = gallery.upload(PICTURE, title="Dusk")
    assert gallery.readiness(made).complete
    assert not gallery.readiness("originals/usr_ann/other.jpg").complete
    assert (gallery.me().username, gallery.me().artwork_count, gallery.me().artwork_remaining) == (
        "ann",
        1,
        999,
    )
    assert gallery.reprocess(made).id == made.id


def test_an_artwork_goes_back_to_its_wire_form(gallery: Gallery, contract: Contract) -> None:
    made = gallery.upload(PICTURE, title="Dusk", tags=["a"])
    wire = made.to_wire()
    assert wire["createdAt"] == contract.artworks[made.id]["createdAt"]
    assert Artwork.from_wire(wire) == made


def test_reading_needs_no_token(contract: Contract, gallery: Gallery) -> None:
    gallery.upload(PICTURE, title="Dusk")
    with Gallery(contract.url) as anonymous:
        assert len(list(anonymous.artworks())) == 1


def test_space_around_a_token_is_not_part_of_it(contract: Contract) -> None:
    with Gallery(contract.url, f" {TOKEN}\r\n") as gallery:
        assert gallery.me().username == "ann"
    with Gallery(contract.url, "\n") as nobody:
        assert not nobody.has_token


@pytest.mark.parametrize("token", ["secret\nX-Other: 1", "secret €", "secret ü", "two secrets", "secret\x00"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(
    contract: Contract, token: str
) -> None:
    with pytest.raises(Unauthorized) as caught:
        Gallery(contract.url, token)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert contract.seen == []


@pytest.mark.parametrize("address", ["", "gallery.example", "ftp://gallery.example", "http://"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="not the address of a gallery"):
        Gallery(address)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Welcome</html>"),
        Reply(200, {"data": {"id": "art_1"}}),
        Reply(200, {"data": None}),
        Reply(200, []),
        Reply(301, b"", {"Location": "https://elsewhere.example/api/me"}),
    ],
)
def test_an_answer_from_something_else_says_so(gallery: Gallery, contract: Contract, reply: Reply) -> None:
    contract.order("GET /api/me", reply)
    with pytest.raises(UnexpectedAnswer):
        gallery.me()


def test_what_another_program_recorded_is_read_without_sizes_and_urls(
    gallery: Gallery, contract: Contract
) -> None:
    made = gallery.upload(PICTURE, title="Dusk")
    absent = ("width", "height", "originalWidth", "originalHeight", "iconUrl", "originalUrl", "processedAt")
    contract.artworks[made.id] |= dict.fromkeys(absent) | {"category": "Oil & Gold"}
    found = gallery.get(made.id)
    assert (found.width, found.original_height, found.icon_url, found.processed_at) == (
        None,
        None,
        None,
        None,
    )
    assert (found.category, found.original_key) == ("Oil & Gold", "")
    with pytest.raises(NotFound):
        gallery.fetch(found.icon_url)


def test_an_error_says_what_happened_and_what_to_do(gallery: Gallery, contract: Contract) -> None:
    said = {"error": "Unauthorized", "code": "unauthorized", "requestId": "r", "detail": "Please sign in."}
    contract.order("GET /api/me", Reply(401, said))
    with pytest.raises(Unauthorized) as caught:
        gallery.me()
    assert str(caught.value).startswith(
        "Unauthorized. The gallery does not accept this token: check that VFA_TOKEN"
    )
