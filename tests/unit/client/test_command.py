"""The `vfa` command against a gallery that speaks the contract."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from PIL import Image
from rich.console import Console
from tests.support.client.contract import Contract
from tests.support.client.shell import Shell, uploaded

from vfa_gallery import Progress, Stage
from vfa_gallery.command import app
from vfa_gallery.command.app import vfa
from vfa_gallery.command.many import Display
from vfa_gallery.command.output import draw


def test_list_shows_what_matches(shell: Shell, folder: Path) -> None:
    assert shell("list").stdout == ""
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


@pytest.mark.parametrize("icon", [b"no picture", b"\x89PNG\r\n\x1a\n broken"], ids=["text", "PNG"])
def test_an_icon_that_is_no_picture_is_one_sentence_after_the_facts(
    shell: Shell, contract: Contract, folder: Path, icon: bytes
) -> None:
    artwork_id = uploaded(shell, folder)
    contract.objects[f"icons/{artwork_id}.jpg"] = icon
    done = shell("show", artwork_id, "--picture")
    assert done.exit_code == 1
    assert "Dusk" in done.stdout
    assert done.stderr.startswith(f"error: {contract.url}/cdn/icons/{artwork_id}.jpg is not a picture")


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


def test_me_shows_the_quota(shell: Shell) -> None:
    assert shell("me").stdout == "ann (usr_ann)\n0 of 1000 artworks, room for 1000\n"
    assert shell.json("me") == {
        "id": "usr_ann",
        "username": "ann",
        "artworkLimit": 1000,
        "artworkCount": 0,
        "artworkRemaining": 1000,
    }


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
    display = Display(screen, 3)
    display.start()
    display.show("dusk.jpg", Progress(Stage.SENDING, 50, 100))
    display.show("dusk.jpg", Progress(Stage.WAITING, 0, 0))
    display.finish("dusk.jpg", left=False)
    display.finish("never-begun.jpg", left=False)
    display.finish("left.jpg", left=True)
    display.stop()
    assert isinstance(screen.file, io.StringIO)
    written = screen.file.getvalue()
    assert "2 of 3" in written
    assert "3 of 3" not in written


class Plugin:
    """An entry point of another package."""

    def __init__(self, name: str, register: Callable[[click.Group], None]) -> None:
        self.name = name
        self.load = lambda: register


def test_other_packages_add_commands_and_one_that_fails_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: click.Group) -> None:
        raise ImportError("no module named else")

    added = click.Command("hello")
    plugins = [Plugin("broken", fail), Plugin("greeting", lambda group: group.add_command(added))]
    monkeypatch.setattr(app, "entry_points", lambda group: plugins if group == app.PLUGINS else [])
    monkeypatch.setattr(app.vfa, "commands", dict(app.vfa.commands))
    app.load_plugins()
    assert app.vfa.commands["hello"] is added
    warned = "warning: the plug-in broken does not load: ImportError('no module named else')\n"
    assert capsys.readouterr().err == warned
