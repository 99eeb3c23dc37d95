"""Batches: everything good exactly once, everything bad with its reason, through any interruption."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from tests.client.conftest import PICTURE
from tests.client.contract import BAD, TOKEN, Contract, Reply, refusal

from vfa_gallery import (
    Batch,
    Details,
    Fate,
    FileProblem,
    Gallery,
    Journal,
    Outcome,
    Progress,
    RetryPolicy,
    Stage,
)
from vfa_gallery.journal import file_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures, a broken one, one of an unknown kind and an empty one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.jpg").write_bytes(PICTURE + str(number).encode())
    (folder / "broken.jpg").write_bytes(PICTURE + BAD)
    (folder / "notes.txt").write_text("Dear all")
    (folder / "nothing.png").touch()
    return folder


def jobs(folder: Path) -> list[tuple[Path, Details]]:
    return [(path, {"title": path.stem}) for path in sorted(folder.iterdir())]


def run(gallery: Gallery, folder: Path, journal: Path | None = None, workers: int = 4) -> list[Outcome]:
    with Journal(journal) as opened:
        return list(Batch(gallery, opened, workers=workers).run(jobs(folder)))


def fates(outcomes: list[Outcome]) -> Counter[Fate]:
    return Counter(outcome.fate for outcome in outcomes)


def titles(contract: Contract) -> list[str]:
    return sorted(artwork["title"] for artwork in contract.artworks.values())


GOOD = [f"{number:02}" for number in range(12)]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_good_ones_arrive_once_and_the_bad_ones_say_why(
    gallery: Gallery, contract: Contract, folder: Path, workers: int
) -> None:
    outcomes = run(gallery, folder, workers=workers)
    assert titles(contract) == GOOD
    reasons = {outcome.path.name: outcome.error.code for outcome in outcomes if outcome.error}
    assert reasons == {
        "broken.jpg": "unreadable_image",
        "notes.txt": "unsupported_type",
        "nothing.png": "file_problem",
    }
    assert len(outcomes) == 15
    assert contract.most_at_once <= workers


def test_uploads_really_overlap(gallery: Gallery, contract: Contract, folder: Path) -> None:
    for _ in range(4):
        contract.order("POST /api/artworks", delay=0.1)
    run(gallery, folder)
    assert contract.most_at_once > 1


def test_a_second_run_sends_nothing_and_says_the_same(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    run(gallery, folder, tmp_path / "journal")
    calls = len(contract.seen)
    outcomes = run(gallery, folder, tmp_path / "journal")
    assert len(contract.seen) == calls
    assert fates(outcomes) == {Fate.KNOWN: 12, Fate.FAILED: 3}
    (broken,) = (outcome.error for outcome in outcomes if outcome.path.name == "broken.jpg")
    assert broken
    assert (broken.code, broken.message) == ("unreadable_image", "The file cannot be read as a picture.")
    assert all(each.artwork_id in contract.artworks for each in outcomes if each.fate == Fate.KNOWN)


def test_a_changed_file_is_a_new_one(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    run(gallery, folder, tmp_path / "journal")
    (folder / "broken.jpg").write_bytes(PICTURE + b"mended")
    assert fates(run(gallery, folder, tmp_path / "journal"))[Fate.ARRIVED] == 1
    assert "broken" in titles(contract)


@pytest.mark.parametrize("step", ["POST /api/artworks/upload-url", "PUT .*", "POST /api/artworks"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_batch_cut_off_at_any_step_goes_on_without_a_second_copy(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path, step: str, after: bool
) -> None:
    """Cut off: the call had its effect or not, and this run never learns which."""
    contract.order(step, Reply(None), after=after)
    with Gallery(contract.url, TOKEN, retry=RetryPolicy(attempts=1)) as hasty:
        outcomes = run(hasty, folder, tmp_path / "journal", workers=1)
    assert fates(outcomes) == {Fate.FAILED: 1, Fate.LEFT: 14}
    run(gallery, folder, tmp_path / "journal")
    assert titles(contract) == GOOD
    assert len(contract.objects) == 12 * 4 + 1


def test_stopping_leaves_the_rest_for_the_next_run(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal:
        batch = Batch(gallery, journal)
        outcomes = []
        for outcome in batch.run(jobs(folder)):
            outcomes.append(outcome)
            batch.stop()
    assert len(outcomes) == 15
    assert fates(outcomes)[Fate.LEFT] > 5
    assert len(contract.artworks) == fates(outcomes)[Fate.ARRIVED]
    run(gallery, folder, tmp_path / "journal")
    assert titles(contract) == GOOD


def test_an_upload_that_is_being_sent_is_broken_off(
    gallery: Gallery, contract: Contract, folder: Path
) -> None:
    def stop(_: Path, progress: Progress) -> None:
        if progress.stage == Stage.SENDING:
            batch.stop()

    with Journal() as journal:
        batch = Batch(gallery, journal, workers=1, on_progress=stop)
        (first, *_) = batch.run(jobs(folder))
    assert first.fate == Fate.LEFT
    assert contract.objects == {}


def test_leaving_the_loop_early_ends_the_threads(gallery: Gallery, contract: Contract, folder: Path) -> None:
    with Journal() as journal:
        outcomes = Batch(gallery, journal).run(jobs(folder))
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
    calls = len(contract.seen)
    assert len(contract.artworks) < 12
    assert len(contract.seen) == calls


@pytest.mark.parametrize(
    "reply",
    [
        refusal(401, "unauthorized", "Please sign in."),
        refusal(429, "artwork_limit_reached", "Artwork limit reached"),
    ],
)
def test_what_would_stop_every_file_stops_the_batch(
    gallery: Gallery, contract: Contract, folder: Path, reply: Reply
) -> None:
    contract.order("POST /api/artworks", reply)
    outcomes = run(gallery, folder, workers=1)
    assert [outcome.fate for outcome in outcomes] == [Fate.FAILED, *[Fate.LEFT] * 14]
    assert outcomes[-1].error is outcomes[0].error
    assert len(contract.seen) == 3


def test_a_full_quota_records_as_many_as_it_allows(
    gallery: Gallery, contract: Contract, folder: Path
) -> None:
    contract.limit = 5
    outcomes = run(gallery, folder)
    assert len(contract.artworks) == fates(outcomes)[Fate.ARRIVED] == 5


def test_a_journal_serves_one_batch_at_a_time(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal"),
        pytest.raises(FileProblem, match="another upload"),
        Journal(tmp_path / "journal"),
    ):
        pass
    with Journal(tmp_path / "journal"):
        pass


def test_a_journal_line_cut_short_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(PICTURE)
    with Journal(tmp_path / "journal") as journal:
        journal.granted(file_id(path), "originals/usr_ann/1.jpg")
    with (tmp_path / "journal").open("a") as file:
        file.write('{"file": ["' + os.fspath(path))
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(file_id(path)).key == "originals/usr_ann/1.jpg"
        journal.arrived(file_id(path), "art_1")
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(file_id(path)).artwork_id == "art_1"


def test_the_journal_holds_neither_token_nor_signed_address(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    run(gallery, folder, tmp_path / "journal")
    text = (tmp_path / "journal").read_text()
    assert all(json.loads(line) for line in text.splitlines())
    assert TOKEN not in text
    assert "Signature" not in text
    assert contract.url not in text


def test_the_number_of_workers_is_bounded(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="1 to 10"), Journal() as journal:
        Batch(gallery, journal, workers=11)
