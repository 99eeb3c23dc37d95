"""The handlers: each reads its request, calls a use case and builds the response."""

from __future__ import annotations

from gallery import audit, create, edit, read, reprocess, users
from gallery import sweep as sweeping
from gallery.access import uploads
from gallery.cleanup import purge
from gallery.create import CreateRequest
from gallery.errors import Unavailable, UserNotFound
from gallery.health import check_health
from gallery.http import fields
from gallery.http.conditional import expected_revisions
from gallery.http.context import (
    Context,
    artwork_response,
    own_original,
    tagged_response,
    throttle,
    throttle_reads,
    visible_fields,
)
from gallery.http.delivery import deliver
from gallery.http.messages import NO_STORE, Response, error_response, json_response
from gallery.http.schemas import account_out, user_out
from gallery.render import RenderContext
from gallery.store import search

_MANAGE_USERS = "manage users"


async def read_health(context: Context) -> Response:
    """200 when the database and every renderer answer, else 503 that names the renderers that do not."""
    await throttle_reads(context)
    renderers = await check_health(context.platform, context.settings.worker_token)
    states = {variant: "ok" if well else "unavailable" for variant, well in renderers.items()}
    if all(renderers.values()):
        return json_response({"status": "ok", "renderers": states}, headers=NO_STORE)
    error = Unavailable("Pictures cannot be processed right now. Please try again in a moment.")
    context.log_fields["code"] = error.code
    return error_response(error, context.request_id, status="unavailable", renderers=states)


async def issue_upload(context: Context) -> Response:
    caller = await context.caller()
    await throttle(context, context.platform.limits.uploads, caller.user_id)
    request = fields.upload_request_of(await context.body(), context.settings.max_upload_bytes)
    upload = await uploads.issue_upload(context.platform, context.settings, caller.user_id, request)
    return json_response(upload, headers=NO_STORE)


async def create_artwork(context: Context) -> Response:
    caller = await context.caller()
    await throttle(context, context.platform.limits.creates, caller.user_id)
    body = await context.body()
    fields.require(body, "title", "originalKey")
    description = fields.description_of(body)
    request = CreateRequest(caller.user_id, own_original(caller, body.get("originalKey")), description)
    context.watch.lap("request")
    created = await context.finish(
        create.create_unless_failing(context.platform, context.settings, request, _render_context(context))
    )
    context.log_fields["artwork"] = created.artwork.id
    status = 201 if created.is_new else 200
    response = await artwork_response(context, created.artwork, caller, status, is_fresh=created.is_new)
    response.headers["Server-Timing"] = context.watch.server_timing()
    response.headers["Location"] = f"/api/artworks/{created.artwork.id}"
    return response


async def read_artwork(context: Context) -> Response:
    caller = await context.optional_caller()
    await throttle_reads(context, caller)
    artwork = await read.read_artwork(context.platform, caller, context.parameters["id"])
    return await artwork_response(context, artwork, caller)


async def read_artwork_by_slug(context: Context) -> Response:
    caller = await context.optional_caller()
    await throttle_reads(context, caller)
    username, slug = context.parameters["username"], context.parameters["slug"]
    artwork = await read.read_artwork_by_slug(context.platform, caller, username, slug)
    return await artwork_response(context, artwork, caller)


async def list_artworks(context: Context) -> Response:
    caller = await context.optional_caller()
    await throttle_reads(context, caller)
    query = fields.list_query_of(context.request.query)
    page, cursor = await search.list_artworks(context.platform, query)
    shown = [visible_fields(context, artwork, caller) for artwork in page]
    response = tagged_response(context, {"data": shown, "nextCursor": cursor}, private=caller is not None)
    response.headers["Vary"] = "Authorization"
    return response


async def read_me(context: Context) -> Response:
    caller = await context.caller()
    await throttle_reads(context, caller)
    if caller.user is None:
        raise UserNotFound
    return tagged_response(context, {"data": user_out(caller.user)}, private=True)


async def read_readiness(context: Context) -> Response:
    caller = await context.caller()
    await throttle_reads(context, caller)
    query = context.request.query
    original = own_original(caller, fields.parameter(query, "originalKey"))
    state = await read.wait_for_readiness(context.platform, original, fields.wait_seconds_of(query))
    return json_response(state, headers=NO_STORE)


async def change_artwork(context: Context) -> Response:
    caller = await context.caller()
    expected = expected_revisions(context.request.header("if-match"))
    changes = fields.changes_of(await context.body())
    artwork_id = context.parameters["id"]
    artwork = await edit.change_artwork(context.platform, caller, artwork_id, changes, expected)
    return await artwork_response(context, artwork, caller)


async def delete_artwork(context: Context) -> Response:
    caller = await context.caller()
    expected = expected_revisions(context.request.header("if-match"))
    deleted = await edit.delete_artwork(context.platform, caller, context.parameters["id"], expected)
    context.platform.background(purge(context.platform, context.settings, deleted))
    return Response(204, None, dict(NO_STORE))


async def reprocess_artwork(context: Context) -> Response:
    caller = await context.caller()
    if not caller.is_operator:
        await throttle(context, context.platform.limits.creates, caller.user_id)
    context.watch.lap("request")
    artwork = await context.finish(
        reprocess.reprocess_artwork(
            context.platform, context.settings, caller, context.parameters["id"], _render_context(context)
        )
    )
    response = await artwork_response(context, artwork, caller, is_fresh=True)
    response.headers["Server-Timing"] = context.watch.server_timing()
    return response


async def sweep(context: Context) -> Response:
    await context.operator("sweep")
    query = context.request.query
    dry_run = fields.flag(query, "dryRun")
    cursor = fields.parameter(query, "cursor")
    audit.parse_cursor(cursor)
    if fields.flag(query, "audit"):
        report = await audit.audit(context.platform, cursor, dry_run=dry_run)
    else:
        report = await sweeping.sweep(context.platform, context.settings, dry_run=dry_run)
    return json_response({"data": report.out()}, headers=NO_STORE)


async def create_user(context: Context) -> Response:
    await context.operator(_MANAGE_USERS)
    new = fields.new_user_of(await context.body())
    user = await users.create_user(context.platform, context.settings, new)
    response = json_response({"data": account_out(user)}, 201, NO_STORE)
    response.headers["Location"] = f"/api/users/{user.id}"
    return response


async def list_users(context: Context) -> Response:
    await context.operator(_MANAGE_USERS)
    query = context.request.query
    username, limit = fields.parameter(query, "username"), fields.limit_of(fields.parameter(query, "limit"))
    if username is None:
        page, cursor = await users.list_users(context.platform, fields.username_cursor_of(query), limit)
    else:
        user = await users.find_by_username(context.platform, fields.filter_of(username))
        page, cursor = [user] if user else [], None
    shown = [account_out(user) for user in page]
    return json_response({"data": shown, "nextCursor": cursor}, headers=NO_STORE)


async def read_user(context: Context) -> Response:
    await context.operator(_MANAGE_USERS)
    user = await users.read_user(context.platform, context.parameters["id"])
    return json_response({"data": account_out(user)}, headers=NO_STORE)


async def change_user(context: Context) -> Response:
    await context.operator(_MANAGE_USERS)
    change = fields.user_change_of(await context.body())
    user = await users.change_user(context.platform, context.settings, context.parameters["id"], change)
    return json_response({"data": account_out(user)}, headers=NO_STORE)


async def read_object(context: Context) -> Response:
    await throttle_reads(context, kind="cdn ")
    is_public = context.settings.public_originals
    key = context.parameters["key"]
    return await deliver(context.platform, context.request, key, public_originals=is_public)


def _render_context(context: Context) -> RenderContext:
    return RenderContext(context.base, context.request_id, context.watch)
