"""Text as a TOML file writes it. Owns the one spelling; called by whatever prints or writes settings. Pure.

JSON's escapes are TOML's, but for DEL, which TOML does not take as it is.
"""

import json


def quoted(value: str) -> str:
    """A basic string, quotation marks included."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
