"""One request on its way to its handler, and what handlers share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from zlib import crc32

from gallery import strict_json
from gallery.access.authentication import Caller, caller_of, identify, user_id_of
from gallery.access.uploads import download_url
from gallery.artwork import Artwork, original_of
from gallery.errors import Forbidden, InvalidRequest, RateLimited, StorageError, Unauthorized
from gallery.http import conditional, fields
from gallery.http.messages import JSON_TYPE, Request, Response, json_response, json_text
from gallery.http.schemas import artwork_out
from gallery.keys import OriginalKey, parse_original, user_part
from gallery.ports import Limiter, Platform
from gallery.read import Original, state_of_original
from gallery.settings import Settings
from gallery.times import Stopwatch

LIMIT_PERIOD = 60
IPV4 = 4
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Context:
    """`arguments` are the decoded parts of the path, `notes` go into the request's line in the log."""

    request: Request
    platform: Platform
    settings: Settings
    request_id: str
    arguments: tuple[str, ...]
    watch: Stopwatch
    notes: dict[str, object]

    @property
    def origin(self) -> str:
        """Where the gallery is: as the settings say, or else as this request has it."""
        return self.settings.public_url or self.request.origin

    @property
    def base(self) -> str:
        return self.settings.cdn_domain or f"{self.origin}/cdn"

    async def caller(self) -> Caller:
        """Whoever the token names. Raises Unauthorized, Suspended."""
        try:
            identity = await identify(self.platform, self.settings, self.request.header("authorization"))
            self.notes["user"] = user_id_of(identity)
            caller = await caller_of(self.platform, self.settings, identity)
        except Unauthorized as error:
            self.notes["reason"] = str(error.__cause__ or error)
            raise
        self.notes["user"] = caller.user_id
        return caller

    async def caller_if_any(self) -> Caller | None:
        return await self.caller() if self.request.header("authorization") else None

    async def operator(self, what: str) -> Caller:
        """The caller, who may do `what`. Raises Forbidden for anybody but an operator."""
        caller = await self.caller()
        if not caller.is_operator:
            raise Forbidden(f"Only operators may {what}.")
        return caller

    async def body(self) -> dict[str, Any]:
        return strict_json.parse_object(await self.request.body())


async def throttle(call: Context, limiter: Limiter, caller: Caller) -> None:
    """Raises RateLimited. The limits throttle; one that does not answer must not close the gallery."""
    await _throttle(call, limiter, caller.user_id)


async def throttle_reads(call: Context, caller: Caller | None = None, *, kind: str = "") -> None:
    """Count a read of the caller's, or else of the network that it comes from. Raises RateLimited.

    Reads of each `kind` are counted apart. Where the address of the client is not known, as without
    Cloudflare, or is the machine's own, nothing is counted.
    """
    key = caller.user_id if caller else _network_of(call.request.header("cf-connecting-ip"))
    if key is not None:
        await _throttle(call, call.platform.reads, f"{kind}{key}")


def _network_of(address: str | None) -> str | None:
    """The address, of IPv6 its first 64 bits, which are what one customer is given."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return None
    if known.is_loopback:
        return None
    return str(known) if known.version == IPV4 else str(ip_network((known, 64), strict=False))


async def _throttle(call: Context, limiter: Limiter, key: str) -> None:
    try:
        allowed = await limiter.allows(key)
    except StorageError as error:
        call.platform.log({"event": "limiter_failed", "reason": str(error)})
        return
    if not allowed:
        raise RateLimited(LIMIT_PERIOD)


def own_original(caller: Caller, key: str | None) -> OriginalKey:
    """The caller's own original; nothing is looked up, so nothing is learned of other people's."""
    original = parse_original(fields.key_of({"originalKey": key}))
    if original is None:
        raise InvalidRequest('"originalKey" must be the key of an upload ticket.')
    if original.user_id != user_part(caller.user_id):
        raise Forbidden("This original belongs to someone else.")
    return original


def shown_artwork(call: Context, artwork: Artwork, caller: Caller | None) -> dict[str, Any]:
    """One artwork as this caller may see it: where its original is, is the owner's and operators' to know."""
    shown = artwork_out(artwork, call.base)
    is_theirs = caller is not None and (caller.user_id == artwork.user_id or caller.is_operator)
    if not (is_theirs or call.settings.public_originals):
        del shown["originalUrl"]
    return shown


async def artwork_response(
    call: Context, artwork: Artwork, caller: Caller | None, status: int = 200, *, made: bool = False
) -> Response:
    """One artwork; its owner also gets leave to download the original, if it is still there and the one that
    the artwork was made of. That needs no look when the artwork was `made` just now.
    """
    shown = shown_artwork(call, artwork, caller)
    original = original_of(artwork)
    if original is not None and caller is not None and caller.user_id == artwork.user_id:
        state = Original.KEPT if made else await state_of_original(call.platform, artwork)
        if state is Original.KEPT:
            shown["originalDownloadUrl"] = download_url(call.settings, str(original), call.platform.now())
        if state is Original.REPLACED:
            shown["originalReplaced"] = True
    answer = json_response({"data": shown}, status)
    # The revision comes first, for If-Match; the rest tells apart all else that the text depends on.
    answer.headers["ETag"] = f'"{artwork.revision}-{crc32(str(answer.body).encode()):08x}"'
    answer.headers["Cache-Control"] = "private, no-cache" if caller else "no-cache"
    answer.headers["Vary"] = "Authorization"
    return _unless_known(call, answer)


def tagged_response(call: Context, value: Any, *, private: bool = False) -> Response:
    """Any JSON, with an ETag made of its text."""
    text = json_text(value)
    return text_response(
        call, text, JSON_TYPE, {"Cache-Control": "private, no-cache" if private else "no-cache"}
    )


def text_response(call: Context, text: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """A text with an ETag made of it, or 304 to a reader who has it."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    return _unless_known(
        call, Response(200, text, {**headers, "Content-Type": content_type, "ETag": f'W/"{digest}"'})
    )


def _unless_known(call: Context, answer: Response) -> Response:
    """The answer, or 304 to a reader who has it."""
    known = call.request.header("if-none-match")
    if call.request.method not in ("GET", "HEAD") or not conditional.etag_matches(
        known, answer.headers["ETag"]
    ):
        return answer
    del answer.headers["Content-Type"]
    return Response(304, None, answer.headers)
