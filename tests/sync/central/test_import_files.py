"""Files of records as catalogues and spreadsheets write them: encodings, scripts, volumes, odd records, empty lines.

Bytes of MARC 21 and of MARC-8 are written here by hand, not by the library that reads them.
"""

from pathlib import Path

import pytest

from sync.central.import_marc import MarcPlaces
from sync.central.import_rows import BadFile, Line
from sync.central.import_sources import read_items, read_patrons
from sync.wire import ItemEntry

FIELD_END, RECORD_END, MARK = b"\x1e", b"\x1d", b"\x1f"


def subfields(*parts: tuple[str, bytes | str], encoding: str = "utf-8") -> bytes:
    return b"00" + b"".join(
        MARK + code.encode() + (text.encode(encoding) if isinstance(text, str) else text) for code, text in parts
    )


def marc(*fields: tuple[str, bytes], scheme: bytes = b"a", copy: str = "B1") -> bytes:
    """A record of one copy (ISO 2709): leader, directory, fields."""
    directory, body = b"", b""
    for tag, data in (*fields, ("952", subfields(("p", copy), ("b", "main")))):
        directory += b"%s%04d%05d" % (tag.encode(), len(data) + 1, len(body))
        body += data + FIELD_END
    base = 24 + len(directory) + 1
    length = base + len(body) + 1
    return b"%05dnam %b22%05d a 4500" % (length, scheme, base) + directory + FIELD_END + body + RECORD_END


def read(folder: Path, *records: bytes, encoding: str | None = None) -> list[Line[ItemEntry]]:
    (folder / "c.mrc").write_bytes(b"".join(records))
    return list(read_items(folder / "c.mrc", MarcPlaces(), "", encoding))


def only(lines: list[Line[ItemEntry]]) -> ItemEntry:
    (line,) = lines
    assert line.entry is not None, line.mistakes
    return line.entry


# --- characters of MARC 21 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_", "title"),
    [
        (b"Gar\xe8con", "Garc̈on"),
        (b"Fran\xf0cais", "Français"),
        (b"No\xe8el /", "Noël"),
        (b"\xa2re", "Øre"),
        (b"\x1b$1\x21\x30\x64\x21\x42\x36\x1b(B ABC", None),
        (b"\x1b(NKniga\x1b(B", None),
        (b"\x88Die \x89Reise", "Die Reise"),
    ],
)
def test_a_leader_that_says_marc_8_is_believed(tmp_path: Path, bytes_: bytes, title: str | None) -> None:
    entry = only(read(tmp_path, marc(("245", subfields(("a", bytes_))), scheme=b" ")))
    if title is None:  # Chinese of EACC, Cyrillic
        assert any(ord(char) > 0x400 for char in entry.title)
        assert "\x1b" not in entry.title
    else:
        assert entry.title == title or entry.title.encode() == title.encode()


def test_utf_8_under_a_leader_that_says_marc_8_is_told_and_read_when_it_is_said(tmp_path: Path) -> None:
    record = marc(("245", subfields(("a", "臺灣史"))), scheme=b" ")
    (line,) = read(tmp_path, record)
    assert (line.mistakes[0].field, line.mistakes[0].got) == ("(record)", "UTF-8: say --encoding utf-8")
    assert only(read(tmp_path, record, encoding="utf-8")).title == "臺灣史"


@pytest.mark.parametrize("scheme", [b" ", b"a"])
def test_big5_is_named_and_read_when_it_is_said(tmp_path: Path, scheme: bytes) -> None:
    title = "圖書館學導論與實務"
    record = marc(("245", subfields(("a", title), encoding="cp950")), scheme=scheme)
    (line, after) = read(tmp_path, record, marc(("245", subfields(("a", "書"))), copy="B2"))
    assert line.mistakes[0].got == "other bytes; they read as cp950: say --encoding cp950"
    assert after.entry is not None
    assert only(read(tmp_path, record, encoding="cp950")).title == title
    with pytest.raises(BadFile, match=r"MARC 21 is in .*, not in utf-16"):
        read(tmp_path, record, encoding="utf-16")


def test_what_marc_8_does_not_know_is_counted_and_said(tmp_path: Path) -> None:
    (line,) = read(tmp_path, marc(("245", subfields(("a", b"A\xd9 B\xff"))), scheme=b" "))
    assert line.entry is not None
    assert line.entry.title == "A B"
    assert line.notes[0].kept == "kept with a space for each of 2 characters that MARC-8 does not know"


def test_bytes_that_nobody_asks_for_refuse_no_record(tmp_path: Path) -> None:
    record = marc(("245", subfields(("a", "書"))), ("500", subfields(("a", b"\xff\xfe"))))
    assert only(read(tmp_path, record)).title == "書"


# --- titles -------------------------------------------------------------------------------------------------------


def test_volumes_of_a_work_can_be_told_apart(tmp_path: Path) -> None:
    first, second = (
        marc(("245", subfields(("a", "資治通鑑."), ("n", f"第{number}冊,"), ("p", part), ("c", "司馬光"))), copy=copy)
        for number, part, copy in (("一", "周紀 /", "B1"), ("二", "秦紀 /", "B2"))
    )
    titles = [line.entry.title for line in read(tmp_path, first, second) if line.entry is not None]
    assert titles == ["資治通鑑. 第一冊, 周紀", "資治通鑑. 第二冊, 秦紀"]
    ordered = marc(("245", subfields(("a", "A :"), ("b", "b."), ("p", "C"))))
    assert only(read(tmp_path, ordered)).title == "A : b. C"


@pytest.mark.parametrize("romanised", [True, False])
def test_the_original_script_stands_before_its_transcription(tmp_path: Path, romanised: bool) -> None:
    original, latin = "西遊記", "Xi you ji"
    shown, linked = (latin, original) if romanised else (original, latin)
    record = marc(
        ("100", subfields(("6", "880-02"), ("a", "Wu, Cheng'en,"))),
        ("245", subfields(("6", "880-01"), ("a", shown))),
        ("880", subfields(("6", "100-02/$1"), ("a", "吳承恩,"))),
        ("880", subfields(("6", "500-03/$1"), ("a", "附註"))),
        ("880", subfields(("6", "245-01/$1"), ("a", linked + " /"))),
    )
    entry = only(read(tmp_path, record))
    assert (entry.title, entry.author) == ("西遊記 = Xi you ji", "吳承恩 = Wu, Cheng'en")


def test_a_linked_field_of_another_title_or_in_the_same_script_is_left_out(tmp_path: Path) -> None:
    same = marc(
        ("245", subfields(("6", "880-01"), ("a", "臺灣"))), ("880", subfields(("6", "245-01/$1"), ("a", "台灣")))
    )
    other = marc(
        ("245", subfields(("6", "880-01"), ("a", "Taiwan"))), ("880", subfields(("6", "245-02"), ("a", "別的")))
    )
    alone = marc(("880", subfields(("6", "245-00/$1"), ("a", "只有這裡"))))
    assert [only(read(tmp_path, one)).title for one in (same, other, alone)] == ["臺灣", "Taiwan", "只有這裡"]


# --- MARCXML ------------------------------------------------------------------------------------------------------


def xml_record(number: int, inside: str = "", leader: str = "0" * 24) -> str:
    return (
        f'<record><leader>{leader}</leader><controlfield tag="001">n{number}</controlfield>'
        f'<datafield tag="245"><subfield code="a">書 {number}</subfield></datafield>{inside}'
        f'<datafield tag="952"><subfield code="p">X{number}</subfield><subfield code="b">main</subfield></datafield></record>'
    )


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (xml_record(2, leader="0" * 20), "a leader of 20 characters instead of 24"),
        (xml_record(2, leader=""), "a leader of 0 characters instead of 24"),
        (
            xml_record(2, '<datafield tag="500"><subfield>x</subfield></datafield>'),
            "a subfield without a code in field 500",
        ),
        (xml_record(2, '<datafield><subfield code="a">x</subfield></datafield>'), "a field with the tag ''"),
        (xml_record(2, '<controlfield tag="8">x</controlfield>'), "a field with the tag '8'"),
    ],
)
@pytest.mark.parametrize("space", ["", ' xmlns="http://www.loc.gov/MARC21/slim"'])
def test_an_odd_record_of_marcxml_is_named_and_costs_itself_alone(
    tmp_path: Path, odd: str, why: str, space: str
) -> None:
    file = tmp_path / "c.xml"
    file.write_text(f"<collection{space}>{xml_record(1)}{odd}{xml_record(3)}</collection>", encoding="utf-8")
    lines = list(read_items(file, MarcPlaces(), ""))
    assert [line.entry and line.entry.id for line in lines] == ["X1", None, "X3"]
    assert lines[1].mistakes[0].got == f"{why}; control number n2"


def test_records_are_found_inside_the_answer_of_another_protocol(tmp_path: Path) -> None:
    file = tmp_path / "c.xml"
    wrapped = "".join(f"<record><header/><metadata>{xml_record(number)}</metadata></record>" for number in (1, 2))
    file.write_text(f"<ListRecords>{wrapped}</ListRecords>", encoding="utf-8")
    assert [line.entry and line.entry.id for line in read_items(file, MarcPlaces(), "")] == ["X1", "X2"]


def test_marcxml_that_is_not_well_formed_is_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "c.xml"
    for text in (f"<collection>{xml_record(1)}<record>", "<collection/>", '<?xml version="1.0" encoding="big5"?><a/>'):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BadFile, match=r"c\.xml: expected"):
            list(read_items(file, MarcPlaces(), ""))
    with pytest.raises(BadFile, match="leave --encoding out"):
        read_items(file, MarcPlaces(), "", "utf-8")


# --- CSV ----------------------------------------------------------------------------------------------------------


def csv_lines(folder: Path, data: bytes, encoding: str | None = None) -> list[Line[ItemEntry]]:
    (folder / "c.csv").write_bytes(data)
    return list(read_items(folder / "c.csv", MarcPlaces(), "main", encoding))


@pytest.mark.parametrize(
    "text",
    [
        "\n\nid,title\nA,甲\n\n\nB,乙\n\n",
        "id,title\r\nA,甲\r\n,\r\nB,乙\r\n   \r\n",
        "id;title\nA;甲\nB;乙\n",
        "id\ttitle\nA\t甲\nB\t乙",
        "\ufeffid,title\nA,甲\nB,乙\n",
    ],
)
def test_empty_lines_and_other_separators_refuse_no_file(tmp_path: Path, text: str) -> None:
    lines = csv_lines(tmp_path, text.encode())
    assert [(line.entry.id, line.entry.title) for line in lines if line.entry is not None] == [("A", "甲"), ("B", "乙")]
    assert not any(line.mistakes for line in lines)


def test_a_line_is_numbered_where_it_begins(tmp_path: Path) -> None:
    lines = csv_lines(tmp_path, 'id,title\n\nA,"上\n下"\nB\n'.encode())
    assert [(line.number, line.entry and line.entry.title) for line in lines] == [(3, "上 下"), (5, None)]


@pytest.mark.parametrize("encoding", ["cp950", "big5hkscs", "gb18030", "utf-16"])
def test_a_csv_in_another_encoding_is_named_with_its_line_and_read_when_it_is_said(
    tmp_path: Path, encoding: str
) -> None:
    data = "id,title\nA,abc\nB,國語辭典\n".encode(encoding)
    assert [line.entry and line.entry.title for line in csv_lines(tmp_path, data, encoding)] == ["abc", "國語辭典"]
    line = 1 if encoding == "utf-16" else 3
    told = encoding if encoding == "utf-16" else "cp950"  # by far the likeliest here
    with pytest.raises(BadFile, match=rf"this is no utf-8 at line {line}; it reads as {told}: say --encoding {told}"):
        csv_lines(tmp_path, data)


def test_a_byte_order_mark_is_read_over_in_every_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        data = "\ufeffid,title\nA,書\n".encode(encoding)
        said = encoding[:6] if encoding.startswith("utf-16") else encoding
        assert [line.entry and line.entry.id for line in csv_lines(tmp_path, data, said)] == ["A"]


def test_characters_that_a_library_made_itself_come_out_of_cp950(tmp_path: Path) -> None:
    (line,) = csv_lines(tmp_path, b"id,title\nA,\xfa\x40" + "字典\n".encode("cp950"), "cp950")
    assert line.entry is not None
    assert (line.entry.title, line.notes) == ("\ue000字典", ())


def test_the_wrong_encoding_is_told_and_not_guessed_around(tmp_path: Path) -> None:
    utf_8 = "id,title\nA,圖書館\n".encode()
    with pytest.raises(BadFile, match="this is no utf-16 at line 2; it reads as utf-8: say --encoding utf-8"):
        csv_lines(tmp_path, utf_8, "utf-16")
    with pytest.raises(BadFile, match="marc-8 is for MARC 21"):
        csv_lines(tmp_path, utf_8, "marc-8")
    with pytest.raises(BadFile, match="this is no utf-8 at line 2; save it as UTF-8"):
        csv_lines(tmp_path, b"id,title\nA,\xff\xff\xff\xff\xff\xff\n")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n", b"id,title\n", b"id,title\n,\n\n"])
def test_a_file_with_nothing_in_it_is_a_mistake(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadFile, match="expected at least one row or record, got none"):
        csv_lines(tmp_path, data)
    (tmp_path / "p.csv").write_bytes(data.replace(b"id,title", b"id,name,category").replace(b"\n,\n", b"\n,,\n"))
    with pytest.raises(BadFile, match="expected at least one row"):
        list(read_patrons(tmp_path / "p.csv"))


def test_a_quote_that_nobody_closes_is_told_with_the_line_where_its_row_begins(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="the row that begins at line 3"):
        csv_lines(tmp_path, b'id,title\nA,a\nB,"open\nC,c\n')
