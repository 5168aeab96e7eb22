"""Take the pictures of docs/pictures anew: a portal of three thousand synthetic persons, as Chromium shows it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from enclos.app.deliveries import ingest_deliveries  # noqa: E402
from enclos.app.enclosure import create_enclosure  # noqa: E402
from enclos.app.permits import open_one, sign  # noqa: E402
from enclos.app.persons import link_persons  # noqa: E402
from enclos.app.quality import judge_quality  # noqa: E402
from enclos.app.snapshots import build_omop  # noqa: E402
from enclos.synthetic import make_france  # noqa: E402
from factories.browsing import Tab, chromium, tab  # noqa: E402 - as the tests steer it
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text  # noqa: E402
from factories.lively_home import AUD, BEA, OTHER, PERMIT, STEW, Lively, enlivened  # noqa: E402
from factories.serving import serving  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
N_PERSONS, YEARS, SEED = 3000, (2019, 2020), 7
WIDE, TALL = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main() -> int:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="enclos-pictures-") as folder, ExitStack() as stack:
        lively = made(Path(folder))
        _, told = stack.enter_context(serving(lively.home))
        browser = stack.enter_context(chromium())
        root = told["address"].rstrip("/")
        opened = {}
        for who in (ALICE, BEA, CAROL, STEW, AUD):
            opened[who] = stack.enter_context(tab(browser, root, viewport=WIDE, locale="en-GB"))
            opened[who].sign_in(who, lively.authenticators[who])
        take(opened)
        by_night = stack.enter_context(
            tab(
                browser, root, viewport=TALL, locale="fr-FR", color_scheme="dark",
                storage_state=opened[ALICE].kept(),
            )
        )  # fmt: skip
        by_night.go("/research?lang=fr")
        keep(by_night, "research-dark")
        public = stack.enter_context(tab(browser, root, viewport=WIDE, locale="en-GB"))
        public.go("/register/en.html")
        keep(public, "register")
    for path in sorted(PICTURES.glob("*.png")):
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB\n")
    return 0


def made(folder: Path) -> Lively:
    """The enclosure, with deliveries, a snapshot, permits and what people do with them."""
    make_france(folder / "france", N_PERSONS, YEARS, SEED)
    home = folder / "france-2026"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2)
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, sorted((folder / "france" / "deliveries").iterdir()))
        link_persons(enclosure)
        build_omop(enclosure)
        judge_quality(enclosure)
        for permit, user in ((PERMIT, ALICE), (OTHER, "zoe@example.org")):
            text = permit_text(permit, period="{start: 2019-01-01, end: 2024-01-01}", users=(user,))
            sign(enclosure, text.replace("A test of the whole chain", "Bleeding and infarction after 65"))
            open_one(enclosure, permit)
    return enlivened(home, folder, (folder / "france" / "truth" / "studies" / "first.yaml").read_text())


def take(opened: dict[str, Tab]) -> None:
    """Each page by who sees it."""
    alice, carol = opened[ALICE], opened[CAROL]
    alice.go(f"/research/permits/{PERMIT}")
    keep(alice, "permit")
    run = alice.page.locator(f"a[href*='/permits/{PERMIT}/runs/']").first.get_attribute("href") or ""
    alice.go(run)
    alice.wait_for_pictures()
    alice.page.set_viewport_size({"width": 1280, "height": 1700})
    keep(alice, "results")
    alice.page.set_viewport_size(WIDE)
    alice.go(f"/research/permits/{PERMIT}/studies/write?run={run.rpartition('/')[2]}")
    keep(alice, "study")
    carol.go("/check")
    carol.page.locator("main table a").first.click()
    keep(carol, "checking")
    for who, path, name in (
        (BEA, "/access", "access"),
        (STEW, "/data/links", "links"),
        (AUD, "/audit", "ledger"),
    ):
        opened[who].go(path)
        keep(opened[who], name)


def keep(opened: Tab, name: str) -> None:
    """What is in sight."""
    opened.page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
