"""The ports over Cloudflare's bindings: here, and only here, values of JavaScript are touched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPMethod, HTTPStatus
from typing import Any

import js
import workers
from pyodide.ffi import JsException, to_js

from gallery.errors import InvalidRequest, StorageError
from gallery.http.messages import LONGEST_BODY, Request, Response
from gallery.isolate import Isolate
from gallery.ports import (
    Limits,
    ListedObject,
    ObjectBody,
    ObjectInfo,
    Page,
    Platform,
    RendererResponse,
    Row,
    Statement,
)
from gallery.settings import Settings, read_settings
from gallery.store.database import d1_error
from gallery.variants import Variant

# How long a response waits for the rest of a body that is not read.
_BODY_SECONDS = 2.0
_PURGE_SECONDS = 5.0
# Parameters of importKey and of verify; each ignores what only the other reads.
_ALGORITHMS = {
    "RS256": {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"},
    "ES256": {"name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256"},
    "EdDSA": {"name": "Ed25519"},
}

# `env` does not change while an isolate lives, so it is read once.
_settings: Settings | None = None
_isolate = Isolate()


def settings_of(env: Any) -> Settings:
    """The settings of the Worker's environment. Raises NotConfigured."""
    global _settings
    if _settings is None:
        _settings = read_settings(lambda name: getattr(env, name, None))
    return _settings


def platform_of(env: Any, ctx: Any) -> Platform:
    """The platform over the bindings in `env`, with `ctx` to keep background work alive."""
    return Platform(
        database=D1(env),
        objects=R2(env),
        flags=KV(env),
        renderers={variant: Service(env, variant.name) for variant in Variant},
        pages=Assets(env),
        limits=Limits(
            uploads=RateLimit(env, "TICKET_LIMIT"),
            creates=RateLimit(env, "CREATE_LIMIT"),
            reads=RateLimit(env, "READ_LIMIT"),
            failures=RateLimit(env, "FAILURE_LIMIT"),
        ),
        fetch=_fetch,
        verify=_verify,
        purge=_purge,
        isolate=_isolate,
        log=_log,
        background=lambda work: ctx.waitUntil(asyncio.ensure_future(work)),
        now=time.time,
        ticks=time.monotonic,
        sleep=asyncio.sleep,
        random=js.Math.random,
        uuid=lambda: str(js.crypto.randomUUID()),
    )


def request_of(request: Any) -> Request:
    """The SDK's request as the gateway sees it."""
    raw = request.js_object
    address, _, query = str(raw.url).partition("#")[0].partition("?")
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")

    def header(name: str) -> str | None:
        value = raw.headers.get(name)
        return value if isinstance(value, str) else None

    async def read(limit: int) -> bytes | None:
        return await _body_of(raw, header("content-length"), limit)

    return Request(str(raw.method), f"{scheme}://{host}", slash + path, query, header, read)


async def finish_body(request: Any) -> None:
    """Read and drop what was not read of a body of up to 64 KiB.

    A response that is sent before the body was read costs the client its connection, or the response itself
    (seen on workerd and behind `wrangler dev`).
    """
    raw = request.js_object
    if not raw.body or raw.bodyUsed:
        return
    length = raw.headers.get("content-length")
    if isinstance(length, str) and not _is_within(length, LONGEST_BODY):
        return
    reader = raw.body.getReader()
    try:
        await asyncio.wait_for(_skim(reader, LONGEST_BODY), _BODY_SECONDS)
    except (JsException, TimeoutError):
        await _cancel(reader)


def response_of(response: Response) -> Any:
    """The response as the SDK takes it."""
    # One array crosses to JavaScript; a dictionary would be asked for each of its entries.
    headers = js.Headers.new(to_js(list(response.headers.items())))
    return workers.Response(response.body, status=response.status, headers=headers)


class D1:
    def __init__(self, env: Any) -> None:
        self._env = env

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        try:
            database = self._env.DB
            prepared = [database.prepare(text).bind(*values) for text, values in statements]
            if len(prepared) == 1:
                return [(await prepared[0].all())["results"]]
            return [result["results"] for result in await database.batch(prepared)]
        except JsException as error:
            raise d1_error(_reason(error)) from error


class R2:
    def __init__(self, env: Any) -> None:
        self._env = env

    async def head(self, key: str) -> ObjectInfo | None:
        try:
            found = await self._env.BUCKET.head(key)
        except JsException as error:
            raise StorageError(_reason(error)) from error
        return None if found is None else _info_of(found)

    async def open(self, key: str, span: tuple[int, int] | None = None) -> ObjectBody | None:
        found = await self._get(key, span)
        return None if found is None else ObjectBody(_info_of(found), found.body)

    async def read(self, key: str, offset: int, length: int) -> bytes | None:
        found = await self._get(key, (offset, length))
        try:
            return None if found is None else bytes(await found.arrayBuffer())
        except JsException as error:
            raise StorageError(_reason(error)) from error

    async def delete(self, keys: Sequence[str]) -> None:
        try:
            await self._env.BUCKET.delete(list(keys))
        except JsException as error:
            raise StorageError(_reason(error)) from error

    async def list(self, prefix: str, after: str, limit: int) -> tuple[list[ListedObject], bool]:
        options = {"prefix": prefix, "limit": limit} | ({"startAfter": after} if after else {})
        try:
            page = await self._env.BUCKET.list(options)
        except JsException as error:
            raise StorageError(_reason(error)) from error
        return [_listed(found) for found in page["objects"]], bool(page["truncated"])

    async def _get(self, key: str, span: tuple[int, int] | None) -> Any:
        options = {"range": {"offset": span[0], "length": span[1]}} if span else {}
        try:
            return await self._env.BUCKET.get(key, options)
        except JsException as error:
            raise StorageError(_reason(error)) from error


class KV:
    def __init__(self, env: Any) -> None:
        self._env = env

    async def get(self, name: str) -> str | None:
        try:
            value = await self._env.KV.get(name)
        except JsException as error:
            raise StorageError(_reason(error)) from error
        return None if value is None else str(value)

    async def put(self, name: str, value: str, lifetime: int) -> None:
        try:
            await self._env.KV.put(name, value, {"expirationTtl": lifetime})
        except JsException as error:
            raise StorageError(_reason(error)) from error

    async def delete(self, name: str) -> None:
        try:
            await self._env.KV.delete(name)
        except JsException as error:
            raise StorageError(_reason(error)) from error


class Service:
    def __init__(self, env: Any, binding: str) -> None:
        self._env = env
        self._binding = binding

    async def post(self, path: str, headers: Mapping[str, str], body: str) -> RendererResponse:
        try:
            response = await getattr(self._env, self._binding).fetch(
                f"http://renderer{path}", method="POST", headers=dict(headers), body=body
            )
            pause = response.js_object.headers.get("retry-after")
            text = await response.text()
        # A renderer that threw surfaces as pyodide's AbortError or HttpStatusError, both kinds of OSError.
        except (JsException, OSError) as error:
            raise StorageError(_reason(error)) from error
        return RendererResponse(response.status, pause if isinstance(pause, str) else None, text)


class Assets:
    def __init__(self, env: Any) -> None:
        self._env = env

    async def read(self, origin: str) -> Page | None:
        try:
            response = await self._env.ASSETS.fetch(f"{origin}/")
            text = await response.text()
        except (JsException, OSError, AttributeError) as error:
            raise StorageError(_reason(error)) from error
        if response.status != HTTPStatus.OK:
            return None
        return Page({name.title(): value for name, value in response.headers.items()}, text)


class RateLimit:
    def __init__(self, env: Any, binding: str) -> None:
        self._env = env
        self._binding = binding

    async def allows(self, key: str) -> bool:
        try:
            outcome = await getattr(self._env, self._binding).limit({"key": key})
        except (JsException, AttributeError) as error:
            raise StorageError(_reason(error)) from error
        return bool(outcome["success"])


async def _fetch(url: str, longest: int, seconds: float) -> bytes:
    try:
        return await asyncio.wait_for(_read_url(url, longest), seconds)
    except (JsException, OSError, TimeoutError) as error:
        raise StorageError(_reason(error)) from error


async def _read_url(url: str, longest: int) -> bytes:
    response = await workers.fetch(url, headers={"Accept": "application/json"}, redirect="manual")
    if response.status != HTTPStatus.OK:
        raise StorageError(f"the status was {response.status}")
    return await _read_at_most(response.js_object, longest)


async def _read_at_most(response: Any, longest: int) -> bytes:
    if not response.body:
        return b""
    reader, data = response.body.getReader(), bytearray()
    while not (chunk := await reader.read()).done:
        data += chunk.value.to_bytes()
        if len(data) > longest:
            await reader.cancel()
            raise StorageError(f"the body has more than {longest} bytes")
    return bytes(data)


async def _verify(jwk: Mapping[str, str], algorithm: str, signature: bytes, signed: bytes) -> bool:
    parameters = _object(_ALGORITHMS[algorithm])
    try:
        key = await js.crypto.subtle.importKey("jwk", _object(jwk), parameters, False, to_js(["verify"]))
    except JsException as error:
        raise StorageError(_reason(error)) from error
    try:
        return bool(await js.crypto.subtle.verify(parameters, key, to_js(signature), to_js(signed)))
    except JsException:
        # workerd throws where WebCrypto answers false: at an Ed25519 signature of another length.
        return False


async def _purge(api: str, zone: str, token: str, urls: Sequence[str]) -> None:
    request = workers.fetch(
        f"{api}/zones/{zone}/purge_cache",
        method=HTTPMethod.POST,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=json.dumps({"files": list(urls)}),
        redirect="manual",
    )
    try:
        response = await asyncio.wait_for(request, _PURGE_SECONDS)
    except (JsException, OSError, TimeoutError) as error:
        raise StorageError(_reason(error)) from error
    if response.status != HTTPStatus.OK:
        raise StorageError(f"the status was {response.status}")


def _object(values: Mapping[str, str]) -> Any:
    return js.Object.fromEntries(to_js(list(values.items())))


def _info_of(found: Any) -> ObjectInfo:
    return ObjectInfo(
        key=found.key,
        size=int(found.size),
        etag=found.etag,
        # The name is there without a value when the object has no type.
        content_type=(found.httpMetadata or {}).get("contentType") or "",
        uploaded=found.uploaded.timestamp(),
        sha256=(found.checksums.toJSON() or {}).get("sha256"),
    )


def _listed(found: Any) -> ListedObject:
    # The SDK converts what a call returns, not what lies within it.
    return ListedObject(found.key, int(found.size), found.etag, found.uploaded.getTime() / 1000)


async def _body_of(raw: Any, length: str | None, limit: int) -> bytes | None:
    if not raw.body:
        return b""
    try:
        if length is not None and not _is_within(length, limit):
            await _drain(raw.body)
            return None
        reader, data = raw.body.getReader(), bytearray()
        while not (chunk := await reader.read()).done:
            data += chunk.value.to_bytes()
            if len(data) > limit:
                reader.releaseLock()
                await _drain(raw.body)
                return None
    except JsException as error:
        raise InvalidRequest("The body ended before its announced length.") from error
    return bytes(data)


def _is_within(length: str, limit: int) -> bool:
    return not length.isdecimal() or int(length) <= limit


async def _drain(stream: Any) -> None:
    # A client that is still sending when the response comes may never read it. The bytes stay out of Python.
    await stream.pipeTo(js.WritableStream.new())


async def _skim(reader: Any, limit: int) -> None:
    left = limit
    while left >= 0 and not (chunk := await reader.read()).done:
        left -= chunk.value.byteLength
    if left < 0:
        await _cancel(reader)


async def _cancel(reader: Any) -> None:
    # Cancelling a stream that broke off fails as reading it did.
    with suppress(JsException):
        await reader.cancel()


def _log(event: Mapping[str, Any]) -> None:
    js.console.log(json.dumps(event, default=str))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
