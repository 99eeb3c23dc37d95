"""Downloads, display versions, readable addresses and notebooks."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.support.client.contract import PICTURE, Contract, Reply, refusal

from vfa_gallery import Artwork, Display, FileProblem, Gallery, NotFound, Progress, Stage, Unreachable


@pytest.fixture
def artwork(gallery: Gallery) -> Artwork:
    return gallery.upload(PICTURE, title="Dusk <b>", tags=["lake"])


def test_a_file_is_saved_whole_with_its_digest_and_progress(
    gallery: Gallery, artwork: Artwork, tmp_path: Path
) -> None:
    heard: list[Progress] = []
    saved = gallery.download(artwork, tmp_path / "a.jpg", on_progress=heard.append)
    assert saved.path.read_bytes() == PICTURE
    assert (saved.size, saved.sha256) == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert [each.sent for each in heard] == sorted(each.sent for each in heard)
    assert heard[0].stage == Stage.RECEIVING
    assert heard[-1] == Progress(Stage.DONE, len(PICTURE), len(PICTURE))
    assert [each.name for each in tmp_path.iterdir()] == ["a.jpg"]


def test_a_folder_gets_a_file_named_after_the_artwork(
    gallery: Gallery, artwork: Artwork, tmp_path: Path
) -> None:
    assert gallery.download(artwork.id, str(tmp_path), which="icon").path == tmp_path / f"{artwork.slug}.jpg"


def test_an_original_is_fetched_by_an_address_that_is_signed_now(
    gallery: Gallery, contract: Contract, artwork: Artwork, tmp_path: Path
) -> None:
    contract.artworks[artwork.id]["originalDownloadUrl"] = f"{contract.url}/cdn/signed"
    contract.objects["signed"] = b"the original"
    stale = dataclasses.replace(artwork, original_download_url=f"{contract.url}/cdn/expired")
    saved = gallery.download(stale, tmp_path, which="original")
    assert saved.path.read_bytes() == b"the original"
    contract.artworks[artwork.id] |= {"originalDownloadUrl": None, "originalUrl": None}
    with pytest.raises(NotFound, match="has no original that this token may download"):
        gallery.download(artwork, tmp_path, which="original")


def test_a_broken_download_begins_anew_and_leaves_no_piece(
    gallery: Gallery, contract: Contract, artwork: Artwork, tmp_path: Path
) -> None:
    contract.order("GET /cdn/.*", Reply(None))
    assert gallery.download(artwork, tmp_path / "a.jpg").size == len(PICTURE)
    for _ in range(5):
        contract.order("GET /cdn/.*", Reply(None))
    with pytest.raises(Unreachable):
        gallery.download(artwork, tmp_path / "b.jpg")
    contract.order("GET /cdn/.*", refusal(404, "not_found", "There is nothing."))
    with pytest.raises(NotFound):
        gallery.download(artwork, tmp_path / "a.jpg")
    assert [each.name for each in tmp_path.iterdir()] == ["a.jpg"], "the earlier file stays"


def test_a_stopped_download_leaves_nothing(gallery: Gallery, artwork: Artwork, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(_: Progress) -> None:
        raise Enough

    with pytest.raises(Enough):
        gallery.download(artwork, tmp_path / "a.jpg", on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_file_problem(
    gallery: Gallery, artwork: Artwork, tmp_path: Path
) -> None:
    with pytest.raises(FileProblem, match="No such file or directory"):
        gallery.download(artwork, tmp_path / "none" / "a.jpg")


WIDTHS = [640, 320, 1280]


@pytest.mark.parametrize(("asked", "got"), [(1, 320), (320, 320), (321, 640), (1280, 1280), (4000, 1280)])
def test_the_narrowest_display_version_that_is_wide_enough_is_taken(
    gallery: Gallery, contract: Contract, artwork: Artwork, tmp_path: Path, asked: int, got: int
) -> None:
    contract.artworks[artwork.id]["display"] = [
        {"url": f"{contract.url}/cdn/{width}", "width": width, "height": width // 2} for width in WIDTHS
    ]
    contract.objects |= {str(width): str(width).encode() for width in WIDTHS}
    saved = gallery.download(artwork.id, tmp_path, width=asked)
    assert saved.path.read_bytes() == str(got).encode()
    found = gallery.get(artwork.id)
    assert [each.width for each in found.display] == [320, 640, 1280]
    assert isinstance(found.display[0], Display)
    wire = found.to_wire()
    assert wire["display"][0] == {"url": f"{contract.url}/cdn/320", "width": 320, "height": 160}
    assert Artwork.from_wire(wire) == found


def test_a_gallery_with_one_display_version_has_no_others(artwork: Artwork) -> None:
    assert (artwork.display, artwork.display_at(1), artwork.display_at()) == ((), *[artwork.display_url] * 2)
    assert artwork.alt_text is None


def test_an_artwork_has_a_readable_address(gallery: Gallery, artwork: Artwork, contract: Contract) -> None:
    assert gallery.get_by_slug("ann", artwork.slug) == artwork
    with pytest.raises(NotFound):
        gallery.get_by_slug("ann/../x", "a b")
    assert contract.seen[-1].path == "/api/users/ann%2F..%2Fx/artworks/a%20b"


def test_a_list_ends_at_its_limit_and_reads_no_page_more(gallery: Gallery, contract: Contract) -> None:
    for number in range(5):
        gallery.upload(PICTURE, title=f"Number {number}")
    assert [each.title for each in gallery.artworks(limit=3)] == ["Number 4", "Number 3", "Number 2"]
    assert [each.path for each in contract.calls("GET .*")] == ["/api/artworks?limit=3"]
    assert len(list(gallery.artworks(limit=4, page_size=2))) == 4
    assert len(contract.calls("GET .*")) == 3
    assert list(gallery.artworks(limit=0)) == []


def test_a_notebook_shows_an_artwork_and_a_list_without_their_markup(
    gallery: Gallery, artwork: Artwork
) -> None:
    html = artwork._repr_html_()
    assert "Dusk &lt;b&gt;" in html
    assert f'<img src="{artwork.thumbnail_url}"' in html
    hostile = dataclasses.replace(artwork, thumbnail_url="javascript:alert(1)")
    assert "javascript" not in hostile._repr_html_()
    found = gallery.artworks()
    assert "Dusk &lt;b&gt;" in found._repr_html_()
    assert [each.id for each in found] == [artwork.id], "what was shown is not used up"
    assert gallery.artworks(username="bob")._repr_html_() == "<p>no artworks</p>"


def test_a_long_list_says_that_there_is_more(gallery: Gallery) -> None:
    for number in range(22):
        gallery.upload(PICTURE, title=f"Number {number}")
    found = gallery.artworks()
    assert found._repr_html_().count("<tr>") == 20
    assert found._repr_html_().endswith("<p>and more</p>")
    assert len(list(found)) == 22


def test_an_artwork_of_a_gallery_that_sends_more_is_read(gallery: Gallery, contract: Contract) -> None:
    made = gallery.upload(PICTURE, title="Dusk")
    broken: list[dict[str, Any]] = [{"url": "x"}]
    contract.artworks[made.id]["display"] = broken
    with pytest.raises(Exception, match="the gallery answered no"):
        gallery.get(made.id)
