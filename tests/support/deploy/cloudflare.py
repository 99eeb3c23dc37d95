"""A stand-in for Cloudflare's API: enough of it for a whole deployment by the genuine Wrangler.

It keeps what it is told: databases are real SQLite, Workers their uploaded parts.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "0123456789abcdef0123456789abcdef"
SUBDOMAIN = "gallery-tests"


class Refused(Exception):
    """An answer of the API with an error code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status, self.code, self.message = status, code, message


@dataclass
class Database:
    name: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    jurisdiction: str | None = None
    connection: sqlite3.Connection = field(
        default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    )
    upload: bytes = b""

    def query(self, sql: str) -> list[dict[str, Any]]:
        results = []
        for statement in statements(sql):
            cursor = self.connection.execute(statement)
            names = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            results.append({"results": rows, "success": True, "meta": {"duration": 0.1}})
        return results


def statements(sql: str) -> Iterator[str]:
    statement = ""
    for part in re.split(r"(;)", sql):
        statement += part
        if part == ";" and sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if re.sub(r"--[^\n]*", "", statement).strip():
        yield statement


@dataclass
class Worker:
    """One version of a Worker, and what is not part of a version."""

    metadata: dict[str, Any]
    parts: dict[str, bytes]
    secrets: dict[str, str] = field(default_factory=dict)
    tag: str = ""
    number: int = 1
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    crons: list[str] = field(default_factory=list)
    subdomain: dict[str, Any] = field(default_factory=lambda: {"enabled": False, "previews_enabled": False})


def bucket_key(name: str, region: str) -> str:
    """Each jurisdiction has buckets of its own."""
    return f"{region}/{name}" if region else name


@dataclass
class Cloudflare:
    """The account. `calls` are the requests that change something, in their order.

    `buckets` have their names as keys, in a jurisdiction `eu/NAME`; `workers` are the current versions.
    """

    databases: dict[str, Database] = field(default_factory=dict)
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    versions: dict[str, list[Worker]] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    subdomain: str | None = SUBDOMAIN
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        for database in self.databases.values():
            database.connection.close()

    def database(self, identity: str) -> Database:
        for database in self.databases.values():
            if database.uuid == identity:
                return database
        raise Refused(404, 7404, f"The database {identity} could not be found")

    def keep(
        self,
        name: str,
        metadata: dict[str, Any],
        secrets: dict[str, str],
        parts: dict[str, bytes] | None = None,
        tag: str = "",
    ) -> Worker:
        """A version of a Worker was uploaded and is deployed."""
        versions = self.versions.setdefault(name, [])
        versions.append(Worker(metadata, parts or {}, secrets, tag, len(versions) + 1))
        self.deploy(name, versions[-1])
        return versions[-1]

    def deploy(self, name: str, version: Worker) -> None:
        """Make a version the current one; what is not part of a version stays as it was."""
        old = self.workers.get(name)
        self.workers[name] = version
        if old:
            version.subdomain, version.crons = old.subdomain, old.crons

    def bucket(self, name: str, region: str = "") -> dict[str, Any]:
        if (key := bucket_key(name, region)) not in self.buckets:
            raise Refused(404, 10006, "The specified bucket does not exist.")
        return self.buckets[key]

    def worker(self, name: str) -> Worker:
        if name not in self.workers:
            raise Refused(404, 10007, "This Worker does not exist on your account.")
        return self.workers[name]
