"""The siblings' wire contract: what a request says, what the settings may be, what an answer looks like."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imaging.errors import InvalidRequest, NotConfigured, Overloaded, RenderError, Unauthorized
from imaging.geometry import Size
from imaging.render import Options, Rendition
from imaging.variants import Variant

METADATA = {"contentType": "image/jpeg", "cacheControl": "public, max-age=31536000, immutable"}
LONGEST_SIDE = 2048
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY = re.compile(r"[A-Za-z0-9_\-./]{1,512}")


@dataclass(frozen=True, slots=True)
class Settings:
    """The variables of a sibling that shape its renditions."""

    text: str = "@{username}"
    opacity: float = 0.8
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class Job:
    """One render that was asked for.

    `attempt` counts the tries at this rendition: nothing of a later one is overwritten. After `deadline`, in
    seconds since 1970, nobody waits for it.
    """

    source_key: str
    output_key: str
    source_etag: str | None
    options: Options
    attempt: int = 1
    deadline: float | None = None


def check_token(header: str | None, token: str | None) -> None:
    """Compare the Authorization header with the shared token, in constant time."""
    token = (token or "").strip()  # as the gateway reads it
    if not token:
        raise NotConfigured("WORKER_AUTH_TOKEN is not set.")
    expected = f"Bearer {token}".encode()
    if not hmac.compare_digest((header or "").encode(), expected):
        raise Unauthorized("This Worker takes requests from the gateway only.")


def read_settings(variable: Callable[[str], str | None]) -> Settings:
    """The settings from the Worker's variables; an unset one has its default."""
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


def read_job(variant: Variant, body: object, settings: Settings) -> Job:
    """Check the body of a request; raises InvalidRequest naming the field at fault."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    etag = body.get("sourceEtag")
    if etag is not None and not isinstance(etag, str):
        raise InvalidRequest("sourceEtag must be a string.")
    return Job(
        _key(body, "sourceKey", "originals/"),
        _key(body, "outputKey", variant.rules.folder),
        etag or None,
        _options(variant, body, settings),
        _attempt(body),
        _deadline(body),
    )


def success(job: Job, rendition: Rendition) -> dict[str, Any]:
    """What the answer says of the rendition itself."""
    facts = {
        "success": True,
        "key": job.output_key,
        "width": rendition.size.width,
        "height": rendition.size.height,
        "bytes": len(rendition.data),
        "sourceWidth": rendition.original_size.width,
        "sourceHeight": rendition.original_size.height,
    }
    if rendition.preview:
        facts |= {"dominantColor": rendition.preview.colour, "thumbHash": rendition.preview.thumb_hash}
    return facts


def failure(error: RenderError) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, extra headers and body for a render that failed."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Overloaded) else {}
    return error.status, headers, {"success": False, "error": str(error), "code": error.code}


def _options(variant: Variant, body: Mapping[str, object], settings: Settings) -> Options:
    sides = variant.rules.sides
    if not sides:
        username = body.get("username")
        if not isinstance(username, str) or not username.strip():
            raise InvalidRequest("username must be a non-empty string.")
        text = settings.text.replace("{username}", username.strip())
        return Options(text=text, opacity=settings.opacity, background=settings.background)
    width, height = variant.rules.size
    size = Size(_side(body, sides[0], width), _side(body, sides[-1], height))
    return Options(size=size, background=settings.background)


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
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_SIDE:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {LONGEST_SIDE}.")
    return value


def _key(body: Mapping[str, object], name: str, folder: str) -> str:
    value = body.get(name)
    if (
        not isinstance(value, str)
        or not _KEY.fullmatch(value)
        or ".." in value
        or not value.startswith(folder)
    ):
        raise InvalidRequest(f"{name} must be an object key in {folder}.")
    return value
