"""What commands print: tables on a terminal, tab-separated lines in a pipe, or JSON; no value is cut."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

Record = Mapping[str, Any]


def console(*, stderr: bool = False) -> Console:
    """A console for the stream as it is now; texts of users are printed as they are."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """JSON for programs, without colours and line wrapping."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, nothing: str) -> None:
    """Rows as a table whose cells are folded, or in a pipe as tab-separated lines without headers."""
    screen = console()
    if not screen.is_terminal:
        for row in rows:
            click.echo("\t".join(map(_one_line, row)))
        return
    table = Table()
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*row)
    screen.print(table if table.row_count else nothing)


def print_facts(record: Record) -> None:
    """Names and values, one pair a line; what is null or empty is left out."""
    facts = {name: as_text(value) for name, value in record.items() if value not in (None, [], "")}
    screen = console()
    if not screen.is_terminal:
        for name, value in facts.items():
            click.echo(f"{name}\t{_one_line(value)}")
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name, style="bold"), value)
    screen.print(table)


def as_text(value: Any) -> str:
    """A JSON value as the text of a cell.

    >>> as_text(["lake", "dusk"]), as_text(None), as_text(True)
    ('lake, dusk', '', 'true')
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case list() if all(isinstance(each, str) for each in value):
            return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Output:
    """The form that a command was asked for: JSON or not, and chosen fields or None."""

    as_json: bool
    fields: tuple[str, ...] | None = None

    def chosen(self, record: Record) -> dict[str, Any]:
        """The chosen fields of a record. Raises UsageError for one that it lacks."""
        if self.fields is None:
            return dict(record)
        for name in self.fields:
            if name not in record:
                raise click.UsageError(f"no field {name}; the fields are {', '.join(record)}")
        return {name: record[name] for name in self.fields}

    def records(
        self, records: Iterable[Record], headers: Sequence[str], usual: Sequence[str], *, nothing: str
    ) -> None:
        """Print records: the chosen fields, or the `usual` ones under `headers`."""
        if self.as_json:
            print_json([self.chosen(each) for each in records])
            return
        names = self.fields or usual
        shown = (
            [as_text(value) for value in Output(False, tuple(names)).chosen(r).values()] for r in records
        )
        print_table(self.fields or headers, shown, nothing=nothing)

    def record(self, record: Record) -> None:
        """Print one record."""
        if self.as_json:
            print_json(self.chosen(record))
        else:
            print_facts(self.chosen(record))


def draw(picture: bytes, width: int) -> Text:
    """A picture as lines of `width` half blocks, two pixels to a character.

    Raises:
        ValueError: the bytes are no picture.
    """
    height, pixels = _pixels(picture, width)

    def colour(x: int, y: int) -> str:
        start = (y * width + x) * 3
        return "#" + pixels[start : start + 3].hex()

    text = Text(no_wrap=True)
    for y in range(0, height, 2):
        for x in range(width):
            text.append("▀", style=f"{colour(x, y)} on {colour(x, y + 1)}")
        text.append("\n")
    return text


def _pixels(picture: bytes, width: int) -> tuple[int, bytes]:
    """Height and RGB bytes of the picture at that width."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            height = max(2, round(opened.height * width / opened.width) // 2 * 2)
            return height, opened.convert("RGB").resize((width, height)).tobytes()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not a picture") from error


def _one_line(text: str) -> str:
    return " ".join(text.split("\t")).replace("\r", " ").replace("\n", " ")
