"""The guides for operators say what the code and the configuration say, and their sums are right."""

from __future__ import annotations

import inspect
import itertools
import json
import random
import re
import sqlite3
from collections.abc import Iterator

import pytest
from tests.support.deploy.projects import ROOT, raw
from tests.support.gallery.clock import run
from tests.support.gallery.creates import create
from tests.support.gallery.world import World
from tools.deploy import audit as deployment_audit
from tools.deploy import privacy
from tools.deploy.cli import parse_arguments
from tools.deploy.config import Target
from tools.deploy.plan import Plan, describe
from tools.deploy.privacy import Domains

from gallery import audit, errors, variants
from gallery.queue import Queue
from imaging import errors as rendering

DEPLOY, OPERATIONS, SCALE = (
    (ROOT / f"docs/{name}.md").read_text() for name in ("deploy", "operations", "scale")
)
BY_HAND = DEPLOY.split("## The same by hand")[1].split("\n## ")[0]
PAGES = {"deploy": DEPLOY, "operations": OPERATIONS, "scale": SCALE}


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Cells of the first table below a heading."""
    table = page.split(f"{heading}\n")[1].split("\n|", 1)[1].split("\n\n")[0]
    for line in table.splitlines():
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        if not set("".join(cells)) <= {"-"}:
            yield cells


def dollars(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


def test_a_thousand_uploads_cost_what_their_parts_cost() -> None:
    *parts, total = list(rows(OPERATIONS, "## What a thousand uploads cost"))[1:]
    for name, count, price, cost in parts:
        assert dollars(cost) == pytest.approx(float(count) * dollars(price) / 1000, abs=0.00005), name
    exact = sum(float(count) * dollars(price) / 1000 for _, count, price, _ in parts)
    assert dollars(total[-1]) == pytest.approx(exact, abs=0.00005)


def test_every_error_code_is_explained() -> None:
    def codes(base: type[errors.GalleryError | rendering.RenderError]) -> set[str]:
        below = [codes(each) for each in base.__subclasses__()]
        return {base.code}.union(*below)

    told = {
        code for cells in rows(OPERATIONS, "## What an error code means for you") for code in words(cells[0])
    }
    assert told - {"code"} == codes(errors.GalleryError) | codes(rendering.RenderError)


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", cell))


def test_every_event_in_the_log_is_listed() -> None:
    written = {
        name
        for path in (ROOT / "src/gallery").rglob("*.py")
        for name in re.findall(r'"event": "(\w+)"', path.read_text())
    }
    told = {name for cells in rows(OPERATIONS, "## What to watch") for name in words(cells[0])}
    assert told - {"event", "variant"} == written


def test_the_limits_are_those_of_the_configuration() -> None:
    gateway = raw("gateway")
    gate = inspect.signature(Queue).parameters
    limits = {each["name"]: each["simple"]["limit"] for each in gateway["ratelimits"]}
    table = "\n".join(" ".join(cells) for cells in rows(OPERATIONS, "## Plan and limits"))
    for words_of_the_table in (
        f"limits.cpu_ms = {gateway['limits']['cpu_ms']}",
        f"`MAX_UPLOAD_BYTES`, {int(gateway['vars']['MAX_UPLOAD_BYTES']) // 2**20} MiB",
        f"`MAX_OPEN_UPLOADS`, {gateway['vars']['MAX_OPEN_UPLOADS']}",
        f"`MAX_OPEN_BYTES`, {int(gateway['vars']['MAX_OPEN_BYTES']) // 2**30} GiB",
        f"`VARIANT_DEADLINE_SECONDS`, {gateway['vars']['VARIANT_DEADLINE_SECONDS']}",
        f"{gate['places'].default} in one isolate, {gate['waiting'].default} waiting",
        f"up to {gate['patience'].default:.0f} s",
        f"{gate['places_each'].default} in one isolate, {gate['waiting_each'].default} waiting",
        f"{limits['READ_LIMIT']} a minute and location of one user, or of one address",
        f"{limits['FAILURE_LIMIT']} a minute of one user, then their creates are refused for a minute",
        f"{limits['TICKET_LIMIT']} tickets and {limits['CREATE_LIMIT']} creates a minute",
        f"`users.artwork_limit`, {quota()}",
    ):
        assert words_of_the_table in table


def quota() -> int:
    database = sqlite3.connect(":memory:")
    database.executescript((ROOT / "schema.sql").read_text())
    columns = {row[1]: row[4] for row in database.execute("PRAGMA table_info(users)")}
    database.close()
    return int(columns["artwork_limit"])


COUNT = 800
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
DESCRIPTION = {
    "materials": "oil on canvas",
    "dimensions": "60 × 40 cm",
    "createdDate": "2024-05-31",
    "category": "painting",
    "tags": ["dusk", "lake", "mountains"],
}


def _word(chance: random.Random) -> str:
    length = max(2, round(chance.gauss(5, 2)))
    return "".join(chance.choices(_LETTERS, weights=range(len(_LETTERS), 0, -1), k=length))


@pytest.fixture(scope="module")
def uploads() -> World:
    """A gateway in memory after 800 uploads by one person, described in words as common as words are."""
    chance = random.Random(1)  # noqa: S311
    words = [_word(chance) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    world = World()
    world.user(user_id="usr_0123456789abcdef", limit=COUNT)

    async def create_all() -> None:
        for number in range(COUNT):
            key = world.original("usr_0123456789abcdef")
            description = " ".join(chance.choices(words, cum_weights=weights, k=90))[:300]
            fields = DESCRIPTION | {"title": f"Dusk over the lake {number}", "description": description}
            answer = await create(world, key, "usr_0123456789abcdef", **fields)
            assert answer.status == 201
            await world.finish()

    run(create_all())
    return world


def test_an_artwork_takes_as_many_bytes_as_is_said(uploads: World) -> None:
    pages, size = (uploads.database.rows(f"PRAGMA {name}")[0][name] for name in ("page_count", "page_size"))
    empty = World().database.rows("PRAGMA page_count")[0]["page_count"]
    said = re.search(r"takes ([\d,]+) bytes in D1", OPERATIONS)
    held = re.search(r"hold \*\*([\d.]+) million artworks\*\*", OPERATIONS)
    assert said
    assert held
    assert (pages - empty) * size / COUNT == pytest.approx(dollars(said[1]), rel=0.1)
    assert float(held[1]) == pytest.approx(10e9 / dollars(said[1]) / 1e6, abs=0.05)


def test_an_upload_takes_as_many_calls_as_is_said(uploads: World) -> None:
    table = {cells[0]: cells[1] for cells in rows(OPERATIONS, "## What a thousand uploads cost")}
    gateway_reads = len([method for method, _ in uploads.objects.asked if method != "delete"]) / COUNT
    reads_of_siblings = len(variants.Variant)
    assert table["R2 class B: 6 heads, first bytes, 3 reads"] == f"{gateway_reads + reads_of_siblings:.0f}"
    assert table["KV writes: three flags"] == f"{len(uploads.flags.stored) / COUNT:.0f}"
    assert len(uploads.database.calls) / COUNT == 4
    assert "four of the create" in SCALE


D1_SECONDS, KEPT, ORIGINAL_AND_RENDITIONS = 0.018, 3200, 0.0058


def cpu_milliseconds() -> float:
    """CPU of one upload, as both pages say it."""
    scale = {cells[0]: cells[1] for cells in rows(SCALE, "## What one upload takes")}
    cost = {cells[0]: cells[1] for cells in rows(OPERATIONS, "## What a thousand uploads cost")}
    assert scale["CPU, ms"] == cost["CPU, ms"]
    return float(scale["CPU, ms"])


def test_the_cpu_of_an_upload_is_the_measured_one() -> None:
    found = json.loads((ROOT / "benchmarks/results/cost.json").read_text())["measured"]
    assert cpu_milliseconds() == pytest.approx(found["creates"]["12 MP"]["cpuMs"], rel=0.1)


def test_what_follows_from_the_cpu_of_an_upload() -> None:
    spent = cpu_milliseconds()
    included = re.search(r"30 million ms of CPU \(([\d,]+) uploads\)", OPERATIONS)
    rendering = re.search(r"class B operations: (\$[\d.]+) once", OPERATIONS)
    times = re.search(r"That is (\d+) times less", OPERATIONS)
    assert included
    assert rendering
    assert times
    assert dollars(included[1]) == pytest.approx(30e6 / spent, rel=0.02)
    once = spent * 0.02 / 1000 + 5 * 4.5 / 1000 + 3 * 0.36 / 1000
    assert dollars(rendering[1]) == pytest.approx(once, abs=0.00005)
    assert float(times[1]) == pytest.approx(1.5 / once, abs=0.5)
    assert f"about {spent / 1000:.1f} s of CPU" in OPERATIONS
    assert 20 * spent / 1000 > float(raw("gateway")["vars"]["VARIANT_DEADLINE_SECONDS"]), "twenty creates"


@pytest.mark.parametrize(("column", "rate"), [(1, 10), (2, 1000), (3, 100_000)])
def test_the_table_of_rates_follows_from_one_upload(column: int, rate: int) -> None:
    table = {cells[0]: cells[column] for cells in rows(SCALE, "Sums are before what the plan includes.")}
    month, spent = rate * 60 * 24 * 30, cpu_milliseconds()

    def number(row: str) -> float:
        return dollars(re.findall(r"\$?[\d.,]*\d", table[row])[-1])

    assert dollars(table["uploads a minute"]) == rate
    assert number("cores busy: rate × CPU") == pytest.approx(rate / 60 * spent / 1000, rel=0.04)
    assert number("one D1 busy: rate × 18 ms") == pytest.approx(rate / 60 * D1_SECONDS * 100, rel=0.1)
    assert number("KV writes a month") == pytest.approx(month * 3 * 5 / 1e6, rel=0.1)
    assert number("CPU a month") == pytest.approx(month * spent * 0.02 / 1e6, rel=0.1)
    assert number("R2 class A a month") == pytest.approx(month * 6 * 4.5 / 1e6, rel=0.1)
    kept = month * ORIGINAL_AND_RENDITIONS * 0.015
    assert number("what R2 gets in a month costs, a month") == pytest.approx(kept, rel=0.02)
    recorded = month * KEPT / 1e9 * 0.75
    assert number("what D1 gets in a month costs, a month") == pytest.approx(recorded, rel=0.02)
    unit = {"MB": 1e6, "GB": 1e9}[table["D1 grows a day: × 3.2 KB"].split()[1]]
    assert number("D1 grows a day: × 3.2 KB") * unit == pytest.approx(month / 30 * KEPT, rel=0.02)


def test_storage_costs_what_its_bytes_cost() -> None:
    said = re.search(
        r"is 5\.8 GB a thousand, (\$[\d.]+)\s+a month, and beyond 5 GB (\$[\d.]+) for", OPERATIONS
    )
    assert said
    assert dollars(said[1]) == pytest.approx(1000 * ORIGINAL_AND_RENDITIONS * 0.015)
    assert dollars(said[2]) == pytest.approx(1000 * KEPT / 1e9 * 0.75)


def test_the_guide_has_the_commands_of_the_plan() -> None:
    domain = "images.example.org"
    plan = Plan(
        database=True,
        bucket=True,
        variables={"PUBLIC_URL": ""},
        domains=Domains(connect=domain, probe=(domain,)),
    )
    commands = [command for _, lines in describe(Target(ROOT, "production"), plan) for command in lines]
    for command in commands:
        words_of_it = command.partition("&& ")[2] or command
        assert words_of_it.removesuffix(" …") in BY_HAND.replace("ZONE_ID", "…"), command
    assert privacy.rule(domain)["expression"] in DEPLOY


def test_by_hand_the_values_are_written_before_the_gateway_is_deployed() -> None:
    steps = ("make the rule", "domain add", "R2_S3_ENDPOINT", "umask 077", "> gateway.json")
    places = [BY_HAND.index(step) for step in (*steps, "wrangler deploy --env= --secrets-file gateway.json")]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["deploy", "operations"])
def test_the_commands_of_a_guide_are_wranglers_and_find_the_pinned_node(name: str) -> None:
    cli = (ROOT / "node_modules/wrangler/wrangler-dist/cli.js").read_text()
    known = set(re.findall(r'command: "(wrangler [a-z0-9 -]+)"', cli))
    page = PAGES[name]
    used = re.findall(r"npx (wrangler(?: [a-z0-9][a-z0-9-]*)+)", page)
    assert used
    for words_of_it in used:
        parts = words_of_it.split()
        assert any(" ".join(parts[:count]) in known for count in range(2, len(parts) + 1)), words_of_it
    assert page.index('export PATH="$PWD/.venv/bin:$PATH"') < page.index("npx wrangler ")


def test_pywrangler_takes_the_words_of_wrangler() -> None:
    commands = re.findall(r"^(?:npx wrangler|pywrangler) (dev .*?)\n```", DEPLOY, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert commands[0] == commands[1]


def test_a_restore_is_told_what_the_sweeper_does() -> None:
    told = OPERATIONS.split("## Restoring the database")[1].split("\n## ")[0]
    assert audit.ORIGINAL_SECONDS == 24 * 3600
    assert "originals when they are a day old" in " ".join(told.split())
    assert "vfa sweep --audit --dry-run" in told
    assert f"python -m {deployment_audit.__name__}" in told


def test_every_option_of_the_command_is_explained() -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    source = inspect.getsource(parse_arguments)
    for option in re.findall(r'"(--[a-z-]+)"', source):
        assert option in DEPLOY


# By a person who follows the guides.
WRITTEN = ("sibling.json", "gateway.json", "before.sql", "again.sql")


@pytest.mark.parametrize("name", PAGES)
def test_what_a_guide_names_in_this_repository_is_there(name: str) -> None:
    for path in re.findall(
        r"`?\b((?:benchmarks|migrations|variants|tests)/[\w./-]+|[\w.]+\.(?:json|sql))`?", PAGES[name]
    ):
        if path not in WRITTEN and not path.startswith("variants/$"):
            assert (ROOT / path.rstrip(".")).exists(), path
