"""The handlers: each reads its request, has the work done and answers."""

from __future__ import annotations

import asyncio

from gallery import fields, reading
from gallery.calls import NO_STORE, Call, artwork_answer, own_original, tagged_answer, throttle
from gallery.creation import Order, create_artwork
from gallery.delivery import deliver
from gallery.editing import change_artwork, found_artwork, remove_artwork
from gallery.errors import Forbidden, NotFound, Unavailable
from gallery.health import check_health
from gallery.messages import Answer, json_answer
from gallery.openapi import document
from gallery.reprocessing import reprocess_artwork
from gallery.sweeping import sweep
from gallery.tickets import issue_ticket
from gallery.wire import artwork_out, user_out

# Below these no person goes by hand.
PROGRAMS = ("/api/", "/cdn/")


async def read_health(call: Call) -> Answer:
    """200 when the database and every renderer answer, else an error that says which renderer does not."""
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
    caller = call.caller()
    await throttle(call, call.platform.tickets, caller)
    ticket = issue_ticket(call.platform, call.settings, caller.user_id, await call.body())
    return json_answer(ticket, headers=NO_STORE)


async def create(call: Call) -> Answer:
    caller = call.caller()
    await throttle(call, call.platform.creates, caller)
    body = await call.body()
    description = fields.description_of(body)
    original = own_original(caller, body.get("originalKey"))
    order = Order(caller.user_id, original, description, call.base, call.request_id)
    call.watch.lap("request")
    task = asyncio.ensure_future(create_artwork(call.platform, call.settings, order, call.watch))
    # A client that hangs up must not stop a create half-way: it runs on to its row or its clean-up.
    call.platform.background(asyncio.wait([task]))
    created = await asyncio.shield(task)
    call.notes["artwork"] = created.artwork.id
    answer = artwork_answer(call, created.artwork, caller, 201 if created.processed else 200)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    answer.headers["Location"] = f"/api/artworks/{created.artwork.id}"
    return answer


async def read(call: Call) -> Answer:
    caller = call.caller_if_any()
    return artwork_answer(call, await found_artwork(call.platform, call.arguments[0]), caller)


async def read_by_slug(call: Call) -> Answer:
    caller = call.caller_if_any()
    username, slug = call.arguments
    return artwork_answer(call, await reading.artwork_by_slug(call.platform, username, slug), caller)


async def read_many(call: Call) -> Answer:
    page, cursor = await reading.list_artworks(call.platform, reading.wish_of(call.request.query))
    return tagged_answer(call, {"data": [artwork_out(a, call.base) for a in page], "nextCursor": cursor})


async def read_me(call: Call) -> Answer:
    user = await reading.user_by_id(call.platform, call.caller().user_id)
    return tagged_answer(call, {"data": user_out(user)}, private=True)


async def read_readiness(call: Call) -> Answer:
    caller = call.caller()
    original = own_original(caller, reading.parameter(call.request.query, "originalKey"))
    return json_answer(await reading.readiness(call.platform, original), headers=NO_STORE)


async def change(call: Call) -> Answer:
    caller = call.caller()
    artwork = await change_artwork(
        call.platform, caller, call.arguments[0], await call.body(), call.request.header("if-match")
    )
    return artwork_answer(call, artwork, caller)


async def remove(call: Call) -> Answer:
    caller = call.caller()
    await remove_artwork(call.platform, caller, call.arguments[0], call.request.header("if-match"))
    return Answer(204, None, dict(NO_STORE))


async def reprocess(call: Call) -> Answer:
    caller = call.caller()
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
    answer = artwork_answer(call, await asyncio.shield(task), caller)
    answer.headers["Server-Timing"] = call.watch.server_timing()
    return answer


async def sweep_now(call: Call) -> Answer:
    if not call.caller().is_operator:
        raise Forbidden("Only operators may sweep.")
    dry_run = reading.flag(call.request.query, "dryRun")
    return json_answer({"data": (await sweep(call.platform, dry_run=dry_run)).out()}, headers=NO_STORE)


async def read_openapi(call: Call) -> Answer:
    return tagged_answer(call, document(call.request.origin))


async def deliver_object(call: Call) -> Answer:
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
