"""Every binding, variable and secret that the code reads is declared, and no other is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.deploy.projects import ENVIRONMENTS, ROOT, SOURCES, VARIANTS, bindings, raw, read

from gallery import settings, variants
from gallery.errors import NotConfigured
from imaging import contract

NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def is_env(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "env") or (
        isinstance(node, ast.Attribute) and node.attr in ("env", "_env")
    )


def names_read(source: str) -> Iterator[str]:
    """`env.NAME`, and "NAME" beside `env` in a call: `getattr(env, "NAME")`, `Limiter(env, "NAME")`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_env(node.value) and NAME.fullmatch(node.attr):
            yield node.attr
        elif isinstance(node, ast.Call) and any(is_env(argument) for argument in node.args):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and NAME.fullmatch(str(argument.value)):
                    yield str(argument.value)


def names_below(folder: Path) -> set[str]:
    return {name for path in folder.rglob("*.py") for name in names_read(path.read_text())}


def settings_of_the_gateway() -> set[str]:
    asked: list[str] = []

    def read(name: str) -> None:
        asked.append(name)

    with pytest.raises(NotConfigured):
        settings.read_settings(read)
    return set(asked)


def settings_of_a_sibling() -> set[str]:
    asked: list[str] = []

    def read(name: str) -> None:
        asked.append(name)

    contract.read_settings(read)
    return set(asked)


def test_the_reader_of_sources_sees_each_way_to_read_a_name() -> None:
    source = 'self.env.DB.prepare; env.KV; self._env.BUCKET; getattr(env, "TOKEN"); Limiter(env, "LIMIT", 3)'
    assert set(names_read(source)) == {"DB", "KV", "BUCKET", "TOKEN", "LIMIT"}
    assert not set(names_read('request.GET; read("METHOD"); env.fetch; other(env, "lower case")'))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_gateway_declares_what_it_reads_and_reads_what_it_declares(environment: str) -> None:
    siblings = {variant.name for variant in variants.Variant}
    needed = names_below(SOURCES["gateway"]) | settings_of_the_gateway() | siblings
    # Wrangler would not deploy without a secret that is declared, and this one may be absent.
    assert bindings(read("gateway", environment)) == needed - settings.OPTIONAL_SECRETS


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_siblings_declare_what_they_read_and_read_what_they_declare(environment: str) -> None:
    needed = names_below(SOURCES["icon"]) | settings_of_a_sibling()
    declared = {name: bindings(read(name, environment)) for name in VARIANTS}
    assert set().union(*declared.values()) == needed
    mark = {name for name in needed if name.startswith("WATERMARK_")}
    assert declared == {name: needed - (set() if name == "watermark" else mark) for name in VARIANTS}


def test_secrets_are_declared_as_secrets() -> None:
    def secret(name: str) -> bool:
        return name.endswith(("_SECRET", "_TOKEN")) or name.startswith(("R2_ACCESS", "R2_SECRET"))

    for name in ("gateway", *VARIANTS):
        config = raw(name)
        assert {each for each in bindings(config) if secret(each)} == set(config["secrets"]["required"])


def test_variables_stand_in_the_files_with_the_defaults_of_the_code() -> None:
    defaults = contract.read_settings(lambda _: None)
    assert contract.read_settings(raw("watermark")["vars"].get) == defaults
    for name in ("thumbnail", "icon"):
        assert contract.read_settings(raw(name)["vars"].get).background == defaults.background
    secrets = dict.fromkeys(raw("gateway")["secrets"]["required"], "x" * 32)
    wanted = {"R2_S3_ENDPOINT": "https://host.example", "R2_BUCKET": "bucket"}
    given = {name: value for name, value in raw("gateway")["vars"].items() if name not in wanted}
    assert settings.read_settings((wanted | secrets | given).get) == settings.read_settings(
        (wanted | secrets).get
    )


def test_the_example_names_every_variable_and_secret_of_the_gateway() -> None:
    example = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".dev.vars.example").read_text(), re.MULTILINE)
    config = raw("gateway")
    assert sorted(example) == sorted(
        [*config["vars"], *config["secrets"]["required"], *settings.OPTIONAL_SECRETS]
    )
