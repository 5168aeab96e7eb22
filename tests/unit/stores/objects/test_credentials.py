"""Credentials come from the environment or from a file of their owner, and never show themselves."""

from __future__ import annotations

import pickle

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.stores.objects import S3Credentials, read_credentials

KEY_ID, SECRET = "AN-ACCESS-KEY", "A-SECRET-OF-THE-TESTS"
GOOD = f'key_id = "{KEY_ID}"\nsecret = "{SECRET}"\n'


def test_they_come_from_the_environment_first(tmp_path):
    given = {"ENCLOS_S3_KEY_ID": KEY_ID, "ENCLOS_S3_SECRET": SECRET, "ENCLOS_S3_CREDENTIALS": str(tmp_path / "no")}
    assert read_credentials(given).reveal() == (KEY_ID, SECRET, "")


def test_a_file_is_used_when_its_owner_alone_can(tmp_path):
    file = tmp_path / "s3.toml"
    file.write_text(GOOD)
    for mode, fits in ((0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o620, False)):
        file.chmod(mode)
        if fits:
            assert read_credentials({"ENCLOS_S3_CREDENTIALS": str(file)}).reveal() == (KEY_ID, SECRET, "")
        else:
            with pytest.raises(NotAllowed) as refused:
                read_credentials({"ENCLOS_S3_CREDENTIALS": str(file)})
            assert refused.value.code is Code.STORAGE_CREDENTIALS


@pytest.mark.parametrize("text", ["", f'key_id = "{KEY_ID}"', f'secret = "{SECRET}', "key_id = 1\nsecret = 2", "\x00"])
def test_half_a_file_is_refused_without_its_text(tmp_path, text):
    file = tmp_path / "s3.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(NotAllowed) as refused:
        read_credentials({"ENCLOS_S3_CREDENTIALS": str(file)})
    assert KEY_ID not in str(refused.value) and SECRET not in str(refused.value)


def test_none_at_all_is_refused():
    with pytest.raises(NotAllowed) as refused:
        read_credentials({"ENCLOS_S3_KEY_ID": KEY_ID})
    assert refused.value.code is Code.STORAGE_CREDENTIALS


def test_temporary_ones_have_a_session_token_and_are_read_again_when_their_file_is_another(tmp_path):
    given = {"ENCLOS_S3_KEY_ID": KEY_ID, "ENCLOS_S3_SECRET": SECRET, "ENCLOS_S3_SESSION_TOKEN": "T"}
    assert read_credentials(given).reveal() == (KEY_ID, SECRET, "T")
    file, next_one = tmp_path / "s3.toml", tmp_path / "next"

    def write(path, text, mode=0o600):
        path.touch(mode)
        path.write_text(text)
        path.chmod(mode)

    write(file, f'{GOOD}session_token = "one"\n')
    credentials = read_credentials({"ENCLOS_S3_CREDENTIALS": str(file)})
    assert credentials.reveal() == (KEY_ID, SECRET, "one")
    write(next_one, f'{GOOD}session_token = "two"\n')
    next_one.replace(file)
    assert credentials.reveal() == (KEY_ID, SECRET, "two")
    for half in ("", f'key_id = "{KEY_ID}"', f"{GOOD}session_token = 3\n"):
        write(file, half)
        assert credentials.reveal() == (KEY_ID, SECRET, "two"), "until the file is whole"
    file.unlink()
    assert credentials.reveal() == (KEY_ID, SECRET, "two")
    write(file, f'{GOOD}session_token = "three"\n', 0o640)
    with pytest.raises(NotAllowed) as refused:
        credentials.reveal()
    assert refused.value.code is Code.STORAGE_CREDENTIALS
    file.chmod(0o600)
    assert credentials.reveal() == (KEY_ID, SECRET, "three")


def test_they_show_nothing_of_themselves():
    credentials = S3Credentials(KEY_ID, SECRET, "TOKEN")
    for shown in (repr(credentials), str(credentials), f"{credentials}"):
        assert KEY_ID not in shown and SECRET not in shown and "TOKEN" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
