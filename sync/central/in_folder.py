"""Files and folders that a person names are made where there is a folder already, never with the way to it.

Asked by backups, exports, copies of the key and row reports. A folder that is missing is mostly a drive that is not mounted: made
anew, it would lie on the system's own disk, and nobody would notice. Blocking.
"""

from pathlib import Path


class MissingFolder(Exception):
    """There is no folder to write into; the message says which, and what to do."""


def refuse_missing(target: Path) -> None:
    """Raises MissingFolder where the folder that `target` would stand in does not exist."""
    folder = target.absolute().parent
    if not folder.is_dir():
        raise MissingFolder(
            f"{target}: there is no folder {folder}. If it is on a stick or a network drive, mount that first; else make "
            "it. Nothing was written"
        )
