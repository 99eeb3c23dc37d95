"""What the gallery keeps, as frozen values; names are snake_case here and camelCase on the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Required, Self, TypedDict

from vfa_gallery.errors import UnexpectedAnswer


class Category(StrEnum):
    """Suggestions; a category may be any text of up to 50 characters."""

    PAINTING = "painting"
    DRAWING = "drawing"
    PHOTOGRAPHY = "photography"
    SCULPTURE = "sculpture"
    DIGITAL = "digital"
    PRINTMAKING = "printmaking"
    ILLUSTRATION = "illustration"
    MIXED_MEDIA = "mixed_media"
    TEXTILE = "textile"
    CERAMICS = "ceramics"
    OTHER = "other"


class Changes(TypedDict, total=False):
    """What may be changed of an artwork; None clears a text."""

    title: str
    description: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | None
    category: str
    tags: list[str]
    is_featured: bool


class Details(TypedDict, total=False):
    """What is said of a new artwork."""

    title: Required[str]
    description: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | None
    category: str
    tags: list[str]


def camel(name: str) -> str:
    """A name as the wire has it.

    >>> camel("created_date")
    'createdDate'
    """
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their wire names.

    >>> to_wire({"title": "Dusk", "created_date": "2024"})
    {'title': 'Dusk', 'createdDate': '2024'}
    """
    return {camel(name): value for name, value in values.items()}


def moment(text: str) -> datetime:
    """A point in time from ISO 8601.

    >>> moment("2026-01-02T03:04:05.678Z")
    datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_TIME = {"read": moment}


class _Record:
    """Reads a frozen dataclass from the wire; names it does not know are passed over."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, wire: Any, **extra: Any) -> Self:
        values = dict(extra)
        try:
            for each in dataclasses.fields(cls):  # type: ignore[arg-type]
                if each.name in extra:
                    continue
                wanted = each.default is dataclasses.MISSING
                value = wire[camel(each.name)] if wanted else wire.get(camel(each.name), each.default)
                read = each.metadata.get("read")
                values[each.name] = read(value) if read and value is not None else value
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnexpectedAnswer(f"the gallery answered no {cls.__name__.lower()}: {error!r}") from error
        return cls(**values)

    def to_wire(self) -> dict[str, Any]:
        """The record as JSON has it."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}  # type: ignore[arg-type]
        return to_wire({name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Artwork(_Record):
    """One artwork; `width` and `height` are of the display rendition, `etag` is of the state read.

    What another program recorded in the gallery may lack URLs, sizes and colours.
    """

    id: str
    user_id: str
    username: str
    slug: str
    title: str
    description: str | None
    materials: str | None
    dimensions: str | None
    created_date: str | None
    category: str
    tags: tuple[str, ...] = field(metadata={"read": tuple})
    display_url: str | None
    thumbnail_url: str | None
    icon_url: str | None
    width: int | None
    height: int | None
    original_width: int | None
    original_height: int | None
    dominant_color: str | None
    thumb_hash: str | None
    status: str
    is_featured: bool
    created_at: datetime = field(metadata=_TIME)
    updated_at: datetime = field(metadata=_TIME)
    processed_at: datetime | None = field(default=None, metadata=_TIME)
    # For the owner and operators, and for everybody where originals are public.
    original_url: str | None = field(default=None, compare=False)
    # Signed, and as the ETag that covers it another one after a while: no part of what the artwork is.
    original_download_url: str | None = field(default=None, repr=False, compare=False)
    # For its owner: another file is in the place of the original.
    original_replaced: bool = False
    etag: str | None = field(default=None, compare=False)

    @property
    def original_key(self) -> str:
        """The original's key in the bucket; empty where its URL is not told, or is another program's."""
        _, found, name = (self.original_url or "").partition("/originals/")
        return f"originals/{name}" if found else ""


@dataclass(frozen=True, slots=True)
class Me(_Record):
    """The person a token belongs to, and how many artworks they may still add."""

    id: str
    username: str
    artwork_limit: int
    artwork_count: int
    artwork_remaining: int


@dataclass(frozen=True, slots=True)
class Account(_Record):
    """A user as operators see one; tokens issued before `tokens_valid_after` are refused."""

    id: str
    username: str
    artwork_limit: int
    artwork_count: int
    artwork_remaining: int
    status: str
    tokens_valid_after: datetime | None = field(metadata=_TIME)
    issuer: str | None
    subject: str | None
    created_at: datetime = field(metadata=_TIME)


class AccountChanges(TypedDict, total=False):
    """What operators may change of a user."""

    username: str
    artwork_limit: int
    status: str
    revoke_tokens: Literal[True]
    subject: str


@dataclass(frozen=True, slots=True)
class Readiness(_Record):
    """Which renditions of an original are known to be there; a hint, which may lag behind."""

    display: bool
    thumbnail: bool
    icon: bool

    @property
    def complete(self) -> bool:
        return self.display and self.thumbnail and self.icon


@dataclass(frozen=True, slots=True)
class UploadTicket(_Record):
    """Leave to put one original into the bucket once."""

    upload_url: str
    key: str
    method: str
    headers: Mapping[str, str]
    expires_at: datetime = field(metadata=_TIME)


@dataclass(frozen=True, slots=True)
class SweepReport(_Record):
    """What one run of the sweeper saw and removed, or would remove; long lists are cut.

    What an older gallery does not say is None; `next_cursor` is where an audit goes on.
    """

    dry_run: bool
    objects_seen: int
    artworks_seen: int
    objects_removed: int
    removed: tuple[str, ...] = field(metadata={"read": tuple})
    missing: tuple[Mapping[str, Any], ...] = field(metadata={"read": tuple})
    failed: tuple[str, ...] = field(metadata={"read": tuple})
    uploads_seen: int | None = None
    replaced: tuple[str, ...] | None = field(default=None, metadata={"read": tuple})
    renewed: tuple[str, ...] | None = field(default=None, metadata={"read": tuple})
    next_cursor: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """The report as JSON has it, without what it does not say."""
        # `super()` needs the class that `slots=True` has replaced.
        return {name: value for name, value in _Record.to_wire(self).items() if value is not None}


class Stage(StrEnum):
    """What an upload is at."""

    SENDING = "sending"
    RENDERING = "rendering"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is, in bytes; an exception raised by whoever is told stops the upload."""

    stage: Stage
    sent: int
    total: int
