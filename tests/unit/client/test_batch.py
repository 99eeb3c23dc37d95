"""Batches: everything good exactly once, everything bad with its reason, through any interruption."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, TOKEN, Contract, Reply, refusal

from vfa_gallery import (
    Batch,
    Details,
    Fate,
    Gallery,
    Journal,
    JournalProblem,
    Outcome,
    Progress,
    RetryPolicy,
    Stage,
)


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


def test_a_batch_that_was_stopped_serves_another_run(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal:
        batch = Batch(gallery, journal)
        for _ in batch.run(jobs(folder)):
            batch.stop()
        assert len(contract.artworks) < 12
        assert fates(list(batch.run(jobs(folder))))[Fate.LEFT] == 0
    assert titles(contract) == GOOD


@pytest.mark.parametrize("workers", [1, 4])
def test_a_file_that_is_named_twice_is_one_artwork(
    gallery: Gallery, contract: Contract, tmp_path: Path, workers: int
) -> None:
    path, link = tmp_path / "dusk.jpg", tmp_path / "link.jpg"
    path.write_bytes(PICTURE)
    link.symlink_to(path)
    contract.order("POST /api/artworks", delay=0.1)
    twice: list[tuple[Path, Details]] = [(each, {"title": "Dusk"}) for each in (path, link, path)]
    with Journal() as journal:
        outcomes = list(Batch(gallery, journal, workers=workers).run(twice))
    assert fates(outcomes) == {Fate.ARRIVED: 1, Fate.KNOWN: 2}
    assert {outcome.artwork_id for outcome in outcomes} == set(contract.artworks)
    assert len(contract.calls("PUT .*")) == 1


def test_a_picture_that_was_refused_is_tried_again_when_asked_for(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    run(gallery, folder, tmp_path / "journal")
    contract.objects = {key: data.removesuffix(BAD) for key, data in contract.objects.items()}
    with Journal(tmp_path / "journal") as journal:
        outcomes = list(Batch(gallery, journal, retry_refused=True).run(jobs(folder)))
    assert fates(outcomes) == {Fate.KNOWN: 12, Fate.ARRIVED: 1, Fate.FAILED: 2}
    assert titles(contract) == [*GOOD, "broken"]


def test_what_is_not_the_picture_s_fault_is_tried_again_by_itself(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    contract.order("POST /api/artworks", refusal(400, "invalid_request", "The title is too long."))
    assert fates(run(gallery, folder, tmp_path / "journal"))[Fate.ARRIVED] == 11
    assert fates(run(gallery, folder, tmp_path / "journal"))[Fate.ARRIVED] == 1
    assert titles(contract) == GOOD


def test_a_key_that_is_someone_else_s_is_replaced(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    contract.order("POST /api/artworks", Reply(None))
    with Gallery(contract.url, TOKEN, retry=RetryPolicy(attempts=1)) as hasty:
        run(hasty, folder, tmp_path / "journal", workers=1)
    contract.order("POST /api/artworks", refusal(403, "forbidden", "This belongs to someone else."))
    run(gallery, folder, tmp_path / "journal", workers=1)
    assert titles(contract) == GOOD


@pytest.mark.parametrize("event", ["granted", "arrived"])
def test_a_journal_that_cannot_be_written_ends_the_batch_and_makes_no_second_copy(
    gallery: Gallery, contract: Contract, folder: Path, tmp_path: Path, event: str
) -> None:
    class FullDisk(Journal):
        def granted(self, content: str, key: str) -> None:
            self.fail_at("granted")
            super().granted(content, key)

        def arrived(self, content: str, artwork_id: str) -> None:
            self.fail_at("arrived")
            super().arrived(content, artwork_id)

        def fail_at(self, name: str) -> None:
            if name == event:
                raise JournalProblem("cannot write: No space left on device")

    with FullDisk(tmp_path / "journal") as journal:
        outcomes = list(Batch(gallery, journal, workers=1).run(jobs(folder)))
    assert fates(outcomes) == {Fate.FAILED: 1, Fate.LEFT: 14}
    run(gallery, folder, tmp_path / "journal")
    assert titles(contract) == GOOD


@pytest.mark.parametrize(("status", "ends"), [(403, True), (404, True), (400, False)])
def test_a_bucket_that_is_shut_ends_the_batch(
    gallery: Gallery, contract: Contract, folder: Path, status: int, ends: bool
) -> None:
    for _ in range(2):
        contract.order("PUT .*", Reply(status, b"<Error><Code>AccessDenied</Code></Error>"))
    outcomes = run(gallery, folder, workers=1)
    assert outcomes[0].error
    assert outcomes[0].error.code == "upload_refused"
    assert fates(outcomes)[Fate.LEFT] == (14 if ends else 0)


def test_a_file_that_vanishes_before_it_is_sent_fails_alone(
    gallery: Gallery, contract: Contract, folder: Path
) -> None:
    class Vanishing(Journal):
        def granted(self, content: str, key: str) -> None:
            super().granted(content, key)
            (folder / "03.jpg").unlink(missing_ok=True)

    with Vanishing() as journal:
        outcomes = list(Batch(gallery, journal, workers=1).run(jobs(folder)))
    (gone,) = (each.error for each in outcomes if each.path.name == "03.jpg")
    assert gone
    assert (gone.code, gone.message) == ("file_problem", f"{folder}/03.jpg: No such file or directory")
    assert len(contract.artworks) == 11


@pytest.mark.parametrize(
    "reply",
    [
        refusal(401, "unauthorized", "Please sign in."),
        refusal(429, "artwork_limit_reached", "Artwork limit reached"),
        refusal(500, "not_configured", "The gallery is not configured."),
    ],
    ids=lambda reply: reply.body["code"],
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
