"""What the workbench's window can do to virtual hardware; implemented over the twins of `drivers/virtual`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCard:
    """A card that lies on the table."""

    name: str
    """Given to `Bench.lay_card`."""
    label: str
    """What is printed on it: kind and owner, for example 悠遊卡 王小明."""
    note: str = ""
    """What it is good for, for example 停權中."""
    scanned: bool = False
    """True: a barcode or mobile card, held under the scanner instead of laid on the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBook:
    """A book that lies on the table."""

    code: str
    """Its barcode, given to `Bench.scan`."""
    title: str
    """On its cover."""
    note: str = ""
    """What it is good for, for example 有人預約."""


class Bench(Protocol):
    """The hands at the workbench. Every method returns within a moment; called on the Qt thread."""

    def cards(self) -> Sequence[TableCard]:
        """Cards on the table."""

    def books(self) -> Sequence[TableBook]:
        """Books on the table."""

    def devices(self) -> Sequence[str]:
        """Names of the devices that can be unplugged."""

    def lay_card(self, name: str) -> None:
        """Lay this card on the reader; a card that lies there is lifted first."""

    def lift_card(self) -> None:
        """Take the card away."""

    def tear_card(self, name: str) -> None:
        """Hold this card to the reader and take it away before it was read."""

    def scan(self, code: str) -> None:
        """Hold this code under the scanner, or the card of this name that is scanned."""

    def set_network(self, there: bool) -> None:
        """Plug or pull the network cable."""

    def set_paper(self, there: bool) -> None:
        """Load paper, or let it run out."""

    def plug(self, device: str) -> None:
        """Plug the device in."""

    def unplug(self, device: str) -> None:
        """Pull the device's plug."""

    def slips(self) -> Sequence[bytes]:
        """Every slip printed so far as PNG, oldest first."""
