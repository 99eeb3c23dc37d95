"""`python -m tools.deploy.originals`: what the sweeper would remove, and what it would miss, all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from tests.support.deploy import carrying
from tests.support.deploy.cloudflare import ACCOUNT, Cloudflare, Database
from tests.support.deploy.deploying import FakeWrangler
from tests.support.deploy.projects import ROOT
from tools.deploy import __main__ as command
from tools.deploy import originals
from tools.problem import Problem

KEY = "originals/usr_1/1.jpg"
UPLOADED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def wrangler(cloud: Cloudflare) -> FakeWrangler:
    """An account whose database knows one original."""
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    database.query((ROOT / "schema.sql").read_text() + carrying.ROWS)
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
    means = command.Means(wrangler=lambda *_: wrangler)
    return originals.main([], root, means, lambda account, _: client if account == ACCOUNT else None)


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
    monkeypatch.setattr(originals, "PAGE", 2)
    keys = [f"originals/usr_1/{number}.jpg" for number in range(1, 6)]
    database = cloud.databases["vfa-gallery"] = Database("vfa-gallery")
    database.connection.execute("CREATE TABLE artworks (original_key TEXT)")
    database.connection.executemany("INSERT INTO artworks VALUES (?)", [(key,) for key in reversed(keys)])
    wrangler = FakeWrangler(cloud)
    assert list(originals.recorded("vfa-gallery", wrangler)) == keys
    assert len(wrangler.commands) == 3


def test_a_bucket_that_cannot_be_listed_is_a_problem(bucket: Stubber) -> None:
    bucket.add_client_error("list_objects_v2", "AccessDenied", "Access Denied", 403)
    with pytest.raises(Problem, match=r"the bucket vfa-gallery cannot be listed: .*Access Denied"):
        list(originals.listed(bucket.client, "vfa-gallery"))


def test_credentials_that_are_missing_are_named() -> None:
    with pytest.raises(Problem, match="R2_SECRET_ACCESS_KEY must be in the environment"):
        originals.client_of(ACCOUNT, {"R2_ACCESS_KEY_ID": "id"})
    keys = {"R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": "secret"}
    assert (
        originals.client_of(ACCOUNT, keys).meta.endpoint_url == f"https://{ACCOUNT}.r2.cloudflarestorage.com"
    )


def test_without_a_login_it_says_so(
    root: Path, cloud: Cloudflare, bucket: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(root, FakeWrangler(cloud, logged_in=False), bucket.client) == 1
    assert capsys.readouterr().err == f"error: {command.LOGIN}\n"


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
