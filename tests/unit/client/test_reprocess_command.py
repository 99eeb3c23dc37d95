"""`vfa reprocess` against a gallery that speaks the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.client.contract import Contract, Reply, refusal
from tests.support.client.shell import Shell, uploaded

from vfa_gallery.command import many

DONE = {"rendered": 3, "renderedBefore": 0, "gone": 0, "left": 0, "failed": []}
THEIRS = refusal(403, "forbidden", "Someone else's.")


@pytest.fixture
def ids(shell: Shell, folder: Path) -> list[str]:
    """Three artworks, newest first as the gallery lists them."""
    return [uploaded(shell, folder, title) for title in ("One", "Two", "Three")][::-1]


def rendered(contract: Contract) -> list[str]:
    return [each.path.split("/")[3] for each in contract.calls("POST .*/reprocess")]


def order(contract: Contract, artwork_id: str, reply: Reply) -> None:
    contract.order(f"POST /api/artworks/{artwork_id}/reprocess", reply)


def test_artworks_are_rendered_again_by_id_of_one_person_or_all(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    assert shell.json("reprocess", "--all") == DONE
    assert shell.json("reprocess", "--mine") == DONE
    assert shell.json("reprocess", ids[0], ids[0]) == DONE | {"rendered": 1}
    assert len(rendered(contract)) == 7


def test_a_run_that_came_to_its_end_is_forgotten_also_when_some_failed(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    order(contract, ids[1], THEIRS)
    done = shell("reprocess", "--all")
    assert done.exit_code == 3
    assert ids[1] in done.stdout
    assert "2 rendered again, 1 failed\n" in done.stderr
    assert shell("reprocess", "--all").stderr.endswith("3 rendered again, 0 failed\n")


def test_a_run_that_was_broken_off_goes_on_where_it_was(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    order(contract, ids[1], refusal(401, "unauthorized", "Please sign in."))
    done = shell("reprocess", "--all", "--parallel", "1", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (report["rendered"], report["left"], report["failed"][0]["code"]) == (1, 1, "unauthorized")
    assert shell.json("reprocess", "--all") == DONE | {"rendered": 2, "renderedBefore": 1}
    assert sorted(rendered(contract)) == sorted([*ids, ids[1]])
    assert shell.json("reprocess", "--all") == DONE


def test_a_run_that_was_broken_off_can_begin_anew(shell: Shell, contract: Contract, ids: list[str]) -> None:
    order(contract, ids[1], refusal(401, "unauthorized", "Please sign in."))
    assert shell("reprocess", "--all", "--parallel", "1").exit_code == 1
    assert shell("reprocess", "--all", "--restart").stderr.endswith("3 rendered again, 0 failed\n")


def test_an_artwork_that_was_removed_meanwhile_has_not_failed(
    shell: Shell, contract: Contract, ids: list[str]
) -> None:
    order(contract, ids[1], refusal(404, "not_found", "There is no such artwork."))
    assert shell("reprocess", "--all").stderr.endswith("2 rendered again, 1 gone, 0 failed\n")
    assert shell("reprocess", "art_none").exit_code == 3


def test_progress_is_told_by_the_line_where_there_is_no_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, ids: list[str]
) -> None:
    monkeypatch.setattr(many, "LINE_SECONDS", 0)
    lines = [f"{n + 1} of 3: {each}" for n, each in enumerate(ids)]
    done = shell("reprocess", *ids, "--parallel", "1")
    assert done.stderr == "\n".join([*lines, "3 rendered again, 0 failed\n"])
    assert shell("reprocess", *ids, "--json").stderr == ""


def test_what_cannot_be_remembered_ends_the_run_with_one_sentence(
    shell: Shell, contract: Contract, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "home" / "vfa" / "reprocess").write_text("in the way")
    done = shell("reprocess", "--all", "--parallel", "1", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (report["left"], report["failed"][0]["code"]) == (2, "journal_problem")
    assert len(rendered(contract)) == 1
    assert len(ids) == 3
