"""The gateway's settings: variables and secrets of its environment, read once and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gallery.errors import NotConfigured

SECRET_BYTES = 32  # RFC 7518, 3.2: a key for HS256 has at least the size of the hash
TOKEN_BYTES = 16  # renderers have no public address at which tokens could be tried
MAX_UPLOAD_BYTES = 30 * 1024 * 1024
MAX_OPEN_UPLOADS = 50
MAX_OPEN_BYTES = 1024**3
MAX_TOKEN_DAYS = 30
OPTIONAL_SECRETS = {"CDN_PURGE_TOKEN"}
CLOUDFLARE_API = "https://api.cloudflare.com/client/v4"
USERNAME_CLAIM = "preferred_username"
ARTWORK_LIMIT = 50
MOST_ARTWORKS = 1_000_000_000
SITE_NAME = "Gallery"
SITE_TAGLINE = "Pictures, and the artists who made them."

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_ZONE = re.compile(r"[0-9a-f]{32}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider whose tokens are accepted.

    `operator` is the name and the value of the claim that operators have.
    """

    keys_url: str
    issuer: str
    audience: str
    operator: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Site:
    """How the operator's site presents itself; empty texts are left to the page.

    `accent` is a CSS colour in hexadecimal, `footer_links` are texts with their URLs.
    """

    name: str = SITE_NAME
    tagline: str = SITE_TAGLINE
    logo_url: str = ""
    accent: str = ""
    footer_text: str = ""
    footer_links: tuple[tuple[str, str], ...] = ()
    max_upload_bytes: int = MAX_UPLOAD_BYTES


@dataclass(frozen=True, slots=True)
class Settings:
    """What is configured: sizes in bytes, times in seconds, URLs without a slash at their end.

    `cdn_domain` and `public_url` are empty where the origin of the request is used.
    """

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
    public_url: str
    max_token_seconds: float
    provider: Provider | None
    username_claim: str
    auto_create_users: bool
    default_artwork_limit: int
    cdn_zone_id: str
    cdn_purge_token: str = field(repr=False)
    cdn_purge_api: str
    site: Site


def read_settings(read: _Read) -> Settings:
    """Settings from `read(name)`. Raises NotConfigured with every name that is missing or unusable."""
    reader = _Reader(read)
    max_upload_bytes = int(reader.number("MAX_UPLOAD_BYTES", MAX_UPLOAD_BYTES, 1, 5 * 1024**3))
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
        max_upload_bytes=max_upload_bytes,
        max_open_uploads=int(reader.number("MAX_OPEN_UPLOADS", MAX_OPEN_UPLOADS, 1, 10_000)),
        max_open_bytes=int(reader.number("MAX_OPEN_BYTES", MAX_OPEN_BYTES, 1, 1024**4)),
        public_url=reader.origin("PUBLIC_URL"),
        max_token_seconds=reader.number("MAX_TOKEN_DAYS", MAX_TOKEN_DAYS, 0.01, 3650) * 86_400,
        provider=reader.provider(),
        username_claim=reader.text("AUTH_USERNAME_CLAIM") or USERNAME_CLAIM,
        auto_create_users=reader.flag("AUTO_CREATE_USERS"),
        default_artwork_limit=int(reader.number("DEFAULT_ARTWORK_LIMIT", ARTWORK_LIMIT, 0, MOST_ARTWORKS)),
        cdn_zone_id=reader.zone("CDN_ZONE_ID"),
        cdn_purge_token=reader.text("CDN_PURGE_TOKEN"),
        cdn_purge_api=reader.url("CDN_PURGE_API", CLOUDFLARE_API),
        site=reader.site(max_upload_bytes),
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

    def url(self, name: str, default: str = "") -> str:
        value = (self.text(name) or default).rstrip("/")
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

    def provider(self) -> Provider | None:
        """All three settings of an identity provider, or none of them."""
        names = ("AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE")
        url, issuer, audience = values = tuple(self.text(name) for name in names)
        operator = self._claim("AUTH_OPERATOR_CLAIM")
        if not any(values):
            return None
        for name, value in zip(names, values, strict=True):
            if not value:
                self.problem(name, f"is missing; {', '.join(names)} belong together")
        if url and not _is_keys_url(url):
            self.problem(names[0], "is not an https URL")
        return Provider(url, issuer, audience, operator)

    def _claim(self, name: str) -> tuple[str, str] | None:
        """`<claim>=<value>`. A claim may be a URL; a value has no equals sign."""
        text = self.text(name)
        claim, equals, value = text.rpartition("=")
        if text and not (claim and value):
            self.problem(name, "is not a claim and its value, such as role=operator")
        return (claim, value) if equals else None

    def origin(self, name: str) -> str:
        """An origin, or the name of a host alone; empty when there is none."""
        value = self.domain(name)
        if _is_base_url(value) and not _is_origin(value):
            self.problem(name, "is not an origin such as https://gallery.example.org")
        return value

    def site(self, max_upload_bytes: int) -> Site:
        """The texts, logo and colours of the site, each of which may be left out."""
        accent = self.text("SITE_ACCENT")
        if accent and not _COLOR.fullmatch(accent):
            self.problem("SITE_ACCENT", "is not a colour such as #0b6e4f")
        return Site(
            name=self.text("SITE_NAME") or SITE_NAME,
            tagline=self.text("SITE_TAGLINE") or SITE_TAGLINE,
            logo_url=self._link("SITE_LOGO_URL", self.text("SITE_LOGO_URL")),
            accent=accent,
            footer_text=self.text("SITE_FOOTER_TEXT"),
            footer_links=self._links("SITE_FOOTER_LINKS"),
            max_upload_bytes=max_upload_bytes,
        )

    def _links(self, name: str) -> tuple[tuple[str, str], ...]:
        """`Imprint /imprint, Shop https://shop.example.org`: each a text and, after its last space, a URL."""
        links = []
        for part in filter(None, (part.strip() for part in self.text(name).split(","))):
            text, space, url = part.rpartition(" ")
            if not space:
                self.problem(name, "has an entry that is not a text and a URL")
            links.append((text.strip(), self._link(name, url)))
        return tuple(links)

    def _link(self, name: str, value: str) -> str:
        """A path of the site or an http(s) URL, never another scheme."""
        is_path = value.startswith("/") and not value.startswith("//")
        if value and not is_path and not value.startswith(("https://", "http://")):
            self.problem(name, "has an address that is neither a path nor an http(s) URL")
        return value

    def zone(self, name: str) -> str:
        value = self.text(name)
        if value and not _ZONE.fullmatch(value):
            self.problem(name, "is not the id of a zone")
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


def _is_keys_url(text: str) -> bool:
    """An https URL, or http on this machine: the keys decide whose tokens are valid."""
    try:
        url = urlsplit(text)
        is_secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
        # A query is allowed here, and nowhere else.
        return is_secure and _is_base_url(url._replace(query="").geturl())
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    return _is_base_url(text) and urlsplit(text).path == "" and text == text.lower()
