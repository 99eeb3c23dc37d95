"""The context of one request: who sends it, its rate limits, and the responses that handlers share."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar
from zlib import crc32

from gallery import strict_json
from gallery.access.authentication import Caller, caller_of, identify, user_id_of
from gallery.access.uploads import download_url
from gallery.artwork import Artwork
from gallery.errors import Forbidden, InvalidRequest, RateLimited, StorageError, Unauthorized
from gallery.http import fields
from gallery.http.conditional import etag_matches
from gallery.http.messages import JSON_TYPE, Request, Response, json_response, json_text
from gallery.http.schemas import artwork_out
from gallery.keys import OriginalKey, parse_original, user_part
from gallery.ports import Limiter, Platform
from gallery.read import OriginalState, state_of_original
from gallery.settings import Settings
from gallery.times import Stopwatch

T = TypeVar("T")

LIMIT_SECONDS = 60  # the period of the rate limits
IPV4 = 4


@dataclass(frozen=True, slots=True)
class Context:
    """`parameters` are the decoded path parameters, `log_fields` go into the request's line of the log."""

    request: Request
    platform: Platform
    settings: Settings
    request_id: str
    parameters: Mapping[str, str]
    watch: Stopwatch
    log_fields: dict[str, object]

    @property
    def origin(self) -> str:
        """The gallery's origin, from the settings or else from the request."""
        return self.settings.public_url or self.request.origin

    @property
    def base(self) -> str:
        """The URL that serves the objects of the bucket."""
        return self.settings.cdn_domain or f"{self.origin}/cdn"

    async def caller(self) -> Caller:
        """The user that the token identifies. Raises Unauthorized, Suspended, DatabaseError."""
        try:
            identity = await identify(self.platform, self.settings, self.request.header("authorization"))
            self.log_fields["user"] = user_id_of(identity)
            caller = await caller_of(self.platform, self.settings, identity)
        except Unauthorized as error:
            self.log_fields["reason"] = str(error.__cause__ or error)
            raise
        self.log_fields["user"] = caller.user_id
        return caller

    async def optional_caller(self) -> Caller | None:
        """The caller, None without a token. Raises as `caller`."""
        return await self.caller() if self.request.header("authorization") else None

    async def operator(self, action: str) -> Caller:
        """The caller, who must be an operator to do `action`. Raises Forbidden, and as `caller`."""
        caller = await self.caller()
        if not caller.is_operator:
            raise Forbidden(f"Only operators may {action}.")
        return caller

    async def body(self) -> dict[str, Any]:
        """The JSON object of the body. Raises InvalidRequest, TooLarge."""
        return strict_json.parse_object(await self.request.body())

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that runs to its end even when the client hangs up."""
        task = asyncio.ensure_future(work)
        self.platform.background(asyncio.wait([task]))
        return await asyncio.shield(task)


async def throttle(context: Context, limiter: Limiter, key: str) -> None:
    """Count a request against a rate limit. Raises RateLimited.

    A limiter that fails allows everything: it must not close the gallery.
    """
    try:
        allowed = await limiter.allows(key)
    except StorageError as error:
        context.platform.log({"event": "limiter_failed", "reason": str(error)})
        return
    if not allowed:
        raise RateLimited(LIMIT_SECONDS)


async def throttle_reads(context: Context, caller: Caller | None = None, *, kind: str = "") -> None:
    """Count a read against the limit of the caller, or else of the client's network. Raises RateLimited.

    Reads of each `kind` are counted apart. Nothing is counted where the client's address is not known, as
    without Cloudflare, or is the machine's own.
    """
    key = caller.user_id if caller else _network_of(context.request.header("cf-connecting-ip"))
    if key is not None:
        await throttle(context, context.platform.limits.reads, f"{kind}{key}")


def _network_of(address: str | None) -> str | None:
    """The address; of IPv6 its first 64 bits, which one customer has for themselves."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return None
    if known.is_loopback:
        return None
    return str(known) if known.version == IPV4 else str(ip_network((known, 64), strict=False))


def own_original(caller: Caller, key: object) -> OriginalKey:
    """The key of an original of the caller's. Raises InvalidRequest, Forbidden.

    Nothing is looked up, so the errors tell nothing about other users' originals.
    """
    original = parse_original(fields.key_of({"originalKey": key}))
    if original is None:
        raise InvalidRequest('"originalKey" must be the key of an upload ticket.')
    if original.user_id != user_part(caller.user_id):
        raise Forbidden("This original belongs to someone else.")
    return original


def visible_fields(context: Context, artwork: Artwork, caller: Caller | None) -> dict[str, Any]:
    """An artwork on the wire, with the URL of its original only for its owner and operators."""
    shown = artwork_out(artwork, context.base)
    is_theirs = caller is not None and (caller.user_id == artwork.user_id or caller.is_operator)
    if not (is_theirs or context.settings.public_originals):
        del shown["originalUrl"]
    return shown


async def artwork_response(
    context: Context, artwork: Artwork, caller: Caller | None, status: int = 200, *, is_fresh: bool = False
) -> Response:
    """A response with one artwork; for its owner with a URL to download the original.

    The URL is left out when the original is missing or was replaced, which is not checked for an artwork that
    was rendered just now (`is_fresh`).
    """
    shown = visible_fields(context, artwork, caller)
    original = artwork.original
    if original is not None and caller is not None and caller.user_id == artwork.user_id:
        state = OriginalState.UNCHANGED if is_fresh else await state_of_original(context.platform, artwork)
        if state is OriginalState.UNCHANGED:
            shown["originalDownloadUrl"] = download_url(
                context.settings, str(original), context.platform.now()
            )
        if state is OriginalState.REPLACED:
            shown["originalReplaced"] = True
    response = json_response({"data": shown}, status)
    # The revision is for If-Match; the checksum tells apart texts that differ in anything else.
    response.headers["ETag"] = f'"{artwork.revision}-{crc32(str(response.body).encode()):08x}"'
    response.headers["Cache-Control"] = "private, no-cache" if caller else "no-cache"
    response.headers["Vary"] = "Authorization"
    return _not_modified_or(context, response)


def tagged_response(context: Context, value: Any, *, private: bool = False) -> Response:
    """A JSON response with an ETag made of its text."""
    cache = {"Cache-Control": "private, no-cache" if private else "no-cache"}
    return text_response(context, json_text(value), JSON_TYPE, cache)


def text_response(context: Context, text: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """A response with an ETag made of its text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    given = {**headers, "Content-Type": content_type, "ETag": f'W/"{digest}"'}
    return _not_modified_or(context, Response(200, text, given))


def _not_modified_or(context: Context, response: Response) -> Response:
    """304 for a client that has this response already, else the response."""
    known = context.request.header("if-none-match")
    is_read = context.request.method in ("GET", "HEAD")
    if not is_read or not etag_matches(known, response.headers["ETag"]):
        return response
    del response.headers["Content-Type"]
    return Response(304, None, response.headers)
