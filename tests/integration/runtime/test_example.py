"""The example of variables and secrets says what the code asks of them."""

from __future__ import annotations

import re
import tomllib

from tests.support.runtime.projects import ROOT, VARIANTS

from gallery import settings
from imaging import contract

EXAMPLE = (ROOT / ".dev.vars.example").read_text()


def test_every_variable_and_secret_of_the_siblings_is_explained_with_its_default() -> None:
    shown = dict(re.findall(r'^#   ([A-Z_]+)="(.*)"$', EXAMPLE, re.MULTILINE))
    configs = [tomllib.loads((ROOT / f"variants/{name}/wrangler.toml").read_text()) for name in VARIANTS]
    wanted = {name for config in configs for name in (*config["vars"], *config["secrets"]["required"])}
    assert set(shown) == wanted
    assert contract.read_settings(shown.get) == contract.read_settings(lambda _: None)


def test_the_least_lengths_of_secrets_are_those_of_the_code() -> None:
    said = re.findall(r"(\d+) bytes or more.*\n([A-Z_]+)=", EXAMPLE)
    assert {name: int(least) for least, name in said} == {
        "AUTH_JWT_SECRET": settings.SECRET_BYTES,
        "WORKER_AUTH_TOKEN": settings.TOKEN_BYTES,
    }


def test_a_domain_may_be_written_in_both_ways() -> None:
    (host,) = re.findall(r"a host name \((\S+)\) or an https URL", EXAMPLE)
    given = dict(re.findall(r'^([A-Z0-9_]+)="(.*)"$', EXAMPLE, re.MULTILINE))
    given |= {"AUTH_JWT_SECRET": "x" * 32, "WORKER_AUTH_TOKEN": "x" * 16}
    read = [
        settings.read_settings((given | {"R2_CDN_DOMAIN": text}).get) for text in (host, f"https://{host}")
    ]
    assert read[0] == read[1]
