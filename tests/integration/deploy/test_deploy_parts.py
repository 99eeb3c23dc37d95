"""The parts of `make deploy`: what must be here, Wrangler's answers, the firewall rule, the smoke test."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.support.deploy.cloudflare import Cloudflare
from tests.support.deploy.cloudflare_server import serve
from tests.support.deploy.deploying import checkout
from tests.support.deploy.projects import ROOT
from tests.support.gallery.clock import run
from tests.support.gallery.world import World, settings
from tools.deploy import answers, firewall, packages, page, preflight, programs
from tools.deploy.smoke import PATIENCE_SECONDS, SETTLING_SECONDS, SmokeTest
from tools.deploy.target import PROJECTS, Target
from tools.deploy.vault import Vault
from tools.deploy.wrangler import InstalledWrangler, Outcome
from tools.problem import Problem

from gallery import keys, variants
from gallery.access import uploads

HOST = "images.example.org"


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(checkout(tmp_path), "production")


@pytest.fixture
def own_programs(target: Target) -> Path:
    """A folder of programs in place of the checkout's own."""
    (target.root / ".venv").unlink()
    return target.root / ".venv/bin"


def test_what_is_set_up_passes(target: Target) -> None:
    preflight.check(target)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [("v22.11.0", r"Node 22\.12\.0 or newer is needed, this is v22\.11\.0"), ("", "this is none")],
)
def test_an_old_node_is_named(target: Target, own_programs: Path, version: str, sentence: str) -> None:
    program(own_programs / "node", f"echo {version}")
    with pytest.raises(Problem, match=sentence):
        preflight.check(target)


def test_a_missing_node_is_named(target: Target, own_programs: Path) -> None:
    assert not own_programs.exists()
    with pytest.raises(Problem, match=r"`node` cannot be started \(No such file.*run `make setup`"):
        preflight.check(target)


def test_another_wrangler_is_named(target: Target) -> None:
    package = json.loads((target.root / "package.json").read_text())
    package["devDependencies"]["wrangler"] = "9.9.9"
    (target.root / "package.json").write_text(json.dumps(package))
    with pytest.raises(Problem, match=r"is installed, 9\.9\.9 is wanted; run `make setup`"):
        preflight.check(target)


def test_what_was_not_made_is_named(target: Target) -> None:
    (target.folder("icon") / "python_modules/workers").rmdir()
    with pytest.raises(Problem, match="the icon Worker has no packages"):
        preflight.check(target)
    (target.root / "node_modules").unlink()
    with pytest.raises(Problem, match="Wrangler is not installed"):
        preflight.check(target)


def test_warnings_in_front_of_json_are_passed_over() -> None:
    assert answers.databases('▲ WARNING  beta\n[{"name": "a", "uuid": "1"}]') == {"a": "1"}


def test_what_cannot_be_read_is_a_problem() -> None:
    with pytest.raises(Problem, match="Wrangler's list of databases cannot be read"):
        answers.databases("<html>")
    with pytest.raises(Problem, match="secret list` failed: no permission"):
        answers.secret_names(Outcome(1, "", "✘ [ERROR] no permission"))
    with pytest.raises(Problem, match="cannot be asked who you are: fetch failed"):
        answers.accounts(Outcome(1, "", "✘ [ERROR] fetch failed"))
    with pytest.raises(Problem, match="bucket info` failed: fetch failed"):
        answers.bucket(Outcome(1, "", "✘ [ERROR] fetch failed"))


def test_a_custom_domain_is_the_first_address() -> None:
    targets = [
        "vfa-gallery.me.workers.dev",
        "gallery.example.org (custom domain)",
        "schedule: 17 * * * *",
        "example.org/x* (zone name: example.org)",
    ]
    noted = json.dumps({"type": "deploy", "targets": targets}) + "\n"
    assert answers.addresses(noted) == ["https://gallery.example.org", "https://vfa-gallery.me.workers.dev"]


def test_the_rule_lets_renditions_through_and_nothing_else() -> None:
    assert set(firewall.PUBLIC_FOLDERS) == {f"/{folder}" for folder in variants.FOLDERS.values()}
    assert f"/{keys.ORIGINALS}" not in firewall.PUBLIC_FOLDERS


def test_the_rule_is_set_once_and_others_stay() -> None:
    with serve(Cloudflare()) as cloud, httpx.Client(base_url=cloud.url) as client:
        assert firewall.protect(client, "zone", HOST) == "the rule was made"
        assert firewall.protect(client, "zone", HOST) == "the rule is there"
        cloud.rules[0]["enabled"] = False
        assert firewall.protect(client, "zone", HOST) == "the rule was mended"
        cloud.rules[:] = [{"id": "other", "ref": "other", "expression": "true", "action": "log"}]
        assert firewall.protect(client, "zone", HOST) == "the rule was added"
        assert [rule["ref"] for rule in cloud.rules] == ["other", firewall.rule(HOST)["ref"]]
        assert cloud.rules[1].items() >= firewall.rule(HOST).items()


def test_a_token_without_the_permission_is_told_so() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"success": False, "errors": [{"message": "Authentication error"}]})

    transport = httpx.MockTransport(refuse)
    with (
        httpx.Client(transport=transport, base_url="https://api.example") as client,
        pytest.raises(Problem, match=r"\(403: Authentication error\).*Zone WAF: Edit"),
    ):
        firewall.protect(client, "zone", HOST)


VFA = """
echo "$@|$VFA_TOKEN|$AUTH_JWT_SECRET|$CLOUDFLARE_ENV" >> calls
case "$1" in
  token) echo signed ;;
  smoke) test -e broken && { echo "✗ health"; exit 1; } || echo "✓ all" ;;
esac
"""


class Clock:
    """Time that passes in sleep alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def smoke(target: Target, secret: str = "") -> tuple[SmokeTest, list[str], Clock]:
    told: list[str] = []
    clock = Clock()
    vault = Vault(target.root / ".secrets", {"AUTH_JWT_SECRET": secret})
    return SmokeTest(target, "account", vault, told.append, clock.sleep, clock), told, clock


@pytest.mark.parametrize(("environment", "name"), [("production", ""), ("staging", "staging")])
def test_the_smoke_test_signs_in_as_a_person_of_its_own(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch, environment: str, name: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    program(own_programs / "vfa", VFA)
    test, told, clock = smoke(Target(target.root, environment), "secret")
    test("https://gallery.example")
    where = f"--wrangler remote --config {target.root / 'wrangler.toml'}{' --env ' if name else ''}{name}"
    assert (target.root / "calls").read_text().splitlines() == [
        f"user add smoke-test --limit 3 {where}||secret|{name}",
        f"token smoke-test --hours 1 {where}||secret|{name}",
        f"smoke --base-url https://gallery.example|signed|secret|{name}",
    ]
    assert told == ["✓ all"]
    assert clock() == 0


def test_where_users_are_another_programs_only_what_is_public_is_tried(
    target: Target, own_programs: Path
) -> None:
    refused = 'case "$1" in user) echo "error: NOT NULL constraint failed: users.email" >&2; exit 1 ;; esac\n'
    program(own_programs / "vfa", refused + VFA)
    test, told, _ = smoke(target, "secret")
    test("https://gallery.example")
    assert (target.root / "calls").read_text() == "smoke --base-url https://gallery.example||secret|\n"
    assert told == ["    only what is public is tried, for the users are another program's", "✓ all"]


def test_without_the_secret_only_what_is_public_is_tried(target: Target, own_programs: Path) -> None:
    program(own_programs / "vfa", VFA)
    test, told, _ = smoke(target)
    test("https://gallery.example")
    assert (target.root / "calls").read_text() == "smoke --base-url https://gallery.example|||\n"
    assert told == ["    without AUTH_JWT_SECRET only what is public is tried", "✓ all"]


@pytest.mark.parametrize(
    ("settling", "seconds", "said"),
    [
        (False, PATIENCE_SECONDS, []),
        (True, SETTLING_SECONDS, ["    waiting up to 5 minutes for the new images domain"]),
    ],
)
def test_a_gallery_that_does_not_work_is_given_time_and_then_a_problem(
    target: Target, own_programs: Path, settling: bool, seconds: int, said: list[str]
) -> None:
    program(own_programs / "vfa", VFA)
    (target.root / "broken").touch()
    test, told, clock = smoke(target)
    with pytest.raises(Problem, match="is deployed but does not pass the smoke test"):
        test("https://gallery.example", settling=settling)
    assert clock() == seconds
    assert told[1:] == [*said, "✗ health"]


def test_a_program_that_does_not_end_or_is_not_there_is_a_problem(tmp_path: Path) -> None:
    slow, missing = tmp_path / "slow", tmp_path / "missing"
    program(slow, "exec sleep 60")
    with pytest.raises(Problem, match=r"`vfa smoke` took more than 1 s; run `make deploy` again"):
        programs.run("vfa smoke", [slow], cwd=tmp_path, environ={}, timeout=1)
    with pytest.raises(Problem, match=r"`vfa smoke` cannot be started \(No such file"):
        programs.run("vfa smoke", [missing], cwd=tmp_path, environ={}, timeout=1)


def test_wrangler_takes_the_environment_from_the_option_alone(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    program(own_programs / "node", 'shift; echo "$@|$CLOUDFLARE_ENV|$WRANGLER_SEND_METRICS|$EXTRA"')
    outcome = InstalledWrangler(target.root, {"EXTRA": "own"}).run("whoami", "--json", folder=target.root)
    assert outcome == Outcome(0, "whoami --json||false|own\n")


@pytest.mark.parametrize(("environment", "name"), [("production", ""), ("staging", "staging")])
def test_the_page_is_built_for_the_environment_that_is_deployed(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch, environment: str, name: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    program(own_programs / "node", 'echo "$1 $CLOUDFLARE_ENV" > "$2/_headers"')
    page.build(Target(target.root, environment), target.root)
    assert (target.root / "_headers").read_text() == f"{target.root}/web/build.mjs {name}\n"


def test_a_page_that_cannot_be_built_says_why(target: Target, own_programs: Path) -> None:
    program(own_programs / "node", 'echo "at x" >&2; echo "Error: no such file" >&2; exit 1')
    with pytest.raises(Problem, match=r"^the web page cannot be built: Error: no such file$"):
        page.build(target, target.root)


def test_pywrangler_syncs_each_project_in_its_folder(target: Target, own_programs: Path) -> None:
    program(own_programs / "pywrangler", f'echo "$PWD $@" >> {target.root}/calls')
    packages.sync(target)
    folders = [target.folder(project) for project in PROJECTS]
    assert (target.root / "calls").read_text().splitlines() == [f"{each} sync --force" for each in folders]


def test_what_pywrangler_cannot_do_is_a_problem(target: Target, own_programs: Path) -> None:
    program(own_programs / "pywrangler", 'echo "error: Request failed"; echo "Output:" >&2; exit 1')
    with pytest.raises(Problem, match=r"failed for the thumbnail Worker \(error: Request failed\)"):
        packages.sync(target)


def test_a_browser_may_send_every_header_of_a_ticket() -> None:
    rules = json.loads((ROOT / "cors.json").read_text())["rules"]
    world = World()
    world.user("usr_1")
    request = uploads.UploadRequest("image/jpeg", "image/jpeg", 10)
    ticket = run(uploads.issue_upload(world.platform, settings(), "usr_1", request))
    (rule,) = [rule for rule in rules if ticket["method"] in rule["allowed"]["methods"]]
    assert {name.lower() for name in ticket["headers"]} == set(rule["allowed"]["headers"])
    assert "ETag" in rule["exposeHeaders"]
    assert all("*" not in rule["allowed"]["origins"] for rule in rules)
