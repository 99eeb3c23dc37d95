"""What a user does, at random: each operation knows what its answers say of the model."""

from __future__ import annotations

import concurrent.futures
import random
from collections.abc import Callable

import httpx
from tests.support.e2e.uploads import put
from tests.support.model.world import Shelf, State, Work
from tests.support.pictures import jpeg

PICTURES = [jpeg(64, 48, seed=seed) for seed in range(4)]
BROKEN = b"this is not a picture"
NO_ANSWER = (httpx.TransportError,)
HASTE = 0.15


class User:
    """One user at a gallery; `step` does something, and says nothing."""

    def __init__(self, client: httpx.Client, shelf: Shelf, chance: random.Random) -> None:
        self.client = client
        self.shelf = shelf
        self.chance = chance
        # Uploads and creates are more frequent, so that there is something to change and delete.
        self.choices: list[tuple[int, Callable[[], None]]] = [
            (6, self.upload),
            (7, self.create),
            (2, self.create_twice),
            (1, self.hang_up),
            (3, self.change),
            (3, self.delete),
            (2, self.reprocess),
            (1, self.create_again),
            (1, self.upload_nonsense),
        ]

    def step(self) -> None:
        weights = [weight for weight, _ in self.choices]
        ((_, operation),) = self.chance.choices(self.choices, weights)
        try:
            operation()
        except NO_ANSWER:
            self.shelf.note(operation.__name__, "no answer")

    def upload(self) -> None:
        self._upload(self.chance.choice(PICTURES))

    def upload_nonsense(self) -> None:
        work = self._upload(BROKEN)
        if work is None:
            return
        answer = self._create(work, "Nonsense")
        assert answer is None or answer.status_code != 201, answer.text

    def _upload(self, data: bytes) -> Work | None:
        fields: dict[str, object] = {"filename": "a.jpg", "contentType": "image/jpeg"}
        if self.chance.random() < 0.7:
            fields["size"] = len(data)
        answer = self.client.post("/api/artworks/upload-url", json=fields)
        self.shelf.note("ticket", answer.status_code)
        if answer.status_code != 200:
            assert answer.status_code in (429, 500, 503), answer.text
            return None
        ticket = answer.json()
        work = self.shelf.add(ticket["key"])
        self.shelf.note("put", put(ticket, data).status_code)
        work.is_put = True
        return work

    def create(self) -> None:
        if work := self._one_of(State.WAITING, State.UNKNOWN):
            self._create(work, self._title())

    def create_again(self) -> None:
        """What exists is answered, what was deleted stays deleted."""
        work = self._one_of(State.MADE, State.DELETED)
        if work is None:
            return
        was_deleted = work.state is State.DELETED
        answer = self._create(work, "Again")
        if was_deleted and answer is not None:
            assert answer.status_code not in (200, 201), answer.text

    def create_twice(self) -> None:
        work = self._one_of(State.WAITING, State.UNKNOWN)
        if work is None:
            return
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda title: self._create(work, title), (self._title(), self._title())))
        made = [answer for answer in answers if answer is not None and answer.status_code == 201]
        assert len(made) <= 1, "one original became two artworks"

    def hang_up(self) -> None:
        work = self._one_of(State.WAITING)
        if work is not None:
            work.state = State.UNKNOWN
            self._create(work, self._title(), timeout=HASTE * self.chance.random() + 0.01)

    def _create(self, work: Work, title: str, timeout: float = 60) -> httpx.Response | None:
        known = work.state
        body = {"title": title, "originalKey": work.key}
        try:
            answer = self.client.post("/api/artworks", json=body, timeout=timeout)
        except NO_ANSWER:
            self.shelf.note("create", "no answer")
            if known is State.WAITING:
                work.state = State.UNKNOWN
            work.titles.add(title)
            return None
        self.shelf.note("create", answer.status_code)
        if answer.status_code in (200, 201):
            self.shelf.made(work, answer.json()["data"]["id"], title if answer.status_code == 201 else None)
            work.titles.add(answer.json()["data"]["title"])
        else:
            assert answer.status_code in (404, 409, 415, 422, 429, 500, 503), answer.text
            assert known is not State.MADE or answer.status_code != 404, "what was acknowledged is lost"
            if answer.status_code >= 500 and known is State.WAITING:
                # A database that gave no answer may yet have recorded it.
                work.state = State.UNKNOWN
        return answer

    def change(self) -> None:
        work = self._one_of(State.MADE)
        if work is None:
            return
        title = self._title()
        work.titles.add(title)
        answer = self.client.patch(f"/api/artworks/{work.artwork_id}", json={"title": title})
        self.shelf.note("change", answer.status_code)
        if answer.status_code == 200:
            work.titles = {title}
        assert answer.status_code in (200, 409, 500, 503), answer.text

    def delete(self) -> None:
        work = self._one_of(State.MADE)
        if work is None:
            return
        work.state = State.UNKNOWN
        answer = self.client.delete(f"/api/artworks/{work.artwork_id}")
        self.shelf.note("delete", answer.status_code)
        if answer.status_code == 204:
            work.state = State.DELETED
        assert answer.status_code in (204, 409, 500, 503), answer.text

    def reprocess(self) -> None:
        work = self._one_of(State.MADE)
        if work is not None:
            answer = self.client.post(f"/api/artworks/{work.artwork_id}/reprocess")
            self.shelf.note("reprocess", answer.status_code)
            assert answer.status_code in (200, 409, 429, 500, 503), answer.text

    def _one_of(self, *states: State) -> Work | None:
        works = self.shelf.of(*states)
        return self.chance.choice(works) if works else None

    def _title(self) -> str:
        return f"Title {self.chance.randrange(10**9)}"
