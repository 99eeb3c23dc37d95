"""Settings: read once, every problem named, no secret defaulted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gallery.world import SECRETS, VARIABLES, settings

from gallery.errors import NotConfigured
from gallery.settings import read_settings


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_secret_is_named(name: str, value: str | None) -> None:
    environment: dict[str, str | None] = {**SECRETS, **VARIABLES, name: value}
    with pytest.raises(NotConfigured) as caught:
        read_settings(lambda asked: environment.get(asked))
    assert caught.value.problems == (f"{name} is missing",)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(NotConfigured) as caught:
        read_settings(lambda _: None)
    names = {problem.split()[0] for problem in caught.value.problems}
    assert names == {*SECRETS, "R2_S3_ENDPOINT", "R2_BUCKET"}


@pytest.mark.parametrize(("name", "least"), [("AUTH_JWT_SECRET", 32), ("WORKER_AUTH_TOKEN", 16)])
def test_a_short_key_is_refused(name: str, least: int) -> None:
    with pytest.raises(NotConfigured) as caught:
        settings(**{name: "x" * (least - 1)})
    assert caught.value.problems == (f"{name} has fewer than {least} bytes",)
    settings(**{name: "x" * least})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("R2_S3_ENDPOINT", "ftp://example.org"),
        ("R2_S3_ENDPOINT", "https://"),
        ("R2_S3_ENDPOINT", "https://example.org?x=1"),
        ("R2_CDN_DOMAIN", "ftp://cdn.example.org"),
        ("R2_CDN_DOMAIN", "cdn example"),
        ("R2_CDN_DOMAIN", "https://[::1"),
        ("R2_BUCKET", "Not A Bucket"),
        ("PUBLIC_ORIGINALS", "yes"),
        ("VARIANT_DEADLINE_SECONDS", "soon"),
        ("VARIANT_DEADLINE_SECONDS", "nan"),
        ("VARIANT_DEADLINE_SECONDS", "0"),
        ("MAX_UPLOAD_BYTES", "inf"),
        ("ALLOWED_ORIGINS", "https://example.org/path"),
        ("ALLOWED_ORIGINS", "https://Example.org"),
        ("ALLOWED_ORIGINS", "null"),
        ("PUBLIC_URL", "https://gallery.example/path"),
        ("PUBLIC_URL", "ftp://gallery.example"),
        ("MAX_TOKEN_DAYS", "0"),
        ("MAX_TOKEN_DAYS", "for ever"),
        ("AUTO_CREATE_USERS", "yes"),
        ("DEFAULT_ARTWORK_LIMIT", "-1"),
        ("AUTH_OPERATOR_CLAIM", "operator"),
        ("AUTH_OPERATOR_CLAIM", "role="),
        ("AUTH_OPERATOR_CLAIM", "=operator"),
        ("CDN_ZONE_ID", "example.org"),
        ("CDN_PURGE_API", "api"),
    ],
)
def test_an_unusable_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        settings(**{name: value})
    assert [problem.split()[0] for problem in caught.value.problems] == [name]


PROVIDER = {
    "AUTH_JWKS_URL": "https://login.example/keys",
    "AUTH_ISSUER": "https://login.example/",
    "AUTH_AUDIENCE": "gallery",
}


@pytest.mark.parametrize("name", PROVIDER)
def test_half_a_provider_is_none(name: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        settings(**(PROVIDER | {name: ""}))
    assert [problem.split()[:3] for problem in caught.value.problems] == [[name, "is", "missing;"]]


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://127.0.0.1@evil.example/keys",
        "login.example/keys",
        "file:///etc/keys",
        "https://user:word@login.example/keys",
        "https://login.example/keys#1",
        "https://login.example/ke ys",
    ],
)
def test_keys_are_read_over_https_only(url: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        settings(**(PROVIDER | {"AUTH_JWKS_URL": url}))
    assert caught.value.problems == ("AUTH_JWKS_URL is not an https URL",)


@pytest.mark.parametrize(
    "url", ["https://login.example:8443/keys?v=1", "http://127.0.0.1:9000/keys", "http://[::1]:9000/keys"]
)
def test_keys_may_be_anywhere_on_https_and_on_this_machine(url: str) -> None:
    provider = settings(**(PROVIDER | {"AUTH_JWKS_URL": url})).provider
    assert provider is not None
    assert provider.keys_url == url


def test_a_claim_of_operators_may_be_a_url() -> None:
    provider = settings(**PROVIDER, AUTH_OPERATOR_CLAIM="https://x.example/roles=boss").provider
    assert provider is not None
    assert provider.operator == ("https://x.example/roles", "boss")


def test_secrets_do_not_show_in_what_is_printed() -> None:
    shown = repr(settings(CDN_PURGE_TOKEN="purge token"))
    assert not [
        value for value in (*SECRETS.values(), "purge token") if f"'{value}'" in shown and value != "access"
    ]


def test_variables_have_sensible_defaults() -> None:
    made = settings(VARIANT_DEADLINE_SECONDS="", MAX_UPLOAD_BYTES="", R2_CDN_DOMAIN="")
    assert (made.variant_deadline, made.max_upload_bytes, made.cdn_domain) == (10.0, 30 * 1024**2, "")
    assert not made.public_originals
    assert made.allowed_origins == ()


def test_trailing_slashes_and_blanks_do_not_matter() -> None:
    made = settings(
        R2_CDN_DOMAIN="https://cdn.example.org/ ", ALLOWED_ORIGINS="https://a.org, http://b.org:81"
    )
    assert made.cdn_domain == "https://cdn.example.org"
    assert made.allowed_origins == ("https://a.org", "http://b.org:81")


def test_a_domain_may_be_a_name_alone() -> None:
    assert settings(R2_CDN_DOMAIN="cdn.example.org/").cdn_domain == "https://cdn.example.org"


def test_secrets_do_not_show_in_a_printed_setting() -> None:
    text = repr(settings())
    assert not any(SECRETS[name] in text for name in SECRETS if name != "R2_ACCESS_KEY_ID")


@given(st.sampled_from(sorted(SECRETS | VARIABLES)), st.text(max_size=60))
def test_any_value_is_accepted_or_named(name: str, value: str) -> None:
    problems: tuple[str, ...] = ()
    try:
        settings(**{name: value})
    except NotConfigured as error:
        problems = error.problems
    assert all(problem.split()[0] == name for problem in problems)


def test_the_site_is_described_by_its_variables() -> None:
    site = settings(
        SITE_NAME="Blue House",
        SITE_ACCENT="#0b6e4f",
        SITE_LOGO_URL="/logo.svg",
        SITE_FOOTER_LINKS="Our shop https://shop.example.org , Imprint /imprint",
    ).site
    assert (site.name, site.accent, site.logo_url) == ("Blue House", "#0b6e4f", "/logo.svg")
    assert site.footer_links == (("Our shop", "https://shop.example.org"), ("Imprint", "/imprint"))
    assert site.tagline


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_ACCENT", "red; background: url(x)"),
        ("SITE_LOGO_URL", "javascript:alert(1)"),
        ("SITE_LOGO_URL", "//evil.example/logo.svg"),
        ("SITE_FOOTER_LINKS", "Imprint"),
        ("SITE_FOOTER_LINKS", "Imprint javascript:alert(1)"),
    ],
)
def test_a_site_that_is_described_wrongly_is_named(name: str, value: str) -> None:
    with pytest.raises(NotConfigured) as raised:
        settings(**{name: value})
    assert any(problem.startswith(name) for problem in raised.value.problems)
