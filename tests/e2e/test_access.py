"""Who may do what: users, suspension, identity providers, and what only owners and operators learn."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.e2e.accounts import Account, AccountFactory, artist_of, assert_refused, vfa
from tests.support.e2e.uploads import create, upload
from tests.support.gallery.providers import (
    ALGORITHMS,
    AUDIENCE,
    ISSUER,
    jwk,
    key_set,
    kid_of,
    private_key,
    provider_token,
)
from tests.support.pictures import jpeg
from tools import stack as local_stack
from tools.stack import Stack

SMALL = jpeg(64, 48, 7)
PUBLIC_URL = "https://gallery.example"
ZONE = "0123456789abcdef" * 2


class Outside:
    """What the gallery asks outside: an identity provider's keys, and Cloudflare's API."""

    def __init__(self) -> None:
        self.keys = key_set()
        self.status = 200
        self.asked: list[str] = []
        self.purged: list[tuple[str, str, Any]] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.asked.append(self.path)
                self._answer(outside.status, outside.keys)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outside.purged.append((self.path, self.headers["Authorization"], body))
                self._answer(200, b'{"success":true}')

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    made = Outside()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def provided(
    request: pytest.FixtureRequest, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A gallery of its own with an identity provider, an images domain and a public URL."""
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    variables = {
        "AUTH_JWKS_URL": f"{outside.url}/keys",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_OPERATOR_CLAIM": "https://gallery.example/roles=operator",
        "AUTO_CREATE_USERS": "true",
        "DEFAULT_ARTWORK_LIMIT": "7",
        "PUBLIC_URL": PUBLIC_URL,
        "R2_CDN_DOMAIN": "images.example",
        "CDN_ZONE_ID": ZONE,
        "CDN_PURGE_TOKEN": "purge-token",
        "CDN_PURGE_API": f"{outside.url}/client/v4",
    }
    words = [word for name, value in variables.items() for word in ("--var", f"gateway:{name}={value}")]
    with local_stack.running(tmp_path_factory.mktemp("provided"), arguments=words) as stack:
        yield stack


def token(algorithm: str = "ES256", number: int = 0, **claims: Any) -> str:
    return provider_token(algorithm, number, now=time.time(), **claims)


def me(stack: Stack, text: str) -> httpx.Response:
    return httpx.get(f"{stack.url}/api/me", headers={"Authorization": f"Bearer {text}"}, timeout=30)


def b64(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_the_provider_makes_its_user_and_an_artwork(provided: Stack, algorithm: str) -> None:
    subject = f"auth0|{secrets.token_hex(4)}"
    text = token(algorithm, sub=subject, preferred_username=f"कला-{algorithm}")
    answer = me(provided, text)
    assert answer.status_code == 200, answer.text
    user = answer.json()["data"]
    assert (user["username"], user["artworkLimit"]) == (f"कला-{algorithm}", 7)
    with httpx.Client(
        base_url=provided.url, headers={"Authorization": f"Bearer {text}"}, timeout=60
    ) as client:
        made = create(client, upload(client, SMALL), "Dusk")
        assert made.status_code == 201, made.text
        assert made.json()["data"]["userId"] == user["id"]
        client.headers["Authorization"] = f"Bearer {token(algorithm, sub=subject)}"
        assert client.get("/api/me").json()["data"]["artworkCount"] == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_attacks_on_a_token_of_the_provider_are_401(
    provided: Stack, outside: Outside, algorithm: str
) -> None:
    now = int(time.time())
    header, payload, signature = token(algorithm).split(".")
    name = kid_of(algorithm)
    critical = b64({"alg": algorithm, "kid": name, "crit": ["x"], "x": 1})
    pem = private_key(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    confused = f"{b64({'alg': 'HS256', 'kid': name})}.{payload}"
    data = bytearray(base64.urlsafe_b64decode(signature + "=="))
    data[-1] ^= 1
    attacks = {
        "alg none": f"{b64({'alg': 'none', 'kid': name})}.{payload}.",
        "alg none, signed": f"{b64({'alg': 'none', 'kid': name})}.{payload}.{signature}",
        "public key as secret": f"{confused}.{b64(hmac.digest(pem, confused.encode(), hashlib.sha256))}",
        **{
            f"as {other}": f"{b64({'alg': other, 'kid': name})}.{payload}.{signature}"
            for other in ("RS256", "ES256", "EdDSA", "PS256", "ES384", "RS512")
            if other != algorithm
        },
        "one bit": f"{header}.{payload}.{b64(bytes(data))}",
        "zeros": f"{header}.{payload}.{b64(bytes(len(data)))}",
        "another payload": f"{header}.{token(algorithm, sub='auth0|bob').split('.')[1]}.{signature}",
        "another key": token(algorithm, 1, header={"kid": name}),
        "a key of its own": token(algorithm, 1, header={"kid": name, "jwk": jwk(algorithm, 1)}),
        "keys elsewhere": token(algorithm, 1, header={"kid": name, "jku": f"{outside.url}/evil"}),
        "an unknown kid": token(algorithm, header={"kid": "../../keys"}),
        "a critical extension": f"{critical}.{payload}.{signature}",
        "another type": token(algorithm, header={"typ": "dpop+jwt"}),
        "another issuer": token(algorithm, iss="https://evil.example/"),
        "another audience": token(algorithm, aud="https://other.example"),
        "no audience": token(algorithm, aud=None),
        "expired": token(algorithm, iat=now - 7200, exp=now - 1),
        "no end": token(algorithm, exp=None),
        "an end too far away": token(algorithm, exp=now + 31 * 86_400),
        "not valid yet": token(algorithm, nbf=now + 120),
        "issued in the future": token(algorithm, iat=now + 120),
        "no subject": token(algorithm, sub=None),
    }
    assert me(provided, token(algorithm)).status_code == 200
    for attack, text in attacks.items():
        answer = me(provided, text)
        assert answer.status_code == 401, (attack, answer.text)
        assert_refused(answer, 401)
    assert set(outside.asked) == {"/keys"}


def test_a_role_of_the_provider_makes_no_operator_unless_it_was_named(provided: Stack) -> None:
    def sweeps(**claims: Any) -> int:
        headers = {"Authorization": f"Bearer {token(sub='auth0|boss', **claims)}"}
        path = "/api/sweep?dryRun=true"
        return httpx.post(provided.url + path, headers=headers, timeout=60).status_code

    assert sweeps(role="operator", roles=["operator"]) == 403
    assert sweeps(**{"https://gallery.example/roles": ["operator"]}) == 200


def test_the_gallerys_own_tokens_stay_good_beside_the_providers(provided: Stack) -> None:
    with artist_of(provided, "own-token") as artist:
        assert artist.client.get("/api/me").json()["data"]["username"] == "own-token"


def test_without_any_keys_the_answer_is_to_try_again(outside: Outside, state: Path) -> None:
    variables = {"AUTH_JWKS_URL": f"{outside.url}/keys", "AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE}
    words = [word for name, value in variables.items() for word in ("--var", f"gateway:{name}={value}")]
    with local_stack.running(state, arguments=words) as stack:
        try:
            outside.status = 302
            answer = me(stack, token())
            assert_refused(answer, 503)
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("unavailable", "5")
        finally:
            outside.status = 200
        time.sleep(5.5)
        unknown = me(stack, token())
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found"), (
            "users are not made by default"
        )
        with artist_of(stack, "boss", operator=True) as boss:
            body = {"username": "tied", "subject": "auth0|ada"}
            tied = boss.client.post("/api/users", json=body)
            assert tied.status_code == 201, tied.text
        assert me(stack, token()).json()["data"]["id"] == tied.json()["data"]["id"]


def test_urls_are_the_public_ones_whatever_the_host(provided: Stack) -> None:
    for host in ("evil.example", "127.0.0.1"):
        document = httpx.get(f"{provided.url}/openapi.json", headers={"Host": host}).json()
        assert document["servers"] == [{"url": PUBLIC_URL}]


def test_a_deleted_artwork_is_purged_from_the_images_domain(provided: Stack, outside: Outside) -> None:
    with artist_of(provided, "purged") as artist:
        artwork = artist.create(artist.upload(SMALL)).json()["data"]
        assert artist.client.delete(f"/api/artworks/{artwork['id']}").status_code == 204
    deadline = time.monotonic() + 10
    urls = {artwork[name] for name in ("originalUrl", "displayUrl", "thumbnailUrl", "iconUrl")}
    expected = (f"/client/v4/zones/{ZONE}/purge_cache", "Bearer purge-token")
    while not any(
        (path, who) == expected and urls <= set(body["files"]) for path, who, body in outside.purged
    ):
        assert time.monotonic() < deadline, outside.purged
        time.sleep(0.05)
    assert "purge-token" not in "\n".join(provided.lines)


def test_users_are_made_changed_and_listed_by_operators(
    operator: httpx.Client, account: AccountFactory, anonymous: httpx.Client
) -> None:
    name = f"ศิลปิน-{secrets.token_hex(4)}"
    made = operator.post("/api/users", json={"username": name, "artworkLimit": 3})
    assert made.status_code == 201, made.text
    user = made.json()["data"]
    path = made.headers["location"]
    assert operator.get(path).json()["data"] == user
    assert operator.get("/api/users", params={"username": name}).json()["data"] == [user]
    assert_refused(operator.post("/api/users", json={"username": name}), 409)
    changed = operator.patch(path, json={"username": f"{name}-2", "artworkLimit": 4}).json()["data"]
    assert (changed["username"], changed["artworkLimit"]) == (f"{name}-2", 4)
    assert_refused(operator.patch(path, json={"username": "a\u202eb"}), 400)
    first = operator.get("/api/users", params={"limit": 1}).json()
    assert len(first["data"]) == 1
    second = operator.get("/api/users", params={"limit": 1, "cursor": first["nextCursor"]}).json()
    assert first["data"] != second["data"]
    artist = account()
    for client, status in ((artist.client, 403), (anonymous, 401)):
        assert_refused(client.get("/api/users"), status)
        assert_refused(client.post("/api/users", json={"username": "x"}), status)
        assert_refused(client.patch(path, json={"artworkLimit": 1000}), status)


def test_suspension_acts_at_once_and_artworks_stay(
    operator: httpx.Client, account: AccountFactory, anonymous: httpx.Client
) -> None:
    artist = account()
    artwork = artist.create(artist.upload(SMALL)).json()["data"]
    path, key = f"/api/users/{artist.user_id}", artist.upload(SMALL)
    assert operator.patch(path, json={"status": "suspended"}).status_code == 200
    ticket = {"filename": "a.jpg", "contentType": "image/jpeg"}
    refused = [
        artist.client.get("/api/me"),
        artist.client.post("/api/artworks/upload-url", json=ticket),
        artist.create(key),
        artist.client.get(f"/api/artworks/{artwork['id']}"),
        artist.client.patch(f"/api/artworks/{artwork['id']}", json={"title": "x"}),
        artist.client.post(f"/api/artworks/{artwork['id']}/reprocess"),
        artist.client.delete(f"/api/artworks/{artwork['id']}"),
    ]
    for answer in refused:
        assert_refused(answer, 403)
        assert answer.json()["code"] == "suspended"
    assert anonymous.get(f"/api/artworks/{artwork['id']}").status_code == 200
    assert httpx.get(artwork["displayUrl"]).status_code == 200
    operator.patch(path, json={"status": "active"})
    assert artist.create(key).status_code == 201


def test_revoked_tokens_are_refused_at_once_and_new_ones_are_good(
    operator: httpx.Client, account: AccountFactory, account_words: list[str], gallery_url: str
) -> None:
    artist = account()
    assert artist.client.get("/api/me").status_code == 200
    answer = operator.patch(f"/api/users/{artist.user_id}", json={"revokeTokens": True})
    assert answer.status_code == 200, answer.text
    assert_refused(artist.client.get("/api/me"), 401)
    fresh = vfa("token", artist.username, *account_words)
    assert httpx.get(f"{gallery_url}/api/me", headers={"Authorization": f"Bearer {fresh}"}).status_code == 200


def test_a_token_that_expires_too_late_is_refused_with_the_reason(
    stack: Stack, account: AccountFactory
) -> None:
    secret = json.loads((stack.state / "secrets.json").read_text())["AUTH_JWT_SECRET"]
    claims = {"sub": account().user_id, "exp": int(time.time()) + 31 * 86_400}
    answer = me(stack, jwt.encode(claims, secret, "HS256"))
    assert_refused(answer, 401)
    assert "too long" in answer.json()["error"]


def test_only_operators_feature_artworks(operator: httpx.Client, account: AccountFactory) -> None:
    artist = account()
    path = f"/api/artworks/{artist.create(artist.upload(SMALL)).json()['data']['id']}"
    assert_refused(artist.client.patch(path, json={"isFeatured": True}), 403)
    assert_refused(operator.patch(path, json={"isFeatured": True, "title": "x"}), 403)
    assert operator.patch(path, json={"isFeatured": True}).json()["data"]["isFeatured"] is True
    assert artist.client.patch(path, json={"title": "x"}).json()["data"]["isFeatured"] is True


def test_the_url_of_a_private_original_is_shown_to_its_owner_only(
    operator: httpx.Client, account: AccountFactory, anonymous: httpx.Client
) -> None:
    artist, stranger = account(), account()
    key = artist.upload(SMALL)
    artwork = artist.create(key).json()["data"]
    paths = (f"/api/artworks/{artwork['id']}", f"/api/artworks?username={artist.username}")
    for path in paths:
        for client in (artist.client, operator):
            assert f"/cdn/{key}" in client.get(path).text
        for client in (stranger.client, anonymous):
            assert "originals/" not in client.get(path).text


@pytest.mark.parametrize("unit", ['\\"', '"', "\\", "{", "[", '{"', "1"])
def test_64_kib_of_one_character_are_refused_within_two_seconds(account: AccountFactory, unit: str) -> None:
    artist = account()
    for first in ("", "{" * 9 + '"'):
        body = (first + unit * 65_536)[: 64 * 1024]
        answer = artist.client.post("/api/artworks", content=body)
        assert_refused(answer, 400)
        assert answer.elapsed.total_seconds() < 2


def test_users_are_managed_from_the_command_line(gallery_url: str, account: AccountFactory) -> None:
    boss: Account = account(operator=True)
    words = ["--base-url", gallery_url, "--token", boss.token]
    name = f"cli-{secrets.token_hex(4)}"
    user_id = vfa("user", "add", name, "--limit", "3", *words)
    vfa("user", "suspend", name, *words)
    vfa("user", "activate", name, *words)
    vfa("user", "revoke", name, *words)
    vfa("user", "rename", name, f"{name}-2", *words)
    listed = json.loads(vfa("user", "list", "--json", *words))
    (found,) = [each for each in listed if each["id"] == user_id]
    assert (found["username"], found["artworkLimit"], found["status"]) == (f"{name}-2", 3, "active")
    assert found["tokensValidAfter"] is not None
