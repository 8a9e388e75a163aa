"""The text of a QR code's bytes: no mojibake, no escapes, and no part of a longer message (A8)."""

import numpy as np
import pytest

from drivers.barcodes import CodeReader
from drivers.matrix_text import matrix_text
from tests.drivers import qr_symbols


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"]Q1C0000001", "C0000001"),
        (b"]Q1" + "館藏-C0000001".encode(), "館藏-C0000001"),
        (b"]Q1" + "館藏證號-C0000001".encode("big5"), "館藏證號-C0000001"),
        (b"]Q1" + "王小明的圖書館借閱證".encode("big5"), "王小明的圖書館借閱證"),
        (b"]Q1" + "證12345".encode("big5"), "證12345"),
        (b"]Q1" + "café-12".encode("latin-1"), None),
        (b"]Q1" + "Grüße".encode("latin-1"), None),
        (b"]Q1" + "図書館かな".encode("shift_jis"), None),
        (b"]Q1\xe9A\xff\x80", None),
        (b"]Q1A\\000026B", "A\\000026B"),
        (b"]Q2\\000026" + "館藏".encode(), "館藏"),
        (b"]Q2\\000028" + "館藏-A\\\\B".encode("big5"), "館藏-A\\B"),
        (b"]Q2\\000003caf\xe9\\000026" + "館".encode(), "café館"),
        (b"]Q2AB\\000029" + "馆".encode("gb18030"), "AB馆"),
        (b"]Q2\\000899\x01\x02", None),
        (b"]Q2\\000026\xe9\xa4", None),
        (b"]d4\\000026" + "館".encode(), "館"),
        (b"]L1\\000026" + "館".encode(), "館"),
    ],
)
def test_bytes_are_read_by_their_eci_else_as_utf8_else_as_plausible_big5_else_not_at_all(
    content: bytes, text: str | None
) -> None:
    assert matrix_text(content) == text


def test_a_character_of_big5_whose_second_byte_is_a_backslash_is_whole() -> None:
    assert matrix_text(b"]Q1" + "許功蓋".encode("big5")) == "許功蓋"
    assert matrix_text(b"]Q2\\000028" + "許功蓋".encode("big5").replace(b"\\", b"\\\\")) == "許功蓋"


@pytest.mark.parametrize("turns", range(4))
def test_parts_of_a_message_over_several_codes_are_no_value_whichever_way_they_lie(turns: int) -> None:
    reader = CodeReader({"code39", "code128", "codabar", "qr"})
    for symbols in (qr_symbols.PARTS, qr_symbols.PARTS[:1], qr_symbols.PARTS[1:]):
        frame = np.ascontiguousarray(np.rot90(qr_symbols.picture(symbols), turns))
        assert reader.read(frame) == frozenset()
        assert reader.read(np.asarray(255 - frame, dtype=np.uint8)) == frozenset()


@pytest.mark.parametrize(("symbol", "text"), [(qr_symbols.KANJI, "図書館かな"), (qr_symbols.BIG5_BY_ECI, "館藏-A\\B")])
def test_kanji_mode_and_an_eci_are_read_as_they_say(symbol: str, text: str) -> None:
    codes = CodeReader({"qr"}).read(qr_symbols.picture((symbol,)))
    assert {code.text for code in codes} == {text}
