"""What the client repeats, what it never does, and how long it waits in between."""

from __future__ import annotations

import threading
import time

import pytest
from tests.support.client.contract import PICTURE, TOKEN, Contract, Reply, refusal

from vfa_gallery import (
    ArtworkLimitReached,
    Gallery,
    GalleryError,
    NotFound,
    Progress,
    RateLimited,
    RetryPolicy,
    Stage,
    TooLarge,
    Unauthorized,
    Unreachable,
    UnreadableImage,
    UnsupportedType,
    UploadRefused,
    errors,
    transport,
)

BROKEN = Reply(None)
LARGE = PICTURE + bytes(24 << 20)  # more than the buffers of a connection hold
EXPIRED = Reply(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", errors.InvalidRequest),
        (401, "unauthorized", Unauthorized),
        (403, "forbidden", errors.Forbidden),
        (404, "not_found", NotFound),
        (412, "precondition_failed", errors.PreconditionFailed),
        (413, "too_large", TooLarge),
        (415, "unsupported_type", UnsupportedType),
        (422, "unreadable_image", UnreadableImage),
        (429, "artwork_limit_reached", ArtworkLimitReached),
        (418, "brewing", errors.UnexpectedAnswer),
    ],
)
def test_a_refusal_is_raised_at_once_with_all_the_gallery_said(
    gallery: Gallery, contract: Contract, status: int, code: str, kind: type[GalleryError]
) -> None:
    contract.order("GET /api/me", refusal(status, code, "A sentence.", Retry_After="7"))
    with pytest.raises(kind) as caught:
        gallery.me()
    error = caught.value
    assert type(error) is kind
    assert (error.message, error.code, error.status) == ("A sentence.", code, status)
    assert (error.request_id, error.retry_after) == ("req-1", 7.0)
    assert len(contract.seen) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "conflict", errors.Conflict),
        (429, "rate_limited", RateLimited),
        (500, "processing_failed", errors.ProcessingFailed),
        (500, "internal", errors.ServerFault),
        (503, "overloaded", errors.Overloaded),
        (503, "unavailable", errors.ServerFault),
    ],
)
def test_a_passing_fault_is_waited_out_and_raised_when_it_stays(
    gallery: Gallery, contract: Contract, status: int, code: str, kind: type[GalleryError]
) -> None:
    contract.order("GET /api/me", refusal(status, code, "Later."))
    assert gallery.me().username == "ann"
    for _ in range(200):
        contract.order("GET /healthz|GET /api/artworks/.*", refusal(status, code, "Later."))
    patience = RetryPolicy(attempts=3, patience=0.02, first=0.001)
    with Gallery(contract.url, retry=patience) as impatient, pytest.raises(kind):
        impatient.get("art_1")


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "overloaded")])
def test_being_turned_away_does_not_count_as_a_try(
    gallery: Gallery, contract: Contract, status: int, code: str
) -> None:
    for _ in range(12):
        contract.order("GET /api/me", refusal(status, code, "Later."))
    assert gallery.me().username == "ann"
    assert len(contract.seen) == 13


def test_a_gateway_that_answers_no_json_is_a_passing_fault(gallery: Gallery, contract: Contract) -> None:
    contract.order("GET /api/me", Reply(502, b"<html>Bad gateway</html>"))
    assert gallery.me().username == "ann"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["POST /api/artworks/upload-url", "PUT .*", "POST /api/artworks"])
def test_a_connection_broken_at_any_step_leaves_exactly_one_artwork(
    gallery: Gallery, contract: Contract, step: str, after: bool
) -> None:
    contract.order(step, BROKEN, after=after)
    artwork = gallery.upload(PICTURE, title="Dusk")
    assert list(contract.artworks) == [artwork.id]
    assert contract.objects[artwork.original_key] == PICTURE


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_answer_that_never_comes_is_asked_for_again(contract: Contract, after: bool) -> None:
    contract.order("POST /api/artworks", BROKEN, after=after, delay=0.5)
    with Gallery(contract.url, TOKEN, timeout=0.2, retry=RetryPolicy(first=0.3)) as gallery:
        gallery.upload(PICTURE, title="Dusk")
    assert len(contract.artworks) == 1


def test_nobody_there_is_unreachable_after_the_last_try() -> None:
    policy = RetryPolicy(attempts=3, first=0.001)
    with Gallery("http://127.0.0.1:9", retry=policy) as gallery, pytest.raises(Unreachable) as caught:
        gallery.me()
    message = "no connection to http://127.0.0.1:9: connection refused; no server is listening there"
    assert (str(caught.value), caught.value.cause) == (message, "refused")


def test_silence_is_unreachable_and_says_how_long(contract: Contract) -> None:
    contract.order("GET /api/me", delay=0.3)
    policy = RetryPolicy(attempts=1)
    with (
        Gallery(contract.url, TOKEN, timeout=0.1, retry=policy) as gallery,
        pytest.raises(Unreachable) as caught,
    ):
        gallery.me()
    assert str(caught.value) == f"no answer from {contract.url} within 0.1 s"


def test_silence_while_an_original_is_sent_is_borne_as_long_as_any_other(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    contract.bucket_sleeps = 0.6
    with Gallery(contract.url, TOKEN, timeout=5, retry=RetryPolicy(attempts=1)) as gallery:
        artwork = gallery.upload(LARGE, title="Dusk")
    assert len(contract.objects[artwork.original_key]) == len(LARGE)


def test_more_silence_than_that_while_an_original_is_sent_is_unreachable(contract: Contract) -> None:
    contract.bucket_sleeps = 1
    with (
        Gallery(contract.url, TOKEN, timeout=0.3, retry=RetryPolicy(attempts=1)) as gallery,
        pytest.raises(Unreachable) as caught,
    ):
        gallery.upload(LARGE, title="Dusk")
    assert str(caught.value) == f"no answer from {contract.url} within 0.3 s"


def test_a_gallery_that_is_not_configured_is_asked_once(gallery: Gallery, contract: Contract) -> None:
    contract.order("GET /api/me", refusal(500, "not_configured", "The gallery is not configured."))
    with pytest.raises(errors.NotConfigured):
        gallery.me()
    assert len(contract.seen) == 1


def test_a_ticket_that_the_bucket_calls_expired_is_renewed_once(gallery: Gallery, contract: Contract) -> None:
    contract.order("PUT .*", EXPIRED)
    artwork = gallery.upload(PICTURE, title="Dusk")
    assert artwork.original_key.endswith("00000002.jpg")
    contract.order("PUT .*", EXPIRED)
    contract.order("PUT .*", EXPIRED)
    with pytest.raises(UploadRefused, match=r"403 \(AccessDenied: Request has expired\)"):
        gallery.upload(PICTURE, title="Dusk")


def test_a_ticket_past_its_time_is_renewed_without_trying_it(gallery: Gallery, contract: Contract) -> None:
    contract.ticket_seconds = 1
    contract.order("PUT .*", Reply(500, b""))
    heard: list[str] = []

    def expire(key: str) -> None:
        heard.append(key)
        if len(heard) == 1:
            time.sleep(1.1)

    gallery.upload(PICTURE, title="Dusk", on_key=expire)
    assert len(heard) == 2
    assert {each.path.split("?")[0] for each in contract.calls("PUT .*")} == {
        f"/bucket/{heard[0]}",
        f"/bucket/{heard[1]}",
    }


def test_an_interrupted_upload_goes_on_with_its_key(gallery: Gallery, contract: Contract) -> None:
    heard: list[str] = []
    first = gallery.upload(PICTURE, title="Dusk", on_key=heard.append)
    again = gallery.upload(PICTURE, title="Dusk", resume_key=heard[0])
    assert again.id == first.id
    assert len(contract.calls("PUT .*")) == 1


def test_a_key_whose_original_never_arrived_is_replaced(gallery: Gallery, contract: Contract) -> None:
    artwork = gallery.upload(PICTURE, title="Dusk", resume_key="originals/usr_ann/lost.jpg")
    assert contract.objects[artwork.original_key] == PICTURE


def test_a_delete_whose_answer_was_lost_is_done(gallery: Gallery, contract: Contract) -> None:
    artwork = gallery.upload(PICTURE, title="Dusk")
    contract.order("DELETE .*", BROKEN, after=True)
    gallery.delete(artwork)
    assert contract.artworks == {}
    assert len(contract.calls("DELETE .*")) == 2


def test_a_delete_of_nothing_is_not_found_even_after_a_wait(gallery: Gallery, contract: Contract) -> None:
    contract.order("DELETE .*", refusal(429, "rate_limited", "Wait."))
    with pytest.raises(NotFound):
        gallery.delete("art_none")


def test_a_guarded_change_is_not_repeated_blindly(gallery: Gallery, contract: Contract) -> None:
    artwork = gallery.upload(PICTURE, title="Draft")
    contract.order("PATCH .*", BROKEN, after=True)
    with pytest.raises(Unreachable):
        gallery.update(artwork, title="Final")
    assert len(contract.calls("PATCH .*")) == 1
    contract.order("PATCH .*", BROKEN, after=True)
    assert gallery.update(artwork.id, title="Last").title == "Last"


def test_waiting_is_told_and_can_be_stopped(contract: Contract) -> None:
    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.stage == Stage.WAITING:
            raise Enough

    contract.order("POST /api/artworks/upload-url", refusal(429, "rate_limited", "Wait.", Retry_After="60"))
    with Gallery(contract.url, TOKEN) as gallery, pytest.raises(Enough):
        gallery.upload(PICTURE, title="Dusk", on_progress=stop)


def test_more_than_the_patience_is_not_waited(contract: Contract) -> None:
    contract.order("GET /api/me", refusal(429, "rate_limited", "Wait.", Retry_After="60"))
    started = time.monotonic()
    policy = RetryPolicy(patience=30)
    with Gallery(contract.url, TOKEN, retry=policy) as gallery, pytest.raises(RateLimited) as caught:
        gallery.me()
    assert caught.value.retry_after == 60
    assert time.monotonic() - started < 5


def test_where_one_thread_was_told_to_slow_down_the_others_wait_too(contract: Contract) -> None:
    contract.order("GET /api/me", refusal(429, "rate_limited", "Wait.", Retry_After="0.4"))
    with Gallery(contract.url, TOKEN, retry=RetryPolicy(first=0.001)) as gallery:
        first = threading.Thread(target=gallery.me)
        first.start()
        time.sleep(0.15)
        gallery.me()
        first.join()
    assert len(contract.calls("GET /api/me")) == 3
