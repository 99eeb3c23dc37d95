"""The `vfa` command against a gallery that speaks the contract."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from rich.console import Console
from tests.client.conftest import PICTURE
from tests.client.contract import BAD, TOKEN, Contract, Reply, refusal

from vfa_gallery import Progress, Stage
from vfa_gallery.command.app import vfa
from vfa_gallery.command.bars import Bars
from vfa_gallery.command.drawing import draw

ENOUGH_COLUMNS = "200"


class Shell:
    """Runs `vfa` as a person with a token and a home folder would."""

    def __init__(self, contract: Contract, home: Path) -> None:
        self.environment = {
            "VFA_BASE_URL": contract.url,
            "VFA_TOKEN": TOKEN,
            "XDG_CONFIG_HOME": str(home),
            "COLUMNS": ENOUGH_COLUMNS,
        }

    def __call__(self, *words: str, stdin: str | None = None, **environment: str) -> Result:
        return CliRunner().invoke(vfa, words, input=stdin, env=self.environment | environment)

    def json(self, *words: str) -> object:
        done = self(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def shell(contract: Contract, tmp_path: Path) -> Shell:
    return Shell(contract, tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for name in ("dusk_over-the lake.jpg", "dawn.jpg", "more/noon.jpg"):
        (folder / name).write_bytes(PICTURE + name.encode())
    (folder / "broken.jpg").write_bytes(PICTURE + BAD)
    (folder / ".hidden").write_bytes(PICTURE)
    return folder


def titles(contract: Contract) -> list[str]:
    return sorted(artwork["title"] for artwork in contract.artworks.values())


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
    assert re.search(r"│ 2 +│ 0 +│ 1 +│ 0 ", done.stdout)


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
    assert re.search(r"│ 1 +│ 0 +│ [12] +│ [01] ", done.stdout)


@pytest.mark.parametrize("words", [[], ["--title", "A", "--title-from-name"]])
def test_titles_come_from_one_place(shell: Shell, folder: Path, words: list[str]) -> None:
    done = shell("upload", str(folder), *words)
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


def uploaded(shell: Shell, folder: Path, title: str = "Dusk") -> str:
    answer = shell.json("upload", str(folder / "dawn.jpg"), "--title", title, "--again")
    assert isinstance(answer, dict)
    return str(answer["arrived"][0]["artwork"]["id"])


def test_list_shows_what_matches(shell: Shell, folder: Path) -> None:
    assert shell("list").stdout == "no artworks\n"
    ids = [uploaded(shell, folder, title) for title in ("One", "Two [bold]", "Three")]
    shown = shell("list", "--limit", "2").stdout
    assert ids[2] in shown
    assert "Two [bold]" in shown
    assert ids[0] not in shown
    everything = shell.json("list", "--all")
    assert isinstance(everything, list)
    assert [each["id"] for each in everything] == ids[::-1]
    assert shell.json("list", "--query", "Thr", "--username", "ann", "--category", "other") == everything[:1]


def test_show_draws_the_icon(shell: Shell, contract: Contract, folder: Path) -> None:
    artwork_id = uploaded(shell, folder)
    picture = io.BytesIO()
    Image.new("RGB", (128, 128), "#ff0000").save(picture, "PNG")
    contract.objects[f"icons/{artwork_id}.jpg"] = picture.getvalue()
    drawn = shell("show", artwork_id, "--picture").stdout
    assert drawn.count("▀" * 48) == 24
    assert "dusk" in drawn
    assert "▀" not in shell("show", artwork_id).stdout
    shown = shell.json("show", artwork_id)
    assert isinstance(shown, dict)
    assert shown["title"] == "Dusk"


def test_a_drawing_has_the_picture_s_colours() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "#204060").save(file, "PNG")
    text = draw(file.getvalue(), 4)
    assert text.plain == "▀▀▀▀\n▀▀▀▀\n"
    assert {str(span.style) for span in text.spans} == {"#204060 on #204060"}


def test_edit_changes_and_clears(shell: Shell, contract: Contract, folder: Path) -> None:
    artwork_id = uploaded(shell, folder)
    assert shell("edit", artwork_id, "--title", "Noon", "--description", "", "--tag", "x").exit_code == 0
    (call,) = contract.calls("PATCH .*")
    assert json.loads(call.body) == {"title": "Noon", "description": None, "tags": ["x"]}
    assert shell("edit", artwork_id, "--not-featured").exit_code == 0
    assert json.loads(contract.calls("PATCH .*")[1].body) == {"isFeatured": False}
    assert shell("edit", artwork_id).stderr.startswith("error: nothing to change")


def test_rm_asks_and_says_what_it_could_not_remove(shell: Shell, contract: Contract, folder: Path) -> None:
    artwork_id = uploaded(shell, folder)
    assert shell("rm", artwork_id, stdin="n\n").exit_code == 1
    assert artwork_id in contract.artworks
    done = shell("rm", "art_none", artwork_id, "--yes")
    assert (done.exit_code, done.stdout) == (3, f"removed {artwork_id}\n")
    assert done.stderr == "not removed art_none: There is no such artwork.\n"
    assert contract.artworks == {}
    assert json.loads(shell("rm", "art_none", "--yes", "--json").stdout)["failed"][0]["code"] == "not_found"


def test_me_shows_the_quota(shell: Shell) -> None:
    assert shell("me").stdout == "ann (usr_ann)\n0 of 1000 artworks, room for 1000\n"
    assert shell.json("me") == {
        "id": "usr_ann",
        "username": "ann",
        "artworkLimit": 1000,
        "artworkCount": 0,
        "artworkRemaining": 1000,
    }


def test_reprocess_goes_on_after_failures_and_ends_clean(
    shell: Shell, contract: Contract, folder: Path
) -> None:
    ids = [uploaded(shell, folder, title) for title in ("One", "Two", "Three")]
    contract.order(f"POST /api/artworks/{ids[1]}/reprocess", refusal(403, "forbidden", "Someone else's."))
    done = shell("reprocess", "--all")
    assert done.exit_code == 3
    assert ids[1] in done.stdout
    assert "2 rendered again, 1 failed" in done.stdout
    done = shell("reprocess", "--all")
    assert done.stdout == "1 rendered again, 2 in the interrupted run before, 0 failed\n"
    assert shell.json("reprocess", "--mine") == {"rendered": 3, "renderedBefore": 0, "failed": []}
    assert shell.json("reprocess", ids[0]) == {"rendered": 1, "renderedBefore": 0, "failed": []}
    assert shell("reprocess").exit_code == 2


def test_reprocess_can_begin_anew(shell: Shell, contract: Contract, folder: Path) -> None:
    artwork_id = uploaded(shell, folder)
    contract.order(f"POST /api/artworks/{artwork_id}/reprocess", refusal(403, "forbidden", "Someone else's."))
    uploaded(shell, folder)
    assert shell("reprocess", "--all").exit_code == 3
    assert shell("reprocess", "--all", "--restart").stdout == "2 rendered again, 0 failed\n"


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
    assert shell.json("sweep") == report
    assert [each.path for each in contract.seen] == ["/api/sweep?dryRun=true", "/api/sweep?dryRun=false"]


def test_sweep_with_a_part_left_out_fails(shell: Shell, contract: Contract) -> None:
    report = {"dryRun": False, "objectsSeen": 0, "artworksSeen": 0, "objectsRemoved": 0}
    body = {"data": {**report, "removed": [], "missing": [], "failed": ["icons/"]}}
    contract.order("POST /api/sweep", Reply(200, body))
    done = shell("sweep")
    assert (done.exit_code, done.stderr) == (1, "not looked at: icons/\n")


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
    assert len(answer["steps"]) == 7
    assert contract.artworks == {}
    assert shell("smoke", "--keep").exit_code == 0
    assert len(contract.artworks) == 1


def test_smoke_fails_when_a_rendition_is_wrong_and_still_tidies_up(shell: Shell, contract: Contract) -> None:
    done = shell("smoke")
    assert done.exit_code == 1
    assert "✗" in done.stdout
    assert contract.artworks == {}


def test_smoke_without_a_token_tries_what_is_public(shell: Shell, contract: Contract) -> None:
    done = shell("smoke", VFA_TOKEN="")
    assert done.exit_code == 0, done.output
    assert {each.method for each in contract.seen} == {"GET"}


def test_a_refusal_is_one_sentence_with_its_request(shell: Shell) -> None:
    done = shell("me", VFA_TOKEN="wrong")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "error: Please sign in. (request req-1)\n"
    done = shell("me", "--json", VFA_TOKEN="wrong")
    assert json.loads(done.stderr) == {
        "error": "Please sign in.",
        "code": "unauthorized",
        "requestId": "req-1",
    }


def test_an_address_that_is_none_is_one_sentence(shell: Shell) -> None:
    done = shell("me", "--base-url", "gallery.example")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: not the address of a gallery")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_know_the_command(shell: Shell, name: str) -> None:
    assert "_VFA_COMPLETE" in shell("completion", name).stdout


def commands(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)


@pytest.mark.parametrize("words", list(commands(vfa)), ids=" ".join)
def test_every_help_has_an_example_that_parses(shell: Shell, words: tuple[str, ...]) -> None:
    example = re.search(r"Examples?:\n((?: +\S.*\n)+)", shell(*words, "--help").stdout)
    assert example, f"vfa {' '.join(words)} --help has no example"
    for line in example[1].splitlines():
        called = re.search(r"\bvfa ([^)#>]*)", line)
        assert called
        command, rest = resolve(vfa, shlex.split(called[1]))
        if not isinstance(command, click.Group):
            command.make_context("vfa", rest)


def resolve(command: click.Command, words: list[str]) -> tuple[click.Command, list[str]]:
    while isinstance(command, click.Group) and words:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_bars_show_each_file_and_the_total() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Bars(screen, 2) as bars:
        bars.show(Path("a/dusk.jpg"), Progress(Stage.SENDING, 50, 100))
        bars.show(Path("a/dusk.jpg"), Progress(Stage.WAITING, 0, 0))
        bars.finish(Path("a/dusk.jpg"))
        bars.finish(Path("a/never-begun.jpg"))
    assert isinstance(screen.file, io.StringIO)
    written = screen.file.getvalue()
    assert "all files" in written
    assert "2 of 2" in written
