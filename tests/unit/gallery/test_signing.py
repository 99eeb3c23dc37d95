"""Presigned URLs: equal to botocore's, whatever is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gallery.access.signing import Signer
from gallery.formats import ACCEPTED_TYPES, EXTENSIONS
from gallery.keys import OriginalKey

ENDPOINTS = (
    "https://0123456789abcdef.r2.cloudflarestorage.com",
    "http://127.0.0.1:8787/cdn-cgi/local/r2/s3",
    "http://localhost",
)
dates = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
credentials = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=64)
keys = st.builds(
    lambda user, uuid, ext: str(OriginalKey(user, str(uuid), ext)),
    st.text("abcXYZ019_-", min_size=1, max_size=64),
    st.uuids(),
    st.sampled_from(sorted(EXTENSIONS.values())),
) | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=80)


def botocore_url(
    signer: Signer, method: str, key: str, now: datetime, lifetime: int, headers: dict[str, str]
) -> str:
    """What botocore makes of the same request."""

    class Presigner(botocore.auth.S3SigV4QueryAuth):  # type: ignore[misc]
        def payload(self, request: AWSRequest) -> str:  # noqa: ARG002
            return "UNSIGNED-PAYLOAD"

    url = f"{signer.endpoint}/{signer.bucket}/{quote(key, safe='/-_.~')}"
    request = AWSRequest(method, url, headers=headers)
    auth = Presigner(Credentials(signer.access_key_id, signer.secret_access_key), "s3", "auto", lifetime)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now.replace(tzinfo=None)):
        auth.add_auth(request)
    return str(request.url)


def parts(url: str) -> tuple[str, str, str, dict[str, list[str]]]:
    split = urlsplit(url)
    return split.scheme, split.netloc, split.path, parse_qs(split.query, strict_parsing=True)


@given(
    endpoint=st.sampled_from(ENDPOINTS),
    access=credentials,
    secret=credentials,
    key=keys,
    now=dates,
    lifetime=st.integers(1, 604_800),
    content_type=st.sampled_from(ACCEPTED_TYPES),
    size=st.none() | st.integers(1, 5 * 1024**3),
)
def test_a_put_is_signed_as_botocore_signs_it(
    endpoint: str,
    access: str,
    secret: str,
    key: str,
    now: datetime,
    lifetime: int,
    content_type: str,
    size: int | None,
) -> None:
    signer = Signer(endpoint, "vfa-gallery", access, secret)
    headers = {"Content-Type": content_type, "If-None-Match": "*"}
    if size is not None:
        headers["Content-Length"] = str(size)
    ours = signer.presign("PUT", key, now=now, lifetime=lifetime, headers=headers)
    assert parts(ours) == parts(botocore_url(signer, "PUT", key, now, lifetime, headers))


@given(endpoint=st.sampled_from(ENDPOINTS), key=keys, now=dates)
def test_a_get_is_signed_as_botocore_signs_it(endpoint: str, key: str, now: datetime) -> None:
    signer = Signer(endpoint, "vfa-gallery", "access", "secret")
    ours = signer.presign("GET", key, now=now, lifetime=900)
    assert parts(ours) == parts(botocore_url(signer, "GET", key, now, 900, {}))


def test_the_query_names_what_is_signed() -> None:
    signer = Signer(ENDPOINTS[0], "vfa-gallery", "access", "secret")
    headers = {"Content-Type": "image/png", "Content-Length": "7", "If-None-Match": "*"}
    url = signer.presign("PUT", "k", now=datetime(2026, 1, 2, tzinfo=UTC), lifetime=60, headers=headers)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert query["X-Amz-Credential"] == ["access/20260102/auto/s3/aws4_request"]
    assert query["X-Amz-Expires"] == ["60"]


@pytest.mark.parametrize("field", ["method", "key", "lifetime", "headers"])
def test_every_part_changes_the_signature(field: str) -> None:
    signer = Signer(ENDPOINTS[0], "vfa-gallery", "access", "secret")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    values = {"method": "PUT", "key": "k", "lifetime": 60, "headers": {"content-type": "image/png"}}
    others = {"method": "GET", "key": "l", "lifetime": 61, "headers": {"content-type": "image/gif"}}

    def signature(method: str, key: str, lifetime: int, headers: dict[str, str]) -> str:
        return signer.presign(method, key, now=now, lifetime=lifetime, headers=headers)[-64:]

    assert signature(**values) != signature(**values | {field: others[field]})  # type: ignore[arg-type]


def test_the_secret_does_not_show_in_a_printed_signer() -> None:
    assert "hidden" not in repr(Signer(ENDPOINTS[0], "b", "access", "hidden"))
