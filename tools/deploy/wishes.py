"""What the command line and the environment ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.problem import Problem

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """`images_domain` is a host as `host_of` gives it."""

    images_domain: str | None = None
    zone: str | None = None
    rule_made: bool = False
    has_token: bool = False
    rotate: frozenset[str] = frozenset()
    pywrangler: bool = False
    adopt: bool = False


def host_of(text: str) -> str:
    """A host as DNS and firewall rules spell it: ASCII, lower case, no dot at the end."""
    try:
        host = text.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Problem(f"--images-domain wants the name of a host, such as images.example.org, not {text!r}")
    return host
