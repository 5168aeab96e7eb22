"""A real browser: one Chromium for a module's tests, people who sign in by its pages, and what is found on these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from factories.npm import npm_installed
from factories.people import PASSWORD, shown_code

AXE = Path(__file__).resolve().parents[1] / "providers" / "axe"
_MOST_WITHIN = 5
"""So many stops one control may have within itself."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe is asked for. Source: WCAG 2.2, level AA, and axe's own advice."""


@contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """Debian's Chromium, steered. In: switches — of its command line, beside those that a test always needs"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *switches],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """One person's browser, and what went wrong in it."""

    root: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> int:
        """Open a page of the portal; its status, 0 where it is a file to keep."""
        try:
            answer = self.page.goto(self.root + path)
        except Error as error:
            if "Download is starting" not in error.message:
                raise
            return 0
        return answer.status if answer else 0

    def sign_in(self, account: str, authenticator: str) -> None:
        """By the page, with password and code."""
        self.go("/sign-in")
        self.page.fill("[name=account]", account)
        self.page.fill("[name=password]", PASSWORD)
        self.page.fill("[name=code]", shown_code(authenticator, datetime.now(UTC)))
        self.page.click("form[action^='/sign-in/account'] button")
        self.page.wait_for_load_state()
        assert "/sign-in" not in self.page.url, self.page.inner_text("main")

    def kept(self) -> Any:
        """What lets another browser go on as this person: a code opens the door once in half a minute."""
        return self.context.storage_state()

    def axe(self, rules: list[str] = RULES) -> list[str]:
        """What axe finds: rule and the first places, nothing where all is well."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe_source())
        kind = "tag" if rules is RULES else "rule"
        found: dict[str, Any] = self.page.evaluate(
            "([type, values]) => axe.run(document, {runOnly: {type, values}, resultTypes: ['violations']})",
            [kind, rules],
        )
        return [
            f"{each['id']}: {'; '.join(str(node['target']) + ' ' + node['html'][:120] for node in each['nodes'][:3])}"
            for each in found["violations"]
        ]

    def overflow(self, width: int) -> list[str]:
        """What is wider than a screen of this width, outside of what scrolls inside itself."""
        self.page.set_viewport_size({"width": width, "height": 900})
        found: list[str] = self.page.evaluate(_WIDER)
        return found

    def wait_for_pictures(self) -> None:
        """Have all pictures of the page, also those that would be fetched when they come into sight."""
        self.page.evaluate(_ALL_PICTURES)

    def unreached(self) -> list[str]:
        """Controls that the key Tab does not reach, or without a sign that they are in focus."""
        found: list[str] = []
        self.wait_for_pictures()  # that come late would move what is in focus
        self.page.evaluate(_LIST_STOPS)
        n_stops: int = self.page.evaluate("window.stops.length")
        self.page.evaluate("document.activeElement && document.activeElement.blur(); window.scrollTo(0, 0)")
        self.page.keyboard.press("Control+Home")
        seen: list[int] = []
        for _ in range(n_stops * _MOST_WITHIN):
            self.page.keyboard.press("Tab")
            at, said = self.page.evaluate(_WHERE)
            if at >= 0 and seen[-1:] == [at]:
                continue  # day, month and year of a date
            if at < 0 or at in seen:
                break
            seen.append(at)
            if said:
                found.append(said)
        missing = sorted(set(range(n_stops)) - set(seen))
        found += [f"not reached: {said}" for said in self.page.evaluate(_NAMES, missing[:5])]
        if seen != sorted(seen):
            found.append("not in the order of the page")
        return found


@contextmanager
def tab(browser: Browser, root: str, **options: Any) -> Iterator[Tab]:
    """A browser of its own: no cookie of another's; whatever is asked of another host is a fault."""
    context = browser.new_context(reduced_motion="reduce", **options)
    page = context.new_page()
    made = Tab(root, context, page)
    page.on("console", lambda said: made.faults.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: made.faults.append(f"script: {error}"))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((root + "/", "data:")) else made.faults.append(f"asked elsewhere: {asked.url}")
        ),
    )
    try:
        yield made
    finally:
        context.close()


@cache
def axe_source() -> str:
    """The text of axe-core."""
    return (npm_installed(AXE) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


_ALL_PICTURES = """() => Promise.all([...document.images].map(each => {
  each.loading = 'eager';
  return each.decode().catch(() => null);
}))"""
_LIST_STOPS = """() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];
  const chosen = {};
  window.stops = all.filter(each => {
    if (each.disabled || each.type === 'hidden' || each.tabIndex < 0) return false;
    if (!each.checkVisibility({visibilityProperty: true}) ) return false;
    if (each.type === 'radio') {
      const group = each.form ? [...each.form.elements].filter(x => x.name === each.name) : [each];
      const on = group.find(x => x.checked);
      if (on ? on !== each : group[0] !== each) return false;
    }
    return true;
  });
}"""
_WHERE = """() => {
  const each = document.activeElement;
  const at = window.stops.indexOf(each);
  if (at < 0) return [-1, ''];
  const style = getComputedStyle(each), box = each.getBoundingClientRect();
  const shown = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const said = each.outerHTML.slice(0, 100);
  return [at, !shown ? 'focus is not seen: ' + said : !inside ? 'focus is out of sight: ' + said : ''];
}"""
_NAMES = "missing => missing.map(at => window.stops[at].outerHTML.slice(0, 100))"
_WIDER = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth <= width) return found;
  for (const each of document.querySelectorAll('body *')) {
    const box = each.getBoundingClientRect();
    const is_wider = box.right > width + 1 && box.width && !each.closest('.scroll, svg, pre, .unseen');
    if (is_wider) found.push(each.outerHTML.slice(0, 100));
  }
  return found.length ? found.slice(0, 3) : ['the page'];
}"""
