"""`vfa upload` against a gallery that speaks the contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.support.client.contract import BAD, PICTURE, Contract, Reply, refusal
from tests.support.client.shell import Shell, titles


def test_a_folder_is_uploaded_and_what_was_refused_is_listed(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    done = shell(
        "upload", str(folder), "--title-from-name", "--category", "painting", "--tag", "a", "--tag", "b"
    )
    assert done.exit_code == 3
    assert titles(contract) == ["dawn", "dusk over the lake"]
    assert {(each["category"], *each["tags"]) for each in contract.artworks.values()} == {
        ("painting", "a", "b")
    }
    assert "broken.jpg" in done.stdout
    assert "The file cannot be read as a picture." in done.stdout
    assert done.stderr.splitlines()[-2] == "2 arrived, 1 failed"


def test_folders_in_folders_are_taken_when_asked_for(shell: Shell, contract: Contract, folder: Path) -> None:
    (folder / "broken.jpg").unlink()
    assert shell("upload", str(folder), "--title-from-name", "--recursive").exit_code == 0
    assert titles(contract) == ["dawn", "dusk over the lake", "noon"]


def test_the_same_command_again_sends_nothing_twice(shell: Shell, contract: Contract, folder: Path) -> None:
    words = ("upload", str(folder), "--title-from-name", "--json")
    shell(*words)
    puts = len(contract.calls("PUT .*"))
    again = json.loads(shell(*words).stdout)
    assert again["counts"] == {"arrived": 0, "known": 2, "failed": 1, "left": 0}
    assert len(contract.calls("PUT .*")) == puts
    shell(*words, "--again")
    assert titles(contract) == ["dawn", "dawn", "dusk over the lake", "dusk over the lake"]


def test_an_upload_answers_json_for_programs(shell: Shell, contract: Contract, folder: Path) -> None:
    done = shell("upload", str(folder), "--title-from-name", "--json")
    answer = json.loads(done.stdout)
    (failed,) = answer["failed"]
    assert failed == {
        "file": str(folder / "broken.jpg"),
        "error": "The file cannot be read as a picture.",
        "code": "unreadable_image",
        "requestId": "req-1",
    }
    assert {each["artwork"]["id"] for each in answer["arrived"]} == set(contract.artworks)


def test_a_full_quota_ends_the_upload_with_status_1(shell: Shell, contract: Contract, folder: Path) -> None:
    contract.limit = 1
    done = shell("upload", str(folder), "--title-from-name", "--parallel", "1")
    assert done.exit_code == 1
    assert "Artwork limit reached" in done.stdout
    assert re.search(r"1 arrived, [12] failed", done.stderr)


def test_titles_come_from_one_place(shell: Shell, folder: Path) -> None:
    done = shell("upload", str(folder), "--title", "A", "--title-from-name")
    assert done.exit_code == 2
    assert "either --title or --title-from-name" in done.stderr


def test_a_file_that_is_not_there_is_one_that_failed(shell: Shell, contract: Contract, folder: Path) -> None:
    done = shell("upload", str(folder / "none.jpg"), str(folder / "dawn.jpg"), "--title", "A")
    assert done.exit_code == 3
    assert titles(contract) == ["A"]
    assert "No such file" in done.stdout


def test_a_name_of_any_bytes_is_uploaded_and_named(shell: Shell, contract: Contract, tmp_path: Path) -> None:
    strange = tmp_path / "a\udcff [red]\x07\nb.jpg"
    strange.write_bytes(PICTURE)
    long = tmp_path / ("x" * 240 + ".txt")
    long.write_text("Dear all")
    done = shell("upload", str(strange), str(long), "--title-from-name")
    assert done.exit_code == 3
    assert titles(contract) == ["a_ [red]_ b"]
    assert "unsupported_type" in done.stdout
    asked = [json.loads(each.body)["filename"] for each in contract.calls("POST /api/artworks/upload-url")]
    assert "a_ [red]__b.jpg" in asked


def test_again_that_was_interrupted_goes_on_and_is_over_when_all_are_there(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    words = ("upload", str(folder), "--title-from-name", "--parallel", "1", "--json")
    shell(*words)
    for _ in ("broken", "dawn"):
        contract.order("POST /api/artworks", delay=0)
    contract.order("POST /api/artworks", refusal(401, "unauthorized", "Please sign in."))
    first = shell(*words, "--again")
    assert json.loads(first.stdout)["counts"] == {"arrived": 1, "known": 0, "failed": 2, "left": 0}
    second = shell(*words, "--again")
    assert json.loads(second.stdout)["counts"] == {"arrived": 1, "known": 1, "failed": 1, "left": 0}
    assert titles(contract) == ["dawn"] * 2 + ["dusk over the lake"] * 2
    third = shell(*words, "--again")
    assert json.loads(third.stdout)["counts"] == {"arrived": 2, "known": 0, "failed": 1, "left": 0}
    assert titles(contract) == ["dawn"] * 3 + ["dusk over the lake"] * 3


def test_a_file_given_by_several_names_is_one_artwork(shell: Shell, contract: Contract, folder: Path) -> None:
    (folder / "broken.jpg").unlink()
    (folder / "link.jpg").symlink_to(folder / "dawn.jpg")
    names = [folder, folder / "dawn.jpg", folder / "more" / ".." / "dawn.jpg", folder / "dawn.jpg"]
    done = shell("upload", *map(str, names), "--title-from-name", "--json")
    assert json.loads(done.stdout)["counts"] == {"arrived": 2, "known": 0, "failed": 0, "left": 0}
    assert titles(contract) == ["dawn", "dusk over the lake"]


def test_what_was_refused_is_tried_again_when_asked_for(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    words = ("upload", str(folder), "--title-from-name")
    assert "again only with --retry-failed" in shell(*words).stderr
    contract.objects = {key: data.removesuffix(BAD) for key, data in contract.objects.items()}
    again = shell(*words)
    assert again.exit_code == 3
    assert "again only with --retry-failed" in again.stderr
    done = shell(*words, "--retry-failed")
    assert done.exit_code == 0
    assert "--retry-failed" not in done.stderr
    assert titles(contract) == ["broken", "dawn", "dusk over the lake"]


def test_a_folder_with_nothing_in_it_says_so(shell: Shell, contract: Contract, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = shell("upload", str(tmp_path / "empty"), "--title-from-name")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: there is nothing to upload in {tmp_path / 'empty'}\n"
    assert contract.seen == []


@pytest.mark.parametrize("place", ["pictures", "pictures/dawn.jpg/journal", "pictures/dawn.jpg"])
def test_a_journal_that_cannot_be_kept_is_one_sentence(
    shell: Shell, contract: Contract, folder: Path, place: str
) -> None:
    journal = folder.parent / place
    done = shell("upload", str(folder), "--title-from-name", "--journal", str(journal))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert str(journal) in done.stderr
    assert done.stderr.count("\n") == 1
    assert contract.artworks == {}


def test_a_bucket_that_is_shut_ends_the_upload_with_status_1(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    for _ in range(2):
        contract.order("PUT .*", Reply(403, b"<Error><Code>AccessDenied</Code></Error>"))
    done = shell("upload", str(folder), "--title-from-name", "--parallel", "1", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["counts"] == {"arrived": 0, "known": 0, "failed": 1, "left": 2}
