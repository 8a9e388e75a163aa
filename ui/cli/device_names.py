"""`shelfpoint devices printers`: every name that `profile` of a printer may have, and what it stands for.

For the person who has a printer before her and looks for its name. Reads no settings and asks no device.
"""

import json
from collections.abc import Iterator

import click


@click.command("printers")
@click.argument("word", default="")
@click.option("--json", "as_json", is_flag=True, help="A JSON list, with the code pages of each model.")
def printers(word: str, as_json: bool) -> None:
    """List the printers that are known by name, all or those whose name or maker has WORD in it. Exit code 1 when none has."""
    from drivers.printer_profiles import near_names

    rows = [row for row in _rows() if word.casefold() in f"{row['maker']} {row['name']}".casefold()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            dots, cells = f"{row['width_dots']} dots", f"{row['columns']} columns"
            knife = "cuts" if row["cutter"] else "no knife"
            chinese = {"none": "Chinese as dots"}.get(str(row["cjk"]), f"Chinese in {row['cjk']}")
            click.echo(f"{row['name']:<20} {row['maker']:<16} {dots:<9} {cells:<11} {knife:<9} {chinese}".rstrip())
    if not rows:
        near = ", ".join(near_names(word))
        others = f"Near to it: {near}." if near else "'shelfpoint devices printers' lists all."
        raise click.ClickException(
            f"No printer is known as {word!r}. {others} Any other ESC/POS printer: take a generic profile of its paper "
            "and run 'shelfpoint devices probe printer --page'."
        )


def _rows() -> Iterator[dict[str, object]]:
    from drivers.printer_models import models
    from drivers.printer_profiles import PROFILES, all_profiles

    for profile in all_profiles():
        model = None if profile.name in PROFILES else models()[profile.name]
        yield {
            "name": profile.name,
            "maker": profile.maker,
            "width_dots": profile.width_dots,
            "columns": profile.columns,
            "cutter": profile.cutter,
            "cjk": profile.cjk,
            "code_pages": [] if model is None else list(model.code_pages),
        }
