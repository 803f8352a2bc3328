"""Tables of results: for the terminal, or as Markdown for the page of the benchmarks."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def print_table(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]], *, is_markdown: bool) -> None:
    if is_markdown:
        for row in (header, ["---"] * len(header), *rows):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    console.print(table)
