"""The libraries without anything of ours: the floors that `shelfpoint bench devices` compares with. Not a driver."""

from collections.abc import Callable, Iterable

import zxingcpp
from pyzbar import pyzbar

from drivers.barcodes import Code
from drivers.virtual.code_pictures import Grey

_ZXING = {
    "code39": zxingcpp.BarcodeFormat.Code39,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "codabar": zxingcpp.BarcodeFormat.Codabar,
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "qr": zxingcpp.BarcodeFormat.QRCode,
}
_ZBAR = {
    "code39": pyzbar.ZBarSymbol.CODE39,
    "code128": pyzbar.ZBarSymbol.CODE128,
    "codabar": pyzbar.ZBarSymbol.CODABAR,
    "ean13": pyzbar.ZBarSymbol.EAN13,
    "qr": pyzbar.ZBarSymbol.QRCODE,
}


def only_zxing(symbologies: Iterable[str]) -> Callable[[Grey], frozenset[Code]]:
    """zxing-cpp, one call a frame."""
    wanted = tuple(symbologies)
    formats = zxingcpp.BarcodeFormats([_ZXING[name] for name in wanted])
    names = {str(_ZXING[name]): name for name in wanted}
    return lambda frame: frozenset(
        _code(code.text, names[str(code.format)]) for code in zxingcpp.read_barcodes(frame, formats=formats)
    )


def only_zbar(symbologies: Iterable[str]) -> Callable[[Grey], frozenset[Code]]:
    """pyzbar, one call a frame."""
    wanted = tuple(symbologies)
    symbols = [_ZBAR[name] for name in wanted]
    names = {_ZBAR[name].name: name for name in wanted}
    return lambda frame: frozenset(
        _code(code.data.decode("utf-8", "replace"), names[code.type]) for code in pyzbar.decode(frame, symbols=symbols)
    )


def _code(text: str, symbology: str) -> Code:
    """Codabar without its start and stop letters, as `drivers.barcodes` tells it."""
    return Code(text[1:-1] if symbology == "codabar" else text, symbology)
