"""A gallery in memory that speaks the contract over real HTTP, bucket included, with faults on order."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "token-of-ann"
USER_ID = "usr_ann"
EXTENSIONS = ("jpeg", "png", "gif", "webp", "tiff")
PICTURE = b"\xff\xd8\xff\xe0" + bytes(100_000)
BAD = b"not a picture"
NOW = "2026-01-02T03:04:05.678Z"


@dataclass(slots=True)
class Reply:
    """An answer; `None` as status breaks the connection."""

    status: int | None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, message: str, **headers: str) -> Reply:
    body = {"error": message, "code": code, "requestId": "req-1"}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(slots=True)
class Fault:
    """What happens to the next request whose "METHOD /path" matches: before or after it had its effect."""

    matching: str
    reply: Reply | None = None
    after: bool = False
    delay: float = 0


@dataclass(slots=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Contract:
    """State and behaviour of the gallery; `url` is where it listens."""

    def __init__(self) -> None:
        self.url = ""
        self.limit = 1000
        self.ticket_seconds = 900.0
        self.bucket_sleeps = 0.0  # seconds before it takes a body from the wire
        self.bucket_copies = False  # whether it takes headers that its ticket did not sign
        self.objects: dict[str, bytes] = {}
        self.artworks: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, int] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.most_at_once = 0
        self._at_once = 0
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def order(self, matching: str, reply: Reply | None = None, **more: Any) -> None:
        self.faults.append(Fault(matching, reply, **more))

    def calls(self, matching: str) -> list[Seen]:
        return [each for each in self.seen if re.fullmatch(matching, f"{each.method} {each.path}")]

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self._fault(f"{seen.method} {urlsplit(seen.path).path}")
        try:
            if fault:
                time.sleep(fault.delay)
            if fault and fault.reply and not fault.after:
                return fault.reply
            with self._lock:
                reply = self._route(seen)
            return fault.reply if fault and fault.reply else reply
        finally:
            with self._lock:
                self._at_once -= 1

    def _fault(self, name: str) -> Fault | None:
        found = next((each for each in self.faults if re.fullmatch(each.matching, name)), None)
        if found:
            self.faults.remove(found)
        return found

    def _route(self, seen: Seen) -> Reply:
        parts = urlsplit(seen.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        handlers: list[tuple[str, Callable[..., Reply]]] = [
            (r"PUT /bucket/(.+)", self._put),
            (r"GET /cdn/(.+)", lambda _, key: Reply(200, self.objects[key])),
            (r"POST /api/artworks/upload-url", self._ticket),
            (r"POST /api/artworks", self._create),
            (r"GET /api/artworks", lambda _: self._list(query)),
            (r"GET /api/artworks/readiness", lambda _: self._readiness(query["originalKey"])),
            (r"GET /api/me", lambda _: self._me()),
            (r"GET /api/users", lambda _: self._users(query)),
            (r"POST /api/users", self._add_user),
            (r"PATCH /api/users/([^/]+)", self._change_user),
            (r"GET /api/users/([^/]+)/artworks/([^/]+)", self._by_slug),
            (r"GET /api/artworks/([^/]+)", lambda _, identity: self._artwork(identity)),
            (r"PATCH /api/artworks/([^/]+)", self._patch),
            (r"DELETE /api/artworks/([^/]+)", self._delete),
            (r"POST /api/artworks/([^/]+)/reprocess", lambda _, identity: self._artwork(identity)),
            (r"GET /healthz", lambda _: Reply(200, {"status": "ok"})),
        ]
        for pattern, handler in handlers:
            if found := re.fullmatch(pattern, f"{seen.method} {parts.path}"):
                public = seen.method == "GET" and not parts.path.endswith(("/me", "/readiness", "/users"))
                if (
                    not public
                    and "/bucket/" not in pattern
                    and seen.headers.get("Authorization") != f"Bearer {TOKEN}"
                ):
                    return refusal(401, "unauthorized", "Please sign in.")
                return handler(seen, *map(unquote, found.groups()))
        return refusal(404, "not_found", "There is nothing at this address.")

    def _ticket(self, seen: Seen) -> Reply:
        wish = json.loads(seen.body)
        if not wish["contentType"].endswith(EXTENSIONS):
            return refusal(415, "unsupported_type", "Please upload a picture.")
        number = next(self._numbers)
        extension = wish["contentType"].partition("/")[2].replace("jpeg", "jpg")
        key = f"originals/{USER_ID}/{number:08}.{extension}"
        expires = time.time() + self.ticket_seconds
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(expires))
        return Reply(
            200,
            {
                "uploadUrl": f"{self.url}/bucket/{key}?X-Amz-Signature={expires}",
                "key": key,
                "method": "PUT",
                "headers": {"Content-Type": wish["contentType"], "If-None-Match": "*"},
                "expiresAt": stamp,
                "maxBytes": wish["size"],
            },
        )

    def _put(self, seen: Seen, key: str) -> Reply:
        if "Authorization" in seen.headers or seen.headers.get("If-None-Match") != "*":
            return Reply(403, b"<Error><Code>SignatureDoesNotMatch</Code><Message>No</Message></Error>")
        if source := seen.headers.get("x-amz-copy-source"):
            if not self.bucket_copies:
                return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")
            self.objects[key] = self.objects[source.removeprefix("/bucket/")]
            return Reply(200, b"<CopyObjectResult></CopyObjectResult>")
        if key in self.objects:
            return Reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        self.objects[key] = seen.body
        return Reply(200, b"")

    def _create(self, seen: Seen) -> Reply:
        wish = json.loads(seen.body)
        key = wish["originalKey"]
        for artwork in self.artworks.values():
            if artwork["originalUrl"].endswith(key):
                return Reply(200, {"data": artwork})
        if key not in self.objects:
            return refusal(404, "not_found", "There is no such original.")
        if len(self.artworks) >= self.limit:
            return refusal(429, "artwork_limit_reached", "Artwork limit reached")
        if self.objects[key].endswith(BAD):
            return refusal(422, "unreadable_image", "The file cannot be read as a picture.")
        identity = f"art_{next(self._numbers):04}"
        urls = {
            f"{name}Url": f"{self.url}/cdn/{name}s/{identity}.jpg"
            for name in ("display", "thumbnail", "icon")
        }
        for url in urls.values():
            self.objects[url.partition("/cdn/")[2]] = self.objects[key]
        slug = re.sub(r"\W+", "-", wish["title"].lower())
        artwork = {
            "id": identity,
            "userId": USER_ID,
            "username": "ann",
            "slug": slug,
            "description": None,
            "materials": None,
            "dimensions": None,
            "createdDate": None,
            "category": "other",
            "tags": [],
            **{name: value for name, value in wish.items() if name != "originalKey"},
            "originalUrl": f"{self.url}/cdn/{key}",
            **urls,
            "width": 640,
            "height": 480,
            "originalWidth": 640,
            "originalHeight": 480,
            "dominantColor": "#806040",
            "thumbHash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
            "status": "active",
            "isFeatured": False,
            "createdAt": NOW,
            "updatedAt": NOW,
            "processedAt": NOW,
            "somethingNew": "that this client does not know",
        }
        self.artworks[identity] = artwork
        self.revisions[identity] = 1
        reply = self._artwork(identity)
        reply.status = 201
        return reply

    def _artwork(self, identity: str) -> Reply:
        if identity not in self.artworks:
            return refusal(404, "not_found", "There is no such artwork.")
        return Reply(200, {"data": self.artworks[identity]}, {"ETag": f'"{self.revisions[identity]}"'})

    def _by_slug(self, _: Seen, username: str, slug: str) -> Reply:
        for identity, artwork in self.artworks.items():
            if (artwork["username"], artwork["slug"]) == (username, slug):
                return self._artwork(identity)
        return self._artwork("")

    def _patch(self, seen: Seen, identity: str) -> Reply:
        if identity in self.artworks:
            guard = seen.headers.get("If-Match", "").removeprefix("W/")
            if guard and guard != f'"{self.revisions[identity]}"':
                return refusal(412, "precondition_failed", "The artwork was changed in the meantime.")
            self.artworks[identity] |= json.loads(seen.body)
            self.revisions[identity] += 1
        return self._artwork(identity)

    def _delete(self, _: Seen, identity: str) -> Reply:
        found = self._artwork(identity)
        if found.status == 200:
            del self.artworks[identity]
            return Reply(204)
        return found

    def _list(self, query: dict[str, str]) -> Reply:
        found = sorted(self.artworks.values(), key=lambda artwork: str(artwork["id"]), reverse=True)
        for name in ("username", "category"):
            found = [each for each in found if query.get(name) in (None, each[name])]
        found = [each for each in found if query.get("tag") in (None, *each["tags"])]
        found = [each for each in found if query.get("q", "") in each["title"]]
        start, size = int(query.get("cursor", 0)), int(query["limit"])
        more = str(start + size) if start + size < len(found) else None
        return Reply(200, {"data": found[start : start + size], "nextCursor": more})

    def _readiness(self, key: str) -> Reply:
        ready = any(each["originalUrl"].endswith(key) for each in self.artworks.values())
        return Reply(200, {"display": ready, "thumbnail": ready, "icon": ready})

    def _users(self, query: dict[str, str]) -> Reply:
        found = sorted(self.users.values(), key=lambda user: str(user["username"]))
        found = [each for each in found if query.get("username") in (None, each["username"])]
        start, size = int(query.get("cursor", 0)), int(query["limit"])
        more = str(start + size) if start + size < len(found) else None
        return Reply(200, {"data": found[start : start + size], "nextCursor": more})

    def _add_user(self, seen: Seen) -> Reply:
        wish = json.loads(seen.body)
        if wish["username"] in [each["username"] for each in self.users.values()]:
            return refusal(409, "already_exists", "This username is taken.")
        identity = f"usr_{len(self.users)}"
        self.users[identity] = {
            "id": identity,
            "username": wish["username"],
            "artworkLimit": wish.get("artworkLimit", 50),
            "artworkCount": 0,
            "artworkRemaining": wish.get("artworkLimit", 50),
            "status": "active",
            "tokensValidAfter": None,
            "issuer": None,
            "subject": None,
            "createdAt": NOW,
        }
        return Reply(201, {"data": self.users[identity]})

    def _change_user(self, seen: Seen, identity: str) -> Reply:
        changes = json.loads(seen.body)
        taken = [each["username"] for key, each in self.users.items() if key != identity]
        if changes.get("username") in taken:
            return refusal(409, "already_exists", "This username is taken.")
        if changes.pop("revokeTokens", False):
            changes["tokensValidAfter"] = NOW
        self.users[identity] |= changes
        return Reply(200, {"data": self.users[identity]})

    def _me(self) -> Reply:
        count = len(self.artworks)
        quota = {"artworkLimit": self.limit, "artworkCount": count, "artworkRemaining": self.limit - count}
        return Reply(200, {"data": {"id": USER_ID, "username": "ann", **quota}})


@contextmanager
def serving() -> Iterator[Contract]:
    """A new gallery on a free port of this machine."""
    contract = Contract()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: the other side's delayed acknowledgement costs 40 ms otherwise.
        wbufsize = -1

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.command == "PUT":
                time.sleep(contract.bucket_sleeps)
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            reply = contract.answer(Seen(self.command, self.path, dict(self.headers), body))
            if reply.status is None:
                self.close_connection = True
                return
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            data = b"" if reply.status == 204 else data
            self.send_response(reply.status)
            for name, value in {
                "X-Request-Id": "req-1",
                **reply.headers,
                "Content-Length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    contract.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield contract
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
