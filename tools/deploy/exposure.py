"""Whether a domain of the bucket refuses originals, asked as anybody on the Internet would."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tools.problem import Problem

# Nothing lies there: the rule answers before the bucket is asked.
PATH = "/originals/x"
PAUSE_SECONDS = 5
# A new domain waits for its certificate, a new rule for the data centres to learn of it.
CERTIFICATE_SECONDS = 300
RULE_SECONDS = 60


def status_of(url: str) -> int | None:
    """The status of a GET; None while there is no answer from behind that name."""
    try:
        return httpx.get(url, timeout=15, follow_redirects=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


@dataclass(frozen=True, slots=True)
class Probe:
    """Raises a Problem for a host that does not answer 403 in time."""

    bucket: str
    ask: Callable[[str], int | None] = status_of
    report: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, host: str) -> None:
        url = f"https://{host}{PATH}"
        waited, told = 0, False
        while (status := self.ask(url)) != httpx.codes.FORBIDDEN:
            silent = status is None or status >= httpx.codes.INTERNAL_SERVER_ERROR
            if silent and not told:
                minutes = CERTIFICATE_SECONDS // 60
                self.report(f"    waiting up to {minutes} minutes for https://{host} and its certificate")
                told = True
            if waited >= (CERTIFICATE_SECONDS if silent else RULE_SECONDS):
                raise Problem(self._silence(host) if silent else self._danger(url, host, status))
            self.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    def _silence(self, host: str) -> str:
        return (
            f"https://{host} does not answer, so nobody knows whether it refuses originals: look at "
            f"`wrangler r2 bucket domain list {self.bucket}`, and run `make deploy` again"
        )

    def _danger(self, url: str, host: str, status: int | None) -> str:
        return (
            f"originals are not private: {url} answers {status} where the firewall rule would answer 403; "
            "make the rule as docs/deploy.md shows, or take the domain away: "
            f"`wrangler r2 bucket domain remove {self.bucket} --domain {host}`"
        )
