"""Claims: who works on an original right now. One expires by itself when its holder is gone."""

from __future__ import annotations

from dataclasses import dataclass

from gallery import sql
from gallery.artwork import Artwork, artwork_of
from gallery.errors import Conflict, DatabaseError, Unavailable
from gallery.ports import Platform, Statement
from gallery.records import first, transact

# Longer than all that may happen between claim and commit beside the siblings' own deadline.
MARGIN = 30.0
_ASK_AGAIN = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """`attempt` counts the tries at one original and is the version of the renditions made in this one."""

    original_key: str
    holder: str
    attempt: int


async def take(platform: Platform, original_key: str, seconds: float) -> tuple[Claim | None, Artwork | None]:
    """The claim, None while another holds it, and the artwork the original has by then."""
    holder, now = platform.uuid(), _milliseconds(platform.now())
    rows = await transact(
        platform,
        (sql.CLAIM, (original_key, holder, now + int(seconds * 1000), now)),
        (sql.ARTWORK_OF_ORIGINAL, (original_key,)),
    )
    claimed, recorded = first(rows[0]), first(rows[1])
    claim = Claim(original_key, holder, claimed["attempt"]) if claimed else None
    return claim, artwork_of(recorded) if recorded else None


def busy() -> Conflict:
    return Conflict(retry_after=_ASK_AGAIN)


def release_statement(platform: Platform, claim: Claim) -> Statement:
    return sql.RELEASE, (claim.original_key, claim.holder, _milliseconds(platform.now()))


async def release(platform: Platform, claim: Claim) -> None:
    """Give the claim back; where the records cannot be reached, it runs out instead."""
    try:
        await transact(platform, release_statement(platform, claim))
    except (DatabaseError, Unavailable) as error:
        platform.log({"event": "release_failed", "key": claim.original_key, "reason": repr(error)})


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
