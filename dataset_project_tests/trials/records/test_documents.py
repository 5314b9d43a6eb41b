"""Files of JSON, each kind written here, plain and packed."""

from __future__ import annotations

import gzip
import json
import random
import zipfile

import pytest

from dataset_project.trials.records import packed
from dataset_project.trials.records.errors import InvalidSource
from dataset_project_tests.trials.records.studies import ids, nct, read, reasons, study

THREE = [study(2), study(1), study(3)]
LINES = "".join(json.dumps(each) + "\n" for each in THREE)
FORMS = {
    "list": json.dumps(THREE),
    "indented list": json.dumps(THREE, indent=2),
    "one per line in a list": "[\n" + ",\n".join(map(json.dumps, THREE)) + "\n]\n",
    "page": json.dumps({"totalCount": 3, "studies": THREE, "nextPageToken": "x"}),
    "indented page": "\n\n" + json.dumps({"studies": THREE}, indent=1),
    "lines": LINES,
    "lines, blank ones between, no end": "\n" + LINES.replace("\n", "\r\n \n").strip(),
    "lines of pages": json.dumps({"studies": THREE[:2]}) + "\n" + json.dumps({"studies": THREE[2:]}) + "\n",
    "with a byte order mark": "\ufeff" + LINES,
    "indented with a byte order mark": "\ufeff" + json.dumps(THREE, indent=2),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["studies.txt", "studies.csv.gz", "studies.zip"])
def test_every_form_gives_the_same_trials_whatever_its_name(tmp_path, form, name):
    path = tmp_path / name
    content = FORMS[form].encode()
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside", content)
    else:
        path.write_bytes(content)
    found = read(path)
    assert ids(found) == [nct(1), nct(2), nct(3)]
    assert found.rejects == ()


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_study(tmp_path, indent):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(study(5), indent=indent))
    assert ids(read(path)) == [nct(5)]


def test_broken_lines_are_rejected_where_they_stand(tmp_path):
    path = tmp_path / "studies.jsonl"
    good = LINES.splitlines()
    path.write_text("\n".join([good[0], good[1][:-9], "", "{} {}", '["\\ud800"]', "{" * 5000, "17", good[2]]))
    found = read(path)
    assert ids(found) == [nct(2), nct(3)]
    assert reasons(found) == [(n, "not_a_study") for n in range(2, 7)]
    assert [each.detail.rpartition(", column")[0].rpartition(", ")[2] for each in found.rejects[:4]] == [
        "line 2",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert found.rejects[4].detail == "the record is a number, not an object"


def test_a_broken_first_line_does_not_hide_the_others(tmp_path):
    path = tmp_path / "studies.jsonl"
    path.write_text('{"protocolSection": {"identificationModule": {"nc\n' + LINES)
    found = read(path)
    assert ids(found) == [nct(1), nct(2), nct(3)]
    assert reasons(found) == [(1, "not_a_study")]


@pytest.mark.parametrize("form", ["list", "indented list", "one per line in a list", "page", "indented page"])
def test_an_incomplete_document_is_an_error_not_half_of_it(tmp_path, form):
    path = tmp_path / "studies.json"
    path.write_text(FORMS[form].rstrip()[:-3])
    with pytest.raises(InvalidSource, match=r"studies\.json is not JSON: .*line \d+, column \d+; is it complete\?"):
        read(path)


def test_elements_of_the_wrong_type_are_rejects(tmp_path):
    path = tmp_path / "studies.json"
    path.write_text(json.dumps([study(1), None, [study(2)], {"studies": "none"}]))
    found = read(path)
    assert ids(found) == [nct(1)]
    assert reasons(found) == [(2, "not_a_study"), (3, "not_a_study"), (4, "no_nct_id")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"[]", "has no records"),
        (b'{"studies": []}', "has no records"),
        (b'[{"a": "\xff"}]', "is not UTF-8, line 1; convert it"),
        (LINES.encode() + b'{"a": "caf\xe9"}\n', "is not UTF-8, line 4; convert it"),
        (b'[\n{"a": 1},\n{"a": "caf\xe9"}]', "is not UTF-8, line 3; convert it"),
        ("[]".encode("utf-16"), "is UTF-16, not UTF-8"),
        (b"<html>503</html>", "is XML or a web page"),
        (b"\x00\x01\x02", "is neither text nor Parquet"),
        (gzip.compress(gzip.compress(b"[]", mtime=0), mtime=0), "is packed twice"),
        (gzip.compress(LINES.encode(), mtime=0)[:-20], "is damaged or incomplete"),
        (b"PK\x03\x04 not really", "is a damaged archive"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "source.json"
    path.write_bytes(content)
    with pytest.raises(InvalidSource, match=message) as raised:
        read(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InvalidSource, match="does not exist; check the path"):
        read(tmp_path / "nothing.json")
    with pytest.raises(InvalidSource, match="is a folder; give a file"):
        read(tmp_path)


def test_a_zip_with_one_study_per_file(tmp_path):
    path = tmp_path / "studies.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("studies")
        for number in (3, 1, 2):
            archive.writestr(f"studies/{nct(number)}.json", json.dumps(study(number), indent=2))
        archive.writestr("studies/a-broken.json", json.dumps(study(4))[:-5])
        archive.writestr("studies/b-list.json", json.dumps([study(5), study(3)]))
        archive.writestr("README.txt", "From the registry")
        archive.writestr("z-empty.json", "")
        archive.writestr("more.csv", f"nct_id,title\n{nct(6)},Sixth\n")
        archive.writestr("__MACOSX/studies/._x.json", b"\0\5")
        archive.writestr("studies/.DS_Store", b"\0")
    found = read(path)
    assert ids(found) == [nct(number) for number in (1, 2, 3, 5, 6)]
    # Members by name: README, more.csv, the three, a-broken, b-list (two, one of them known), z-empty.
    details = {each.position: (each.reason, each.nct_id, each.detail) for each in found.rejects}
    assert details[1] == ("not_a_study", None, "README.txt is not JSON")
    assert details[6][:2] == ("not_a_study", None) and "a-broken.json is not JSON" in details[6][2]
    assert details[8] == ("duplicate_nct_id", nct(3), "the same as record 5")
    assert details[9][2] == "z-empty.json is empty"
    assert len(details) == 4


@pytest.mark.parametrize("name", ["bomb.gz", "bomb.zip"])
def test_files_that_unpack_to_absurd_sizes_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(packed, "HARMLESS_BYTES", 1_000_000)
    path = tmp_path / name
    content = b"[" + b" " * 3_000_000 + b"]"
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("studies.json", content)
    with pytest.raises(InvalidSource, match=r"unpacks to more than 1,000,000 bytes, over 100 times its size"):
        read(path)
    monkeypatch.setattr(packed, "HARMLESS_BYTES", 4_000_000)
    with pytest.raises(InvalidSource, match="has no records"):
        read(path)


def test_damaged_encrypted_and_office_archives(tmp_path):
    path = tmp_path / "studies.zip"
    noise = random.Random(7).randbytes(200).hex()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", json.dumps(study(1, briefTitle=noise)))
    content = path.read_bytes()
    path.write_bytes(content.replace(noise[:20].encode(), noise[20:40].encode()))
    with pytest.raises(InvalidSource, match=r"studies\.zip: a\.json is damaged or incomplete: Bad CRC"):
        read(path)
    encrypted = bytearray(content)
    encrypted[6] |= 1
    encrypted[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(encrypted))
    with pytest.raises(InvalidSource, match="is encrypted; unpack it"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(InvalidSource, match="is an Office file, not a table; save it as CSV"):
        read(path)
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(InvalidSource, match="is an archive without files"):
        read(path)
