"""``enclos gateway``: a person signs in, draws a password, and asks with tools that are nobody's here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions as Options
from adbc_driver_flightsql import dbapi

from enclos.app import permits
from enclos.app.sign_in import sign_in_locally, sign_out
from enclos.app.sql import ask
from enclos.gateway.people import draw_password
from enclos.ledger.model import Action, Kind, Outcome
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Role
from factories.asking import small_home
from factories.enclosure import ALICE, CAROL, ENCLOS, PASSPHRASE, open_home, permit_text
from factories.gateway import certificate
from factories.people import PASSWORD, local_account, shown_code

pytestmark = [pytest.mark.system("bubblewrap"), pytest.mark.system("postgresql")]

ROWS, COUNTS, OTHERS = "FR-ROWS", "FR-COUNTS", "FR-OTHERS"
PERIOD = "{start: 2018-01-01, end: 2023-01-01}"
SLOW = (
    "SELECT count(*) AS n FROM drug_exposure a, drug_exposure b, drug_exposure c, drug_exposure d, drug_exposure e "
    "WHERE a.days_supply + b.days_supply + c.days_supply + d.days_supply + e.days_supply < 0"
)


class Gateway:
    """The command as it runs, and what Alice has for it."""

    def __init__(self, home: Path, chain: Path, told: dict[str, str]) -> None:
        self.home, self.chain, self.told = home, chain, told
        self.token, self.password = "", ""

    def of_postgres(self, permit: str = ROWS, password: str = "") -> dict[str, Any]:
        host, port = self.told["postgres"].rsplit(":", 1)
        return {
            "hostaddr": host,
            "host": "localhost",
            "port": port,
            "user": ALICE,
            "dbname": permit,
            "password": password or self.password,
            "sslmode": "verify-full",
            "sslrootcert": str(self.chain),
        }

    def psql(self, *said: str, permit: str = ROWS) -> str:
        given = self.of_postgres(permit)
        secret = given.pop("password")
        commands = [part for each in said for part in ("-c", each)]
        conninfo = " ".join(f"{key}={value}" for key, value in given.items())
        done = subprocess.run(
            ["psql", conninfo, "-X", "-At", *commands],
            env={**os.environ, "PGPASSWORD": secret},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    home = small_home(folder / "home")
    shown = certificate(folder)
    with open_home(home) as enclosure:
        for permit, user, access in ((ROWS, ALICE, "rows"), (COUNTS, ALICE, "aggregates"), (OTHERS, CAROL, "rows")):
            text = permit_text(permit, users=(user,), period=PERIOD)
            permits.sign(enclosure, text.replace("access: aggregates", f"access: {access}"))
            permits.open_one(enclosure, permit)
    command = [str(ENCLOS), "gateway", str(home), "--pg", "127.0.0.1:0", "--flight", "127.0.0.1:0"]
    command += ["--tls-cert", str(shown.chain), "--tls-key", str(shown.key), "--json"]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stdout.readline()
        assert told, process.stderr.read()
        running = Gateway(home, shown.chain, json.loads(told))
        with open_home(home) as enclosure:
            authenticator = local_account(enclosure, ALICE, "Alice", [Role.RESEARCHER])
            code = shown_code(authenticator, datetime.now(UTC))
            _, running.token = sign_in_locally(enclosure, ALICE, PASSWORD, code)
            running.password = draw_password(enclosure, running.token)["password"]
        yield running
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == "", "nothing of what was asked is printed"


def test_psql_looks_around_and_asks(gateway: Gateway) -> None:
    said = gateway.psql("\\dt death", "SELECT year_of_birth, count(*) FROM public.person GROUP BY 1")
    assert "public|death|table|" in said
    assert said.endswith("1960|33\n"), said


def test_psycopg_gets_what_the_command_gives_and_each_statement_is_in_the_ledger(gateway: Gateway) -> None:
    text = "SELECT person_id, condition_start_date, condition_source_value FROM condition_occurrence ORDER BY ALL"
    with open_home(gateway.home) as enclosure:
        before = enclosure.ledger.size()
        with psycopg.connect(**gateway.of_postgres(), autocommit=True) as connection:
            rows = connection.cursor(binary=True).execute(text).fetchall()
            counted = b"SELECT year_of_birth, count(*) AS n, avg(year_of_birth) AS a FROM person WHERE $1 GROUP BY 1"
            connection.pgconn.prepare(b"counted", counted)
            told = connection.pgconn.describe_prepared(b"counted")
            columns = [(told.fname(at), told.ftype(at)) for at in range(told.nfields)]
            assert (told.nparams, columns) == (1, [(b"year_of_birth", 20), (b"n", 20), (b"a", 701)])
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT * FROM secrets")
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT * FROM read_text('/etc/passwd')")
            with pytest.raises(psycopg.errors.DataException):
                connection.execute("SELECT make_date(20000, 1, 1) AS day FROM person")
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError, match="do not let anybody in"):
                psycopg.connect(**gateway.of_postgres(password="wrong"))
        entries = [entry for _, entry in enclosure.ledger.entries(before) if entry.action is Action.SQL]
        outcomes = [entry.outcome for entry in entries if entry.kind is Kind.OUTCOME]
        assert outcomes == [Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED, Outcome.REFUSED]
        came = [entry for _, entry in enclosure.ledger.entries(before) if entry.action in {Action.LOGIN, Action.DENIED}]
        assert [entry.action for entry in came] == [Action.LOGIN, Action.DENIED], "one for who tries again at once"
        assert came[0].actor == came[1].actor != ALICE
        table = ask(enclosure, permit=ROWS, user=ALICE, text=text).table
    assert rows == [tuple(row.values()) for row in table.to_pylist()]
    assert len(rows) > 10


def test_counts_are_those_of_the_command_and_others_permits_stay_shut(gateway: Gateway) -> None:
    text = "SELECT count(*) AS n FROM person"
    with open_home(gateway.home) as enclosure:
        known = ask(enclosure, permit=COUNTS, user=ALICE, text=text).table.to_pylist()
        with pytest.raises(Refusal) as refused:
            ask(enclosure, permit=COUNTS, user=ALICE, text="SELECT person_id FROM person")
    assert gateway.psql(text, permit=COUNTS) == f"{known[0]['n']}\n"
    assert refused.value.code.id in gateway.psql("SELECT person_id FROM person", permit=COUNTS)
    assert "only the natural persons that a permit lists" in gateway.psql("SELECT 1", permit=OTHERS)
    assert "FATAL" in gateway.psql("SELECT 1", permit="FR-NOWHERE")


def test_pandas_and_polars_get_what_the_command_gives_by_flight(gateway: Gateway) -> None:
    text = "SELECT person_id, condition_start_date, condition_source_value FROM condition_occurrence ORDER BY ALL"
    options = {
        Options.TLS_ROOT_CERTS.value: gateway.chain.read_text(),
        Options.AUTHORIZATION_HEADER.value: f"Bearer {gateway.token}",
        f"{Options.RPC_CALL_HEADER_PREFIX.value}x-enclos-permit": ROWS,
    }
    address = f"grpc+tls://localhost:{gateway.told['flight'].rsplit(':', 1)[1]}"
    with dbapi.connect(address, db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        by_pandas = cursor.fetch_df()
        counted = "SELECT count(*) AS n FROM public.person WHERE year_of_birth > ?"
        found = pl.read_database(counted, connection, execute_options={"parameters": (1900,)})
        assert found.to_dicts() == [{"n": 33}]
        with pytest.raises(dbapi.Error, match="PRM-14"):
            cursor.execute("SELECT * FROM secrets")
        person = connection.adbc_get_table_schema("person")
        assert {"person_id", "year_of_birth"} <= set(person.names)
    with open_home(gateway.home) as enclosure:
        table = ask(enclosure, permit=ROWS, user=ALICE, text=text).table
    assert pa.Table.from_pandas(by_pandas, preserve_index=False).to_pylist() == table.to_pylist()


@pytest.mark.system("odbc-postgresql")
def test_odbc_asks_and_a_permit_that_came_later_is_open(gateway: Gateway, tmp_path: Path) -> None:
    with open_home(gateway.home) as enclosure:
        text = permit_text("FR-LATER", users=(ALICE,), period=PERIOD).replace("access: aggregates", "access: rows")
        permits.sign(enclosure, text)
        permits.open_one(enclosure, "FR-LATER")
    given = gateway.of_postgres("FR-LATER")
    (driver,) = Path("/usr/lib").glob("*/odbc/psqlodbcw.so")
    lines = ["[enclos]", f"Driver={driver}", "Servername=localhost", f"Port={given['port']}", "Database=FR-LATER"]
    lines += [f"Username={ALICE}", f"Password={given['password']}", "SSLmode=require"]
    (tmp_path / "odbc.ini").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        ["isql", "-b", "-d,", "enclos"],
        input="SELECT year_of_birth, count(*) AS n FROM person GROUP BY 1\n",
        env={**os.environ, "ODBCINI": str(tmp_path / "odbc.ini")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["1960,33"], done.stdout + done.stderr


@pytest.mark.system("r-cran-rpostgresql")
@pytest.mark.system("r-cran-dbplyr")
def test_r_looks_around_and_asks_by_dbplyr(gateway: Gateway) -> None:
    text = """
        SELECT CASE gender_concept_id WHEN 8507 THEN 'm' WHEN 8532 THEN 'f' ELSE 'other' END AS sex,
            death_date IS NOT NULL AS is_dead, count(*) AS n, median(year_of_birth) AS born, min(death_date) AS first
        FROM person LEFT JOIN death USING (person_id) GROUP BY ALL ORDER BY ALL"""
    with open_home(gateway.home) as enclosure:
        known = ask(enclosure, permit=ROWS, user=ALICE, text=text).table.to_pylist()
    groups = [f"{row['sex']} {str(row['is_dead']).upper()} {row['n']} {row['born']:g} {row['first']}" for row in known]
    assert len(groups) > 1
    given = gateway.of_postgres()
    secret = given.pop("password")
    conninfo = " ".join(f"{key}={value}" for key, value in given.items())
    done = subprocess.run(
        ["Rscript", str(Path(__file__).with_name("asking.R")), conninfo],
        env={**os.environ, "PGPASSWORD": secret},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said, refused = done.stdout.split("refused ")
    assert said.splitlines() == [
        *("tables death person", "exists TRUE", "fields death_date person_id"),
        *(f"group {each}".replace("None", "NA") for each in groups),
        "kinds integer numeric numeric logical Date POSIXct character",
        "values 1 2.5 1.5 TRUE 2020-02-03 2020-02-03 04:05:06 é",
        "fetched 10 23 TRUE",
    ], done.stderr
    assert "The query reads a table that this permit does not hold." in refused
    assert "PRM-14" in refused


def test_psql_describes_a_table(gateway: Gateway) -> None:
    said = gateway.psql("\\d death", "\\d+ death", "\\dn", "\\l", "\\du", "\\df", "\\dp death", "\\dT", "\\db", "\\dx")
    assert said.count("death_date|date") == 2
    assert "ERROR" not in said


@pytest.mark.system("libpostgresql-jdbc-java")
@pytest.mark.system("default-jdk-headless")
def test_jdbc_asks_in_text_and_in_binary(gateway: Gateway) -> None:
    given = gateway.of_postgres()
    address = f"jdbc:postgresql://localhost:{given['port']}/{ROWS}"
    java, program = ("java", "-cp", "/usr/share/java/postgresql.jar"), Path(__file__).with_name("Asking.java")
    done = subprocess.run(
        [*java, str(program), address, ALICE, given["password"], str(gateway.chain), SLOW],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines() == [
        *("table person", "death_date date", "key false", "imported false, types true", "listed 33"),
        *["33 1960.0 2020-02-03 2020-02-03 04:05:06.0 1.50 true é"] * 4,
        *("fetched 33", "refused 42P01", "stopped 57014"),
    ], done.stderr


def test_who_signs_out_is_stopped_in_the_middle_of_a_statement(gateway: Gateway) -> None:
    with open_home(gateway.home) as enclosure:
        authenticator = local_account(enclosure, CAROL, "Carol", [Role.RESEARCHER])
        code = shown_code(authenticator, datetime.now(UTC))
        _, token = sign_in_locally(enclosure, CAROL, PASSWORD, code)
        password = draw_password(enclosure, token)["password"]
        given = {**gateway.of_postgres(OTHERS, password), "user": CAROL}
        ended: list[float] = []
        with psycopg.connect(**given, autocommit=True) as connection:

            def slow() -> None:
                with pytest.raises(psycopg.errors.InvalidPassword):
                    connection.execute(SLOW)
                ended.append(time.monotonic())

            asking = threading.Thread(target=slow, daemon=True)
            asking.start()
            time.sleep(2)
            signed_out = time.monotonic()
            sign_out(enclosure, token)
            asking.join(20)
            assert ended[0] - signed_out < 3
            with pytest.raises(psycopg.errors.InvalidPassword):
                connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**given)
