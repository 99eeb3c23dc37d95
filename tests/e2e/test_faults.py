"""Faults injected into the running system: whatever breaks, a create is whole or leaves nothing."""

from __future__ import annotations

import concurrent.futures
import io
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from PIL import Image
from tests.support.e2e.accounts import Account, artist_of
from tests.support.e2e.inside import count_matches_rows
from tests.support.pictures import jpeg
from tools import stack as local_stack
from tools.stack import Stack

VARIANTS = ("thumbnail", "icon", "watermark")
FAILED = "Image processing failed. Please try again."
DEADLINE_SECONDS = 4  # of the tests' own stack
HANG_MS = 60_000
TRANSIENT = "D1_ERROR: Network connection lost."
Faults = Callable[..., None]
Keys = Callable[[], set[str]]


@pytest.fixture
def key(artist: Account) -> str:
    return artist.upload(jpeg(320, 240, seed=3))


def recorded(stack: Stack, key: str) -> int:
    return int(stack.rows("SELECT count(*) AS n FROM artworks WHERE original_key = ?", key)[0]["n"])


def renditions_of(keys: set[str], original: str) -> set[str]:
    name = original.split("/", 1)[1].rsplit(".", 1)[0]
    return {key for key in keys if name in key and not key.startswith("originals/")}


def eventually_gone(objects: Keys, original: str, seconds: float) -> bool:
    """Whether the original's renditions are gone, and stay so, within `seconds`."""
    deadline = time.monotonic() + seconds
    while renditions_of(objects(), original):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def is_ready(artist: Account, key: str) -> dict[str, bool]:
    return dict(artist.client.get("/api/artworks/readiness", params={"originalKey": key}).json())


NOTHING_READY = dict.fromkeys(("display", "thumbnail", "icon"), False)


# What hangs or comes late takes the whole deadline: in test_pipeline.py, and below.
@pytest.mark.parametrize("kind", ["down", "error", "nonsense", "unwritten", "dies"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_broken_renderer_leaves_nothing_and_the_retry_succeeds(
    stack: Stack,
    artist: Account,
    key: str,
    faults: Faults,
    objects: Keys,
    flags: Keys,
    variant: str,
    kind: str,
) -> None:
    faults(variant, rendering={"kind": kind})
    failed = artist.create(key)
    assert (failed.status_code, failed.json()["error"]) == (500, FAILED)
    assert failed.json()["code"] == "processing_failed"
    assert recorded(stack, key) == 0
    assert renditions_of(objects(), key) == set()
    assert renditions_of(flags(), key) == set()
    assert is_ready(artist, key) == NOTHING_READY
    assert count_matches_rows(stack, artist)

    faults(variant)
    assert artist.create(key).status_code == 201
    assert len(renditions_of(objects(), key)) == len(renditions_of(flags(), key)) == 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_success_whose_object_is_not_in_the_bucket_is_a_failure(
    stack: Stack, artist: Account, key: str, faults: Faults, variant: str
) -> None:
    faults(variant, rendering={"kind": "unwritten"})
    request_id = artist.create(key).headers["x-request-id"]
    deadline = time.monotonic() + 5
    while not any(request_id in line and "render_failed" in line for line in list(stack.lines)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (line,) = [line for line in stack.lines if request_id in line and "render_failed" in line]
    assert variant in line
    assert "the object does not exist" in line


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_success_after_the_deadline_leaves_nothing_behind(
    stack: Stack, artist: Account, key: str, faults: Faults, objects: Keys, flags: Keys, variant: str
) -> None:
    faults(variant, rendering={"kind": "late", "ms": 5000})
    assert artist.create(key).status_code == 500
    assert is_ready(artist, key) == NOTHING_READY
    time.sleep(1.5)
    assert eventually_gone(objects, key, 5)
    assert eventually_gone(flags, key, 5)
    assert recorded(stack, key) == 0

    faults(variant)
    assert artist.create(key).status_code == 201


def test_a_retry_is_not_harmed_by_the_late_success_of_the_first_try(
    artist: Account, key: str, faults: Faults, objects: Keys
) -> None:
    faults("icon", rendering={"kind": "late", "ms": 5500})
    assert artist.create(key).status_code == 500
    faults("icon")
    answer = artist.create(key)
    assert answer.status_code == 201
    time.sleep(3)
    urls = [answer.json()["data"][name] for name in ("displayUrl", "thumbnailUrl", "iconUrl")]
    assert [httpx.get(url).status_code for url in urls] == [200, 200, 200]
    assert len(renditions_of(objects(), key)) == 3


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_without_kv_the_create_is_still_right(artist: Account, key: str, faults: Faults, method: str) -> None:
    faults("gateway", bindings=[{"binding": "KV", "method": method, "message": "KV is down"}])
    assert artist.create(key).status_code == 201


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_kv_that_never_answers_does_not_delay_the_create(
    artist: Account, key: str, faults: Faults, method: str
) -> None:
    faults("gateway", bindings=[{"binding": "KV", "method": method, "ms": HANG_MS}])
    answer = artist.create(key)
    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() < DEADLINE_SECONDS


def test_a_kv_that_never_answers_does_not_prevent_the_clean_up(
    artist: Account, key: str, faults: Faults, objects: Keys
) -> None:
    faults("icon", rendering={"kind": "error"})
    faults("gateway", bindings=[{"binding": "KV", "method": "delete", "ms": HANG_MS}])
    answer = artist.create(key)
    assert answer.status_code == 500
    assert answer.elapsed.total_seconds() < 2 * DEADLINE_SECONDS
    assert renditions_of(objects(), key) == set()
    assert is_ready(artist, key) == NOTHING_READY


def test_a_missing_flag_does_not_hide_a_finished_artwork(artist: Account, key: str, faults: Faults) -> None:
    assert artist.create(key).status_code == 201
    faults("gateway", bindings=[{"binding": "KV", "method": "get", "result": None}])
    assert is_ready(artist, key) == {"display": True, "thumbnail": True, "icon": True}


# One pattern for each batch or statement of the create, in the order in which they run.
STATEMENTS = {
    "user and artwork": "FROM users",
    "lease": "INSERT INTO uploads",
    "commit": "INSERT INTO artworks",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("afterwards", [False, True], ids=["lost question", "lost answer"])
def test_a_transient_database_error_is_overcome(
    stack: Stack, artist: Account, key: str, faults: Faults, statement: str, afterwards: bool
) -> None:
    fault = {
        "binding": "DB",
        "matching": statement,
        "message": TRANSIENT,
        "times": 2,
        "afterwards": afterwards,
    }
    faults("gateway", bindings=[{**fault, "method": method} for method in ("batch", "statement")])
    answer = artist.create(key)
    assert answer.status_code in (200, 201), answer.text
    assert recorded(stack, key) == 1
    assert count_matches_rows(stack, artist)


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_lasting_database_error_records_nothing(
    stack: Stack, artist: Account, key: str, faults: Faults, objects: Keys, statement: str
) -> None:
    fault = {"binding": "DB", "matching": statement, "message": "D1_ERROR: no such column: nonsense"}
    faults("gateway", bindings=[{**fault, "method": method} for method in ("batch", "statement")])
    answer = artist.create(key)
    assert answer.status_code >= 500
    assert set(answer.json()) >= {"error", "code", "requestId"}
    assert "nonsense" not in answer.text
    faults("gateway")
    assert recorded(stack, key) == 0
    assert renditions_of(objects(), key) == set()
    assert artist.create(key).status_code == 201


def test_a_create_succeeds_when_the_answer_of_its_commit_is_lost(
    stack: Stack, artist: Account, key: str, faults: Faults
) -> None:
    fault = {
        "binding": "DB",
        "matching": "INSERT INTO artworks",
        "message": "D1_ERROR: internal error",
        "afterwards": True,
    }
    faults("gateway", bindings=[{**fault, "method": "batch", "times": 1}])
    assert artist.create(key).status_code in (200, 201)
    assert recorded(stack, key) == 1
    assert count_matches_rows(stack, artist)


def test_a_client_that_hangs_up_leaves_a_whole_artwork_or_nothing(
    stack: Stack, artist: Account, objects: Keys
) -> None:
    keys = [artist.upload(jpeg(1600, 1200, seed=seed)) for seed in range(6)]
    for patience, key in zip((0.02, 0.05, 0.1, 0.2, 0.3, 0.4), keys, strict=True):
        with httpx.Client(base_url=stack.url, headers=artist.headers, timeout=patience) as hasty:
            try:
                hasty.post("/api/artworks", json={"title": "Gone", "originalKey": key})
            except httpx.TimeoutException:
                continue
    deadline = time.monotonic() + 20
    while not settled(stack, objects, keys):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert count_matches_rows(stack, artist)
    assert {artist.create(key).status_code for key in keys} <= {200, 201}


def settled(stack: Stack, objects: Keys, keys: list[str]) -> bool:
    """Whether each original has a row, three renditions and two narrower ones, or nothing."""
    found = objects()
    return all((recorded(stack, key), len(renditions_of(found, key))) in {(1, 5), (0, 0)} for key in keys)


def test_the_same_original_at_once_makes_one_artwork(
    stack: Stack, artist: Account, key: str, faults: Faults
) -> None:
    faults("icon", rendering={"kind": "late", "ms": 800})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: artist.create(key), range(4)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    assert 409 in statuses
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 409)
    assert artist.create(key).status_code == 200
    assert recorded(stack, key) == 1


WELL = dict.fromkeys(VARIANTS, "ok")


def health_within(stack: Stack, seconds: float, status: int) -> dict[str, object]:
    """What `/healthz` says, once it answers with the status."""
    deadline = time.monotonic() + seconds
    while (answer := httpx.get(f"{stack.url}/healthz", timeout=60)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)
    return dict(answer.json())


@pytest.mark.parametrize("kind", ["down", "error", "nonsense", "dies", "hang"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_health_names_the_renderer_that_does_not_answer(
    stack: Stack, faults: Faults, variant: str, kind: str
) -> None:
    assert health_within(stack, 30, 200) == {"status": "ok", "renderers": WELL}
    faults(variant, rendering={"kind": kind})
    health = health_within(stack, 30, 503)
    assert health["renderers"] == WELL | {variant: "unavailable"}
    assert (health["status"], health["code"]) == ("unavailable", "unavailable")
    faults(variant)
    assert health_within(stack, 30, 200)["renderers"] == WELL


@pytest.fixture(scope="module")
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose renderers have the deadline that they have in production."""
    if request.config.getoption("--base-url"):
        pytest.skip("needs a local runtime of its own")
    with local_stack.running(tmp_path_factory.mktemp("patient")) as running:
        yield running


SIZES = {"displayUrl": (800, 600), "thumbnailUrl": (300, 300), "iconUrl": (128, 128)}


def assert_right(answer: httpx.Response) -> None:
    """A create that ended well, down to the pixels that its addresses give."""
    assert answer.status_code == 201, answer.text
    for name, size in SIZES.items():
        served = httpx.get(answer.json()["data"][name], timeout=60)
        assert Image.open(io.BytesIO(served.content)).size == size


@pytest.mark.parametrize("kind", ["crash", "freeze"])
@pytest.mark.parametrize("worker", ["gateway", *VARIANTS])
def test_an_interpreter_that_dies_under_load_is_replaced(patient: Stack, worker: str, kind: str) -> None:
    with artist_of(patient, f"{worker}-{kind}", limit=100) as artist:
        keys = [artist.upload(jpeg(800, 600, seed=seed)) for seed in range(6)]
        patient.control("faults", worker=worker, interpreter={"kind": kind})
        since = len(patient.lines)
        with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
            answers = list(pool.map(artist.create, keys))
        assert {answer.status_code for answer in answers} <= {201, 503}, [each.text for each in answers]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        for answer in refused:
            assert int(answer.headers["retry-after"]) > 0
            assert set(answer.json()) == {"error", "code", "requestId"}
            assert answer.json()["code"] in ("unavailable", "overloaded")

        assert_right(artist.create(artist.upload(jpeg(800, 600, seed=99))))
        assert count_matches_rows(patient, artist)
        died = [line for line in list(patient.lines)[since:] if "interpreter_died" in line]
        assert len(died) == 1
        assert died[0].startswith(f"[{worker}] ")


def test_a_create_that_died_succeeds_once_its_lease_has_expired(patient: Stack) -> None:
    with artist_of(patient, "again", limit=100) as artist:
        key = artist.upload(jpeg(800, 600, seed=5))
        patient.control("faults", worker="gateway", interpreter={"kind": "crash"})
        assert artist.create(key).status_code == 503
        deadline = time.monotonic() + 120
        while (answer := artist.create(key)).status_code == 409:
            assert time.monotonic() < deadline
            time.sleep(1)
        assert_right(answer)
        assert recorded(patient, key) == 1
