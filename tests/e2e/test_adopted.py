"""A database that was there before, under the real gateway: an older one of ours, and another program's."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.deploy.foreign_databases import GALLERIES, ask_of
from tests.support.deploy.sample_migrations import FIRST_ROWS
from tests.support.e2e.accounts import vfa
from tests.support.e2e.uploads import create, upload
from tests.support.pictures import jpeg
from tests.unit.gallery.test_other_writers import INSERT, ROW
from tools import stack as local_stack
from tools.deploy import schema
from tools.deploy.adopt import plan_adoption
from tools.stack import NODE, ROOT

MIGRATIONS = schema.migrations_in(ROOT / "migrations")


def sql(state: Path, text: str) -> subprocess.CompletedProcess[str]:
    """One statement on the database in a state folder, by the runtime."""
    words = [str(NODE), str(ROOT / "runtime/main.mjs"), "sql", "--state", str(state)]
    statement = json.dumps({"sql": text})
    return subprocess.run(words, input=statement, text=True, capture_output=True, check=False, cwd=ROOT)


def rows(state: Path, text: str) -> list[dict[str, Any]]:
    done = sql(state, text)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["rows"])


@pytest.fixture
def remake(state: Path) -> Callable[[str], sqlite3.Connection]:
    """Puts another database in the place of a state folder's own: `remake(script)`."""
    rows(state, "SELECT 1")
    (file,) = [each for each in (state / "d1").rglob("*.sqlite") if each.name != "metadata.sqlite"]

    def replaced(script: str) -> sqlite3.Connection:
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        database = sqlite3.connect(file, isolation_level=None)
        database.executescript(script)
        return database

    return replaced


def test_an_older_database_is_migrated_with_its_rows(
    state: Path, remake: Callable[[str], sqlite3.Connection]
) -> None:
    remake(MIGRATIONS[0].sql + FIRST_ROWS).close()
    (artwork,) = rows(state, "SELECT * FROM artworks")
    assert (artwork["title"], artwork["status"], artwork["tags"]) == ("Dusk", "active", None)
    assert artwork["created_ms"] == 1_793_491_200_000
    assert [row["name"] for row in rows(state, schema.APPLIED)] == [each.name for each in MIGRATIONS]


def test_another_programs_tables_are_left_alone(
    state: Path, remake: Callable[[str], sqlite3.Connection]
) -> None:
    remake(GALLERIES["as it was specified"]).close()
    done = sql(state, "SELECT 1")
    assert done.returncode == 1
    assert "another program's users and artworks; docs/deploy.md says how they are adopted" in done.stderr


def test_an_adopted_gallery_is_served_and_goes_on(
    state: Path, remake: Callable[[str], sqlite3.Connection]
) -> None:
    database = remake(GALLERIES["as it was specified"])
    database.executescript(f"BEGIN;\n{plan_adoption(ask_of(database), MIGRATIONS).sql}\nCOMMIT;")
    database.close()
    with local_stack.running(state) as stack, httpx.Client(base_url=stack.url, timeout=60) as client:
        listed = client.get("/api/artworks").json()["data"]
        assert [artwork["slug"] for artwork in listed] == ["dusk", "dusk"]
        assert listed[1]["displayUrl"] == "https://i/display/1.jpg"
        assert client.get("/api/users/ann/artworks/dusk").json()["data"]["tags"] == ["sea"]

        client.headers["Authorization"] = f"Bearer {vfa('token', 'ann', '--state', str(state))}"
        made = create(client, upload(client, jpeg()), "Dusk")
        assert (made.status_code, made.json()["data"]["slug"]) == (201, "dusk-1")
        stack.rows(INSERT, *(ROW | {"id": "by-hand", "user_id": "u1", "slug": "by-hand"}).values())
        assert client.get("/api/artworks/by-hand").json()["data"]["title"] == "Dusk"
        assert client.patch("/api/artworks/by-hand", json={"category": "Oil"}).status_code == 200
        assert client.delete("/api/artworks/by-hand").status_code == 204
        me = client.get("/api/me").json()["data"]
        assert (me["artworkCount"], me["artworkLimit"]) == (2, 50)
