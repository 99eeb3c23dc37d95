"""The renderers' wire contract: the fields of a request, the settings, the answer."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from imaging.errors import InvalidRequest, NotConfigured, Overloaded, RenderError, Unauthorized
from imaging.geometry import LONGEST_DISPLAY, Size
from imaging.render import Options, Rendition
from imaging.variants import Variant

METADATA = {"contentType": "image/jpeg", "cacheControl": "public, max-age=31536000, immutable"}
LONGEST_SIDE = 2048  # pixels of a cropped variant
MOST_NARROWER = 8
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY = re.compile(r"[A-Za-z0-9_\-./]{1,512}")


@dataclass(frozen=True, slots=True)
class Settings:
    """The variables of a renderer that change its renditions."""

    text: str = "@{username}"
    opacity: float = 0.8
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One rendition that was asked for, with the keys of its narrower widths by width in pixels.

    `attempt` is the number of the try: a rendition of a later one is never overwritten. After `deadline`, in
    seconds since 1970, nobody waits for the answer.
    """

    source_key: str
    output_key: str
    source_etag: str | None
    options: Options
    attempt: int = 1
    deadline: float | None = None
    narrower: Mapping[int, str] = field(default_factory=dict)


def check_token(header: str | None, token: str | None) -> None:
    """Compare the Authorization header with the shared token, in constant time.

    Raises:
        NotConfigured: The renderer has no token.
        Unauthorized: The header does not carry it.
    """
    token = (token or "").strip()  # as the gateway reads it
    if not token:
        raise NotConfigured("WORKER_AUTH_TOKEN is not set.")
    expected = f"Bearer {token}".encode()
    if not hmac.compare_digest((header or "").encode(), expected):
        raise Unauthorized("This Worker takes requests from the gateway only.")


def read_settings(variable: Callable[[str], str | None]) -> Settings:
    """The settings from the Worker's variables; an unset one has its default.

    Raises:
        NotConfigured: A variable has no valid value.
    """
    given = {
        "text": variable("WATERMARK_TEXT"),
        "opacity": variable("WATERMARK_OPACITY"),
        "background": variable("BACKGROUND"),
    }
    settings = Settings(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]
    try:
        opacity = float(settings.opacity)
    except ValueError:
        opacity = -1
    if not 0 < opacity <= 1:
        raise NotConfigured("WATERMARK_OPACITY must be a number above 0 and at most 1.")
    if not _COLOUR.fullmatch(settings.background):
        raise NotConfigured("BACKGROUND must be a colour such as #ffffff.")
    return Settings(settings.text, opacity, settings.background)


def parse_request(variant: Variant, body: object, settings: Settings) -> RenderRequest:
    """The request in a decoded JSON body.

    Raises:
        InvalidRequest: A field is missing or has no valid value; the message names it.
    """
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    etag = body.get("sourceEtag")
    if etag is not None and not isinstance(etag, str):
        raise InvalidRequest("sourceEtag must be a string.")
    output_key = _key(body, "outputKey", variant.rules.folder)
    narrower = _narrower(variant, body, output_key)
    return RenderRequest(
        _key(body, "sourceKey", "originals/"),
        output_key,
        etag or None,
        _options(variant, body, settings, tuple(narrower)),
        _attempt(body),
        _deadline(body),
        narrower,
    )


def success_body(request: RenderRequest, rendition: Rendition) -> dict[str, Any]:
    """The part of an answer that describes the rendition."""
    body = {
        "success": True,
        "key": request.output_key,
        "width": rendition.size.width,
        "height": rendition.size.height,
        "bytes": len(rendition.data),
        "sourceWidth": rendition.original_size.width,
        "sourceHeight": rendition.original_size.height,
    }
    if rendition.preview:
        body |= {"dominantColor": rendition.preview.colour, "thumbHash": rendition.preview.thumb_hash}
    return body


def failure_response(error: RenderError) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, additional headers and body for a render that failed."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Overloaded) else {}
    return error.status, headers, {"success": False, "error": str(error), "code": error.code}


def _options(
    variant: Variant, body: Mapping[str, object], settings: Settings, narrower: tuple[int, ...]
) -> Options:
    sides = variant.rules.sides
    if sides:
        width, height = variant.rules.size
        size = Size(_side(body, sides[0], width), _side(body, sides[-1], height))
        return Options(size=size, background=settings.background)
    username = body.get("username")
    if not isinstance(username, str) or not username.strip():
        raise InvalidRequest("username must be a non-empty string.")
    text = settings.text.replace("{username}", username.strip())
    return Options(text=text, opacity=settings.opacity, background=settings.background, narrower=narrower)


def _narrower(variant: Variant, body: Mapping[str, object], output_key: str) -> dict[int, str]:
    """The keys of narrower widths, which stand in the folder of the output key, by width."""
    entries = body.get("narrower")
    if entries is None:
        return {}
    if variant.rules.cropped:
        raise InvalidRequest(f"narrower is not known for the variant {variant}.")
    if not isinstance(entries, list) or len(entries) > MOST_NARROWER:
        raise InvalidRequest(f"narrower must be a list of at most {MOST_NARROWER} objects.")
    folder = output_key[: output_key.rindex("/") + 1]
    keys: dict[int, str] = {}
    for entry in entries:
        if not isinstance(entry, dict) or {*entry} != {"outputKey", "width"}:
            raise InvalidRequest("narrower must be a list of objects with outputKey and width.")
        key = _key(entry, "outputKey", folder, "narrower.outputKey")
        width = _whole_number(entry["width"], "narrower.width", LONGEST_DISPLAY)
        if "/" in key[len(folder) :]:
            raise InvalidRequest(f"narrower.outputKey must be an object key in {folder}.")
        if width in keys or key in (output_key, *keys.values()):
            raise InvalidRequest("narrower must not name a width or an outputKey twice.")
        keys[width] = key
    return keys


def _attempt(body: Mapping[str, object]) -> int:
    value = body.get("attempt", 1)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**53:
        raise InvalidRequest("attempt must be a whole number above 0.")
    return value


def _deadline(body: Mapping[str, object]) -> float | None:
    value = body.get("deadline")
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidRequest("deadline must be a time in ISO 8601.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _side(body: Mapping[str, object], name: str, default: int) -> int:
    return _whole_number(body.get(name, default), name, LONGEST_SIDE)


def _whole_number(value: object, name: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}.")
    return value


def _key(body: Mapping[str, object], field_name: str, folder: str, name: str = "") -> str:
    value = body.get(field_name)
    if (
        not isinstance(value, str)
        or not _KEY.fullmatch(value)
        or ".." in value
        or not value.startswith(folder)
        or value == folder
    ):
        raise InvalidRequest(f"{name or field_name} must be an object key in {folder}.")
    return value
