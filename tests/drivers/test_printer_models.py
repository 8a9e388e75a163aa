"""Printers by their model's name: what the database knows, and what of it is not believed (A8, L1)."""

import pytest
from ears import Ears

from config.settings import BadSettings, Printer
from drivers.catalog import slip_printer
from drivers.printer_models import CELL_DOTS, models
from drivers.printer_profiles import PROFILES, all_profiles, near_names, profile_called


@pytest.mark.parametrize(
    ("name", "maker", "width", "columns", "cutter"),
    [
        ("TM-T88V", "Epson", 512, 42, True),
        ("TM-T20II", "Epson", 576, 48, True),
        ("POS-5890", "Zjiang", 384, 32, False),
        ("CT-S651", "Citizen", 640, 48, True),
        ("TM-T88VII", "Epson", 512, 42, True),
    ],
)
def test_a_models_name_in_the_settings_says_its_width_its_columns_and_its_knife(
    name: str, maker: str, width: int, columns: int, cutter: bool
) -> None:
    profile = slip_printer(Printer(host="printer.example", profile=name), Ears()).profile
    assert (profile.maker, profile.width_dots, profile.columns, profile.cutter) == (maker, width, columns, cutter)
    assert (profile.cjk, profile.native_qr, profile.title) == ("none", False, name)


def test_the_edition_of_a_model_is_said_beside_its_name() -> None:
    profile = slip_printer(Printer(host="printer.example", profile="TM-T88V", cjk="big5"), Ears()).profile
    assert (profile.cjk, profile.columns, profile.title) == ("big5", 42, "TM-T88V, cjk = big5")


def test_every_profile_can_print_a_line_of_chinese_on_its_paper() -> None:
    assert len(all_profiles()) >= 30
    for profile in all_profiles():
        assert profile.width_dots % 8 == 0
        assert 8 <= profile.columns <= profile.width_dots // CELL_DOTS, profile.name
        assert profile_called(profile.name) == profile


def test_customer_displays_and_impact_printers_are_no_slip_printers() -> None:
    assert not {"AF-240", "OCD-100", "OCD-300", "TM-U220", "SP2000", "default", "simple"} & set(models())


def test_where_the_database_gives_the_size_of_a_letter_for_its_columns_the_width_decides() -> None:
    assert (models()["NT-80-V-UL"].width_dots, models()["NT-80-V-UL"].columns) == (576, 48)


def test_a_model_of_unknown_width_is_taken_for_as_wide_as_its_columns() -> None:
    assert (models()["RP326"].width_dots, models()["RP326"].columns) == (504, 42)


def test_no_model_of_ours_hides_one_of_the_database_unseen() -> None:
    assert not set(PROFILES) & set(models())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("TM T88 V", "TM-T88V"), ("tm-t88v", "TM-T88V"), ("TMT20", "TM-T20II"), ("generic80big5", "generic-80-big5")],
)
def test_a_name_that_is_nearly_one_is_told_the_names_it_may_be(typed: str, meant: str) -> None:
    assert meant in near_names(typed)
    with pytest.raises(
        BadSettings, match=rf"printer slips: key profile: expected .*{meant}.*'shelfpoint devices printers'"
    ):
        slip_printer(Printer(name="slips", host="printer.example", profile=typed), Ears())


def test_a_name_like_no_other_is_told_the_families() -> None:
    assert near_names("§") == ()
    with pytest.raises(BadSettings, match=r"one of generic-80-big5, .*lists all names"):
        slip_printer(Printer(host="printer.example", profile="§"), Ears())
