"""The local runtime lists its users and signs them in; nobody else's page may ask for that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from tests.support.runtime.projects import ROOT, Running, run, running_in

ADDED = """INSERT INTO users (id, username, status) VALUES
  ('usr_1', 'mara', 'active'), ('usr_2', 'operator', 'active'), ('usr_3', 'gone', 'suspended')"""


@pytest.fixture(scope="module")
def gallery(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack whose database has two active users and a suspended one."""
    folder = tmp_path_factory.mktemp("users")
    project = shutil.copytree(template, folder / "project", symlinks=True)
    shutil.copy(ROOT / "schema.sql", project)
    shutil.copytree(ROOT / "migrations", project / "migrations")
    done = run(project, "sql", "--state", str(folder / "state"), text=json.dumps({"sql": ADDED}))
    assert done.returncode == 0, done.stderr
    with running_in(project, folder) as runtime:
        yield runtime


def secret_of(runtime: Running) -> str:
    return str(json.loads((runtime.state / "secrets.json").read_text())["AUTH_JWT_SECRET"])


def test_active_users_are_listed_by_name(gallery: Running) -> None:
    response = httpx.get(f"{gallery.url}/.local/users")
    assert response.json() == {
        "users": [{"username": "mara", "operator": False}, {"username": "operator", "operator": True}]
    }
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("username", "role"), [("mara", None), ("Mara", None), ("operator", "operator")])
def test_a_user_gets_a_token_for_a_day(gallery: Running, username: str, role: str | None) -> None:
    token = httpx.post(f"{gallery.url}/.local/token", json={"username": username}).json()["token"]
    claims = jwt.decode(token, secret_of(gallery), algorithms=["HS256"])
    assert claims["sub"] == ("usr_2" if role else "usr_1")
    assert claims.get("role") == role
    assert claims["exp"] - claims["iat"] == pytest.approx(86400, abs=1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"username": "gone"}', 404),
        ('{"username": "nobody"}', 404),
        ('{"username": 7}', 404),
        ("{}", 404),
        ("[]", 400),
        ("null", 400),
        ("no JSON", 400),
        ("", 400),
    ],
)
def test_nobody_else_gets_a_token(gallery: Running, body: str, status: int) -> None:
    response = httpx.post(f"{gallery.url}/.local/token", content=body)
    assert response.status_code == status
    assert "token" not in response.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "gallery.example"},
        {"Host": "127.0.0.1.gallery.example:8787"},
        {"Host": "localhost.gallery.example"},
        {"Origin": "https://gallery.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_other_origins_are_refused(gallery: Running, headers: dict[str, str]) -> None:
    requests = [("GET", "/.local/users", None), ("POST", "/.local/token", {"username": "mara"})]
    for method, path, body in requests:
        response = httpx.request(method, gallery.url + path, headers=headers, json=body)
        assert response.status_code == 403
        assert "mara" not in response.text
        assert "access-control-allow-origin" not in response.headers


def test_pages_of_the_gallery_itself_may_ask(gallery: Running) -> None:
    port = gallery.url.rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        response = httpx.post(f"{gallery.url}/.local/token", headers=headers, json={"username": "mara"})
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/.local/users", 405), ("GET", "/.local/token", 405), ("GET", "/.local/secrets", 404)],
)
def test_there_is_nothing_else(gallery: Running, method: str, path: str, status: int) -> None:
    assert httpx.request(method, gallery.url + path).status_code == status
