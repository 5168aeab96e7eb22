"""Random files: what intake lands and rejects equals the oracle, line by line, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.contracts.delivered.document import Kind
from factories.deliveries import open_vault, write_delivery
from factories.examples import drawn
from oracle.intake import land

COLUMNS = (
    ("BEN_NIR_PSA", "VARCHAR"),
    ("BEN_RNG_GEM", "BIGINT"),
    ("BEN_IDT_ANO", "VARCHAR"),
    ("BEN_SEX_COD", "BIGINT"),
    ("BEN_NAI_ANN", "BIGINT"),
    ("BEN_DCD_DTE", "DATE"),
    ("ORG_AFF_BEN", "VARCHAR"),
)
KEYS = ("BEN_NIR_PSA", "BEN_RNG_GEM")
SEEN: Counter[str] = Counter()

words = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"], exclude_characters=';"\r\n'), max_size=6)
whole = st.integers(-(2**63), 2**63 - 1).map(str) | st.sampled_from(["0", "1", "2", "01", "+5", "-0", "1950"])
no_integer = st.sampled_from(["1.5", "1e3", "1_000", " 1", "1 ", "0x1F", "x", "99999999999999999999", "--1", "+"])
day = st.dates().map(str) | st.sampled_from(["2019-01-05 00:00:00", "2019-01-05T00:00:00", "2019-01-05 00:00:00.000"])
no_day = st.sampled_from(
    ["2019-02-30", "2019-1-5", "05/01/2019", "20190105", "infinity", "epoch", "2019-01-05 10:00:00", "2019-01", " "]
)
good_line = st.tuples(words.filter(bool), whole, words, whole, whole, day | st.just(""), words).map(list)


def spoiled(draw, line):
    fault = draw(st.sampled_from(["none"] * 6 + ["integer", "day", "key", "few", "many", "blank", "encoding"]))
    if fault == "integer":
        line[draw(st.sampled_from([1, 3, 4]))] = draw(no_integer)
    elif fault == "day":
        line[5] = draw(no_day)
    elif fault == "key":
        line[draw(st.sampled_from([0, 1]))] = ""
    elif fault == "few":
        line = line[: draw(st.integers(1, 6))]
    elif fault == "many":
        line = [*line, "x"]
    elif fault == "blank":
        line = []
    return fault, line


@st.composite
def files(draw):
    encoding = draw(st.sampled_from(["utf-8", "iso-8859-1"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [";".join(name for name, _ in COLUMNS).encode()]
    for line in draw(st.lists(good_line, max_size=25)):
        fault, fields = spoiled(draw, line)
        raw = ";".join(fields).encode(encoding)
        if fault == "encoding" and encoding == "utf-8":
            raw = raw + b"\xe9\xff"
        if not raw.strip(b" ") and fault != "blank":
            raw = b";"
        SEEN[fault if fault != "encoding" or encoding == "utf-8" else "none"] += 1
        lines.append(raw)
    return end.encode().join(lines) + (end.encode() if draw(st.booleans()) else b""), encoding


def landed_and_rejected(bench, kind, family, columns):
    names = [name for name, _ in columns]
    rows = bench.landed(kind, family, names, hidden=["_line"])
    landed = {row[-1]: dict(zip(names, row, strict=False)) for row in rows}
    rejected = dict(bench.engine.rows("SELECT line_number, reason FROM vault.rejects"))
    return landed, rejected


@settings(max_examples=drawn(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files())
def test_every_line_is_landed_as_it_is_or_rejected_with_its_reason(tmp_path_factory, file):
    content, encoding = file
    folder = tmp_path_factory.mktemp("intake")
    delivery = write_delivery(folder / "in", "snds-ref", "snds", {"IR_BEN_R.csv": content}, encoding=encoding, quote="")
    with open_vault(folder / "enclosure") as bench:
        account = bench.accept(delivery)
        landed, rejected = landed_and_rejected(bench, Kind.SNDS_REF, "IR_BEN_R", COLUMNS)
    expected_landed, expected_rejected = land(content, COLUMNS, KEYS, ";", "", encoding)
    assert landed == expected_landed
    assert rejected == expected_rejected
    assert account.n_delivered == len(landed) + len(rejected)


def test_every_fault_is_generated():
    """The strategy alone, without any file: it makes every fault within a few hundred files."""

    @settings(max_examples=400, database=None, deadline=None)
    @given(files())
    def look(_):
        pass

    SEEN.clear()
    look()
    assert set(SEEN) >= {"none", "integer", "day", "key", "few", "many", "blank", "encoding"}


LAB = (
    ("patient_id", "VARCHAR"),
    ("sejour_id", "VARCHAR"),
    ("code_loinc", "VARCHAR"),
    ("date_heure", "TIMESTAMP"),
    ("valeur", "DOUBLE"),
)
first_instant = datetime.fromisoformat("1000-01-01")
instants = st.datetimes(first_instant).map(str) | st.sampled_from(["2019-01-05T10:00", "2019-01-05"])
numbers = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.sampled_from(["1", ".5", "5.", "-1e-3"])
no_number = st.sampled_from(["nan", "inf", "1,5", "1_0", "<5", " 1", "1e", "."])
quoted = st.text(st.sampled_from('ab;"\n é'), min_size=1, max_size=8)


@st.composite
def quoted_files(draw):
    lines = [",".join(name for name, _ in LAB)]
    n_rows = draw(st.integers(0, 15))
    for _ in range(n_rows):
        fields = [draw(quoted), draw(quoted), "4548-4", draw(instants), draw(numbers | no_number)]
        written = ['"' + field.replace('"', '""') + '"' if i < 2 else field for i, field in enumerate(fields)]
        lines.append(",".join(written))
    return "\n".join(lines) + "\n", n_rows


@settings(max_examples=drawn(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quoted_files())
def test_quoted_fields_may_hold_anything_and_lines_are_then_records(tmp_path_factory, file):
    content, n_rows = file
    folder = tmp_path_factory.mktemp("quoted")
    delivery = write_delivery(
        folder / "in", "hospital-csv", "hosp-d", {"BIOLOGIE.csv": content}, separator=",", n_rows=n_rows
    )
    with open_vault(folder / "enclosure") as bench:
        bench.accept(delivery)
        landed, rejected = landed_and_rejected(bench, Kind.HOSPITAL_CSV, "BIOLOGIE", LAB)
    expected_landed, expected_rejected = land(content.encode(), LAB, ("patient_id",), ",", '"', "utf-8")
    assert landed == expected_landed
    assert rejected == expected_rejected
