"""The handlers: each reads its request, has the work done and answers."""

from __future__ import annotations

import asyncio

from gallery import fields, reading, users
from gallery.auditing import audit, place_of
from gallery.calls import (
    NO_STORE,
    Call,
    artwork_answer,
    own_original,
    shown_artwork,
    tagged_answer,
    throttle,
    throttle_reads,
)
from gallery.creation import Order
from gallery.delivery import deliver
from gallery.editing import MISSING, change_artwork, is_shown, read_artwork, remove_artwork
from gallery.errors import NotFound, Unavailable, UserNotFound
from gallery.failures import create_unless_failing
from gallery.health import check_health
from gallery.messages import Answer, json_answer
from gallery.openapi import document
from gallery.purging import purge
from gallery.reprocessing import reprocess_artwork
from gallery.sweeping import sweep
from gallery.tickets import issue_ticket
from gallery.wire import account_out, user_out

# Below these no person goes by hand.
PROGRAMS = ("/api/", "/cdn/")


async def read_health(call: Call) -> Answer:
    """200 when the database and every renderer answer, else an error that says which renderer does not."""
    await throttle_reads(call)
    renderers = await check_health(call.platform, call.settings.worker_token)
    states = {variant: "ok" if well else "unavailable" for variant, well in renderers.items()}
    if all(renderers.values()):
        return json_answer({"status": "ok", "renderers": states}, headers=NO_STORE)
    error = Unavailable("Pictures cannot be processed right now. Please try again in a moment.")
    call.notes["code"] = error.code
    body = {
        "status": "unavailable",
        "renderers": states,
        "error": error.text,
        "code": error.code,
        "requestId": call.request_id,
    }
    return json_answer(body, error.status, NO_STORE | error.headers)


async def create_upload_ticket(call: Call) -> Answer:
    caller = await call.caller()
    await throttle(call, call.platform.tickets, caller)
    ticket = await issue_ticket(call.platform, call.settings, caller.user_id, await call.body())
    return json_answer(ticket, headers=NO_STORE)


async def create(call: Call) -> Answer:
    caller = await call.caller()
    await throttle(call, call.platform.creates, caller)
    body = await call.body()
    fields.require(body, "title", "originalKey")
    description = fields.description_of(body)
    original = own_original(caller, body.get("originalKey"))
    order = Order(caller.user_id, original, description, call.base, call.request_id)
    call.watch.lap("request")
    task = asyncio.ensure_future(create_unless_failing(call.platform, call.settings, order, call.watch))
    # A client that hangs up must not stop a create half-way: it runs on to its row or its clean-up.
    call.platform.background(asyncio.wait([task]))
    created = await asyncio.shield(task)
    call.notes["artwork"] = created.artwork.id
    made = created.processed is not None
    answer = await artwork_answer(call, created.artwork, caller, 201 if made else 200, made=made)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    answer.headers["Location"] = f"/api/artworks/{created.artwork.id}"
    return answer


async def read(call: Call) -> Answer:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    artwork = await read_artwork(call.platform, caller, call.arguments[0])
    return await artwork_answer(call, artwork, caller)


async def read_by_slug(call: Call) -> Answer:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    username, slug = call.arguments
    artwork = await reading.artwork_by_slug(call.platform, username, slug)
    if not is_shown(artwork, caller):
        raise NotFound(MISSING)
    return await artwork_answer(call, artwork, caller)


async def read_many(call: Call) -> Answer:
    caller = await call.caller_if_any()
    await throttle_reads(call, caller)
    page, cursor = await reading.list_artworks(call.platform, reading.list_query_of(call.request.query))
    shown = [shown_artwork(call, artwork, caller) for artwork in page]
    answer = tagged_answer(call, {"data": shown, "nextCursor": cursor}, private=caller is not None)
    answer.headers["Vary"] = "Authorization"
    return answer


async def read_me(call: Call) -> Answer:
    caller = await call.caller()
    await throttle_reads(call, caller)
    if caller.user is None:
        raise UserNotFound
    return tagged_answer(call, {"data": user_out(caller.user)}, private=True)


async def read_readiness(call: Call) -> Answer:
    caller = await call.caller()
    await throttle_reads(call, caller)
    query = call.request.query
    original = own_original(caller, reading.parameter(query, "originalKey"))
    state = await reading.awaited_readiness(call.platform, original, reading.seconds_of(query))
    return json_answer(state, headers=NO_STORE)


async def change(call: Call) -> Answer:
    caller = await call.caller()
    artwork = await change_artwork(
        call.platform, caller, call.arguments[0], await call.body(), call.request.header("if-match")
    )
    return await artwork_answer(call, artwork, caller)


async def remove(call: Call) -> Answer:
    caller = await call.caller()
    removed = await remove_artwork(call.platform, caller, call.arguments[0], call.request.header("if-match"))
    call.platform.background(purge(call.platform, call.settings, removed))
    return Answer(204, None, dict(NO_STORE))


async def reprocess(call: Call) -> Answer:
    caller = await call.caller()
    if not caller.is_operator:
        await throttle(call, call.platform.creates, caller)
    call.watch.lap("request")
    work = reprocess_artwork(
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
    answer = await artwork_answer(call, await asyncio.shield(task), caller, made=True)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    return answer


async def sweep_now(call: Call) -> Answer:
    await call.operator("sweep")
    query = call.request.query
    dry_run = reading.flag(query, "dryRun")
    cursor = reading.parameter(query, "cursor")
    place_of(cursor)
    if reading.flag(query, "audit"):
        report = await audit(call.platform, cursor, dry_run=dry_run)
    else:
        report = await sweep(call.platform, call.settings, dry_run=dry_run)
    return json_answer({"data": report.out()}, headers=NO_STORE)


async def create_user(call: Call) -> Answer:
    await call.operator("manage users")
    user = await users.create_user(call.platform, call.settings, await call.body())
    answer = json_answer({"data": account_out(user)}, 201, NO_STORE)
    answer.headers["Location"] = f"/api/users/{user.id}"
    return answer


async def read_users(call: Call) -> Answer:
    await call.operator("manage users")
    page, cursor = await users.list_users(call.platform, call.request.query)
    return json_answer({"data": [account_out(user) for user in page], "nextCursor": cursor}, headers=NO_STORE)


async def read_user(call: Call) -> Answer:
    await call.operator("manage users")
    user = await users.found_user(call.platform, call.arguments[0])
    return json_answer({"data": account_out(user)}, headers=NO_STORE)


async def change_user(call: Call) -> Answer:
    await call.operator("manage users")
    user = await users.change_user(call.platform, call.settings, call.arguments[0], await call.body())
    return json_answer({"data": account_out(user)}, headers=NO_STORE)


async def read_openapi(call: Call) -> Answer:
    await throttle_reads(call)
    return tagged_answer(call, document(call.origin))


async def deliver_object(call: Call) -> Answer:
    await throttle_reads(call, kind="cdn ")
    public = call.settings.public_originals
    return await deliver(call.platform, call.request, call.arguments[0], public_originals=public)


async def read_page(call: Call) -> Answer:
    """The page, which shows at its addresses what it reads of the API."""
    page = await call.platform.pages.read(call.request.origin)
    if page is None:
        raise NotFound
    return Answer(200, page.stream, dict(page.headers))


async def find_nothing(call: Call) -> Answer:
    """An address that does not exist: the page for a person who went there, JSON for everyone else."""
    visits = call.request.method in ("GET", "HEAD") and "text/html" in (call.request.header("accept") or "")
    if not visits or call.request.path.startswith(PROGRAMS):
        raise NotFound
    answer = await read_page(call)
    answer.headers = {n: v for n, v in answer.headers.items() if n.lower() != "etag"} | NO_STORE
    return Answer(NotFound.status, answer.body, answer.headers)
