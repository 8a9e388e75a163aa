"""Settings say everything that is wrong at once, and where: file, key, expected, got."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import BadSettings, Camera, CardRule, ContactScript, Devices, KioskSettings, load
from kiosk.domain.identity import Base, ByteOrder, CardClass, CodeType, SpellingRule, Technology
from kiosk.words import Language

GOOD = """
library_name = "測試市立圖書館"
branch = "main"
branch_name = "總館"
data = "data"
keys = "keys"

[[codes]]
type = "item"
pattern = "C[0-9]{7}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def more(file: Path, text: str) -> Path:
    """Adds tables at the end."""
    file.write_text(GOOD + text, encoding="utf-8")
    return file


def problems(file: Path, secrets: Path | None = None) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(file, secrets)
    return caught.value.problems


def test_the_least_that_a_kiosk_must_be_told_is_enough(file: Path, tmp_path: Path) -> None:
    settings = load(file)
    assert (settings.library_name, settings.branch) == ("測試市立圖書館", "main")
    assert (settings.data, settings.keys) == (tmp_path / "data", tmp_path / "keys")
    assert settings.central.deadline_s == 1.5
    with pytest.raises(ValueError, match="frozen"):
        settings.branch = "other"  # type: ignore[misc]


def test_the_heart_gets_its_part(file: Path) -> None:
    more(
        file,
        """
        [[cards]]
        uid_length = 4
        base = "dec"
        order = "reversed"
        pad_to = 10
        [screen]
        idle_s = 30
        language = "en"
        """,
    )
    visit = load(file).visit()
    rule = SpellingRule(base=Base.DECIMAL, order=ByteOrder.REVERSED, pad_to=10)
    assert visit.spelling == {CardClass(Technology.ISO14443A, 4): rule}
    (pattern,) = visit.code_patterns
    assert (pattern.type, pattern.pattern) == (CodeType.ITEM, re.compile("C[0-9]{7}"))
    assert (visit.idle, visit.language) == (timedelta(seconds=30), Language.EN)


def test_every_mistake_is_told_at_once_with_file_key_expected_and_got(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        """
        branch = 7
        colour = "red"
        [central]
        deadline_s = "soon"
        probes_needed = 0
        [[codes]]
        type = "isbn"
        pattern = "("
        [devices]
        printers = [{ host = "printer", port = 70000 }]
        """,
        encoding="utf-8",
    )
    found = problems(path)
    keys = {line.removeprefix(f"{path}: key ").partition(":")[0] for line in found}
    assert keys == {
        "library_name",
        "branch",
        "branch_name",
        "data",
        "keys",
        "colour",
        "central.deadline_s",
        "central.probes_needed",
        "codes.0.type",
        "codes.0.pattern",
        "devices.printers.0.port",
    }
    assert all(re.fullmatch(r".+bad\.toml: key \S+: expected .+, got .+", line) for line in found)
    text = "\n".join(found)
    for line in (
        "key library_name: expected a value, got nothing",
        "key colour: expected no such key, got 'red'",
        "key codes.0.type: expected 'patron', 'item', 'voucher', 'event' or 'virtual_card', got 'isbn'",
        "got 'soon'",
        "expected greater than or equal to 1, got 0",
        "expected a regular expression",
    ):
        assert line in text
    assert "http" not in text


def test_every_type_of_code_may_have_shapes_and_the_file_orders_them(file: Path) -> None:
    types = ("patron", "voucher", "event", "virtual_card")
    more(file, "".join(f'[[codes]]\ntype = "{name}"\npattern = "{name}.*"\nsymbologies = ["qr"]\n' for name in types))
    patterns = load(file).visit().code_patterns
    assert [pattern.type.value for pattern in patterns] == ["item", *types]
    assert patterns[-1].symbologies == {"qr"}


def test_a_kind_of_code_that_no_device_tells_is_refused(file: Path) -> None:
    (problem,) = problems(more(file, '[[codes]]\ntype = "event"\npattern = "E.*"\nsymbologies = ["QR"]\n'))
    assert "key codes.1.symbologies" in problem
    assert "codabar, code128" in problem


def test_one_shape_for_two_types_of_code_is_a_mistake_that_names_both(file: Path) -> None:
    rules = '[[codes]]\ntype = "patron"\npattern = "[0-9]{6}"\n[[codes]]\ntype = "event"\npattern = "^\\\\d{6}$"\n'
    (problem,) = problems(more(file, rules))
    assert problem.endswith(
        "key codes: expected patterns that tell the types of code apart, got pattern '[0-9]{6}' at codes.1 (patron)"
        " and '^\\\\d{6}$' at codes.2 (event)"
    )


def test_one_shape_in_two_kinds_of_code_tells_them_apart(file: Path) -> None:
    kinds = (("patron", "qr"), ("event", "code128"))
    rules = (f'[[codes]]\ntype = "{kind}"\npattern = "[0-9]{{6}}"\nsymbologies = ["{name}"]\n' for kind, name in kinds)
    more(file, "".join(rules))
    assert len(load(file).codes) == 3


@pytest.mark.parametrize("keys", ["data", "data/keys", "other/../data/deep/keys"])
def test_keys_inside_the_data_folder_are_refused(file: Path, keys: str) -> None:
    file.write_text(GOOD.replace('keys = "keys"', f'keys = "{keys}"'), encoding="utf-8")
    (problem,) = problems(file)
    assert "key keys: expected a folder outside data" in problem


def test_a_file_that_is_no_toml_or_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    assert "readable TOML file" in problems(path)[0]
    path.write_text("branch = ", encoding="utf-8")
    assert "syntax error" in problems(path)[0]
    path.write_bytes(b"branch = '\xff'")
    assert "readable TOML file" in problems(path)[0]


def test_an_option_of_the_reader_cannot_be_slipped_in(file: Path) -> None:
    file.write_text('_env_file = "other"\n' + GOOD, encoding="utf-8")
    (problem,) = problems(file)
    assert "key _env_file: expected no such key" in problem


def test_the_environment_outranks_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more(file, "\n[central]\ndeadline_s = 3\nprobes_needed = 5\n")
    monkeypatch.setenv("SHELFPOINT_CENTRAL__DEADLINE_S", "2")
    monkeypatch.setenv("SHELFPOINT_BRANCH", "east")
    settings = load(file)
    assert (settings.central.deadline_s, settings.central.probes_needed, settings.branch) == (2, 5, "east")


def test_a_mistake_in_the_environment_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFPOINT_CENTRAL__DEADLINE_S", "soon")
    assert "key central.deadline_s" in problems(file)[0]
    monkeypatch.setenv("SHELFPOINT_CODES", "no json")
    assert problems(file)[-1].startswith("environment: expected JSON")


def test_a_secrets_folder_outranks_the_environment(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "secrets"
    assert "expected a folder of secrets" in problems(file, secrets)[0]
    secrets.mkdir()
    (secrets / "shelfpoint_branch").write_text("west", encoding="utf-8")
    monkeypatch.setenv("SHELFPOINT_BRANCH", "east")
    assert load(file, secrets).branch == "west"


@pytest.mark.parametrize("field", sorted(KioskSettings.model_fields))
def test_every_key_of_the_whole_refuses_nonsense(file: Path, field: str, tmp_path: Path) -> None:
    path = tmp_path / "nonsense.toml"
    kept = [line for line in GOOD.splitlines() if not line.startswith(f"{field} =")]
    body = "\n".join(kept)
    if field == "codes":
        body = body.partition("[[codes]]")[0]
    path.write_text(f"{field} = 12.5\n{body}", encoding="utf-8")
    assert any(f"key {field}:" in problem for problem in problems(path))


def test_a_camera_takes_a_path_or_a_number_and_known_symbologies_only() -> None:
    entries = Devices.model_validate({"cameras": [{"device": 0}, {"device": "/dev/v4l/by-id/usb-Desk", "width": 640}]})
    assert [camera.device for camera in entries.cameras] == [0, "/dev/v4l/by-id/usb-Desk"]
    assert "codabar" in entries.cameras[0].symbologies
    for wrong in ({"device": 0, "symbologies": ["runes"]}, {"device": 0, "symbologies": []}, {"device": -1}):
        with pytest.raises(ValueError, match="validation error"):
            Camera.model_validate(wrong)


def test_a_camera_takes_lengths_of_its_own_symbologies_that_can_be() -> None:
    camera = Camera.model_validate({"device": 0, "symbologies": ["itf", "codabar"], "lengths": {"itf": [8, 14]}})
    assert camera.lengths == {"itf": (8, 14)}
    for lengths, told in (
        ({"qr": [8]}, "of these symbologies only: codabar, itf; not qr"),
        ({"itf": [14, 7]}, "even lengths for itf, whose digits stand in pairs; not 7"),
        ({"codabar": []}, "one or more lengths for codabar"),
        ({"codabar": [0]}, "greater than or equal to 1"),
    ):
        with pytest.raises(ValueError, match=told):
            Camera.model_validate({"device": 0, "symbologies": ["itf", "codabar"], "lengths": lengths})


def test_a_contact_number_has_any_length_and_a_uid_only_those_that_exist() -> None:
    assert CardRule(technology=Technology.CONTACT, uid_length=12, base=Base.TEXT).uid_length == 12
    assert ContactScript(commands=("00A40000023F00", "00B0000C"), length=12).length == 12
    with pytest.raises(ValueError, match="4, 7, 8 or 10"):
        CardRule(uid_length=12)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["00 A4 04 00 05 F0 00 00 00 01", "00 D6 00 00 01 FF"], "a command that only reads"),
        (["00 A4 04 00 05 F0 00 00 00 01", "00 20 00 81"], "the second one of A4, B0, B2, C0, CA"),
        (["00 A4 04"], "at least four bytes"),
        (["00 B0 00 00 08"], "chooses the library's application"),
        ([], "at least 1 item"),
    ],
)
def test_a_contact_script_chooses_first_and_then_only_reads(commands: list[str], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ContactScript.model_validate({"commands": commands})


def test_devices_without_a_name_are_numbered_by_their_place_in_the_file() -> None:
    scanners = [{"path": "/a"}, {"path": "/b", "name": "gun"}, {"path": "/c"}]
    found = Devices(readers=({}, {"pattern": "x"}), scanners=scanners)  # type: ignore[arg-type]
    assert [entry.name for entry in found.readers] == ["reader", "reader-2"]
    assert [entry.name for entry in found.scanners] == ["scanner", "gun", "scanner-3"]
    assert [entry.path for entry in found.scanners] == ["/a", "/b", "/c"]


def test_a_name_given_to_two_devices_of_any_kind_is_one_mistake_that_tells_every_place(file: Path) -> None:
    more(
        file,
        """
        [devices]
        keyboard_scanner = true
        [[devices.readers]]
        name = "desk"
        [[devices.scanners]]
        path = "/a"
        [[devices.scanners]]
        path = "/b"
        name = "desk"
        [[devices.cameras]]
        device = 0
        name = "keyboard"
        """,
    )
    (told,) = problems(file)
    assert told == (
        f"{file}: key devices: expected a name of its own for each device, "
        "got name 'keyboard' at keyboard_scanner and cameras.0; name 'desk' at readers.0 and scanners.1"
    )


def test_a_name_that_a_numbered_device_has_is_taken(file: Path) -> None:
    more(
        file,
        """
        [[devices.scanners]]
        path = "/a"
        name = "scanner-2"
        [[devices.scanners]]
        path = "/b"
        """,
    )
    (told,) = problems(file)
    assert told.endswith("got name 'scanner-2' at scanners.0 and scanners.1")


def test_the_settings_shown_in_the_documents_hide_no_device(file: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n")[2].partition("```")[0].replace('host = "…"', "")
    devices = load(more(file, shown)).devices
    names = [entry.name for kind in ("readers", "scanners", "printers", "cameras") for entry in getattr(devices, kind)]
    assert names == ["reader", "reader-2", "scanner", "gun", "printer", "printer-2", "printer-3"]
