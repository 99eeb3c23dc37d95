"""The gateway's settings: variables and secrets of its environment, read once and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gallery.errors import NotConfigured

SECRET_BYTES = 32  # RFC 7518, 3.2: a key for HS256 has at least the size of the hash
TOKEN_BYTES = 16  # nobody can try tokens of a sibling but through the gateway
MAX_UPLOAD_BYTES = 30 * 1024 * 1024
MAX_OPEN_UPLOADS = 50
MAX_OPEN_BYTES = 1024**3

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Settings:
    jwt_secret: str = field(repr=False)
    worker_token: str = field(repr=False)
    access_key_id: str
    secret_access_key: str = field(repr=False)
    s3_endpoint: str
    bucket: str
    cdn_domain: str
    public_originals: bool
    variant_deadline: float
    allowed_origins: tuple[str, ...]
    max_upload_bytes: int
    max_open_uploads: int
    max_open_bytes: int


def read_settings(read: _Read) -> Settings:
    """Settings from `read(name)`. Raises NotConfigured with every name that is missing or unusable."""
    reader = _Reader(read)
    settings = Settings(
        jwt_secret=reader.secret("AUTH_JWT_SECRET", SECRET_BYTES),
        worker_token=reader.secret("WORKER_AUTH_TOKEN", TOKEN_BYTES),
        access_key_id=reader.secret("R2_ACCESS_KEY_ID"),
        secret_access_key=reader.secret("R2_SECRET_ACCESS_KEY"),
        s3_endpoint=reader.url("R2_S3_ENDPOINT"),
        bucket=reader.bucket("R2_BUCKET"),
        cdn_domain=reader.domain("R2_CDN_DOMAIN"),
        public_originals=reader.flag("PUBLIC_ORIGINALS"),
        variant_deadline=reader.number("VARIANT_DEADLINE_SECONDS", 10, 0.1, 20),
        allowed_origins=reader.origins("ALLOWED_ORIGINS"),
        max_upload_bytes=int(reader.number("MAX_UPLOAD_BYTES", MAX_UPLOAD_BYTES, 1, 5 * 1024**3)),
        max_open_uploads=int(reader.number("MAX_OPEN_UPLOADS", MAX_OPEN_UPLOADS, 1, 10_000)),
        max_open_bytes=int(reader.number("MAX_OPEN_BYTES", MAX_OPEN_BYTES, 1, 1024**4)),
    )
    if reader.problems:
        raise NotConfigured(tuple(reader.problems))
    return settings


class _Reader:
    def __init__(self, read: _Read) -> None:
        self._read = read
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return (self._read(name) or "").strip()

    def problem(self, name: str, what: str) -> None:
        self.problems.append(f"{name} {what}")

    def secret(self, name: str, at_least: int = 1) -> str:
        value = self.text(name)
        if not value:
            self.problem(name, "is missing")
        elif len(value.encode()) < at_least:
            self.problem(name, f"has fewer than {at_least} bytes")
        return value

    def url(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        if not value:
            self.problem(name, "is missing")
        return self._base_url(name, value)

    def domain(self, name: str) -> str:
        """A base URL, or the name of a host alone; empty when there is none."""
        value = self.text(name).rstrip("/")
        return self._base_url(name, value if "://" in value or not value else f"https://{value}")

    def _base_url(self, name: str, value: str) -> str:
        if value and not _is_base_url(value):
            self.problem(name, "is not an http(s) URL without query")
        return value

    def bucket(self, name: str) -> str:
        value = self.text(name)
        if not _BUCKET.fullmatch(value):
            self.problem(name, "is not the name of a bucket")
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            self.problem(name, 'is neither "true" nor "false"')
        return value == "true"

    def number(self, name: str, default: float, least: float, most: float) -> float:
        text = self.text(name)
        try:
            value = float(text) if text else float(default)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self.problem(name, f"is not a number from {least} to {most}")
            return float(default)
        return value

    def origins(self, name: str) -> tuple[str, ...]:
        origins = tuple(o for o in (part.strip() for part in self.text(name).split(",")) if o)
        if any(origin != "*" and not _is_origin(origin) for origin in origins):
            self.problem(name, "has an entry that is not an origin such as https://example.org")
        return origins


def _is_base_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return (
            not re.search(r"\s", text)
            and url.scheme in ("http", "https")
            and bool(url.hostname)
            and not (url.query or url.fragment or url.username or url.password)
            and url.port != 0
        )
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    return _is_base_url(text) and urlsplit(text).path == "" and text == text.lower()
