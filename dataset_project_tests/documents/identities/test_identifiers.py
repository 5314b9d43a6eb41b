"""Checks of identifiers against published examples, and labels against checks."""

from __future__ import annotations

import random

import pytest

from dataset_project.documents.identities import dates, geography, identifiers, network, numbers


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        # The example of the NPI standard, and the same with other check digits.
        (numbers.valid_npi, ["1234567893"], ["1234567890", "123456789", "12345678930", "12345678９3"]),
        (numbers.reserved_npi, ["9234567896"], ["1234567893"]),
        (numbers.valid_dea, ["AB1234563", "F91234563"], ["AB1234560", "QB1234563", "A11234563", "AB123456"]),
        # CMS's own specimen card.
        (
            numbers.valid_mbi,
            ["1EG4-TE5-MK73", "1EG4TE5MK73"],
            ["0EG4TE5MK73", "1SG4TE5MK73", "1EG4TB5MK73", "1EG4-TE5MK73"],
        ),
        (numbers.reserved_mbi, ["1S00A00AA00", "1S00-A00-AA00"], ["1EG4TE5MK73", "1S00E00AS00"]),
        (numbers.valid_ssn, ["123-45-6789", "900 12 3456", "000123456"], ["123-00-6789", "123-45-0000", "12-345-6789"]),
        (
            numbers.reserved_ssn,
            ["000-12-3456", "666123456", "999-01-0001"],
            ["123-45-6789", "667-12-3456", "900-00-1234"],
        ),
        (numbers.reserved_phone, ["(212) 555-0142", "+1 212-555-0199", "2125550100"], ["212-555-0200", "212-554-0142"]),
        # Vehicle examples: 49 CFR 565 and the all-ones check.
        (numbers.valid_vin, ["1M8GDM9AXKP042788", "11111111111111111"], ["1M8GDM9A1KP042788", "1M8GDM9AXKP04278O"]),
        # GS1's own example of a GTIN-13, as GTIN-14.
        (numbers.valid_udi, ["(01)06291041500213(21)ABC123"], ["(01)06291041500214(21)ABC123", "(01)06291041500213"]),
        (numbers.reserved_udi, ["(01)09521234543213(21)ABC123"], ["(01)06291041500213(21)ABC123"]),
        (
            network.reserved_email,
            ["a.b@example.org", "x1@mail.example"],
            ["a@gmail.com", "a@notexample.org", ".a@example.org"],
        ),
        (
            network.reserved_url,
            ["https://www.example.org/~a", "b.pages.example"],
            ["https://example.edu/", "ftp://a.example"],
        ),
        (network.reserved_ip, ["192.0.2.1", "203.0.113.254", "2001:db8::1"], ["192.0.3.1", "10.0.0.1", "256.0.2.1"]),
        (geography.valid_zip, ["60612", "60612-1234"], ["6061", "606121234"]),
        (dates.valid_date, ["2024-02-29"], ["2023-02-29", "20240229", "2024-2-9"]),
        (identifiers.CHECKS["biometric"].valid, ["FPT-00FF-12AB-9C0D"], ["XXX-00FF-12AB-9C0D", "FPT-00ff-12AB-9C0D"]),
        (
            identifiers.CHECKS["mrn"].valid,
            ["62669272", "0062669272", "62-669-272", "ABC62669272"],
            ["6266927", "62-66-9272"],
        ),
    ],
)
def test_published_examples(check, right, wrong):
    assert [text for text in right if not check(text)] == []
    assert [text for text in wrong if check(text)] == []


@pytest.mark.parametrize(
    ("check", "text"), [(numbers.valid_npi, "1234567893"), (numbers.valid_vin, "1M8GDM9AXKP042788")]
)
def test_one_changed_digit_is_noticed(check, text):
    for place, sign in enumerate(text):
        others = [each for each in "0123456789" if sign.isdigit() and each != sign]
        # Position 9 of a VIN is the check itself; all others are covered by their weight.
        assert not any(check(text[:place] + other + text[place + 1 :]) for other in others), place


def test_one_check_digit_in_ten_holds_by_chance():
    draw = random.Random(1)
    share = sum(numbers.valid_npi(f"{draw.randrange(10**9, 2 * 10**9)}") for _ in range(5000)) / 5000
    assert 0.08 < share < 0.12


def test_labels_of_validity():
    assert identifiers.holds("npi", "1234567893", "realistic")
    assert not identifiers.holds("npi", "1234567893", "invalid_checksum")
    assert identifiers.holds("npi", "1234567890", "invalid_checksum")
    assert not identifiers.holds("npi", "12345678", "invalid_checksum")
    assert identifiers.holds("npi", "9234567896", "reserved")
    assert not identifiers.holds("npi", "9234567896", "realistic")
    assert identifiers.holds("mbi", "1EG4LE5MK73", "invalid_checksum")
    assert not identifiers.holds("mbi", "1S00A00AA00", "invalid_checksum")
    assert identifiers.holds("date", "2024-02-29", "not_applicable")
    assert not identifiers.holds("ssn", "900123456", "not_applicable")
    with pytest.raises(KeyError):
        identifiers.holds("shoe_size", "9", "realistic")


def test_licences_follow_their_states_style():
    assert identifiers.valid_licence("K1234567", "CA")
    assert not identifiers.valid_licence("K1234567", "NY")
    assert identifiers.valid_licence("123 456 789", "NY")
    assert identifiers.valid_licence("G123456", "AZ", "medical") is False
    with pytest.raises(KeyError):
        identifiers.valid_licence("K1234567", "ZZ")


def test_the_zip3_rule():
    assert len(geography.RESTRICTED_ZIP3) == 17
    assert geography.safe_harbor_zip3("82301-0001") == "000"
    assert geography.safe_harbor_zip3("60612") == "606"
    assert geography.consistent("Chicago", "IL", "60612")
    assert not geography.consistent("Chicago", "IN", "60612")
    with pytest.raises(ValueError, match="606"):
        geography.safe_harbor_zip3("606")
