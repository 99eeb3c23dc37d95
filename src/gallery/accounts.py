"""Accounts: the user behind a token, made on first sight where the settings say so."""

from __future__ import annotations

from hashlib import sha256

from gallery import sql
from gallery.artwork import User, user_of
from gallery.auth import Caller, Identity
from gallery.errors import Suspended, Unauthorized
from gallery.ports import Platform, Statement
from gallery.records import first, only, transact
from gallery.settings import Settings
from gallery.times import iso
from gallery.usernames import LENGTH, username_from

_REVOKED = "This session was ended. Please sign in again."


def user_id_of(identity: Identity) -> str:
    """The id that a user gets: of a provider's subject, which may hold anything, the digest."""
    if identity.issuer is None:
        return identity.subject
    return f"usr_{_digest(identity)[:32]}"


async def caller_of(platform: Platform, settings: Settings, identity: Identity) -> Caller:
    """The caller with their account as it is now. Raises Unauthorized for a revoked token, and Suspended."""
    row = await only(platform, _lookup(identity))
    if row is None and settings.auto_create_users:
        insertion = _insertion(identity, settings.default_artwork_limit, iso(platform.now()))
        row = first((await transact(platform, insertion, _lookup(identity)))[1])
    if row is None:
        return Caller(user_id_of(identity), identity.is_operator)
    user = user_of(row)
    if _is_revoked(identity, user):
        raise Unauthorized(_REVOKED)
    if user.is_suspended:
        raise Suspended
    return Caller(user.id, identity.is_operator, user)


def _lookup(identity: Identity) -> Statement:
    if identity.issuer is None:
        return sql.USER, (identity.subject,)
    return sql.USER_OF_SUBJECT, (identity.issuer, identity.subject)


def _insertion(identity: Identity, limit: int, now: str) -> Statement:
    digest = _digest(identity)
    name = username_from(identity.username or "") or f"user-{digest[:8]}"
    other = f"{name[: LENGTH - 13]}-{digest[:12]}"
    subject = None if identity.issuer is None else identity.subject
    return sql.INSERT_USER_ON_SIGHT, (user_id_of(identity), name, limit, identity.issuer, subject, now, other)


def _is_revoked(identity: Identity, user: User) -> bool:
    # A token that does not say when it was issued may be as old as any.
    issued = 0.0 if identity.issued_at is None else identity.issued_at
    return issued * 1000 < user.tokens_valid_after


def _digest(identity: Identity) -> str:
    return sha256(f"{identity.issuer or ''}\n{identity.subject}".encode()).hexdigest()
