"""What Wrangler prints is read as the pinned version prints it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.deploy.checkout import write_program
from tools.deploy import account
from tools.deploy.account import InstalledWrangler, Outcome
from tools.deploy.config import Target
from tools.problem import Problem


def test_warnings_before_json_are_skipped() -> None:
    assert account.parse_databases('▲ WARNING  beta\n[{"name": "a", "uuid": "1"}]') == {"a"}


def test_unreadable_output_is_a_problem() -> None:
    with pytest.raises(Problem, match="Wrangler's list of databases cannot be read"):
        account.parse_databases("<html>")
    with pytest.raises(Problem, match="secret list` failed: no permission"):
        account.parse_secrets(Outcome(1, "", "✘ [ERROR] no permission"))
    with pytest.raises(Problem, match="cannot be asked who you are: fetch failed"):
        account.parse_accounts(Outcome(1, "", "✘ [ERROR] fetch failed"))
    with pytest.raises(Problem, match="bucket info` failed: fetch failed"):
        account.parse_bucket(Outcome(1, "", "✘ [ERROR] fetch failed"))


def test_a_custom_domain_is_the_first_address() -> None:
    targets = [
        "vfa-gallery.me.workers.dev",
        "gallery.example.org (custom domain)",
        "schedule: 17 * * * *",
        "example.org/x* (zone name: example.org)",
    ]
    written = json.dumps({"type": "deploy", "targets": targets}) + "\n"
    assert account.parse_addresses(written) == [
        "https://gallery.example.org",
        "https://vfa-gallery.me.workers.dev",
    ]


def test_wrangler_takes_the_environment_from_the_option_alone(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    write_program(own_programs / "node", 'shift; echo "$@|$CLOUDFLARE_ENV|$WRANGLER_SEND_METRICS|$EXTRA"')
    outcome = InstalledWrangler(target.root, {"EXTRA": "own"}).run("whoami", "--json", folder=target.root)
    assert outcome == Outcome(0, "whoami --json||false|own\n")
