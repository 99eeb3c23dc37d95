"""Presigned URLs: AWS Signature Version 4 in the query, for R2's S3 API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_REGION = "auto"
_SERVICE = "s3"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs URLs for one S3 endpoint, which may have a path; objects are addressed path-style below it."""

    endpoint: str
    bucket: str
    access_key_id: str
    secret_access_key: str = field(repr=False)

    def presign(
        self, method: str, key: str, *, now: datetime, lifetime: int, headers: Mapping[str, str] | None = None
    ) -> str:
        """The URL that allows `method` on `key` for `lifetime` seconds from `now`, with these headers.

        Source: AWS Signature Version 4, "Authenticating requests: using query parameters".
        """
        url = urlsplit(self.endpoint)
        path = f"{url.path}/{self.bucket}/{key}"
        signed = {"host": url.netloc} | {n.lower(): " ".join(v.split()) for n, v in (headers or {}).items()}
        query = self._query(now, lifetime, signed)
        request = "\n".join(
            (
                method,
                _encoded_path(path),
                query,
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                ";".join(sorted(signed)),
                "UNSIGNED-PAYLOAD",
            )
        )
        signature = self._signature(request, now)
        return f"{url.scheme}://{url.netloc}{_encoded_path(path)}?{query}&X-Amz-Signature={signature}"

    def _query(self, now: datetime, lifetime: int, signed: Mapping[str, str]) -> str:
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.access_key_id}/{_scope(now)}",
            "X-Amz-Date": _stamp(now),
            "X-Amz-Expires": str(lifetime),
            "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        }
        return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))

    def _signature(self, request: str, now: datetime) -> str:
        text = "\n".join((_ALGORITHM, _stamp(now), _scope(now), hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret_access_key}".encode()
        for part in _scope(now).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def _encoded_path(path: str) -> str:
    return quote(path, safe="/-_.~")


def _stamp(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%SZ}"


def _scope(now: datetime) -> str:
    return f"{now:%Y%m%d}/{_REGION}/{_SERVICE}/aws4_request"
