"""Keeps originals private on the domains of the bucket.

A custom domain of a bucket serves all of it. A firewall rule of its zone lets the folders of renditions
through and blocks everything else; afterwards each domain is asked for an original as anybody on the
Internet would ask.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tools.problem import Problem

API_URL = "https://api.cloudflare.com/client/v4"
PHASE = "http_request_firewall_custom"
PUBLIC_FOLDERS = ("/display/", "/thumbnails/", "/icons/")
# No object has this key: the rule answers before the bucket is asked.
PROBE_PATH = "/originals/x"
RETRY_SECONDS = 5
# A new domain waits for its certificate; a new rule takes a while to reach every data centre.
CERTIFICATE_SECONDS = 300
RULE_SECONDS = 60
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")


def normalize_host(text: str) -> str:
    """A host name as DNS and firewall rules spell it: ASCII, lower case, no dot at the end.

    Raises:
        Problem: it is no host name.
    """
    try:
        host = text.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Problem(f"--images-domain wants the name of a host, such as images.example.org, not {text!r}")
    return host


@dataclass(frozen=True, slots=True)
class Domains:
    """What to do about the domains of the bucket.

    `connect` is a new one, `guard` are (zone, host) whose firewall rule is created or corrected, `unguarded`
    are hosts whose rule cannot be read, `probe` are those that must refuse originals. `is_new` says that the
    images domain may not answer yet.
    """

    connect: str | None = None
    guard: tuple[tuple[str, str], ...] = ()
    unguarded: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    is_new: bool = False


def rule(host: str) -> dict[str, Any]:
    """The firewall rule of a host: an allow-list, since no other spelling of a path can get past one."""
    allowed = " or ".join(f'starts_with(http.request.uri.path, "{folder}")' for folder in PUBLIC_FOLDERS)
    return {
        "ref": f"vfa_originals_{host.replace('.', '_').replace('-', '_')}",
        "description": f"Originals on {host} are private",
        "expression": f'(lower(http.host) eq "{host}" and not ({allowed}))',
        "action": "block",
        "enabled": True,
    }


def ensure_rule(client: httpx.Client, zone: str, host: str) -> str:
    """Create or correct the rule of a host in its zone, and say which; other rules stay as they are.

    Raises:
        Problem: the API refuses, for example because the token lacks Zone WAF: Edit.
        httpx.HTTPError: the API cannot be reached.
    """
    wanted = rule(host)
    entrypoint = client.get(f"/zones/{zone}/rulesets/phases/{PHASE}/entrypoint")
    if entrypoint.status_code == httpx.codes.NOT_FOUND:
        ruleset = {"name": "default", "kind": "zone", "phase": PHASE, "rules": [wanted]}
        _result(client.post(f"/zones/{zone}/rulesets", json=ruleset))
        return "the ruleset was created with the rule"
    found = _result(entrypoint)
    address = f"/zones/{zone}/rulesets/{found['id']}/rules"
    same = next((each for each in found.get("rules", []) if each.get("ref") == wanted["ref"]), None)
    if same is None:
        _result(client.post(address, json=wanted))
        return "the rule was added"
    if any(same.get(name) != value for name, value in wanted.items()):
        _result(client.patch(f"{address}/{same['id']}", json=wanted))
        return "the rule was corrected"
    return "the rule exists"


def protect(token: str, base_url: str, zone: str, host: str) -> str:
    """`ensure_rule` with the API token of a client of its own.

    Raises:
        Problem: the API refuses or cannot be reached.
    """
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=base_url, headers=headers, timeout=30) as client:
            return ensure_rule(client, zone, host)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Problem(
            f"Cloudflare cannot be asked for the firewall rule of {host}: {str(error) or repr(error)}"
        ) from error


def _result(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.is_error or not answer.get("success"):
        reasons = "; ".join(each.get("message", "") for each in answer.get("errors", []))
        raise Problem(
            f"the firewall rule for the images domain could not be set ({response.status_code}"
            f"{': ' + reasons if reasons else ''}); give CLOUDFLARE_API_TOKEN Zone WAF: Edit on the zone, or "
            "make the rule as docs/deploy.md shows and pass --rule-made"
        )
    return dict(answer["result"])


def status_of(url: str) -> int | None:
    """The status of a GET; None when the connection fails."""
    try:
        return httpx.get(url, timeout=15, follow_redirects=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


@dataclass(frozen=True, slots=True)
class PrivacyCheck:
    """Asks a domain of `bucket` for an original until it answers 403."""

    bucket: str
    get_status: Callable[[str], int | None] = status_of
    report: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, host: str) -> None:
        """Wait until the host refuses originals.

        Raises:
            Problem: it serves them, or does not answer, for as long as a new rule or certificate may take.
        """
        url = f"https://{host}{PROBE_PATH}"
        waited, reported = 0, False
        while (status := self.get_status(url)) != httpx.codes.FORBIDDEN:
            is_down = status is None or status >= httpx.codes.INTERNAL_SERVER_ERROR
            if is_down and not reported:
                minutes = CERTIFICATE_SECONDS // 60
                self.report(f"    waiting up to {minutes} minutes for https://{host} and its certificate")
                reported = True
            if waited >= (CERTIFICATE_SECONDS if is_down else RULE_SECONDS):
                raise Problem(self._no_answer(host) if is_down else self._exposed(url, host, status))
            self.sleep(RETRY_SECONDS)
            waited += RETRY_SECONDS

    def _no_answer(self, host: str) -> str:
        return (
            f"https://{host} does not answer, so it is not known whether it refuses originals: look at "
            f"`wrangler r2 bucket domain list {self.bucket}`, and run `make deploy` again"
        )

    def _exposed(self, url: str, host: str, status: int | None) -> str:
        return (
            f"originals are not private: {url} answers {status} where the firewall rule would answer 403; "
            "make the rule as docs/deploy.md shows, or take the domain away: "
            f"`wrangler r2 bucket domain remove {self.bucket} --domain {host}`"
        )
