"""`vfa smoke` against a gallery that speaks the contract."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from functools import partial

import pytest
from PIL import Image
from tests.support.client.contract import PICTURE, Contract, Reply
from tests.support.client.shell import Shell, titles

from vfa_gallery import Gallery, RetryPolicy


@pytest.fixture
def rendering(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The gallery in memory answers renditions of the right sizes."""
    original = contract._create

    def create(seen: object) -> Reply:
        reply = original(seen)  # type: ignore[arg-type]
        for name, size in {"displays": (1200, 800), "thumbnails": (300, 300), "icons": (128, 128)}.items():
            file = io.BytesIO()
            Image.new("RGB", size).save(file, "JPEG")
            contract.objects[f"{name}/{reply.body['data']['id']}.jpg"] = file.getvalue()
        return reply

    monkeypatch.setattr(contract, "_create", create)
    return iter(())


@pytest.mark.usefixtures("rendering")
def test_smoke_goes_the_whole_way_and_leaves_nothing(shell: Shell, contract: Contract) -> None:
    answer = shell.json("smoke")
    assert isinstance(answer, dict)
    assert answer["ok"]
    assert len(answer["steps"]) == 9
    assert contract.artworks == {}
    assert shell("smoke", "--keep").exit_code == 0
    assert shell("smoke").exit_code == 0
    assert len(contract.artworks) == 1


@pytest.mark.usefixtures("rendering")
def test_smoke_removes_what_earlier_tests_left_behind_and_nothing_else(
    shell: Shell, contract: Contract, gallery: Gallery
) -> None:
    for title in ("Smoke test 0123abcd", "Smoke test 4567cdef", "Smoke test", "My Smoke test 0123abcd"):
        gallery.upload(PICTURE, title=title)
    contract.limit = 3
    answer = shell.json("smoke")
    assert isinstance(answer, dict)
    assert answer["steps"][3]["detail"] == "2 left behind by earlier tests"
    assert titles(contract) == ["My Smoke test 0123abcd", "Smoke test"]


@pytest.mark.usefixtures("rendering")
def test_smoke_recovers_from_an_upload_whose_answers_were_all_lost(
    shell: Shell, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfa_gallery.gallery.RetryPolicy", partial(RetryPolicy, first=0.001))
    contract.limit = 1
    for _ in range(5):
        contract.order("POST /api/artworks", Reply(None), after=True)
    assert shell("smoke").exit_code == 1
    assert len(contract.artworks) == 1
    assert shell("smoke").exit_code == 0
    assert contract.artworks == {}


def test_smoke_fails_when_a_rendition_is_wrong_and_still_tidies_up(shell: Shell, contract: Contract) -> None:
    done = shell("smoke")
    assert done.exit_code == 1
    assert "failed\trenditions" in done.stdout
    assert contract.artworks == {}


def test_smoke_without_a_token_tries_what_is_public(shell: Shell, contract: Contract) -> None:
    done = shell("smoke", VFA_TOKEN="")
    assert done.exit_code == 0, done.output
    assert {each.method for each in contract.seen} == {"GET"}


@pytest.mark.usefixtures("rendering")
def test_smoke_fails_loudly_where_a_ticket_copies_originals(shell: Shell, contract: Contract) -> None:
    contract.bucket_copies = True
    done = shell("smoke", "--json")
    assert done.exit_code == 1
    (wrong,) = [step for step in json.loads(done.stdout)["steps"] if not step["ok"]]
    assert wrong["name"] == "originals are private"
    assert "x-amz-copy-source" in wrong["detail"]
    (tried,) = [each for each in contract.seen if "x-amz-copy-source" in each.headers]
    assert re.fullmatch(r"/bucket/originals/[^/]+/[^/]+\.jpg", tried.headers["x-amz-copy-source"])
    assert contract.artworks == {}


@pytest.mark.usefixtures("rendering")
def test_smoke_is_content_with_a_store_that_passes_over_what_is_not_signed(
    shell: Shell, contract: Contract
) -> None:
    contract.order(r"PUT /bucket/.*\.gif", Reply(200, b""))
    assert shell("smoke").exit_code == 0
