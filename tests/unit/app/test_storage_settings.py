"""enclos.toml says where the lake lies, and never with what credentials."""

from __future__ import annotations

import pytest

from enclos.app.settings import SETTINGS_FILE, EnclosureSection, LedgerSection, Settings, StorageSection, read_settings
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised

URL = "s3://bucket/prefix?endpoint=https://s3.example.org&region=gra"


def settings(storage: StorageSection) -> Settings:
    return Settings(
        enclosure=EnclosureSection(name="x", buckets=4, min_count_floor=11),
        ledger=LedgerSection(origin="x.example/x"),
        storage=storage,
    )


@pytest.mark.parametrize("storage", [StorageSection(), StorageSection(kind="s3", url=URL)])
def test_what_is_written_reads_back(tmp_path, storage):
    (tmp_path / SETTINGS_FILE).write_text(settings(storage).to_toml())
    assert read_settings(tmp_path).storage == storage


@pytest.mark.parametrize("lines", ['kind = "s3"', f'kind = "local"\nurl = "{URL}"', 'kind = "s3"\nsecret = "x"'])
def test_half_a_place_or_a_secret_in_it_is_refused(tmp_path, lines):
    text = settings(StorageSection()).to_toml().replace('kind = "local"', lines)
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(NotAsPromised) as refused:
        read_settings(tmp_path)
    assert refused.value.code is Code.SETTINGS_BROKEN
