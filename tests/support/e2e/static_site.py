"""A site on a port of its own: another origin than the gallery's, with folders and a package index."""

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".whl": "application/zip"}
SIMPLE = "application/vnd.pypi.simple.v1+json"


class Site:
    """Answers files below `folders`, by the first part of their path, and an index of `wheels`."""

    def __init__(self, folders: dict[str, Path], wheels: Sequence[Path]) -> None:
        self.origin = ""
        self._folders = folders
        self._wheels = {wheel.name: wheel for wheel in wheels}

    def answer(self, path: str) -> tuple[str, bytes] | None:
        first, _, rest = path.lstrip("/").partition("/")
        if first == "wheels":
            return self._wheel(rest)
        if first == "simple":
            return self._index(rest.strip("/"))
        folder = self._folders.get(first) if rest else None
        file = (folder / rest) if folder else self._folders[""] / (first or "index.html")
        if not file.is_file():
            return None
        kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return kind, file.read_bytes()

    def _wheel(self, name: str) -> tuple[str, bytes] | None:
        if not name:
            return "application/json", json.dumps(list(self._wheels)).encode()
        return (TYPES[".whl"], self._wheels[name].read_bytes()) if name in self._wheels else None

    def _index(self, package: str) -> tuple[str, bytes] | None:
        prefix = package.replace("-", "_") + "-"
        files = [
            {
                "filename": name,
                "url": f"{self.origin}/wheels/{name}",
                "hashes": {},
                "size": wheel.stat().st_size,
            }
            for name, wheel in self._wheels.items()
            if name.startswith(prefix)
        ]
        if not files:
            return None
        listing = {"meta": {"api-version": "1.1"}, "name": package, "files": files, "versions": []}
        return SIMPLE, json.dumps(listing).encode()


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """The site on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, data = site.answer(self.path.partition("?")[0]) or ("text/plain", b"not here")
            self.send_response(404 if data == b"not here" else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
