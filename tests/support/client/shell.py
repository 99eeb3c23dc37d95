"""The `vfa` command as a user would run it, within the process of the tests."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from tests.support.client.contract import TOKEN, Contract

from vfa_gallery.command.app import vfa

ENOUGH_COLUMNS = "200"


class Shell:
    """Runs `vfa` as a user with a token and a home folder."""

    def __init__(self, contract: Contract, home: Path) -> None:
        self.environment = {
            "VFA_URL": contract.url,
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


def titles(contract: Contract) -> list[str]:
    return sorted(artwork["title"] for artwork in contract.artworks.values())


def uploaded(shell: Shell, folder: Path, title: str = "Dusk") -> str:
    answer = shell.json("upload", str(folder / "dawn.jpg"), "--title", title, "--again")
    assert isinstance(answer, dict)
    return str(answer["arrived"][0]["artwork"]["id"])
