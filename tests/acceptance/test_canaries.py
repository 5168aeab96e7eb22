"""Nothing that the deliveries hold can be found as plain bytes in any file of an enclosure."""

from __future__ import annotations

from enclos.app.demo import search_for_canaries


def test_no_known_identity_stands_in_any_file_of_the_enclosure(france, built):
    found = search_for_canaries(france, built)
    assert found["n_values"] >= 20
    assert found["n_files"] > 50
    assert found["n_found"] == 0


def test_the_search_would_see_one(france, built, tmp_path):
    leaky = tmp_path / "leaky"
    leaky.mkdir()
    for path in (france / "deliveries" / "snds-ref").iterdir():
        (leaky / path.name).write_bytes(path.read_bytes())
    assert search_for_canaries(france, leaky)["n_found"] > 0
