"""Files that people write: a byte order mark is read over wherever one may stand, and another encoding is named."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.encodings import ENCODINGS, ERRORS, decode, reads_as
from config.hand_written import Unreadable, hand_written
from config.settings import BadSettings, load
from sync.central.keys import KeyFileUnusable, load_or_make
from sync.central.policies import BadPolicy, load_policy

MARK = b"\xef\xbb\xbf"
SHELFPOINT = str(Path(sys.executable).with_name("shelfpoint"))
POLICY = """policy_version = "一"
[[patron_rules]]
category = "adult"
quota = 3
[[loan_rules]]
loan_days = 28
"""
KIOSK = """library_name = "雲林縣立圖書館"
branch = "main"
branch_name = "總館"
data = "data"
keys = "keys"
[[codes]]
type = "item"
pattern = "C[0-9]{7}"
"""


def test_settings_rules_and_secrets_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    kiosk, rules, secrets, key = (tmp_path / name for name in ("kiosk.toml", "rules.toml", "secrets", "root.key"))
    kiosk.write_bytes(MARK + KIOSK.encode())
    rules.write_bytes(MARK + POLICY.encode())
    secrets.mkdir()
    (secrets / "shelfpoint_branch").write_bytes(MARK + b"west\r\n")
    key.write_bytes(MARK + b"ab" * 32 + b"\r\n")
    key.chmod(0o600)
    assert load(kiosk).library_name == "雲林縣立圖書館"
    assert load(kiosk, secrets).branch == "west"
    assert load_policy(rules).policy_version == "一"
    assert load_or_make(key, make=False).root == b"\xab" * 32


@pytest.mark.parametrize(("encoding", "name"), [("cp950", "cp950"), ("utf-16", "utf-16"), ("big5hkscs", "cp950")])
def test_a_file_in_another_encoding_is_refused_with_its_name_and_what_to_do(
    tmp_path: Path, encoding: str, name: str
) -> None:
    file = tmp_path / "file"
    file.write_text(KIOSK, encoding=encoding)
    with pytest.raises(Unreadable, match=rf"no UTF-8 at line 1 \(it reads as {name}\); save the file as UTF-8"):
        hand_written(file)
    readers: list[tuple[type[Exception], Callable[[], object]]] = [
        (BadSettings, lambda: load(file)),
        (BadPolicy, lambda: load_policy(file)),
    ]
    for error, read in readers:
        with pytest.raises(error, match=rf"reads as {name}"):
            read()
    file.chmod(0o600)
    with pytest.raises(KeyFileUnusable, match="reads as"):
        load_or_make(file, make=False)


def test_a_twin_script_and_a_tape_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    script, tape = tmp_path / "script.txt", tmp_path / "fault.tape"
    script.write_bytes(MARK + b"after 2 scanner scan C0000001\n")
    tape.write_bytes(MARK + (Path(__file__).parents[1] / "tapes" / "scanner-two-codes-in-one-burst.tape").read_bytes())
    for command in (["workbench", "--check", "--play", str(script)], ["devices", "replay", str(tape)]):
        ended = subprocess.run([SHELFPOINT, *command], capture_output=True, text=True, check=False, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, ""), command


def test_characters_of_a_librarys_own_are_read_from_cp950_as_windows_does() -> None:
    for code, character in (("FA40", 0xE000), ("FEFE", 0xE310), ("8E40", 0xE311), ("8140", 0xEEB8), ("C8FE", 0xF848)):
        assert decode(b"A" + bytes.fromhex(code) + "王".encode("cp950"), "cp950") == f"A{chr(character)}王"
    for bad in (b"\xfa", b"\xfa\x20", b"\xff\x40"):
        with pytest.raises(UnicodeDecodeError):
            decode(bad, "cp950")


def test_characters_of_a_librarys_own_are_read_wherever_a_block_of_the_file_ends(tmp_path: Path) -> None:
    for shift in (0, 1):
        (tmp_path / "file").write_bytes(b"a" * shift + b"\xfa\x40" * 20_000)
        with (tmp_path / "file").open(encoding="cp950", errors=ERRORS) as file:
            assert file.read() == "a" * shift + "\ue000" * 20_000


def test_what_bytes_read_as_is_found_although_they_are_cut_off_and_not_where_nothing_fits() -> None:
    text = "國立臺灣圖書館" * 20
    assert [reads_as(text.encode(one)) for one in ENCODINGS[1:3]] == list(ENCODINGS[1:3])
    assert reads_as(text.encode("cp950")[:-1]) == "cp950"
    assert reads_as(b"\xff" * 40) == ""
