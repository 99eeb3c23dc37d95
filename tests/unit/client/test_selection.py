"""Which artworks a command is for, and what it does with many."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from tests.support.client.contract import Contract, Reply, refusal
from tests.support.client.shell import Shell, titles, uploaded

from vfa_gallery import RetryPolicy


@pytest.fixture
def ids(shell: Shell, contract: Contract, folder: Path) -> list[str]:
    """Ids of One, Two and Three; the first two have the tag "old"."""
    made = [uploaded(shell, folder, title) for title in ("One", "Two", "Three")]
    for artwork_id in made[:2]:
        contract.artworks[artwork_id]["tags"] = ["old", "lake"]
    return made


@pytest.fixture
def renamed(contract: Contract, ids: list[str]) -> list[str]:
    """Ids that begin alike: art_aa1, art_aa2 and art_b."""
    names = ["art_aa1", "art_aa2", "art_b"]
    for old, new in zip(ids, names, strict=True):
        contract.artworks[new] = contract.artworks.pop(old) | {"id": new}
        contract.revisions[new] = contract.revisions.pop(old)
    return names


def test_an_artwork_is_named_by_id_beginning_or_readable_address(shell: Shell, renamed: list[str]) -> None:
    for name, title in (("art_b", "Three"), ("art_aa2", "Two"), ("ann/one", "One"), ("art_aa1", "One")):
        assert shell("show", name, "--fields", "title").stdout == f"title\t{title}\n"
    assert shell("rm", "art_b", "--yes").stdout == "removed\tart_b\n"
    assert shell("edit", "ann/two", "--title", "Second").exit_code == 0
    assert len(renamed) == 3


def test_a_beginning_that_several_ids_have_names_them(
    shell: Shell, contract: Contract, renamed: list[str]
) -> None:
    done = shell("show", "art_a")
    assert done.exit_code == 1
    assert done.stderr == "error: 2 artworks have ids that begin with art_a: art_aa2, art_aa1\n"
    done = shell("rm", "art_a", "art_b", "--yes")
    assert done.exit_code == 3
    assert list(contract.artworks) == renamed[:2]


def test_a_unique_beginning_is_enough(shell: Shell, renamed: list[str]) -> None:
    assert shell("show", "art_aa2"[:7], "--fields", "id").stdout == f"id\t{renamed[1]}\n"
    assert shell("show", "art_", "--no-picture").exit_code == 1
    assert shell("show", "b").stderr == "error: There is no such artwork. (request req-1)\n"


def test_own_artworks_are_removed_by_tag_after_a_question(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    done = shell("rm", "--tag", "old", stdin="n\n")
    assert done.exit_code == 1
    assert f'Remove "Two" ({ids[1]}), "One" ({ids[0]}) for good?' in done.stderr
    assert contract.calls("DELETE .*") == []
    dry = shell("rm", "--tag", "old", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, f"{ids[1]}\tTwo\n{ids[0]}\tOne\n")
    assert (
        json.loads(shell("rm", "--mine", "--dry-run", "--json").stdout)["wouldBeRemoved"][0]["id"] == ids[2]
    )
    assert contract.calls("DELETE .*") == []
    assert shell("rm", "--tag", "old", "--yes").exit_code == 0
    assert titles(contract) == ["Three"]
    assert shell("rm", "--tag", "old", "--yes").stderr == "error: no artworks match\n"
    assert shell("rm", "--mine", "--yes").stderr.endswith("1 removed, 0 failed\n")


def test_many_artworks_are_changed_at_once(shell: Shell, contract: Contract, ids: list[str]) -> None:
    done = shell("edit", "--with-tag", "old", "--add-tag", "new", "--remove-tag", "old", "--yes", "--json")
    assert done.exit_code == 0
    assert sorted(each["id"] for each in json.loads(done.stdout)["changed"]) == ids[:2]
    assert [contract.artworks[each]["tags"] for each in ids] == [["lake", "new"], ["lake", "new"], []]
    assert shell("edit", *ids, "--category", "drawing").stderr.endswith("3 changed, 0 failed\n")
    assert {each["category"] for each in contract.artworks.values()} == {"drawing"}
    contract.order(f"PATCH /api/artworks/{ids[0]}", refusal(403, "forbidden", "Someone else's."))
    refused = shell("edit", *ids, "--title", "A")
    assert (refused.exit_code, refused.stdout) == (3, f"failed\t{ids[0]}\tforbidden\tSomeone else's.\n")


def test_a_wrong_change_is_refused_before_anything_is_read(shell: Shell, contract: Contract) -> None:
    assert shell("edit", "--mine", "--title", "x" * 201).stderr.startswith(
        "error: the title has 201 characters"
    )
    assert shell("edit", "--mine", "--add-tag", "x" * 51).stderr.startswith(
        "error: the tag has 51 characters"
    )
    assert shell("edit", "--title", "A").exit_code == 2
    assert contract.seen == []


def test_many_artworks_are_saved_under_their_names(
    shell: Shell, contract: Contract, ids: list[str], tmp_path: Path
) -> None:
    contract.artworks[ids[1]]["slug"] = "one"
    out = tmp_path / "out"
    done = shell("download", "--mine", "--output", str(out), "--parallel", "2")
    assert done.exit_code == 0
    assert sorted(each.name for each in out.iterdir()) == [f"one-{ids[0]}.jpg", "one.jpg", "three.jpg"]
    assert f"{ids[2]}\t{out / 'three.jpg'}\t97.7 KB\n" in done.stdout
    again = shell("download", "--mine", "--output", str(out), "--json")
    assert json.loads(again.stdout) == {"saved": [], "there": 3, "failed": [], "left": []}
    assert shell("download", ids[2], "-o", str(out), "--overwrite").stderr.endswith("1 saved, 0 failed\n")
    report = json.loads(shell("download", ids[2], "-o", str(tmp_path / "a.jpg"), "--json").stdout)
    assert (report["saved"][0]["file"], report["saved"][0]["bytes"]) == (str(tmp_path / "a.jpg"), 100_012)
    assert len(report["saved"][0]["sha256"]) == 64
    assert (
        shell("download", ids[2], "--dry-run", "-o", str(tmp_path / "b.jpg")).stdout == f"{ids[2]}\tThree\n"
    )
    assert not (tmp_path / "b.jpg").exists()


def test_a_download_that_fails_is_listed(
    shell: Shell, contract: Contract, ids: list[str], tmp_path: Path
) -> None:
    for _ in range(2):
        contract.order("GET /cdn/.*", refusal(404, "not_found", "There is nothing."))
    done = shell("download", *ids, "-o", str(tmp_path / "out"), "--parallel", "1")
    assert done.exit_code == 3
    assert done.stderr.endswith("1 saved, 2 failed\n")


@pytest.mark.parametrize(
    "words", ["rm", "rm art_1 --mine", "edit --title A", "download", "reprocess --all --mine"]
)
def test_names_and_filters_exclude_each_other(shell: Shell, contract: Contract, words: str) -> None:
    assert shell(*words.split()).exit_code == 2
    assert contract.calls("(DELETE|PATCH|POST) .*") == []


def test_the_whole_gallery_is_rendered_by_operators_only(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    contract.order("GET /api/users", refusal(403, "forbidden", "Only operators may do that."))
    before = len(contract.seen)
    done = shell("reprocess", "--all")
    assert done.exit_code == 1
    assert done.stderr == "error: --all needs an operator's token; --mine renders your own artworks again\n"
    assert [each.path for each in contract.seen[before:]] == ["/api/users?limit=1"]
    assert shell("reprocess", "--tag", "old").stderr.endswith("2 rendered again, 0 failed\n")
    assert (
        json.loads(shell("reprocess", "--mine", "--dry-run", "--json").stdout)["wouldBeRendered"] == ids[::-1]
    )


def test_values_are_whole_and_one_record_is_one_line_in_a_pipe(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    contract.artworks[ids[0]] |= {"title": "A\tvery " + "long " * 60 + "title", "materials": "oil"}
    narrow = shell("list", COLUMNS="40").stdout.splitlines()
    assert [line.split("\t")[0] for line in narrow] == ids[::-1]
    assert "long " * 60 in narrow[2]
    assert {len(line.split("\t")) for line in narrow} == {6}
    chosen = shell("list", "--fields", "id,iconUrl,tags", "--limit", "2").stdout.splitlines()
    assert chosen[1] == f"{ids[1]}\t{contract.url}/cdn/icons/{ids[1]}.jpg\told, lake"
    assert shell("show", ids[0], "--fields", "materials").stdout == "materials\toil\n"
    answer = json.loads(shell("list", "--json", "--fields", "title, id").stdout)
    assert answer[1] == {"title": "Two", "id": ids[1]}
    wrong = shell("list", "--fields", "headline")
    assert wrong.exit_code == 2
    assert "no field headline; the fields are id, userId" in wrong.stderr


def test_smoke_says_in_one_line_that_nobody_is_there(shell: Shell) -> None:
    done = shell("smoke", VFA_URL="http://127.0.0.1:9")
    expected = (
        "error: no connection to http://127.0.0.1:9: connection refused; no server is listening there\n"
    )
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", expected)


def test_smoke_lists_what_failed_after_the_gallery_was_there(
    shell: Shell, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfa_gallery.gallery.RetryPolicy", partial(RetryPolicy, first=0.001))
    for _ in range(10):
        contract.order("GET /api/me", Reply(None))
    done = shell("smoke", "--timeout", "1")
    assert done.exit_code == 1
    assert "ok\thealth" in done.stdout
    assert "failed\twho am I" in done.stdout
