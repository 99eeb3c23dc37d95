"""The smoke test, and `python -m tools.deploy.audit`, which compares originals with artworks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from tests.support.deploy import sample_migrations
from tests.support.deploy.checkout import write_program
from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare, Database
from tests.support.deploy.fake_wrangler import FakeWrangler
from tests.support.deploy.projects import ROOT
from tools.deploy import account, audit
from tools.deploy.audit import NEW_ADDRESS_SECONDS, NEW_DOMAIN_SECONDS, SmokeTest
from tools.deploy.config import Target
from tools.deploy.secrets import SecretStore
from tools.problem import Problem

KEY = "originals/usr_1/1.jpg"
UPLOADED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def wrangler(cloud: Cloudflare) -> FakeWrangler:
    """An account whose database knows one original."""
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    database.query((ROOT / "schema.sql").read_text() + sample_migrations.ROWS)
    return FakeWrangler(cloud)


@pytest.fixture
def bucket() -> Iterator[Stubber]:
    client = botocore.session.get_session().create_client(
        "s3", region_name="auto", aws_access_key_id="id", aws_secret_access_key="secret"
    )
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def holds(stub: Stubber, *pages: list[str]) -> None:
    """The bucket's listing, page by page."""
    for number, keys in enumerate(pages, 1):
        contents = [{"Key": key, "LastModified": UPLOADED, "Size": 1} for key in keys]
        more = {"IsTruncated": True, "NextContinuationToken": f"{number}"} if number < len(pages) else {}
        asked = {"Bucket": "vfa-gallery", "Prefix": "originals/"}
        if number > 1:
            asked["ContinuationToken"] = f"{number - 1}"
        stub.add_response("list_objects_v2", {"Contents": contents, **more}, asked)


def compare(root: Path, wrangler: FakeWrangler, client: Any) -> int:
    return audit.main(
        [], root, lambda *_: wrangler, lambda endpoint, _: client if ACCOUNT in endpoint else None
    )


def test_what_is_in_one_of_the_two_only_is_printed(
    root: Path, wrangler: FakeWrangler, bucket: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    holds(bucket, ["originals/usr_1/2.jpg"], ["originals/usr_2/3.png"])
    assert compare(root, wrangler, bucket.client) == 0
    assert capsys.readouterr().out.splitlines() == [
        "no artwork   2026-11-01T00:00:00+00:00  originals/usr_1/2.jpg",
        "no artwork   2026-11-01T00:00:00+00:00  originals/usr_2/3.png",
        f"no original  {KEY}",
    ]


def test_an_agreement_is_said(
    root: Path, wrangler: FakeWrangler, bucket: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    holds(bucket, [KEY])
    assert compare(root, wrangler, bucket.client) == 0
    assert capsys.readouterr().out == "vfa-gallery and vfa-gallery agree\n"


def test_rows_are_read_page_by_page(cloud: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    keys = [f"originals/usr_1/{number}.jpg" for number in range(1, 6)]
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    database.connection.execute("CREATE TABLE artworks (original_key TEXT)")
    database.connection.executemany("INSERT INTO artworks VALUES (?)", [(key,) for key in reversed(keys)])
    wrangler = FakeWrangler(cloud)
    assert list(audit.recorded("vfa-gallery", wrangler)) == keys
    assert len(wrangler.commands) == 3


def test_a_bucket_that_cannot_be_listed_is_a_problem(bucket: Stubber) -> None:
    bucket.add_client_error("list_objects_v2", "AccessDenied", "Access Denied", 403)
    with pytest.raises(Problem, match=r"the bucket vfa-gallery cannot be listed: .*Access Denied"):
        list(audit.listed(bucket.client, "vfa-gallery"))


def test_missing_credentials_are_reported() -> None:
    with pytest.raises(Problem, match="R2_SECRET_ACCESS_KEY must be in the environment"):
        audit.make_s3_client("https://r2.example", {"R2_ACCESS_KEY_ID": "id"})
    keys = {"R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": "secret"}
    assert audit.make_s3_client("https://r2.example", keys).meta.endpoint_url == "https://r2.example"


def test_without_a_login_it_says_so(
    root: Path, cloud: Cloudflare, bucket: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(root, FakeWrangler(cloud, logged_in=False), bucket.client) == 1
    assert capsys.readouterr().err == f"error: {account.LOGIN}\n"


def test_an_original_in_the_url_of_another_programs_artwork_is_no_orphan(
    root: Path, wrangler: FakeWrangler, bucket: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    wrangler.cloud.databases["vfa-gallery"].query(
        "INSERT INTO artworks (id, user_id, slug, title, original_url) VALUES "
        "('x', 'usr_1', 'x', 'X', 'https://images.example/originals/usr_1/2.jpg?v=1'), "
        "('y', 'usr_1', 'y', 'Y', 'https://elsewhere.example/originals/usr_1/9.jpg')"
    )
    holds(bucket, [KEY, "originals/usr_1/2.jpg", "originals/usr_1/3.jpg"])
    assert compare(root, wrangler, bucket.client) == 0
    said = capsys.readouterr().out
    assert said.split() == ["no", "artwork", UPLOADED.isoformat(), "originals/usr_1/3.jpg"]


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
    secrets = SecretStore(target.root / ".secrets", {"AUTH_JWT_SECRET": secret})
    return SmokeTest(target, "account", secrets, told.append, clock.sleep, clock), told, clock


@pytest.mark.parametrize(("environment", "name"), [("production", ""), ("staging", "staging")])
def test_the_smoke_test_signs_in_as_a_user_of_its_own(
    target: Target, own_programs: Path, monkeypatch: pytest.MonkeyPatch, environment: str, name: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ENV", "exported")
    write_program(own_programs / "vfa", VFA)
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


def test_where_users_are_another_programs_only_public_routes_are_tested(
    target: Target, own_programs: Path
) -> None:
    refused = 'case "$1" in user) echo "error: NOT NULL constraint failed: users.email" >&2; exit 1 ;; esac\n'
    write_program(own_programs / "vfa", refused + VFA)
    test, told, _ = smoke(target, "secret")
    test("https://gallery.example")
    assert (target.root / "calls").read_text() == "smoke --base-url https://gallery.example||secret|\n"
    assert told == ["    only what is public is tested, since the users are another program's", "✓ all"]


def test_without_the_secret_only_public_routes_are_tested(target: Target, own_programs: Path) -> None:
    write_program(own_programs / "vfa", VFA)
    test, told, _ = smoke(target)
    test("https://gallery.example")
    assert (target.root / "calls").read_text() == "smoke --base-url https://gallery.example|||\n"
    assert told == ["    without AUTH_JWT_SECRET only what is public is tested", "✓ all"]


@pytest.mark.parametrize(
    ("new_domain", "seconds", "said"),
    [
        (False, NEW_ADDRESS_SECONDS, []),
        (True, NEW_DOMAIN_SECONDS, ["    waiting up to 5 minutes for the new images domain"]),
    ],
)
def test_a_failing_gallery_is_tested_again_until_time_is_up(
    target: Target, own_programs: Path, new_domain: bool, seconds: int, said: list[str]
) -> None:
    write_program(own_programs / "vfa", VFA)
    (target.root / "broken").touch()
    test, told, clock = smoke(target)
    with pytest.raises(Problem, match="is deployed but does not pass the smoke test"):
        test("https://gallery.example", new_domain=new_domain)
    assert clock() == seconds
    assert told[1:] == [*said, "✗ health"]
