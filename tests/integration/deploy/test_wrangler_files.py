"""What the four wrangler.toml files must agree on, in production and in staging."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.support.deploy.projects import ENVIRONMENTS, FILES, ROOT, VARIANTS, raw, read

ALL = [(name, environment) for name in FILES for environment in ENVIRONMENTS]
SDK_VENDORED = date(2026, 4, 21)  # from here on the SDK comes from python_modules
NODEJS_COMPAT = date(2026, 8, 4)  # switched on by date, which Python deployments failed at
PYTHON_3_14 = date(2026, 9, 8)
# Keys of the top level that staging inherits; with others, production's values would apply by accident.
INHERITED = {
    *("main", "compatibility_date", "compatibility_flags", "workers_dev", "preview_urls", "build", "limits"),
    *("triggers", "assets", "rules", "observability", "placement"),
}
# What may differ between the environments: names of stores, Workers and counters, ids, addresses.
OWN = {
    *("name", "bucket_name", "database_name", "service", "namespace_id"),
    *("R2_BUCKET", "R2_S3_ENDPOINT", "R2_CDN_DOMAIN", "ALLOWED_ORIGINS", "targetEnvironment"),
    "watch_dir",  # Wrangler joins it to the folder twice where an environment is named
    *("PUBLIC_URL", "AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE", "CDN_ZONE_ID"),
}


def leaves(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, *path, key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, *path, str(index))
    else:
        yield path, value


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_the_compatibility_date_means_python_3_13_with_a_vendored_sdk(name: str, environment: str) -> None:
    config = read(name, environment)
    assert SDK_VENDORED <= date.fromisoformat(config["compatibility_date"]) < min(NODEJS_COMPAT, PYTHON_3_14)
    assert config["compatibility_flags"] == ["python_workers"]


def test_compatibility_dates_agree() -> None:
    assert len({read(*each)["compatibility_date"] for each in ALL}) == 1


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_cpu_is_bounded_and_observed(name: str, environment: str) -> None:
    config = read(name, environment)
    assert 1_000 <= config["limits"]["cpu_ms"] <= 30_000
    assert config["observability"]["enabled"] is True
    assert config["observability"]["traces"]["enabled"] is True
    assert config["preview_urls"] is False


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_renderer_may_take_three_times_the_worst_accepted_original(name: str, environment: str) -> None:
    table = (ROOT / "docs/rendering.md").read_text().partition("## Work")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if " accepted " in line]
    seconds = [float(cell) for row in rows for cell in row[3:]]
    assert len(seconds) >= 40
    assert read(name, environment)["limits"]["cpu_ms"] >= 3 * 1000 * max(seconds)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_sibling_has_no_public_address(name: str, environment: str) -> None:
    config = read(name, environment)
    assert config["workers_dev"] is False
    assert not config.get("routes")
    assert not config.get("route")


@pytest.mark.parametrize("name", FILES)
def test_staging_is_production_with_stores_of_its_own(name: str) -> None:
    production, staging = (dict(leaves(read(name, environment))) for environment in ENVIRONMENTS)
    production = {path: value for path, value in production.items() if path[0] != "routes"}
    assert production.keys() - staging.keys() == set()
    for path in staging.keys() | production.keys():
        if path[-1] not in OWN:
            assert staging.get(path) == production.get(path), path


@pytest.mark.parametrize("name", FILES)
def test_staging_inherits_nothing_by_accident(name: str) -> None:
    whole = raw(name)
    assert set(whole) - {"name", "env"} - set(whole["env"]["staging"]) <= INHERITED


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_only_the_gateway_is_placed_near_its_database(environment: str) -> None:
    placed = {name: read(name, environment).get("placement") for name in FILES}
    assert placed == {"gateway": {"mode": "smart"}, **dict.fromkeys(VARIANTS)}


@pytest.mark.parametrize("name", FILES)
def test_the_files_hold_nothing_of_one_account(name: str) -> None:
    keys = {path[-1] for path, _ in leaves(raw(name))}
    assert not keys & {"database_id", "id", "preview_id", "account_id", "zone_id", "jurisdiction"}


def test_staging_never_answers_at_productions_address() -> None:
    assert raw("gateway")["env"]["staging"]["routes"] == []
    assert read("gateway", "staging")["routes"] == []


def test_staging_shares_no_store_no_counter_and_no_worker_with_production() -> None:
    for kind in ("bucket_name", "database_name", "service", "namespace_id", "name"):
        names = [
            {value for name in FILES for path, value in leaves(read(name, each)) if path[-1] == kind}
            for each in ENVIRONMENTS
        ]
        if kind == "name":
            names = [{read(name, each)["name"] for name in FILES} for each in ENVIRONMENTS]
        assert not names[0] & names[1], kind


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_workers_share_one_bucket_whose_name_the_signer_knows(environment: str) -> None:
    buckets = {read(name, environment)["r2_buckets"][0]["bucket_name"] for name in FILES}
    assert buckets == {read("gateway", environment)["vars"]["R2_BUCKET"]}


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_the_files_hold_no_secret(name: str, environment: str) -> None:
    config = read(name, environment)
    assert not set(config["vars"]) & set(config["secrets"]["required"])
    local = {"accessKeyId": "local", "secretAccessKey": "local"}
    for bucket in config["r2_buckets"]:
        assert bucket.get("local_dev", {}).get("experimental_s3_credentials", local) == local
    assert "remote" not in json.dumps(config["d1_databases"])
