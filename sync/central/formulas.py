"""Cells that a spreadsheet would take for a formula: an apostrophe goes in front, and comes away again (OWASP, "CSV Injection").

Asked by lists and exports on the way out, by imports on the way in: `as_written(harmless(text)) == text` for every text, so an id
of an export can be imported again. Ids come from kiosks and names from people. Pure.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
"""Apostrophes in front count too, so that one more always comes away again."""


def harmless(value: str) -> str:
    """As a cell that no spreadsheet computes."""
    return f"'{value}" if _FORMULA.match(value) else value


def as_written(cell: str) -> str:
    """What `harmless` was given; a cell that it never wrote stays as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell
