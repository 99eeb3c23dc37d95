"""`vfa rm` and `vfa sweep` against a gallery that speaks the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.support.client.contract import Contract, Reply, refusal
from tests.support.client.shell import Shell, uploaded


def test_rm_asks_and_says_what_it_could_not_remove(shell: Shell, contract: Contract, folder: Path) -> None:
    artwork_id = uploaded(shell, folder)
    assert shell("rm", artwork_id, stdin="n\n").exit_code == 1
    assert artwork_id in contract.artworks
    done = shell("rm", "art_none", artwork_id, "--yes")
    assert (done.exit_code, done.stdout) == (
        3,
        f"removed\t{artwork_id}\nfailed\tart_none\tnot_found\tThere is no such artwork.\n",
    )
    assert done.stderr.endswith("1 removed, 1 failed\n")
    assert contract.artworks == {}
    assert json.loads(shell("rm", "art_none", "--yes", "--json").stdout)["failed"][0]["code"] == "not_found"


@pytest.mark.parametrize(
    ("reply", "status", "left"),
    [
        (refusal(400, "invalid_request", "No id."), 3, []),
        (refusal(401, "unauthorized", "Please sign in."), 1, ["third"]),
    ],
    ids=["for one", "for all"],
)
def test_rm_says_what_it_removed_before_it_was_refused(
    shell: Shell, contract: Contract, folder: Path, reply: Reply, status: int, left: list[str]
) -> None:
    first, second, third = (uploaded(shell, folder, title) for title in ("One", "Two", "Three"))
    contract.order(f"DELETE /api/artworks/{second}", reply)
    done = shell("rm", first, second, third, first, "--yes", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == status
    assert report["removed"] == [first, *([third] if not left else [])]
    assert [each["id"] for each in report["failed"]] == [second]
    assert report["left"] == ([third] if left else [])
    assert list(contract.artworks) == [second, *report["left"]]


def test_sweep_says_what_it_would_remove(shell: Shell, contract: Contract) -> None:
    report = {
        "dryRun": True,
        "objectsSeen": 9,
        "artworksSeen": 2,
        "objectsRemoved": 1,
        "removed": ["icons/usr_ann/1.jpg"],
        "missing": [{"id": "art_1", "keys": ["icons/usr_ann/2.jpg"]}],
        "failed": [],
    }
    contract.order("POST /api/sweep", Reply(200, {"data": report}))
    done = shell("sweep", "--dry-run")
    assert done.exit_code == 0
    assert "1 objects would be removed\n  icons/usr_ann/1.jpg\n" in done.stdout
    assert "art_1" in done.stdout
    contract.order("POST /api/sweep", Reply(200, {"data": report}))
    assert shell.json("sweep", "--yes") == report
    assert [each.path for each in contract.seen] == ["/api/sweep?dryRun=true", "/api/sweep?dryRun=false"]


def test_sweep_with_a_part_left_out_fails(shell: Shell, contract: Contract) -> None:
    report = {"dryRun": False, "objectsSeen": 0, "artworksSeen": 0, "objectsRemoved": 0}
    body = {"data": {**report, "removed": [], "missing": [], "failed": ["icons/"]}}
    contract.order("POST /api/sweep", Reply(200, body))
    done = shell("sweep", "--yes")
    assert (done.exit_code, done.stderr) == (1, "not looked at: icons/\n")


def page(seen: int, cursor: str | None, **lists: list[Any]) -> Reply:
    counts = {"uploadsSeen": 0, "objectsSeen": seen, "artworksSeen": 1, "objectsRemoved": seen}
    empty: dict[str, list[Any]] = {n: [] for n in ("removed", "missing", "replaced", "renewed", "failed")}
    return Reply(200, {"data": {"dryRun": False, **counts, **empty, **lists, "nextCursor": cursor}})


def test_an_audit_goes_through_all_pages(shell: Shell, contract: Contract) -> None:
    pages = [
        page(2, "originals/usr_ann/2.jpg", removed=["originals/usr_ann/1.jpg", "originals/usr_ann/2.jpg"]),
        page(1, "artworks/", removed=["icons/usr_ann/1.jpg"]),
        page(0, None, replaced=["art_1"], missing=[{"artwork": "art_2", "keys": ["icons/usr_ann/2.jpg"]}]),
    ]
    for each in pages:
        contract.order("POST /api/sweep", each)
    done = shell("sweep", "--audit", "--yes")
    assert done.exit_code == 0
    assert done.stdout.startswith("0 uploads, 3 objects and 3 artworks looked at\n3 objects removed\n")
    assert "original replaced: art_1" in done.stdout
    assert "art_2" in done.stdout
    cursors = [unquote(each.path).partition("cursor=")[2] for each in contract.seen]
    assert cursors == ["", "originals/usr_ann/2.jpg", "artworks/"]
    assert all("audit=true" in each.path for each in contract.seen)


def test_a_page_of_an_audit_that_fails_is_asked_for_again(shell: Shell, contract: Contract) -> None:
    for failed in (["originals/"], ["originals/"], []):
        contract.order("POST /api/sweep", page(1, "originals/" if failed else None, failed=failed))
    report: Any = shell.json("sweep", "--audit", "--yes")
    assert (report["objectsSeen"], report["failed"]) == (1, [])
    for _ in range(3):
        contract.order("POST /api/sweep", page(1, "originals/", failed=["originals/"]))
    done = shell("sweep", "--audit", "--yes")
    assert (done.exit_code, done.stderr) == (1, "not looked at: originals/\n")


def test_sweep_asks_before_it_removes(shell: Shell, contract: Contract) -> None:
    done = shell("sweep", stdin="n\n")
    assert done.exit_code == 1
    assert "for good?" in done.stderr
    assert contract.seen == []
