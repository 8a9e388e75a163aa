"""How the virtual printer is, in the bytes that ESC/POS has for it (Epson reference: DLE EOT, GS a). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """What its sensors say."""

    paper: bool
    """There is some."""
    cover: bool
    """It is open."""
    cutter: bool
    """The knife is stuck."""
    near_end: bool
    """The roll is nearly at its end."""
    hot: bool = False
    """The head is too hot: it rests until it has cooled down."""

    @property
    def stopped(self) -> bool:
        """It cannot print now."""
        return not self.paper or self.cover or self.cutter or self.hot

    @property
    def _error(self) -> int:
        """The same bits in both: the knife, and what goes away by itself."""
        return (0x08 if self.cutter else 0) | (0x40 if self.hot else 0)

    def news(self) -> bytes:
        """Automatic status: four bytes."""
        first = 0x10 | (0x08 if self.stopped else 0) | (0x20 if self.cover else 0)
        paper = (0x03 if self.near_end else 0) | (0 if self.paper else 0x0C)
        return bytes([first, self._error, paper, 0x0F])

    def answer(self, number: int) -> int:
        """The answer to DLE EOT `number`."""
        bits = {
            1: 0x08 if self.stopped else 0,
            2: (0x04 if self.cover else 0) | (0 if self.paper else 0x20),
            3: self._error,
            4: (0x0C if self.near_end else 0) | (0 if self.paper else 0x60),
        }
        return 0x12 | bits.get(number, 0)
