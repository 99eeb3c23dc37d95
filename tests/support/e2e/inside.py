"""What a local stack holds, seen past the gallery: rows, counts, and objects by the bucket's S3 API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.support.e2e.accounts import Account
from tools.stack import Stack


def counts(stack: Stack, user: Account) -> tuple[int, int]:
    """The user's artworks, as counted and as recorded."""
    counted = stack.rows("SELECT artwork_count AS n FROM users WHERE id = ?", user.user_id)
    rows = stack.rows("SELECT count(*) AS n FROM artworks WHERE user_id = ?", user.user_id)
    return int(counted[0]["n"]), int(rows[0]["n"])


def count_matches_rows(stack: Stack, user: Account) -> bool:
    counted, rows = counts(stack, user)
    return counted == rows


def audit(operator: httpx.Client) -> Iterator[dict[str, Any]]:
    """The reports of a walk through the whole bucket, which ends early where one names a failure."""
    parameters = {"audit": "true"}
    while True:
        report = operator.post("/api/sweep", params=parameters).raise_for_status().json()["data"]
        yield report
        if report["nextCursor"] is None or report["failed"]:
            return
        parameters["cursor"] = report["nextCursor"]


class Bucket:
    """The local bucket, as another S3 client with the stack's credentials uses it."""

    def __init__(self, stack: Stack) -> None:
        secrets = json.loads((stack.state / "secrets.json").read_text())
        self._url = f"{stack.url}/cdn-cgi/local/r2/s3/vfa-gallery"
        self._credentials = Credentials(secrets["R2_ACCESS_KEY_ID"], secrets["R2_SECRET_ACCESS_KEY"])

    def request(self, method: str, key: str, data: bytes = b"", **headers: str) -> httpx.Response:
        """A request whose headers are all signed."""
        request = AWSRequest(method, f"{self._url}/{key}", data=data, headers=headers)
        S3SigV4Auth(self._credentials, "s3", "auto").add_auth(request)
        sent: Mapping[str, str] = dict(request.headers)
        return httpx.request(method, request.url, content=data or None, headers=sent, timeout=60)

    def read(self, key: str) -> bytes:
        answer = self.request("GET", key)
        assert answer.status_code == 200, answer.text
        return answer.content

    def write(self, key: str, data: bytes, content_type: str = "image/jpeg") -> None:
        answer = self.request("PUT", key, data, **{"content-type": content_type})
        assert answer.status_code == 200, answer.text
