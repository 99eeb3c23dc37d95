"""The stand-in for Cloudflare's API as an HTTP server on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.deploy import cloudflare_api
from tests.support.deploy.cloudflare import Cloudflare, Refused
from tests.support.deploy.cloudflare_api import Sent


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloudflare

    def _serve(self) -> None:
        body = self._body()
        url = urlsplit(self.path)
        path, page = url.path, int(parse_qs(url.query).get("page", ["1"])[0])
        kind, region = self.headers.get("content-type", ""), self.headers.get("cf-r2-jurisdiction", "")
        try:
            status, result = cloudflare_api.answer(self.cloud, self.command, path, Sent(kind, body, region))
            answer = {"success": True, "errors": [], "messages": [], "result": result}
        except Refused as refusal:
            status = refusal.status
            errors = [{"code": refusal.code, "message": refusal.message}]
            answer = {"success": False, "errors": errors, "messages": [], "result": None}
        if isinstance(answer["result"], list):
            answer["result"] = answer["result"] if page == 1 else []
            count = len(answer["result"])
            answer["result_info"] = {"page": 1, "per_page": 1000, "count": count, "total_count": count}
        self._send(status, json.dumps(answer).encode(), hashlib.md5(body, usedforsecurity=False).hexdigest())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while length := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, data: bytes, etag: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(cloud: Cloudflare) -> Iterator[Cloudflare]:
    """Answer for `cloud` on a free port until the block ends."""
    handler = type("Requests", (_Requests,), {"cloud": cloud})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        cloud.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield cloud
        server.shutdown()
        thread.join()
    cloud.close()
