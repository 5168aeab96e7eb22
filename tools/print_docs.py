"""Print the generated pages: cards, refusals, study schema, spec, SQL lists. `--check` fails when one is stale."""

from __future__ import annotations

import ast
import csv
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from enclos.lexicon.codes import Code

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "lexicon",
    "contracts",
    "ledger",
    "intake",
    "linkage",
    "pseudonyms",
    "warehouse",
    "permits",
    "views",
    "studies",
    "release",
    "rights",
    "holdings",
    "hosting",
    "conformity",
    "signin",
    "stores",
    "app",
    "portal",
    "gateway",
    "cli",
    "synthetic",
)
THREATS_BEGIN, THREATS_END = "<!-- generated: threats -->\n", "<!-- end of generated: threats -->"
LIFE_BEGIN, LIFE_END = "<!-- generated: life -->\n", "<!-- end of generated: life -->"
COMMANDS_BEGIN, COMMANDS_END = "<!-- generated: commands -->\n", "<!-- end of generated: commands -->"
BEGIN, END = "<!-- generated: cards -->", "<!-- end of generated: cards -->"
BEGIN_LISTS, END_LISTS = "<!-- generated: lists -->", "<!-- end of generated: lists -->"


def card(room: str) -> str:
    """One room's card as Markdown, from the docstring of its package; what stands below the card there, below it."""
    path = ROOT / "src" / "enclos" / room / "__init__.py"
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, body = doc.partition("\n")
    body, _, more = body.strip().partition("\n\n")
    lines = [f"### `{room}/` {title.split(': ', 1)[-1]}"]
    current = ""
    for line in body.splitlines():
        head = line.split(":", 1)[0]
        if head in {"Promise", "Reads, Writes", "Never", "Start"}:
            current = f"- **{head}:**{line.split(':', 1)[1]}"
            lines.append(current)
        elif line.strip() and current:
            lines[-1] += " " + line.strip()
    return "\n".join([*lines, "", more] if more else lines)


def architecture() -> tuple[Path, str]:
    """docs/architecture.md with its cards printed anew."""
    path = ROOT / "docs" / "architecture.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    cards = "\n\n".join(card(room) for room in ROOMS)
    return path, f"{before}{BEGIN}\n\n{cards}\n\n{END}{after}"


def refusals() -> tuple[Path, str]:
    """docs/refusals.md: every code, its exit number and its rule."""
    exits = {"not allowed": 3, "not as promised": 4, "not safe": 5}
    rows = [f"| `{c.id}` | {c.branch.value} | {exits[c.branch.value]} | {c.rule} |" for c in Code]
    head = "# Refusals\n\nGenerated from `lexicon/codes.py`. Usage errors exit with 2, bugs with 1.\n"
    return ROOT / "docs" / "refusals.md", "\n".join(
        [head, "| code | branch | exit | rule |", "|---|---|---|---|", *rows, ""]
    )


def study_schema() -> tuple[Path, str]:
    """docs/study.schema.json: what a study file may hold."""
    from enclos.studies.document import study_schema_text

    return ROOT / "docs" / "study.schema.json", study_schema_text()


def specs() -> tuple[Path, str]:
    """docs/spec.md: the readable rules, from the first docstrings of tests/spec."""
    lines = ["# Rules as examples", "", "Generated from `tests/spec/`: each line is a test that runs.", ""]
    for path in sorted((ROOT / "tests" / "spec").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        room = path.parent.name
        title = (ast.get_docstring(tree) or path.stem).splitlines()[0]
        lines += [f"## {room}: {title}", ""]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                doc = ast.get_docstring(node)
                text = (
                    inspect.cleandoc(doc).splitlines()[0] if doc else node.name.removeprefix("test_").replace("_", " ")
                )
                lines.append(f"- {text}")
        lines.append("")
    return ROOT / "docs" / "spec" / "README.md", "\n".join(lines)


def people_sql() -> tuple[Path, str]:
    """docs/sql.md with its lists printed anew."""
    from enclos.views.sql.rules.lists import allowed_functions, refused_functions

    path = ROOT / "docs" / "sql.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN_LISTS)
    after = rest.split(END_LISTS)[1]
    lines = [""]
    for kind, title in (("scalar", "Functions and operators"), ("aggregate", "Aggregates"), ("window", "Windows")):
        names = [f"`{name}`" for name, found in sorted(allowed_functions().items()) if found.kind.value == kind]
        lines += [f"**{title}:** {', '.join(names)}.", ""]
    safe = [f"`{name}`" for name, found in sorted(allowed_functions().items()) if found.leakproof]
    lines += [f"Leakproof (never fail): {', '.join(safe)}.", "", "| refused | use instead |", "|---|---|"]
    lines += [f"| `{name}` | {instead} |" for name, instead in sorted(refused_functions().items())]
    return path, f"{before}{BEGIN_LISTS}\n" + "\n".join([*lines, "", END_LISTS]) + after


def rest() -> tuple[Path, str]:
    """docs/rest.md with where each command is printed anew."""
    from enclos.portal.api import api_application
    from enclos.portal.api.commands import BESIDE, COMMANDS, ELSEWHERE, KEYLESS, OPTIONS_ELSEWHERE, WHOLE
    from enclos.portal.api.examples import as_curl, as_python

    path = ROOT / "docs" / "rest.md"
    before, rest = path.read_text(encoding="utf-8").split(COMMANDS_BEGIN)
    after = rest.split(COMMANDS_END)[1]
    lines = ["", "| command | over REST |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(f'`{each}`' for each in places)} |" for name, places in COMMANDS.items()]
    lines += ["", "| beside the commands | what |", "|---|---|"]
    lines += [f"| `{place}` | {what} |" for place, what in BESIDE.items()]
    for title, those in (
        ("commands that are not there", ELSEWHERE),
        ("options that are not there", OPTIONS_ELSEWHERE),
        ("without a key", KEYLESS),
        ("not in pages", WHOLE),
    ):
        reasons: dict[str, list[str]] = {}
        for name, why in those.items():
            reasons.setdefault(why, []).append(name)
        lines += ["", f"| {title} | why |", "|---|---|"]
        lines += [f"| {', '.join(f'`{name}`' for name in names)} | {why} |" for why, names in reasons.items()]
    described = api_application(None).openapi()  # type: ignore[arg-type]  # nobody is served
    lines += ["", "## A client", "Made from `/openapi.json`; a test runs both.", ""]
    lines += ["```sh", as_curl(described).rstrip(), "```", "", "```python", as_python(described).rstrip(), "```"]
    return path, f"{before}{COMMANDS_BEGIN}{chr(10).join(lines)}\n\n{COMMANDS_END}{after}"


def permits() -> tuple[Path, str]:
    """docs/permits.md with its table of states and its legal bases printed anew."""
    from enclos.permits.model import Event, State
    from enclos.permits.rules.life import TRANSITIONS, legal_bases

    path = ROOT / "docs" / "permits.md"
    before, rest = path.read_text(encoding="utf-8").split(LIFE_BEGIN)
    after = rest.split(LIFE_END)[1]
    lines = ["", "| state | " + " | ".join(event.value for event in Event) + " |", "|---" * (len(Event) + 1) + "|"]
    for state in State:
        cells = [getattr(TRANSITIONS[state, event], "value", "refused") for event in Event]
        lines.append(f"| {state.value} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| legal basis | years | renewals | past years of data | reasons | source |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{b.id}` | {b.max_years} | {b.max_renewals} | "
        f"{'any' if b.max_past_years is None else b.max_past_years} | "
        f"{'required' if b.wants_whys else 'welcome'} | {b.source} |"
        for b in legal_bases().values()
    ]
    return path, f"{before}{LIFE_BEGIN}{chr(10).join(lines)}\n\n{LIFE_END}{after}"


def releases() -> tuple[Path, str]:
    """docs/release.md with its table of states, its diagram and its tables printed anew."""
    from enclos.release.model import RequestEvent, RequestState
    from enclos.release.rules.life import TRANSITIONS
    from enclos.release.rules.terms import kinds, terms_of

    path = ROOT / "docs" / "release.md"
    before, rest = path.read_text(encoding="utf-8").split(LIFE_BEGIN)
    after = rest.split(LIFE_END)[1]
    lines = ["", "```mermaid", "stateDiagram-v2", "    [*] --> open", "    [*] --> quarantined: a check failed"]
    names = {state: state.value.replace(", ", "_") for state in RequestState}
    for (state, event), to in TRANSITIONS.items():
        if to is not None:
            lines.append(f"    {names[state]} --> {names[to]}: {event.value}")
    lines += ["```", "", "| state | " + " | ".join(event.value for event in RequestEvent) + " |"]
    lines.append("|---" * (len(RequestEvent) + 1) + "|")
    for state in RequestState:
        cells = [getattr(TRANSITIONS[state, event], "value", "–") for event in RequestEvent]
        lines.append(f"| {state.value} | " + " | ".join(cells) + " |")
    lines += ["", "| table | what it is | may leave without votes |", "|---|---|---|"]
    lines += [
        f"| `{n}` | {k.title} | {'where policy names it' if k.is_provable else 'no'} |" for n, k in kinds().items()
    ]
    terms = terms_of()
    lines += [
        "",
        f"Under one permit leave at most {terms.max_estimates} estimates and {terms.max_bytes} bytes of tables.",
    ]
    return path, f"{before}{LIFE_BEGIN}{chr(10).join(lines)}\n\n{LIFE_END}{after}"


def threats() -> tuple[Path, str]:
    """docs/release_proof.md with its map of threats to cases and tests printed anew."""
    corpus = ROOT / "tests" / "corpus" / "release"
    n_cases: Counter[tuple[str, str]] = Counter()
    for path in sorted(corpus.glob("*.csv")):
        if path.stem != "threats":
            with path.open(encoding="utf-8", newline="") as file:
                n_cases.update((row["threat"], row["label"]) for row in csv.DictReader(file))
    lines = ["", "| line | what | unsafe | safe | tests of its own |", "|---|---|---|---|---|"]
    with (corpus / "threats.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tests = ", ".join(f"`{each.split('::')[-1].removeprefix('test_')}`" for each in row["tests"].split())
            counts = f"{n_cases[row['line'], 'unsafe']} | {n_cases[row['line'], 'safe']}"
            lines.append(f"| {row['line']} | {row['what']} | {counts} | {tests} |")
    path = ROOT / "docs" / "release_proof.md"
    before, rest = path.read_text(encoding="utf-8").split(THREATS_BEGIN)
    after = rest.split(THREATS_END)[1]
    return path, f"{before}{THREATS_BEGIN}{chr(10).join(lines)}\n\n{THREATS_END}{after}"


def conformity_map() -> tuple[Path, str]:
    """docs/conformity-map.md: which test shows which requirement; a test that is not there stops it."""
    from conformity_map import page

    return page()


def asvs() -> tuple[Path, str]:
    """docs/asvs.md: the requirements of OWASP ASVS; a file or test that is not there stops it."""
    from asvs import page

    return page()


def commands() -> tuple[Path, str]:
    """docs/commands.md: every command with its example and its options."""
    import reference

    return reference.commands()


def settings() -> tuple[Path, str]:
    """docs/settings.md: every key of enclos.toml."""
    import reference

    return reference.settings()


def study_options() -> tuple[Path, str]:
    """docs/study-options.md: every option of a study file."""
    import reference

    return reference.study_options()


PAGES: tuple[Callable[[], tuple[Path, str]], ...] = (
    architecture,
    refusals,
    study_schema,
    specs,
    people_sql,
    permits,
    rest,
    releases,
    threats,
    conformity_map,
    asvs,
    commands,
    settings,
    study_options,
)


def main() -> int:
    """Write the pages, or with --check say which are stale."""
    check = "--check" in sys.argv[1:]
    stale = []
    for page in PAGES:
        path, text = page()
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.relative_to(ROOT))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"stale: {path} (run `make docs`)")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
