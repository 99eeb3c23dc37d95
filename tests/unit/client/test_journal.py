"""The journal: what it remembers, and what it says when it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.client.contract import PICTURE

from vfa_gallery import Journal, JournalProblem, NotFound, UnreadableImage


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(PICTURE)
    return path


def test_a_journal_serves_one_batch_at_a_time(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal"),
        pytest.raises(JournalProblem, match="another upload"),
        Journal(tmp_path / "journal"),
    ):
        pass
    with Journal(tmp_path / "journal"):
        pass


def test_a_line_cut_short_is_passed_over(tmp_path: Path, picture: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.granted(journal.identify(picture), "originals/usr_ann/1.jpg")
    with (tmp_path / "journal").open("a") as file:
        file.write('{"file": ["' + os.fspath(picture))
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(journal.identify(picture)).key == "originals/usr_ann/1.jpg"
        journal.arrived(journal.identify(picture), "art_1")
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(journal.identify(picture)).artwork_id == "art_1"


@pytest.mark.parametrize("line", ["1", "[]", '{"file": 3}', '{"again": [1]}', '"text"', "Dear all"])
def test_a_line_that_says_nothing_is_passed_over(tmp_path: Path, picture: Path, line: str) -> None:
    (tmp_path / "journal").write_text(line + "\n")
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(journal.identify(picture)).artwork_id is None


def test_again_forgets_what_became_of_files_and_of_no_others(tmp_path: Path, picture: Path) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(PICTURE + b"other")
    with Journal(tmp_path / "journal") as journal:
        for path in (picture, other):
            journal.arrived(journal.identify(path), "art_1")
        journal.again([picture, tmp_path / "none.jpg"])
    with Journal(tmp_path / "journal") as journal:
        assert journal.entry(journal.identify(picture)).artwork_id is None
        assert journal.entry(journal.identify(other)).artwork_id == "art_1"


@pytest.mark.parametrize("ending", ["arrived", "refused"])
def test_again_begins_anew_only_when_every_file_came_to_an_end(
    tmp_path: Path, picture: Path, ending: str
) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(PICTURE + b"other")
    with Journal(tmp_path / "journal") as journal:
        journal.again([picture, other])
        journal.arrived(journal.identify(picture), "art_1")
    with Journal(tmp_path / "journal") as journal:
        journal.again([picture, other])
        assert journal.entry(journal.identify(picture)).artwork_id == "art_1"
        if ending == "arrived":
            journal.arrived(journal.identify(other), "art_2")
        else:
            journal.refused(journal.identify(other), UnreadableImage("no picture"))
        journal.again([picture, other])
        assert journal.entry(journal.identify(picture)).artwork_id is None


def test_a_refusal_is_remembered_with_its_kind(tmp_path: Path, picture: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.refused(journal.identify(picture), NotFound("There is nothing.", status=404, request_id="r1"))
    with Journal(tmp_path / "journal") as journal:
        refusal = journal.entry(journal.identify(picture)).refusal
    assert isinstance(refusal, NotFound)
    assert (refusal.message, refusal.status, refusal.request_id) == ("There is nothing.", 404, "r1")


@pytest.mark.parametrize("place", [".", "picture.jpg/journal"], ids=["a folder", "below a file"])
@pytest.mark.usefixtures("picture")
def test_a_place_where_nothing_can_be_remembered_is_one_sentence(tmp_path: Path, place: str) -> None:
    with (
        pytest.raises(JournalProblem, match=r"^cannot write or read .+: "),
        Journal(tmp_path / place),
    ):
        pass


def test_a_file_of_something_else_is_no_journal_and_stays_as_it_is(picture: Path) -> None:
    with pytest.raises(JournalProblem, match="is not a journal"), Journal(picture):
        pass
    assert picture.read_bytes() == PICTURE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_one_sentence(tmp_path: Path, picture: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        assert journal._file
        journal._file.close()
        journal._file = Path("/dev/full").open("w")  # noqa: SIM115
        with pytest.raises(JournalProblem, match=r"journal: No space left on device$"):
            journal.granted(journal.identify(picture), "originals/usr_ann/1.jpg")
