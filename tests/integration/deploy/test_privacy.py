"""Domains of the bucket: each gets a firewall rule before it is connected, and is tested afterwards."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support.deploy.checkout import set_variables
from tests.support.deploy.cloudflare import Cloudflare
from tests.support.deploy.cloudflare_server import serve
from tests.support.deploy.fake_wrangler import FakeWrangler
from tests.support.deploy.runs import Runner, changed
from tools.deploy import privacy
from tools.deploy.config import Target
from tools.deploy.privacy import (
    CERTIFICATE_SECONDS,
    RULE_SECONDS,
    PrivacyCheck,
    normalize_host,
    status_of,
)
from tools.problem import Problem

from gallery import keys, variants

HOST = "images.example.org"


def test_the_images_domain_is_guarded_before_it_is_connected(
    cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    guarded: list[tuple[str, str, bool]] = []

    def guard(_: str, __: str, zone: str, host: str) -> str:
        guarded.append((zone, host, bool(cloud.buckets["vfa-gallery"]["domains"])))
        return "the rule was added"

    monkeypatch.setattr(privacy, "protect", guard)
    words = ("--images-domain", "images.example.org", "--zone-id", "zone")
    assert run(FakeWrangler(cloud), *words) == 0
    assert guarded == [("zone", "images.example.org", False)]
    assert cloud.buckets["vfa-gallery"]["domains"] == [{"domain": "images.example.org", "zoneId": "zone"}]
    assert cloud.workers["vfa-gallery"].metadata["vars"]["R2_CDN_DOMAIN"] == "https://images.example.org"
    assert run(again := FakeWrangler(cloud)) == 0
    assert not any("domain add" in words for words in changed(again))
    assert cloud.workers["vfa-gallery"].metadata["vars"]["R2_CDN_DOMAIN"] == "https://images.example.org"
    assert run(FakeWrangler(cloud), "--images-domain", "") == 0
    assert cloud.workers["vfa-gallery"].metadata["vars"]["R2_CDN_DOMAIN"] == ""


class Guard:
    """In place of the firewall: the (zone, host) pairs whose rule was set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, _: str, __: str, zone: str, host: str) -> str:
        self.asked.append((zone, host))
        return "the rule exists"


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    monkeypatch.setattr(privacy, "protect", guard := Guard())
    return guard


def connected(cloud: Cloudflare, *domains: dict[str, str]) -> None:
    cloud.buckets["vfa-gallery"] = {"cors": [], "domains": list(domains)}


def test_every_run_corrects_the_rule_of_a_connected_domain(
    root: Path, cloud: Cloudflare, run: Runner, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    connected(cloud, {"domain": HOST, "zoneId": "zone"}, {"domain": "old.example.org", "zoneId": "other"})
    set_variables(Target(root, "production"), R2_CDN_DOMAIN=f"https://{HOST}")
    assert run(FakeWrangler(cloud)) == 0
    assert guard.asked == [("zone", HOST), ("other", "old.example.org")]
    assert run.probed == [HOST, "old.example.org"]


def test_a_zone_that_is_not_listed_is_taken_from_the_command_line(
    root: Path, cloud: Cloudflare, run: Runner, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    connected(cloud, {"domain": HOST})
    set_variables(Target(root, "production"), R2_CDN_DOMAIN=HOST)
    assert run(FakeWrangler(cloud), "--zone-id", "zone") == 0
    assert guard.asked == [("zone", HOST)]


def test_a_rule_that_cannot_be_read_is_reported_and_tested(
    cloud: Cloudflare, run: Runner, guard: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    connected(cloud, {"domain": HOST, "zoneId": "zone"})
    run.open_hosts.add(HOST)
    assert run(FakeWrangler(cloud)) == 1
    told = capsys.readouterr()
    assert f"leave the firewall rule of {HOST} as it is" in told.out
    assert f"check that {HOST} refuses originals" in told.out
    assert told.err == f"error: originals are not private on {HOST}\n"
    assert not guard.asked
    assert not run.smoked


def test_a_rule_made_by_hand_is_only_tested(
    cloud: Cloudflare, run: Runner, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    assert run(FakeWrangler(cloud), "--images-domain", HOST, "--zone-id", "zone", "--rule-made") == 0
    assert not guard.asked
    assert run.probed == [HOST]


def test_public_originals_need_no_rule(root: Path, cloud: Cloudflare, run: Runner, guard: Guard) -> None:
    set_variables(Target(root, "production"), PUBLIC_ORIGINALS="true")
    assert run(FakeWrangler(cloud), "--images-domain", HOST, "--zone-id", "zone") == 0
    assert not guard.asked
    assert not run.probed
    assert len(cloud.buckets["vfa-gallery"]["domains"]) == 1


def test_a_domain_that_is_switched_off_serves_nothing(cloud: Cloudflare, run: Runner) -> None:
    connected(cloud, {"domain": HOST, "zoneId": "zone", "enabled": "No"})
    assert run(FakeWrangler(cloud)) == 0
    assert not run.probed


def test_the_smoke_test_waits_for_a_new_images_domain(
    cloud: Cloudflare, run: Runner, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    run(FakeWrangler(cloud))
    run(FakeWrangler(cloud), "--images-domain", HOST, "--zone-id", "zone")
    (domain,) = cloud.buckets["vfa-gallery"]["domains"]
    domain["ssl"] = "pending_validation"
    run(FakeWrangler(cloud))
    domain["ssl"] = "active"
    run(FakeWrangler(cloud))
    assert run.new_domain == [False, True, True, False]
    assert guard.asked == [("zone", HOST)] * 3


@pytest.mark.parametrize(
    "text", ["Images.Example.org", " images.example.org.", "IMAGES.EXAMPLE.ORG", "images.example.org"]
)
def test_a_host_is_spelled_as_the_rule_compares_it(
    cloud: Cloudflare, run: Runner, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "token")
    with serve(Cloudflare()) as api:
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", api.url)
        assert run(FakeWrangler(cloud), "--images-domain", text, "--zone-id", "zone") == 0
        (rule,) = api.rules
    assert 'lower(http.host) eq "images.example.org"' in rule["expression"]
    assert cloud.buckets["vfa-gallery"]["domains"] == [{"domain": HOST, "zoneId": "zone"}]


def test_a_host_may_have_letters_of_any_script() -> None:
    assert normalize_host("Bücher.example.org") == "xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    "text",
    [
        *("https://images.example.org", "images.example.org/x", "images.example.org:443", "images", ""),
        *("*.example.org", "a..org", "-a.example.org", "a_b.example.org", "192.0.2.1", 'x" or true.org'),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="wants the name of a host, such as images"):
        normalize_host(text)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("", None),
        ("images.example.org", HOST),
        ("https://Images.example.org/", HOST),
        (f"http://{HOST}", HOST),
    ],
)
def test_the_images_domain_is_read_from_a_url_or_a_host(root: Path, value: str, host: str | None) -> None:
    target = Target(root, "production")
    set_variables(target, R2_CDN_DOMAIN=value)
    assert target.images_domain == host


def probe(*answers: int | None) -> tuple[PrivacyCheck, list[str], list[str], list[float]]:
    """A probe that gets these answers, the last one for ever; what it asked, said and waited."""
    waiting, asked, told, pauses = list(answers), list[str](), list[str](), list[float]()

    def ask(url: str) -> int | None:
        asked.append(url)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return PrivacyCheck("vfa-gallery", ask, told.append, pauses.append), asked, told, pauses


def test_a_host_that_refuses_is_asked_once() -> None:
    test, asked, told, pauses = probe(403)
    test(HOST)
    assert asked == [f"https://{HOST}/originals/x"]
    assert not told
    assert not pauses


def test_a_new_domain_is_waited_for_and_that_is_said_once() -> None:
    test, _, told, pauses = probe(None, 526, None, 404, 403)
    test(HOST)
    assert told == [f"    waiting up to 5 minutes for https://{HOST} and its certificate"]
    assert len(pauses) == 4


@pytest.mark.parametrize("status", [200, 404, 302, 401])
def test_a_host_that_does_not_refuse_is_a_problem(status: int) -> None:
    test, _, _, pauses = probe(status)
    with pytest.raises(Problem, match=f"originals are not private: .* answers {status} where") as caught:
        test(HOST)
    assert f"wrangler r2 bucket domain remove vfa-gallery --domain {HOST}" in str(caught.value)
    assert sum(pauses) == RULE_SECONDS


def test_a_host_that_never_answers_is_a_problem() -> None:
    test, _, _, pauses = probe(None)
    with pytest.raises(Problem, match="does not answer, so it is not known whether it refuses originals"):
        test(HOST)
    assert sum(pauses) == CERTIFICATE_SECONDS


def test_a_name_without_an_address_answers_nothing() -> None:
    assert status_of("http://127.0.0.1:1/originals/x") is None
    assert status_of("http://[/") is None


def test_an_api_that_cannot_be_reached_is_a_problem() -> None:
    with pytest.raises(Problem, match=f"cannot be asked for the firewall rule of {HOST}: "):
        privacy.protect("token", "http://127.0.0.1:1", "zone", HOST)


def test_the_rule_allows_the_folders_of_renditions_only() -> None:
    assert set(privacy.PUBLIC_FOLDERS) == {f"/{folder}" for folder in variants.FOLDERS.values()}
    assert f"/{keys.ORIGINALS}" not in privacy.PUBLIC_FOLDERS


def test_the_rule_is_added_once_and_other_rules_stay() -> None:
    with serve(Cloudflare()) as cloud, httpx.Client(base_url=cloud.url) as client:
        assert privacy.ensure_rule(client, "zone", HOST) == "the ruleset was created with the rule"
        assert privacy.ensure_rule(client, "zone", HOST) == "the rule exists"
        cloud.rules[0]["enabled"] = False
        assert privacy.ensure_rule(client, "zone", HOST) == "the rule was corrected"
        cloud.rules[:] = [{"id": "other", "ref": "other", "expression": "true", "action": "log"}]
        assert privacy.ensure_rule(client, "zone", HOST) == "the rule was added"
        assert [rule["ref"] for rule in cloud.rules] == ["other", privacy.rule(HOST)["ref"]]
        assert cloud.rules[1].items() >= privacy.rule(HOST).items()


def test_a_token_without_the_permission_is_told_so() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"success": False, "errors": [{"message": "Authentication error"}]})

    transport = httpx.MockTransport(refuse)
    with (
        httpx.Client(transport=transport, base_url="https://api.example") as client,
        pytest.raises(Problem, match=r"\(403: Authentication error\).*Zone WAF: Edit"),
    ):
        privacy.ensure_rule(client, "zone", HOST)
