"""The hatch hears who shows the token of its run and the program's digest, and nobody else."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.spark.hatch import Hatch, HatchPlace, come, receive


def echo(connection: ssl.SSLSocket) -> None:
    connection.sendall(receive(connection, 5)[::-1])


@pytest.fixture
def hatch() -> Iterator[Hatch]:
    hatch = Hatch("127.0.0.1", 0, "this program", echo)
    yield hatch
    hatch.close()


def answered(place: HatchPlace) -> bytes:
    with come(place) as connection:
        connection.sendall(b"hello")
        return receive(connection, 5)


def test_a_task_that_knows_the_place_is_heard(hatch: Hatch) -> None:
    place = HatchPlace.of(hatch.place.told())
    assert place == hatch.place
    assert [answered(place), answered(place)] == [b"olleh", b"olleh"]
    assert hatch.n_sent_away == 0


@pytest.mark.parametrize("wrong", [{"token": "0" * 64}, {"token": ""}, {"code": "another program"}])
def test_a_task_of_another_run_or_program_is_sent_away(hatch: Hatch, wrong: dict[str, str]) -> None:
    with pytest.raises((OSError, EOFError)):
        answered(replace(hatch.place, **wrong))
    assert hatch.n_sent_away == 1
    assert answered(hatch.place) == b"olleh"


def test_a_task_believes_the_certificate_of_its_run_alone(hatch: Hatch) -> None:
    other = Hatch("127.0.0.1", 0, "this program", echo)
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            come(replace(hatch.place, port=other.place.port))
    finally:
        other.close()
    assert other.n_sent_away == 0


def test_what_is_said_is_tls_1_3(hatch: Hatch) -> None:
    with come(hatch.place) as connection:
        assert connection.version() == "TLSv1.3"
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    older.check_hostname, older.verify_mode = False, ssl.CERT_NONE
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    plain = socket.create_connection((hatch.place.host, hatch.place.port))
    with plain, pytest.raises(OSError):
        older.wrap_socket(plain)


def test_noise_does_not_stop_it(hatch: Hatch) -> None:
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40):
        with socket.create_connection((hatch.place.host, hatch.place.port)) as plain:
            plain.sendall(noise)
    assert answered(hatch.place) == b"olleh"


def test_a_hatch_that_closes_ends_who_is_connected_and_hears_nobody() -> None:
    hatch = Hatch("127.0.0.1", 0, "this program", lambda connection: time.sleep(5) or echo(connection))
    with come(hatch.place) as connection:
        began = time.monotonic()
        time.sleep(0.2)
        hatch.close()
        with pytest.raises((OSError, EOFError)):
            receive(connection, 5)
        assert time.monotonic() - began < 4
    with pytest.raises(OSError):
        come(hatch.place)


def test_nothing_of_it_shows_the_token(hatch: Hatch) -> None:
    assert hatch.place.token not in f"{hatch!r} {hatch.place!r}"
    assert hatch.place.token not in hatch.place.certificate


def test_only_loopback_is_listened_at_where_executors_are_here(hatch: Hatch) -> None:
    assert hatch._listener.getsockname()[0] == "127.0.0.1"
    elsewhere = Hatch("driver.example.org", 0, "this program", echo)
    assert elsewhere._listener.getsockname()[0] != "127.0.0.1"
    elsewhere.close()


def test_a_port_that_is_taken_is_refused(hatch: Hatch) -> None:
    with pytest.raises(Refusal) as said:
        Hatch("127.0.0.1", hatch.place.port, "this program", echo)
    assert said.value.code is Code.SPARK_FAILED
