"""What a request must say, and what an answer looks like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.contract import (
    Settings,
    check_token,
    failure_response,
    parse_request,
    read_settings,
    success_body,
)
from imaging.errors import InvalidRequest, NotConfigured, Overloaded, TooLarge, Unauthorized
from imaging.geometry import Size
from imaging.render import Preview, Rendition
from imaging.variants import Variant

SETTINGS = Settings()
BODIES: dict[Variant, dict[str, Any]] = {
    Variant.THUMBNAIL: {"outputKey": "thumbnails/u/a.jpg", "width": 300, "height": 300},
    Variant.ICON: {"outputKey": "icons/u/a.jpg", "size": 128},
    Variant.WATERMARK: {"outputKey": "display/u/a.jpg", "username": "mira"},
}


def body(variant: Variant, **changes: object) -> dict[str, Any]:
    return {"sourceKey": "originals/u/a.jpg", "timestamp": 1, **BODIES[variant], **changes}


@pytest.mark.parametrize("variant", Variant)
def test_a_full_request_is_understood(variant: Variant) -> None:
    request = parse_request(variant, body(variant, sourceEtag="abc"), SETTINGS)
    assert (request.source_key, request.source_etag) == ("originals/u/a.jpg", "abc")
    assert request.output_key == BODIES[variant]["outputKey"]
    expected = {Variant.THUMBNAIL: Size(300, 300), Variant.ICON: Size(128, 128)}
    assert request.options.size == expected.get(variant, request.options.size)
    assert request.options.text == ("@mira" if variant is Variant.WATERMARK else "")


def test_attempt_and_deadline_are_parsed() -> None:
    request = parse_request(
        Variant.ICON, body(Variant.ICON, attempt=3, deadline="1970-01-01T00:00:01.500Z"), SETTINGS
    )
    assert (request.attempt, request.deadline) == (3, 1.5)
    plain = parse_request(Variant.ICON, body(Variant.ICON), SETTINGS)
    assert (plain.attempt, plain.deadline) == (1, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("attempt", 0), ("attempt", "2"), ("attempt", True), ("attempt", 2**53)]
    + [("deadline", value) for value in ("soon", 5, "", ["2026-01-01"])],
)
def test_a_number_or_deadline_that_is_none_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=name):
        parse_request(Variant.ICON, body(Variant.ICON, **{name: value}), SETTINGS)


@pytest.mark.parametrize("timestamp", ["2026-11-27T18:32:11.042Z", 1_764_268_331_042, None])
def test_a_timestamp_may_have_any_form(timestamp: object) -> None:
    assert parse_request(Variant.ICON, body(Variant.ICON, timestamp=timestamp), SETTINGS).options.size == (
        128,
        128,
    )


def test_sizes_have_defaults() -> None:
    thumbnail = parse_request(
        Variant.THUMBNAIL, {**body(Variant.ICON), "outputKey": "thumbnails/u/a.jpg"}, SETTINGS
    )
    assert thumbnail.options.size == (300, 300)


@pytest.mark.parametrize("sent", [None, [], "text", 5, {}, {"sourceKey": "originals/a.jpg"}])
def test_a_body_of_another_shape_is_refused(sent: object) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(Variant.ICON, sent, SETTINGS)


@pytest.mark.parametrize(
    ("variant", "changes", "named"),
    [
        (Variant.ICON, {"sourceKey": "display/u/a.jpg"}, "sourceKey"),
        (Variant.ICON, {"sourceKey": "originals/../secret"}, "sourceKey"),
        (Variant.ICON, {"sourceKey": "originals/%2e%2e/x"}, "sourceKey"),
        (Variant.ICON, {"sourceKey": 7}, "sourceKey"),
        (Variant.ICON, {"outputKey": "thumbnails/u/a.jpg"}, "outputKey"),
        (Variant.ICON, {"outputKey": "originals/u/a.jpg"}, "outputKey"),
        (Variant.ICON, {"outputKey": "icons/" + "a" * 600}, "outputKey"),
        (Variant.ICON, {"size": 0}, "size"),
        (Variant.ICON, {"size": 4096}, "size"),
        (Variant.ICON, {"size": "128"}, "size"),
        (Variant.ICON, {"size": True}, "size"),
        (Variant.ICON, {"sourceEtag": 5}, "sourceEtag"),
        (Variant.THUMBNAIL, {"width": 1.5}, "width"),
        (Variant.THUMBNAIL, {"height": -1}, "height"),
        (Variant.WATERMARK, {"username": ""}, "username"),
        (Variant.WATERMARK, {"username": "  "}, "username"),
        (Variant.WATERMARK, {"username": None}, "username"),
    ],
)
def test_the_field_at_fault_is_named(variant: Variant, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        parse_request(variant, body(variant, **changes), SETTINGS)


def narrower(*entries: object) -> dict[str, Any]:
    return body(Variant.WATERMARK, outputKey="display/u/a.jpg", narrower=list(entries))


def entry(width: object = 640, key: object = "display/u/a-640.jpg") -> dict[str, object]:
    return {"outputKey": key, "width": width}


def test_narrower_widths_are_read_with_their_keys() -> None:
    wide = entry(1280, "display/u/a-1280.jpg")
    request = parse_request(Variant.WATERMARK, narrower(entry(), wide), SETTINGS)
    assert request.narrower == {640: "display/u/a-640.jpg", 1280: "display/u/a-1280.jpg"}
    assert request.options.narrower == (640, 1280)
    for none in (narrower(), body(Variant.WATERMARK), body(Variant.WATERMARK, narrower=None)):
        assert parse_request(Variant.WATERMARK, none, SETTINGS).narrower == {}


@pytest.mark.parametrize(
    "sent",
    [
        body(Variant.WATERMARK, narrower=entry()),
        body(Variant.WATERMARK, narrower="640"),
        narrower(640),
        narrower({"width": 640}),
        narrower({"outputKey": "display/u/a-640.jpg"}),
        narrower({**entry(), "height": 480}),
        narrower(*(entry(width, f"display/u/a-{width}.jpg") for width in range(1, 10))),
        *(narrower(entry(width)) for width in (0, -1, 1.5, "640", True, None, 8193)),
        *(
            narrower(entry(key=key))
            for key in (
                None,
                "display/u/a.jpg",
                "display/u/",
                "display/other/a-640.jpg",
                "display/u/deeper/a-640.jpg",
                "display/u/../x/a-640.jpg",
                "icons/u/a-640.jpg",
            )
        ),
        narrower(entry(), entry(1280)),
        narrower(entry(), entry(key="display/u/b-640.jpg")),
    ],
)
def test_malformed_narrower_widths_are_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="narrower"):
        parse_request(Variant.WATERMARK, sent, SETTINGS)


@pytest.mark.parametrize("variant", [Variant.THUMBNAIL, Variant.ICON])
def test_a_cropped_variant_has_no_narrower_widths(variant: Variant) -> None:
    with pytest.raises(InvalidRequest, match="narrower"):
        parse_request(variant, body(variant, narrower=[]), SETTINGS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.sampled_from(list(Variant)), st.dictionaries(st.sampled_from(list(body(Variant.ICON))), json_values)
)
def test_no_json_makes_it_fail_otherwise(variant: Variant, sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(variant, {**sent, "outputKey": "elsewhere"}, SETTINGS)


def test_settings_come_from_the_variables_and_have_defaults() -> None:
    assert read_settings(lambda _: None) == SETTINGS
    given = {"WATERMARK_TEXT": "© {username}", "WATERMARK_OPACITY": "0.5", "BACKGROUND": "#102030"}
    settings = read_settings(given.get)
    assert settings == Settings("© {username}", 0.5, "#102030")
    request = parse_request(Variant.WATERMARK, body(Variant.WATERMARK), settings)
    assert (request.options.text, request.options.opacity, request.options.background) == (
        "© mira",
        0.5,
        "#102030",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WATERMARK_OPACITY", "0"),
        ("WATERMARK_OPACITY", "1.5"),
        ("WATERMARK_OPACITY", "strong"),
        ("WATERMARK_OPACITY", "nan"),
        ("BACKGROUND", "white"),
        ("BACKGROUND", "#fff"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(NotConfigured, match=name):
        read_settings({name: value}.get)


def test_braces_in_a_name_are_only_letters() -> None:
    request = parse_request(Variant.WATERMARK, body(Variant.WATERMARK, username="{username}{0}"), SETTINGS)
    assert request.options.text == "@{username}{0}"


def test_the_token_must_be_the_one_that_is_shared() -> None:
    check_token("Bearer right", "right")
    for header in (None, "", "right", "Bearer wrong", "bearer right", "Bearer right ", "Bearer é"):
        with pytest.raises(Unauthorized):
            check_token(header, "right")
    for token in (None, ""):
        with pytest.raises(NotConfigured, match="WORKER_AUTH_TOKEN"):
            check_token("Bearer ", token)


def test_an_answer_tells_sizes_and_the_preview() -> None:
    request = parse_request(Variant.THUMBNAIL, body(Variant.THUMBNAIL), SETTINGS)
    rendition = Rendition(b"12345", Size(300, 300), Size(40, 30), {}, Preview("#010203", "AAAA"))
    answer = success_body(request, rendition)
    assert answer == {
        "success": True,
        "key": "thumbnails/u/a.jpg",
        "width": 300,
        "height": 300,
        "bytes": 5,
        "sourceWidth": 40,
        "sourceHeight": 30,
        "dominantColor": "#010203",
        "thumbHash": "AAAA",
    }


def test_a_failure_has_a_sentence_and_a_code() -> None:
    assert failure_response(TooLarge("Too many pixels.")) == (
        413,
        {},
        {"success": False, "error": "Too many pixels.", "code": "too_large"},
    )
    status, headers, _ = failure_response(Overloaded("Busy.", retry_after=3))
    assert (status, headers) == (503, {"Retry-After": "3"})
