"""The workbench's hands on the demo's stage: every act goes through a virtual twin, none calls the application."""

import io
from collections.abc import Callable, Mapping, Sequence

from drivers.virtual.card import Fault
from kiosk.domain.identity import CardKind
from sync.central.demo import CastMember, demo_books, demo_cast
from ui.demo.stage import Stage
from ui.workbench.bench import TableBook, TableCard

_KINDS: Mapping[CardKind, str] = {
    CardKind.EASYCARD: "悠遊卡",
    CardKind.IPASS: "一卡通",
    CardKind.CHIP: "晶片借閱證",
    CardKind.BARCODE: "條碼借閱證",
    CardKind.MOBILE: "行動借閱證",
}
_SCANNED = frozenset({CardKind.BARCODE, CardKind.MOBILE})

_NOTES: Mapping[str, str] = {
    "easycard": "已借 1 冊",
    "ipass": "",
    "chip": "",
    "barcode": "有一本預約書到館",
    "mobile": "",
    "suspended": "停權中",
    "expired": "已過期",
    "overdue": "有逾期",
    "pending": "待審核",
}
"""Whose cards lie on the table, by their names in the demo's cast, and what each is good for."""


def uids() -> Mapping[str, bytes]:
    """UIDs by the names of the cards that are laid down."""
    cast = demo_cast()
    known = {name: getattr(cast, name) for name in _NOTES}
    laid = {name: bytes.fromhex(who.number) for name, who in known.items() if who.kind not in _SCANNED}
    return {**laid, "unknown": cast.unknown_uid}


def codes() -> Mapping[str, str]:
    """Numbers by the names of the cards that are scanned."""
    cast = demo_cast()
    known = {name: getattr(cast, name) for name in _NOTES}
    return {name: who.number for name, who in known.items() if who.kind in _SCANNED}


class Table:
    """`ui.workbench.bench.Bench` over a `Stage`. Qt thread."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pictures: list[bytes] = []
        cast = demo_cast()
        self._cast: dict[str, CastMember] = {name: getattr(cast, name) for name in _NOTES}
        self._codes = codes()
        self._unknown = cast.unknown_uid.hex()
        titles = demo_books()
        notes = {
            cast.on_loan: "悠遊卡讀者借閱中",
            cast.overdue_book: "逾期未還",
            cast.desk_only: "限服務台",
            cast.reserved: "有人預約",
            cast.missing: "遺失協尋中",
        }
        self._books = tuple(
            TableBook(code=code, title=titles[code], note=notes.get(code, "")) for code in (*cast.lendable, *notes)
        )
        self._plugs: Mapping[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "reader": (stage.pcscd.plug, stage.pcscd.unplug),
            "scanner": (stage.scanner.plug, stage.scanner.unplug),
            "printer": (stage.printer.plug, stage.printer.unplug),
            "pcscd": (stage.pcscd.start, stage.pcscd.kill),
        }

    def cards(self) -> Sequence[TableCard]:
        known = (
            TableCard(name=name, label=f"{_KINDS[who.kind]} {who.name}", note=_NOTES[name], scanned=name in self._codes)
            for name, who in self._cast.items()
        )
        return (*known, TableCard(name="unknown", label="沒登記的卡", note="查無此證"))

    def books(self) -> Sequence[TableBook]:
        return self._books

    def devices(self) -> Sequence[str]:
        return tuple(self._plugs)

    def lay_card(self, name: str) -> None:
        self._hold(name, Fault.NONE)

    def lift_card(self) -> None:
        self._stage.reader.take()

    def tear_card(self, name: str) -> None:
        self._hold(name, Fault.TORN)
        self._stage.reader.take()

    def scan(self, code: str) -> None:
        if self._stage.scanner.plugged:
            self._stage.scanner.scan(self._codes.get(code, code))

    def set_network(self, there: bool) -> None:
        if there:
            self._stage.network.restore()
        else:
            self._stage.network.cut()

    def set_paper(self, there: bool) -> None:
        if there:
            self._stage.printer.load_paper()
        else:
            self._stage.printer.paper_out_now()

    def plug(self, device: str) -> None:
        self._plugs[device][0]()

    def unplug(self, device: str) -> None:
        if device == "reader":
            self._stage.reader.take()
        self._plugs[device][1]()

    def slips(self) -> Sequence[bytes]:
        for slip in self._stage.printer.slips()[len(self._pictures) :]:
            picture = io.BytesIO()
            slip.framed().save(picture, "PNG")
            self._pictures.append(picture.getvalue())
        return self._pictures

    def _hold(self, name: str, fault: Fault) -> None:
        if name == "unknown":
            self._stage.lay(self._unknown, fault)
            return
        if name in self._codes:
            self.scan(name)
        else:
            self._stage.lay(self._cast[name].number, fault)
