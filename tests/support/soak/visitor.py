"""One user of a soak: does at random what users, operators and attackers do, and looks at every answer."""

from __future__ import annotations

import concurrent.futures
import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx
from tests.support.e2e.accounts import Account
from tests.support.e2e.wire import Wire
from tests.support.soak.ledger import Ledger
from tests.support.soak.pictures import Picture

# What a busy or recovering gallery may always answer; it must say when to come back.
LATER = (429, 503)
URLS = ("displayUrl", "thumbnailUrl", "iconUrl")
MOST_KEPT = 40
PAUSE_SECONDS = 0.5
Doubt = Callable[[str], None]


class Visitor:
    """A user with artworks of their own; `doubt` hears of what is a fault unless something had just died."""

    def __init__(
        self,
        account: Account,
        good: list[Picture],
        bad: list[Picture],
        ledger: Ledger,
        doubt: Doubt,
        rng: random.Random,
    ) -> None:
        self.account = account
        self.artworks: dict[str, dict[str, Any]] = {}
        self._good = good
        self._bad = bad
        self._ledger = ledger
        self._doubt = doubt
        self._rng = rng
        self._http = account.client
        self._actions: list[tuple[int, Callable[[], None]]] = [
            (30, self.create),
            (4, self.create_twice_at_once),
            (30, self.read),
            (12, self.look_at_a_rendition),
            (10, self.be_refused),
            (6, self.upload_no_picture),
            (6, self.hang_up),
            (4, self.break_off),
            (5, self.change),
            (4, self.reprocess),
            (6, self.remove),
        ]

    def act(self) -> None:
        """One thing more."""
        weights = [weight for weight, _ in self._actions]
        (_, action) = self._rng.choices(self._actions, weights)[0]
        if len(self.artworks) > MOST_KEPT:
            action = self.remove
        try:
            action()
        except (httpx.TransportError, OSError) as error:
            self._ledger.count(action.__name__, type(error).__name__)
            self._doubt(f"{action.__name__}: {error!r}")
            time.sleep(PAUSE_SECONDS)

    def _ask(
        self, operation: str, method: str, path: str, *expected: int, **options: Any
    ) -> httpx.Response | None:
        """The answer, if it is one of those expected; anything else is noted."""
        return self._judged(operation, self._http.request(method, path, **options), *expected)

    def _judged(self, operation: str, answer: httpx.Response, *expected: int) -> httpx.Response | None:
        self._ledger.count(operation, answer.status_code)
        if answer.status_code in expected:
            return answer
        if answer.status_code in LATER and int(answer.headers.get("retry-after", 0)) > 0:
            return None
        self._doubt(f"{operation}: {answer.status_code} {answer.text[:300]}")
        return None

    def _upload(self, picture: Picture) -> str | None:
        fields = {"filename": "soak", "contentType": picture.content_type, "size": len(picture.data)}
        given = self._ask("ticket", "POST", "/api/artworks/upload-url", 200, json=fields)
        if given is None:
            return None
        ticket = given.json()
        put = httpx.put(ticket["uploadUrl"], headers=ticket["headers"], content=picture.data, timeout=60)
        return None if self._judged("put", put, 200) is None else str(ticket["key"])

    def create(self) -> None:
        picture = self._rng.choice(self._good)
        key = self._upload(picture)
        if key is None:
            return
        made = self._judged("create", self.account.create(key, picture.name), 201)
        if made is not None:
            self._keep(made, picture)

    def create_twice_at_once(self) -> None:
        picture = self._rng.choice(self._good)
        key = self._upload(picture)
        if key is None:
            return
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(self.account.create, [key, key]))
        judged = [self._judged("twin create", answer, 200, 201, 409) for answer in answers]
        made = [answer for answer in judged if answer is not None and answer.status_code < 300]
        if len({answer.json()["data"]["id"] for answer in made}) > 1:
            self._ledger.fault(f"two artworks of one original: {[answer.text for answer in made]}")
        if made:
            self._keep(made[0], picture)

    def _keep(self, made: httpx.Response, picture: Picture) -> None:
        artwork = made.json()["data"]
        self.artworks[artwork["id"]] = artwork | {"picture": picture}
        self._check(artwork, picture)

    def _check(self, artwork: dict[str, Any], picture: Picture) -> None:
        """Every acknowledged create is right: three pictures, of their sizes and colours."""
        served = [self._judged("rendition", httpx.get(artwork[name], timeout=60), 200) for name in URLS]
        found = [answer.content for answer in served if answer is not None]
        if len(found) == len(URLS) and (fault := picture.fault_of(*found)):
            self._ledger.fault(f"{artwork['id']}: {fault}")

    def read(self) -> None:
        paths = ["/api/artworks", "/api/artworks?limit=50", "/api/artworks?q=JPEG", "/api/me", "/healthz"]
        paths += [f"/api/artworks?username={self.account.username}", "/openapi.json"]
        if self.artworks:
            artwork = self._any()
            paths += [f"/api/artworks/{artwork['id']}"] * 3
            paths += [f"/api/users/{self.account.username}/artworks/{artwork['slug']}"]
        self._ask("read", "GET", self._rng.choice(paths), 200)

    def look_at_a_rendition(self) -> None:
        if self.artworks:
            url = self._any()[self._rng.choice(URLS)]
            ranged = {"Range": "bytes=0-99"} if self._rng.random() < 0.5 else {}
            self._judged("rendition", httpx.get(url, headers=ranged, timeout=60), 200, 206)

    def be_refused(self) -> None:
        wrong = {"Authorization": f"Bearer {self.account.token[:-4]}AAAA"}
        requests: list[tuple[int, str, str, dict[str, Any]]] = [
            (401, "POST", "/api/artworks", {"headers": wrong, "content": b"x" * self._rng.randrange(60_000)}),
            (400, "POST", "/api/artworks", {"content": b'{"title":'}),
            (400, "POST", "/api/artworks", {"json": {"title": "x", "originalKey": "originals/../x.jpg"}}),
            (400, "POST", "/api/artworks", {"content": b"[" * 60_000}),
            (413, "POST", "/api/artworks", {"content": b" " * 200_000}),
            (404, "GET", "/api/artworks/art_nothing", {}),
            (404, "DELETE", "/api/artworks/art_nothing", {}),
            (405, "PUT", "/api/me", {"content": b"x" * 1000}),
            (403, "POST", "/api/sweep", {}),
        ]
        status, method, path, options = self._rng.choice(requests)
        self._ask("refusal", method, path, status, **options)

    def upload_no_picture(self) -> None:
        picture = self._rng.choice(self._bad)
        key = self._upload(picture)
        if key is not None:
            self._judged("no picture", self.account.create(key), *picture.refusals)

    def hang_up(self) -> None:
        key = self._upload(self._rng.choice(self._good))
        if key is None:
            return
        patience = self._rng.uniform(0.01, 0.8)
        with httpx.Client(
            base_url=self._http.base_url, headers=self.account.headers, timeout=patience
        ) as hasty:
            try:
                hasty.post("/api/artworks", json={"title": "Gone", "originalKey": key})
            except httpx.TimeoutException:
                self._ledger.count("hang up", "in the middle")

    def break_off(self) -> None:
        """Half a body, then a closed connection."""
        body = json.dumps({"title": "x" * 500}).encode()
        with Wire(str(self._http.base_url)) as wire:
            head = f"POST /api/artworks HTTP/1.1\r\nAuthorization: Bearer {self.account.token}"
            wire.send(head, body[: self._rng.randrange(len(body))], len(body))
        self._ledger.count("break off", "sent")

    def change(self) -> None:
        if self.artworks:
            self._ask(
                "change", "PATCH", f"/api/artworks/{self._any()['id']}", 200, json={"description": "soaked"}
            )

    def reprocess(self) -> None:
        if not self.artworks:
            return
        artwork = self._any()
        answer = self._ask("reprocess", "POST", f"/api/artworks/{artwork['id']}/reprocess", 200)
        if answer is None:
            # Whether it was done is not known, and old addresses may be gone.
            del self.artworks[artwork["id"]]
        else:
            self._keep(answer, artwork["picture"])

    def remove(self) -> None:
        if not self.artworks:
            return
        artwork = self.artworks.pop(self._any()["id"])
        path = f"/api/artworks/{artwork['id']}"
        if self._ask("removal", "DELETE", path, 204, 404) is not None:
            self._ask("removed", "GET", path, 404)

    def _any(self) -> dict[str, Any]:
        return self.artworks[self._rng.choice(list(self.artworks))]

    def check_account(self) -> None:
        """The count is the number of artworks, and whatever was acknowledged is there."""
        listed: dict[str, Any] = {}
        cursor = ""
        while True:
            page = self._http.get(f"/api/artworks?username={self.account.username}&limit=50{cursor}").json()
            listed |= {each["id"]: each for each in page["data"]}
            if page["nextCursor"] is None:
                break
            cursor = f"&cursor={page['nextCursor']}"
        count = self._http.get("/api/me").json()["data"]["artworkCount"]
        if count != len(listed):
            self._ledger.fault(f"{self.account.username} has {count} artworks, and {len(listed)} are listed")
        for lost in self.artworks.keys() - listed.keys():
            self._ledger.fault(f"{lost} was acknowledged and is not there")
        for identity in self.artworks.keys() & listed.keys():
            self._check(listed[identity], self.artworks[identity]["picture"])
