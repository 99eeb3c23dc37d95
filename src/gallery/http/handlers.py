"""The handlers: each reads its request, has the work done and answers."""

from __future__ import annotations

import asyncio

from gallery import edit, read, reprocess, users
from gallery.access.uploads import issue_ticket
from gallery.audit import audit, place_of
from gallery.cleanup import purge
from gallery.create import CreateRequest, create_unless_failing
from gallery.errors import NotFound, Unavailable, UserNotFound
from gallery.health import check_health
from gallery.http import fields
from gallery.http.conditional import expected_revisions
from gallery.http.context import (
    NO_STORE,
    Context,
    artwork_response,
    own_original,
    shown_artwork,
    tagged_response,
    throttle,
    throttle_reads,
)
from gallery.http.delivery import deliver
from gallery.http.messages import Response, json_response
from gallery.http.openapi import document
from gallery.http.schemas import account_out, user_out
from gallery.store import search
from gallery.sweep import sweep


async def read_health(call: Context) -> Response:
    """200 when the database and every renderer answer, else an error that says which renderer does not."""
    await throttle_reads(call)
    renderers = await check_health(call.platform, call.settings.worker_token)
    states = {variant: "ok" if well else "unavailable" for variant, well in renderers.items()}
    if all(renderers.values()):
        return json_response({"status": "ok", "renderers": states}, headers=NO_STORE)
    error = Unavailable("Pictures cannot be processed right now. Please try again in a moment.")
    call.notes["code"] = error.code
    body = {
        "status": "unavailable",
        "renderers": states,
        "error": error.text,
        "code": error.code,
        "requestId": call.request_id,
    }
    return json_response(body, error.status, NO_STORE | error.headers)


async def create_upload_ticket(call: Context) -> Response:
    caller = await call.caller()
    await throttle(call, call.platform.tickets, caller)
    wanted = fields.upload_request_of(await call.body(), call.settings.max_upload_bytes)
    ticket = await issue_ticket(call.platform, call.settings, caller.user_id, wanted)
    return json_response(ticket, headers=NO_STORE)


async def create_artwork(call: Context) -> Response:
    caller = await call.caller()
    await throttle(call, call.platform.creates, caller)
    body = await call.body()
    fields.require(body, "title", "originalKey")
    description = fields.description_of(body)
    original = own_original(caller, body.get("originalKey"))
    order = CreateRequest(caller.user_id, original, description, call.base, call.request_id)
    call.watch.lap("request")
    task = asyncio.ensure_future(create_unless_failing(call.platform, call.settings, order, call.watch))
    # A client that hangs up must not stop a create half-way: it runs on to its row or its clean-up.
    call.platform.background(asyncio.wait([task]))
    created = await asyncio.shield(task)
    call.notes["artwork"] = created.artwork.id
    made = created.processed is not None
    answer = await artwork_response(call, created.artwork, caller, 201 if made else 200, made=made)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    answer.headers["Location"] = f"/api/artworks/{created.artwork.id}"
    return answer


async def read_artwork(call: Context) -> Response:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    artwork = await edit.read_artwork(call.platform, caller, call.arguments[0])
    return await artwork_response(call, artwork, caller)


async def read_artwork_by_slug(call: Context) -> Response:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    username, slug = call.arguments
    artwork = await read.artwork_by_slug(call.platform, username, slug)
    if not edit.is_shown(artwork, caller):
        raise NotFound(edit.MISSING)
    return await artwork_response(call, artwork, caller)


async def list_artworks(call: Context) -> Response:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    page, cursor = await search.list_artworks(call.platform, fields.list_query_of(call.request.query))
    shown = [shown_artwork(call, artwork, caller) for artwork in page]
    answer = tagged_response(call, {"data": shown, "nextCursor": cursor}, private=caller is not None)
    answer.headers["Vary"] = "Authorization"
    return answer


async def read_me(call: Context) -> Response:
    caller = await call.caller()
    await throttle_reads(call, caller)
    if caller.user is None:
        raise UserNotFound
    return tagged_response(call, {"data": user_out(caller.user)}, private=True)


async def read_readiness(call: Context) -> Response:
    caller = await call.caller()
    await throttle_reads(call, caller)
    query = call.request.query
    original = own_original(caller, fields.parameter(query, "originalKey"))
    state = await read.awaited_readiness(call.platform, original, fields.wait_seconds_of(query))
    return json_response(state, headers=NO_STORE)


async def change_artwork(call: Context) -> Response:
    caller, expected = await call.caller(), expected_revisions(call.request.header("if-match"))
    changes = fields.changes_of(await call.body())
    artwork = await edit.change_artwork(call.platform, caller, call.arguments[0], changes, expected)
    return await artwork_response(call, artwork, caller)


async def remove_artwork(call: Context) -> Response:
    caller = await call.caller()
    removed = await edit.remove_artwork(
        call.platform, caller, call.arguments[0], expected_revisions(call.request.header("if-match"))
    )
    call.platform.background(purge(call.platform, call.settings, removed))
    return Response(204, None, dict(NO_STORE))


async def reprocess_artwork(call: Context) -> Response:
    caller = await call.caller()
    if not caller.is_operator:
        await throttle(call, call.platform.creates, caller)
    call.watch.lap("request")
    work = reprocess.reprocess_artwork(
        call.platform,
        call.settings,
        caller,
        call.arguments[0],
        base=call.base,
        request_id=call.request_id,
        watch=call.watch,
    )
    task = asyncio.ensure_future(work)
    call.platform.background(asyncio.wait([task]))
    answer = await artwork_response(call, await asyncio.shield(task), caller, made=True)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    return answer


async def sweep_now(call: Context) -> Response:
    await call.operator("sweep")
    query = call.request.query
    dry_run = fields.flag(query, "dryRun")
    cursor = fields.parameter(query, "cursor")
    place_of(cursor)
    if fields.flag(query, "audit"):
        report = await audit(call.platform, cursor, dry_run=dry_run)
    else:
        report = await sweep(call.platform, call.settings, dry_run=dry_run)
    return json_response({"data": report.out()}, headers=NO_STORE)


async def create_user(call: Context) -> Response:
    await call.operator("manage users")
    user = await users.create_user(call.platform, call.settings, fields.new_user_of(await call.body()))
    answer = json_response({"data": account_out(user)}, 201, NO_STORE)
    answer.headers["Location"] = f"/api/users/{user.id}"
    return answer


async def read_users(call: Context) -> Response:
    await call.operator("manage users")
    query = call.request.query
    username, limit = fields.parameter(query, "username"), fields.limit_of(fields.parameter(query, "limit"))
    if username is None:
        page, cursor = await users.list_users(call.platform, fields.username_cursor_of(query), limit)
    else:
        user = await users.find_by_username(call.platform, fields.filter_of(username))
        page, cursor = [user] if user else [], None
    return json_response(
        {"data": [account_out(user) for user in page], "nextCursor": cursor}, headers=NO_STORE
    )


async def read_user(call: Context) -> Response:
    await call.operator("manage users")
    user = await users.read_user(call.platform, call.arguments[0])
    return json_response({"data": account_out(user)}, headers=NO_STORE)


async def change_user(call: Context) -> Response:
    await call.operator("manage users")
    change = fields.user_change_of(await call.body())
    user = await users.change_user(call.platform, call.settings, call.arguments[0], change)
    return json_response({"data": account_out(user)}, headers=NO_STORE)


async def read_openapi(call: Context) -> Response:
    await throttle_reads(call)
    return tagged_response(call, document(call.origin))


async def deliver_object(call: Context) -> Response:
    await throttle_reads(call, kind="cdn ")
    public = call.settings.public_originals
    return await deliver(call.platform, call.request, call.arguments[0], public_originals=public)
