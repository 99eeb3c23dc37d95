"""Which files `vfa upload` takes, and how it knows content that is there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.client.contract import PICTURE, Contract
from tests.support.client.shell import Shell, titles

from vfa_gallery import Batch, Fate, Gallery, Journal
from vfa_gallery.command.uploading import find_files


def test_one_file_takes_its_title_from_its_name(shell: Shell, contract: Contract, folder: Path) -> None:
    done = shell("upload", str(folder / "dusk_over-the lake.jpg"), "--alt-text", "A lake")
    assert done.exit_code == 0
    assert titles(contract) == ["dusk over the lake"]
    (artwork,) = contract.artworks.values()
    assert artwork["altText"] == "A lake"
    assert done.stdout == f"arrived\t{artwork['id']}\t{folder / 'dusk_over-the lake.jpg'}\n"


def test_what_is_no_picture_is_passed_over_and_counted(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    (folder / "broken.jpg").unlink()
    (folder / "notes.txt").write_text("Dear all")
    (folder / "list.TXT").write_text("Dear all")
    (folder / "README").write_text("Dear all")
    (folder / "a picture without suffix").write_bytes(PICTURE)
    done = shell("upload", str(folder))
    assert done.exit_code == 0
    words = "3 arrived, 0 failed, 3 passed over: no pictures (2 txt, 1 without suffix)\n"
    assert done.stderr.endswith(words)
    again = json.loads(shell("upload", str(folder), "--json").stdout)
    assert again["passedOver"] == {"txt": 2, "": 1}
    assert again["failed"] == []
    assert len(contract.artworks) == 3


def test_a_file_that_is_named_is_not_passed_over(shell: Shell, contract: Contract, folder: Path) -> None:
    (folder / "notes.txt").write_text("Dear all")
    done = shell("upload", str(folder / "notes.txt"))
    assert done.exit_code == 3
    assert "notes.txt is not a picture of an accepted format" in done.stdout
    assert contract.calls("POST .*") == []


def test_a_picture_by_its_name_only_fails_and_is_not_sent(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    (folder / "fake.jpg").write_text("Dear all")
    done = shell("upload", str(folder), "--exclude", "broken*", "--json")
    (failed,) = json.loads(done.stdout)["failed"]
    assert (failed["code"], failed["requestId"]) == ("unsupported_type", None)
    assert len(contract.calls("PUT .*")) == 2


def test_hidden_folders_are_skipped_with_recursive(shell: Shell, contract: Contract, folder: Path) -> None:
    (folder / ".git" / "more").mkdir(parents=True)
    (folder / ".git" / "more" / "secret.jpg").write_bytes(PICTURE + b"secret")
    shell("upload", str(folder), "--recursive", "--exclude", "broken.jpg")
    assert titles(contract) == ["dawn", "dusk over the lake", "noon"]


def test_a_folder_with_only_folders_names_recursive(shell: Shell, folder: Path) -> None:
    above = folder / "above"
    (above / "below").mkdir(parents=True)
    (above / "below" / "a.jpg").write_bytes(PICTURE)
    done = shell("upload", str(above))
    expected = (
        f"error: there is nothing to upload in {above}: only folders; --recursive uploads what is in them"
    )
    assert (done.exit_code, done.stderr.strip()) == (1, expected)
    (above / "below" / "a.jpg").unlink()
    (above / "notes.txt").write_text("Dear all")
    assert "1 files are no pictures (1 txt)" in shell("upload", str(above), "--recursive").stderr


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        ((), (), ["a.jpg", "a.tif", "sub/b.jpg", "sub/draft.jpg"]),
        (("*.jpg",), (), ["a.jpg", "sub/b.jpg", "sub/draft.jpg"]),
        ((), ("draft*",), ["a.jpg", "a.tif", "sub/b.jpg"]),
        (("sub/*",), ("*draft*",), ["sub/b.jpg"]),
        (("*.png",), (), []),
    ],
)
def test_patterns_choose_files(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], names: list[str]
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "a.tif", "sub/b.jpg", "sub/draft.jpg"):
        (tmp_path / name).write_bytes(PICTURE)
    found = find_files([tmp_path], recursive=True, include=include, exclude=exclude)
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == names


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    shell: Shell, contract: Contract, folder: Path, tmp_path: Path
) -> None:
    words = ("upload", str(folder), "--exclude", "broken*")
    done = shell(*words, "--dry-run")
    assert done.exit_code == 0
    assert f"{folder / 'dawn.jpg'}\tdawn\tnew\n" in done.stdout
    assert done.stderr == "2 would be uploaded\n"
    assert contract.calls("POST .*") == []
    assert not list((tmp_path / "home").rglob("*.jsonl"))
    shell("upload", str(folder / "dawn.jpg"))
    plan = json.loads(shell(*words, "--dry-run", "--json").stdout)
    (artwork,) = contract.artworks
    assert [each["state"] for each in plan["files"]] == [f"known as {artwork}", "new"]


def test_one_wrong_field_stops_everything_before_it_begins(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    for words in (
        ["--created-date", "x" * 51],
        ["--category", "x" * 51],
        ["--tag", "x" * 51],
        ["--title", ""],
    ):
        done = shell("upload", str(folder), *words)
        assert (done.exit_code, done.stdout) == (1, ""), words
        assert done.stderr.startswith("error: the ")
    assert contract.seen == []


def test_a_copy_and_a_renamed_file_are_the_artwork_that_is_there(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    first, copy = tmp_path / "dusk.jpg", tmp_path / "copy of dusk.jpg"
    first.write_bytes(PICTURE)
    copy.write_bytes(PICTURE)
    with Journal(str(tmp_path / "journal")) as journal:
        outcomes = list(
            Batch(gallery, journal).run([(str(first), {"title": "A"}), (str(copy), {"title": "B"})])
        )
    assert {each.fate for each in outcomes} == {Fate.ARRIVED, Fate.KNOWN}
    renamed = first.rename(tmp_path / "dusk 2.jpg")
    with Journal(str(tmp_path / "journal")) as journal:
        (again,) = Batch(gallery, journal).run([(renamed, {"title": "C"})])
    assert again.fate == Fate.KNOWN
    assert [again.artwork_id] == list(contract.artworks)
    assert len(contract.calls("PUT .*")) == 1


def test_a_touched_file_is_read_again_and_known_by_its_content(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "dusk.jpg"
    for _ in range(2):
        path.write_bytes(PICTURE)
        path.touch()
        with Journal(tmp_path / "journal") as journal:
            list(Batch(gallery, journal).run([(path, {"title": "A"})]))
    assert len(contract.artworks) == 1


def test_a_journal_of_an_earlier_version_is_continued(
    gallery: Gallery, contract: Contract, tmp_path: Path
) -> None:
    """Version 0.1 knew files by path, size and time of change."""
    paths = [tmp_path / "arrived.jpg", tmp_path / "new.jpg"]
    for path in paths:
        path.write_bytes(PICTURE + path.name.encode())
    state = [str(paths[0]), paths[0].stat().st_size, paths[0].stat().st_mtime_ns]
    lines = [{"file": state, "key": "originals/usr_ann/1.jpg"}, {"file": state, "artwork": "art_1"}]
    (tmp_path / "journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Journal(tmp_path / "journal") as journal:
        outcomes = list(Batch(gallery, journal, workers=1).run([(path, {"title": "A"}) for path in paths]))
    assert [each.fate for each in outcomes] == [Fate.KNOWN, Fate.ARRIVED]
    assert outcomes[0].artwork_id == "art_1"
    assert len(contract.artworks) == 1


def test_a_job_with_an_unknown_field_is_a_mistake_and_not_a_failure(gallery: Gallery, folder: Path) -> None:
    with Journal() as journal, pytest.raises(TypeError, match="no field 'author'"):
        list(Batch(gallery, journal).run([(folder / "dawn.jpg", {"title": "A", "author": "B"})]))  # type: ignore[typeddict-unknown-key]
