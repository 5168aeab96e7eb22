"""The demo tells the whole story and says nothing that it did not measure."""

from __future__ import annotations

import json
import re

from factories.enclosure import run_cli


def test_the_demo_ends_with_a_report_whose_figures_agree(tmp_path):
    said = run_cli("demo", "--persons", "1000", "--dir", tmp_path / "demo")
    figures = json.loads((tmp_path / "demo" / "report.json").read_text(encoding="utf-8"))
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    # nothing disappears between the deliveries and the snapshot
    assert figures["ingest"]["n_delivered"] == figures["ingest"]["n_landed"] + figures["ingest"]["n_rejected"]
    for row in figures["account"]:
        assert row["delivered"] == row["mapped"] + row["cancelled"] + row["filtered"] + row["rejected"], row["table"]
    # identities that the deliveries hold are in no file of the enclosure
    assert figures["canary"]["n_values"] > 0
    assert figures["canary"]["n_found"] == said["identities_found_in_files"] == 0
    assert said["false_links"] == 0
    assert said["ledger_entries"] == figures["ledger"]["size"]
    assert figures["sizes"]["lake_share_of_deliveries"] == said["lake_share_of_deliveries"]
    # the page is self-contained: five pictures, no script, no request
    assert page.count("<svg") == 5
    assert not re.search(r"<script|<link|(?:src|href)=[\"']http|url\(", page)
