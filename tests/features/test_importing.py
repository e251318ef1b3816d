import csv
import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactful.features.errors import MappingError
from tactful.features.importing.importer import Imported, import_log
from tactful.features.importing.yaml import load_mapping, parse_mapping
from tactful.features.timestamps import AHEAD
from tests.checked_text import CheckedText

ROOT = Path(__file__).parents[2]
RETAIL = ROOT.parent / "shared" / "data" / "online_retail_2009_2010" / "online_retail.parquet"
CDNOW = ROOT.parent / "shared" / "data" / "cdnow" / "CDNOW_master.txt"

PURCHASES = CheckedText("""\
zone: Europe/London
customer: who
time: day
amount: paid
events:
  - type: purchase
""")

INVOICES = """\
zone: Europe/London
customer: who
time: day
amount: quantity::INT * price::DOUBLE
quantity: quantity
category: left(article, 1)
subject: article
group_by: invoice
reject:
  - {reason: test article, when: article = 'TEST'}
  - {reason: no price, when: price::DOUBLE <= 0}
events:
  - {type: refund, when: "starts_with(invoice, 'C')"}
  - {type: purchase}
"""


def read(tmp_path: Path, content: str | bytes, mapping: str, name: str = "log.csv") -> Imported:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_log(file, parse_mapping(mapping))


def refuse(tmp_path: Path, content: str | bytes, mapping: str, name: str = "log.csv") -> str:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, content, mapping, name)
    return str(caught.value).replace(str(tmp_path), "")


def rejected(imported: Imported) -> dict[int, str]:
    return dict(zip(imported.rejected["rejected_row"], imported.rejected["rejected_reason"], strict=True))


def test_rows_become_events_or_go_to_quarantine_with_a_reason(tmp_path):
    log = "who,day,paid\n007,2026-01-02 10:00:00,5.5\n,2026-01-02,1\n8,yesterday,1\n8,2026-01-02,much\n8,2026-01-03,\n"
    imported = read(tmp_path, log, PURCHASES)
    assert imported.events[["customer_id", "type", "amount"]].values.tolist() == [["007", "purchase", 5.5]]
    assert imported.events["time"].tolist() == [pd.Timestamp("2026-01-02 10:00", tz="UTC")]
    assert rejected(imported) == {
        2: "missing customer_id",
        3: "time missing or not readable",
        4: "amount is not a number with decimal sign '.' and no thousands sign",
        5: "amount missing or not a number",
    }
    assert imported.rejected["day"].tolist() == ["2026-01-02", "yesterday", "2026-01-02", "2026-01-03"]
    assert (imported.rows_read, imported.rows_used) == (5, 1)


def test_lines_of_an_invoice_are_one_event(tmp_path):
    log = (
        "invoice,who,day,article,quantity,price\n"
        "1,a,2026-01-02 10:01:00,B2,2,0.1\n"
        "1,a,2026-01-02 10:00:00,A1,1,0.2\n"
        "1,a,2026-01-02 10:00:00,TEST,1,5\n"
        "1,b,2026-01-02 10:00:00,A1,1,3\n"
        "C2,a,2026-01-05 09:00:00,A1,-1,0.2\n"
        ",a,2026-01-05 09:00:00,A1,1,0.2\n"
        "3,a,2026-01-05 09:00:00,A1,1,0\n"
    )
    imported = read(tmp_path, log, INVOICES)
    events = imported.events.set_index("event_id")
    assert list(events.index) == ["purchase|a|1", "purchase|b|1", "refund|a|C2"]
    assert events["amount"].tolist() == [0.1 * 2 + 0.2, 3.0, -0.2]
    assert events["quantity"].tolist() == [3.0, 1.0, -1.0]
    assert events["time"].iloc[0] == pd.Timestamp("2026-01-02 10:00", tz="UTC")
    assert events["subject"].tolist() == ["B2", "A1", "A1"]
    assert imported.categories == ("A", "B")
    assert events["categories"].tolist() == [3, 1, 1]
    assert rejected(imported) == {3: "test article", 6: "missing group_by", 7: "no price"}
    assert imported.reasons == {"test article": 1, "missing group_by": 1, "no price": 1}
    assert (imported.rows_read, imported.rows_used) == (7, 4)


def test_every_row_of_an_event_that_is_none_goes_to_quarantine(tmp_path):
    log = "invoice,who,day,article,quantity,price\n1,a,2026-01-02,A,-1,3\n1,a,2026-01-02,A,1,1\n2,a,2026-01-02,A,1,1\n"
    imported = read(tmp_path, log, INVOICES)
    assert rejected(imported) == dict.fromkeys((1, 2), "purchase with a negative amount")
    assert imported.rows_used == len(imported.events) == 1


def test_rules_and_kinds_are_tried_in_order(tmp_path):
    mapping = """\
{zone: UTC, customer: who, time: day, channel: web,
 reject: [{reason: first, when: n::INT > 2}, {reason: second, when: n::INT > 1}, {reason: unknown, when: "NULL"}],
 events: [{type: cart, when: n = '1'}, {type: view, when: n = '1'}, {type: kind, when: n = '0', channel: app}]}
"""
    log = "who,day,n,kind,app\na,2026-01-01,3,,\na,2026-01-01,2,,\na,2026-01-01,1,,\na,2026-01-01,0,view,push\n"
    log += "a,2026-01-01,0,viwe,\na,2026-01-01,,,\na,2026-01-01,0,,\na,2026-01-02,0,view,fax\n"
    imported = read(tmp_path, log, mapping)
    assert imported.events[["type", "channel"]].values.tolist() == [["cart", "web"], ["view", "push"]]
    assert rejected(imported) == {
        1: "first",
        2: "second",
        5: "unknown type",
        6: "no kind of event declared for it",
        7: "missing type",
        8: "unknown channel",
    }


def test_local_times_at_changes_of_the_clock(tmp_path):
    log = "who,day,paid\na,2026-03-29 01:30:00,1\na,2026-10-25 01:30:00,1\na,2026-07-01 12:00:00,1\n"
    imported = read(tmp_path, log, PURCHASES)
    assert rejected(imported) == {1: "local time that the clock skips"}
    later, summer = imported.events["time"]
    assert later == pd.Timestamp("2026-10-25 01:30", tz="UTC")
    assert summer == pd.Timestamp("2026-07-01 11:00", tz="UTC")


def test_times_with_an_offset_are_moments(tmp_path):
    texts = [
        "2026-07-01T12:00:00+02:00",
        "2026-07-01 10:00Z",
        "2026-07-01 10:00:00.0 UTC",
        "2026-07-01 11:00",
        "2026-07-01 05:00-05",
        "2026-07-01 05:00:00 -0500",
        "2026-07-01 05:00:00.000 -05:00",
        "2026-07-01T15:30:00,000000000+0530",
        "2026-07-01t10:00:00z",
        "20260701T100000Z",
        "20260701T1200+02",
        "2026-07-01  10:00 GMT",
        "2026-07-01 12:00 UTC+02:00",
        " 2026-07-01T11 ",
    ]
    log = "who,day,paid\n" + "".join(f'{number},"{text}",1\n' for number, text in enumerate(texts, 1))
    imported = read(tmp_path, log, PURCHASES)
    assert rejected(imported) == {}
    assert set(imported.events["time"]) == {pd.Timestamp("2026-07-01 10:00", tz="UTC")}


def test_times_that_would_be_guessed_are_rejected(tmp_path):
    texts = [
        "2026-07-01 12:00 Europe/Paris",
        "2026-07-01 12:00 EST",
        "2026-07-01 12:00 +25:00",
        "2026-07-01 12:00 +02:75",
        "2026-07-01 25:00",
        "2026-02-30",
        "2026-7-1",
        "2026-07",
        "2026-0701",
        "01/02/2026",
        "infinity",
        "1782000000",
    ]
    imported = read(tmp_path, "who,day,paid\nb,2026-07-01,1\n" + "".join(f"a,{text},1\n" for text in texts), PURCHASES)
    assert rejected(imported) == dict.fromkeys(range(2, len(texts) + 2), "time missing or not readable")


def test_columns_whose_names_are_no_sql_or_mean_something_else_in_it(tmp_path):
    log = "Customer ID,at,price-paid,price,paid\na,2026-01-01,1,8,3\n"
    mapping = PURCHASES.replace("who", "Customer ID").replace("day", "at").replace("paid", "price-paid")
    imported = read(tmp_path, log, mapping + 'time_format: "%Y-%m-%d"')
    assert imported.events[["customer_id", "amount"]].values.tolist() == [["a", 1.0]]


def test_columns_named_like_our_own(tmp_path):
    names = [
        "customer_id",
        "time",
        "type",
        "event_id",
        "category",
        "reason",
        "event",
        "why",
        "row",
        "line",
        "text",
        "raw",
    ]
    log = f"{','.join(names)}\n" + ",".join(["a", "2026-01-01", "view", *"123456789"]) + "\n" + "," * 11 + "\n"
    imported = read(
        tmp_path, log, "{zone: UTC, customer: customer_id, time: time, events: [{type: type, when: why = '5'}]}"
    )
    assert imported.events[["customer_id", "type"]].values.tolist() == [["a", "view"]]
    assert rejected(imported) == {2: "no kind of event declared for it"}
    assert imported.rejected.columns.tolist()[5:] == names


def test_timestamps_of_parquet(tmp_path):
    file = tmp_path / "log.parquet"
    query = (
        "SELECT 'a' AS who, 1 AS paid, unnest([TIMESTAMP 'infinity', TIMESTAMP '-infinity', NULL,"
        " TIMESTAMP '200000-01-01', TIMESTAMP '2026-07-01']) AS day"
    )
    duckdb.sql(query).write_parquet(str(file))
    imported = import_log(file, parse_mapping(PURCHASES))
    assert imported.events["time"].tolist() == [pd.Timestamp("2026-06-30 23:00", tz="UTC")]
    assert rejected(imported) == {
        1: "time out of range",
        2: "time out of range",
        3: "time missing or not readable",
        4: "time out of range",
    }


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(("zone", "hour"), [(None, 11), ("UTC", 12), ("Europe/Berlin", 12)])
def test_timestamps_of_every_unit_and_zone(tmp_path, unit, zone, hour):
    times = pa.array([datetime(2026, 7, 1, 12, tzinfo=UTC)], pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"who": ["a"], "paid": [1], "day": times}), tmp_path / "log.parquet")
    imported = import_log(tmp_path / "log.parquet", parse_mapping(PURCHASES))
    assert imported.events["time"].tolist() == [pd.Timestamp(2026, 7, 1, hour, tz="UTC")]


def test_dates_and_categories_of_parquet(tmp_path):
    day = pa.array([date(2026, 7, 1)], pa.date32())
    table = pa.table({"who": pa.array(["a"]).dictionary_encode(), "paid": pa.array([1], pa.int32()), "day": day})
    pq.write_table(table, tmp_path / "log.parquet")
    imported = import_log(tmp_path / "log.parquet", parse_mapping(PURCHASES))
    assert imported.events["time"].tolist() == [pd.Timestamp("2026-06-30 23:00", tz="UTC")]


@pytest.mark.parametrize(
    ("time_format", "value"),
    [
        ("unix", 1_782_900_000),
        ("unix", 1_782_900_000.0),
        ("unix", "1782900000"),
        ("unix_ms", 1_782_900_000_000),
        ("unix_ms", "1782900000000.0"),
        ("unix_us", 1_782_900_000_000_000),
        ("unix_ns", 1_782_900_000_000_000_000),
        ("unix_ns", 1.7829e18),
        ("%Y%m%d%H%M", 202607011100),
        ("%Y-%m-%d %H:%M %z", "2026-07-01 05:00 -0500"),
    ],
)
def test_times_that_are_numbers_or_have_a_format(tmp_path, time_format, value):
    pq.write_table(pa.table({"who": ["a", "b"], "paid": [1, 2], "day": [value, None]}), tmp_path / "log.parquet")
    imported = import_log(tmp_path / "log.parquet", parse_mapping(PURCHASES + f"time_format: '{time_format}'"))
    assert imported.events["time"].tolist() == [pd.Timestamp("2026-07-01 10:00", tz="UTC")]
    assert rejected(imported) == {2: "time missing or not readable"}


def test_a_declared_format_of_time(tmp_path):
    log = "who,day,paid\na,1/2/2026 5:30 PM,1\na,2026-02-01,1\n"
    imported = read(tmp_path, log, PURCHASES + 'time_format: "%d/%m/%Y %I:%M %p"')
    assert imported.events["time"].tolist() == [pd.Timestamp("2026-02-01 17:30", tz="UTC")]
    assert rejected(imported) == {2: "time missing or not readable"}
    assert "not computable" in refuse(tmp_path, log, PURCHASES + 'time_format: "%Q"')


def test_unix_time_is_an_expression(tmp_path):
    mapping = PURCHASES.replace("time: day", "time: to_timestamp(day::BIGINT)")
    imported = read(tmp_path, "who,day,paid\na,86400,1\na,x,1\na,-1,1\n", mapping)
    assert imported.events["time"].tolist() == [pd.Timestamp("1970-01-02", tz="UTC")]
    assert rejected(imported) == {2: "time missing or not readable", 3: "time out of range"}


def test_malformed_lines_go_to_quarantine_as_they_are(tmp_path):
    log = 'who,day,paid\na,2026-01-01,1\nb,2026-01-01\n\nc,2026-01-01,3,4\n"d,2026-01-01,1'
    imported = read(tmp_path, log, PURCHASES)
    assert imported.rows_used == 1
    assert imported.reasons == {
        "malformed line: missing columns": 1,
        "malformed line: too many columns": 1,
        "malformed line: unclosed quote": 1,
    }
    assert imported.rejected["rejected_line"].tolist() == [3, 5, 6]
    assert imported.rejected["rejected_lines"].tolist() == [1, 1, 1]
    assert [(rows.first, rows.last) for rows in imported.swallowed] == [(6, 6)]
    assert imported.rejected["rejected_text"].tolist()[:2] == ["b,2026-01-01", "c,2026-01-01,3,4"]


def test_a_window_finds_repeated_lines(tmp_path):
    mapping = (
        PURCHASES
        + "reject: [{reason: repeated, when: 'row_number() OVER (PARTITION BY who, day, paid ORDER BY __row) > 1'}]"
    )
    assert rejected(read(tmp_path, "who,day,paid\na,2026-01-01,1\na,2026-01-01,1\n", mapping)) == {2: "repeated"}


def test_events_alike_are_told_apart_by_their_id_alone(tmp_path):
    log = "who,day,paid,id\na,2026-01-01,1,x\na,2026-01-01,1,y\na,2026-01-02,1,x\na,2026-01-03,1,\n"
    assert rejected(read(tmp_path, log, PURCHASES)) == {}
    assert rejected(read(tmp_path, log + "a,2026-01-03,1,\n", PURCHASES)) == {5: "duplicate event_id"}
    assert rejected(read(tmp_path, log, PURCHASES + "event_id: id")) == {3: "duplicate event_id", 4: "missing event_id"}


@pytest.mark.parametrize(
    ("content", "options", "name"),
    [
        (
            "who;day;paid\n'a;b';2026-01-01;-\n'a;b';2026-01-01;2\n",
            '{delimiter: ;, quote: "\'", nulls: [-]}',
            "log.csv",
        ),
        (
            "a;b\t2026-01-01\t\na;b\t2026-01-01\t2\n",
            '{header: no, columns: [who, day, paid], delimiter: "\\t"}',
            "log.txt",
        ),
        ("  who  day paid\n\n a;b 2026-01-01   NA\n a;b 2026-01-01 2\n", "{format: spaced, nulls: NA}", "log.txt"),
        ("\ufeffwho,day,paid\r\na;b,2026-01-01,\r\na;b,2026-01-01,2\r\n", "{}", "log.csv"),
        ("who,day,paid\na;b,2026-01-01,\na;b,2026-01-01,2\n".encode("utf-16"), "{encoding: utf-16}", "log.csv"),
        (gzip.compress(b"who,day,paid\na;b,2026-01-01,\na;b,2026-01-01,2\n", mtime=0), "{}", "log.csv.gz"),
    ],
)
def test_ways_to_write_a_text(tmp_path, content, options, name):
    imported = read(tmp_path, content, PURCHASES + f"source: {options}", name)
    assert imported.events[["customer_id", "amount"]].values.tolist() == [["a;b", 2.0]]
    assert rejected(imported) == {1: "amount missing or not a number"}
    assert imported.rejected["paid"].isna().all()


EUROPEAN = """\
zone: Europe/Berlin
customer: who
time: day
amount: paid
quantity: number(units) * 2
source: {delimiter: ;, decimal: ",", thousands: "%s"}
events: [{type: purchase}]
"""


@pytest.mark.parametrize(
    ("thousands", "numbers", "others"),
    [
        (
            "",
            {"25,50": 25.5, ",5": 0.5, "7,": 7.0, "+1,5e2": 150.0, " 3 ": 3.0},
            ["1_000", "1.5", "1,2,3", "nan", "inf", "0x10", "12 EUR", "1 000"],
        ),
        (".", {"1.234.567,89": 1_234_567.89, "1234,5": 1234.5, "12.34.567": 1_234_567.0}, ["1.5", "1..234", "1234.5"]),
        (" ", {"1 234,5": 1234.5, "1\u202f234,5": 1234.5, "1\u00a0234": 1234.0}, ["1 23", "1.234"]),
        ("'", {"1'234,5": 1234.5, "1’234,5": 1234.5}, ["1''234"]),
        ("_", {"1_000": 1000.0}, ["1__000", "_1"]),
    ],
)
def test_numbers_are_read_with_the_declared_signs(tmp_path, thousands, numbers, others):
    rows = "".join(f"{place};2026-01-01;{text};1,5\n" for place, text in enumerate([*numbers, *others], 1))
    imported = read(tmp_path, "who;day;paid;units\n" + rows, EUROPEAN % thousands)
    assert imported.events["amount"].tolist() == list(numbers.values())
    assert set(imported.events["quantity"]) == {3.0}
    sign = f"thousands sign {thousands!r}" if thousands else "no thousands sign"
    assert imported.reasons == {f"amount is not a number with decimal sign ',' and {sign}": len(others)}


def test_a_minus_sign_of_print_is_a_minus(tmp_path):
    log = "who;day;paid;units\na;2026-01-01;\u22125;1\nb;2026-01-01;5;1\n"
    assert rejected(read(tmp_path, log, EUROPEAN % "")) == {1: "purchase with a negative amount"}


def test_a_number_with_other_signs_says_which_were_wanted(tmp_path):
    texts = ["25,50", "1_000", "1,000", "$5", "5-", "\u0661\u0662"]
    log = "who,day,paid\nb,2026-01-01,1\n" + "".join(f'a,2026-01-01,"{text}"\n' for text in texts)
    imported = read(tmp_path, log, PURCHASES)
    assert imported.reasons == {"amount is not a number with decimal sign '.' and no thousands sign": len(texts)}


@pytest.mark.parametrize(
    ("content", "options", "name"),
    [
        (b'who,day,paid\n"a\\"b,c",2026-01-01,1\n', '{escape: "\\\\"}', "log.csv"),
        (b"who,day,paid\na\\\"b\\,c,2026-01-01,1\n", '{escape: "\\\\", quote: ""}', "log.csv"),
        (b"made by a shop\n\nwho,day,paid\n\"a\"\"b,c\",2026-01-01,1\n", "{skip_lines: 2}", "log.csv"),
        (
            b"made by a shop\n'a\"b,c',2026-01-01,1",
            "{skip_lines: 1, header: no, columns: [who, day, paid], quote: \"'\"}",
            "log.csv",
        ),
        (gzip.compress(b'who,day,paid\n"a""b,c",2026-01-01,1\n', mtime=0), "{}", "log.csv"),
        (b'who,day,paid\n"a""b,c",2026-01-01,1\n', "{}", "log.csv.gz"),
        (b'who,day,paid\r"a""b,c",2026-01-01,1\r', "{}", "log.csv"),
        (b'who,day,paid,\n"a""b,c",2026-01-01,1,\n', "{}", "log.csv"),
        (b'who\tday\tpaid\na"b,c\t2026-01-01\t1\n', '{delimiter: "\\t"}', "log.tsv"),
        (b'{"who": "a\\"b,c", "day": "2026-01-01", "paid": 1}\n\n', "{}", "log.jsonl"),
        (
            gzip.compress(b'\xef\xbb\xbf{"who": "a\\u0022b,c", "day": "2026-01-01", "paid": "1.0"}', mtime=0),
            "{}",
            "log.ndjson.gz",
        ),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_text(tmp_path, content, options, name):
    imported = read(tmp_path, content, PURCHASES + f"source: {options}", name)
    assert imported.events[["customer_id", "amount"]].values.tolist() == [['a"b,c', 1.0]]
    assert imported.rows_read == 1


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1252", "José €"),
        ("cp1250", "Łódź"),
        ("utf-16-le", "Łódź €"),
        ("shift_jis", "山田"),
        ("koi8-r", "Иван"),
        ("UTF8", "Zoë"),
        ("latin-1", "José"),
    ],
)
def test_encodings(tmp_path, encoding, text):
    log = f"who,day,paid\n{text},2026-01-01,1\n".encode(encoding)
    assert read(tmp_path, log, PURCHASES + f"source: {{encoding: {encoding}}}").events["customer_id"].tolist() == [text]


def test_bytes_that_an_encoding_does_not_know_are_malformed(tmp_path):
    log = b"who,day,paid\n\x81,2026-01-01,1\nb,2026-01-01,1\n"
    imported = read(tmp_path, log, PURCHASES + "source: {encoding: windows-1252}")
    assert imported.reasons == {"malformed line: invalid encoding": 1}
    assert imported.rejected["rejected_text"].tolist() == ["\ufffd,2026-01-01,1"]


def test_values_of_json_lines_are_text_as_written_and_objects_json(tmp_path):
    log = (
        '{"who": 9007199254740993, "day": "2026-01-01T00:00:00Z", "properties": {"total": 12.10, "codes": ["é"]}}\n'
        '{"day": "2026-01-01T00:00:00Z", "who": "007", "paid": 1.50, "new": true, "old": null}\n'
        "[1]\n{\n"
        '{"who": "\\ud800", "day": "2026-01-01"}\n'
    )
    mapping = PURCHASES.replace("amount: paid", "amount: coalesce(paid, properties->>'$.total')\nsubject: missing")
    imported = read(tmp_path, log, mapping + "source: {columns: [missing]}", "log.jsonl")
    assert imported.events[["customer_id", "amount"]].values.tolist() == [["9007199254740993", 12.1], ["007", 1.5]]
    assert imported.rejected["rejected_line"].tolist() == [3, 4, 5]
    assert imported.rejected["rejected_reason"].tolist() == [
        "malformed line: not a JSON object with keys",
        "malformed line: not JSON",
        "malformed line: invalid encoding",
    ]
    assert imported.rejected.columns[5:].tolist() == ["missing", "who", "day", "properties", "paid", "new", "old"]


SWALLOWING = ["who,day,paid,note", *(f"{row},2026-01-01,1,x" for row in range(1, 301))]


@pytest.mark.parametrize(
    ("lines", "reason", "first", "count"),
    [
        ({10: '10,2026-01-01,1,"x'}, "unclosed quote", 11, 291),
        ({10: '"10,2026-01-01,1,x', 50: '50,2026-01-01,1,"y, z"'}, "text after a closing quote", 11, 41),
        ({10: '10,2026-01-01,1,"x', 250: '250,2026-01-01,1,y"'}, "more than 100 lines", 11, 241),
        ({300: '300,2026-01-01,1,"x'}, "unclosed quote", 301, 1),
    ],
)
def test_rows_that_a_quote_swallows_are_counted_and_kept(tmp_path, lines, reason, first, count):
    log = [lines.get(place, line) for place, line in enumerate(SWALLOWING)]
    imported = read(tmp_path, "\n".join(log) + "\n", PURCHASES)
    assert imported.swallowed == ((first, count, f"malformed line: {reason}"),)
    assert imported.lines == {f"malformed line: {reason}": count}
    assert imported.rejected["rejected_text"].item() == "\n".join(log[first - 1 : first - 1 + count])
    assert imported.rows_used == 300 - count


def test_a_row_of_several_lines_is_a_row_up_to_the_declared_number(tmp_path):
    log = 'who,day,paid,note\na,2026-01-01,1,"one\ntwo\n\nfour"\n,2026-01-01,1,"one\ntwo"\n'
    imported = read(tmp_path, log, PURCHASES)
    assert (imported.rows_used, imported.swallowed) == (1, ())
    assert imported.rejected[["rejected_row", "rejected_line", "rejected_lines"]].values.tolist() == [[2, 6, 2]]
    assert imported.lines == {"missing customer_id": 2}
    message = refuse(tmp_path, log, PURCHASES + "source: {max_lines: 3}")
    assert "1 malformed line: more than 3 lines" in message


def test_rows_that_differ_in_a_column_that_is_not_mapped_are_two_events(tmp_path):
    log = "who,day,paid,note\na,2026-01-01,1,x\na,2026-01-01,1,y\na,2026-01-01,1,\na,2026-01-01,1,x\n"
    imported = read(tmp_path, log, PURCHASES)
    assert rejected(imported) == {4: "duplicate event_id"}
    assert imported.events["event_id"].str.fullmatch("[0-9a-f]{16}").all()
    assert imported.events["event_id"].tolist() == read(tmp_path, log, PURCHASES).events["event_id"].tolist()


def test_spaced_lines_with_other_numbers_of_fields(tmp_path):
    imported = read(
        tmp_path,
        "who day paid\n1 2026-01-01\n2 2026-01-01 2\n\n3 2026-01-01 3 3\n",
        PURCHASES + "source: {format: spaced}",
    )
    assert imported.events["customer_id"].tolist() == ["2"]
    assert imported.rejected["rejected_line"].tolist() == [2, 5]
    assert imported.rejected["rejected_text"].tolist() == ["1 2026-01-01", "3 2026-01-01 3 3"]


def test_letters_of_another_encoding_are_malformed_or_read_as_declared(tmp_path):
    log = "who,day,paid\nJosé,2026-01-01,1\nb,2026-01-01,1\n".encode("latin-1")
    assert read(tmp_path, log, PURCHASES).reasons == {"malformed line: invalid encoding": 1}
    assert read(tmp_path, log, PURCHASES + "source: {encoding: latin-1}").events["customer_id"].tolist() == [
        "José",
        "b",
    ]


def test_parquet_keeps_its_types_in_the_quarantine(tmp_path):
    file = tmp_path / "log.parquet"
    who = pd.array([2**60 + 1, None], dtype="Int64")
    pd.DataFrame({"who": who, "day": pd.to_datetime(["2026-01-01"] * 2), "paid": [1.0, 2.0]}).to_parquet(file)
    imported = import_log(file, parse_mapping(PURCHASES))
    assert imported.events["customer_id"].tolist() == [str(2**60 + 1)]
    assert rejected(imported) == {2: "missing customer_id"}
    assert str(imported.rejected["who"].dtype) == "int64[pyarrow]"


def test_a_vocabulary_of_categories_can_be_declared(tmp_path):
    log = "invoice,who,day,article,quantity,price\n1,a,2026-01-02,A,1,3\n2,a,2026-01-02,Z,1,1\n3,a,2026-01-03,,1,1\n"
    imported = read(tmp_path, log, INVOICES + "categories: [C, B, A]")
    assert imported.categories == ("C", "B", "A")
    assert imported.events["categories"].tolist() == [4, 0]
    assert rejected(imported) == {2: "unknown category"}


def test_sixty_four_categories_and_no_more(tmp_path):
    lines = [f"{n},a,2026-01-02,{chr(0x4E00 + n)},1,1" for n in range(65)]
    heading = "invoice,who,day,article,quantity,price"
    imported = read(tmp_path, "\n".join([heading, *lines[:64]]), INVOICES)
    assert sorted(imported.events["categories"]) == [2**n for n in range(64)]
    assert refuse(tmp_path, "\n".join([heading, *lines]), INVOICES) == (
        "too many categories: got 65; wanted at most 64: a coarser expression; at mapping.yaml:6 category"
    )


def test_columns_the_file_has_not_are_named_with_those_it_has(tmp_path):
    mapping = PURCHASES.replace("who", '"Customer ID"').replace("paid", "price * 2")
    assert refuse(tmp_path, "who,day,paid\n", mapping).splitlines() == [
        "2 mistakes in the mapping",
        "  no such column: got 'Customer ID'; wanted a column of the log: who, day, paid; at mapping.yaml:2 customer",
        "  no such column: got 'price'; wanted a column of the log: who, day, paid; at mapping.yaml:4 amount",
    ]


@pytest.mark.parametrize(
    ("field", "expression", "said"),
    [
        ("customer", "list_value(day)", "unfit type: got 'VARCHAR[]'; wanted text or a whole number"),
        ("time", "paid::BIGINT", "unfit type: got 'BIGINT'; wanted text, a date or a timestamp"),
        ("amount", "day::DATE", "unfit type: got 'DATE'; wanted a number"),
        ("customer", "max(who)", 'not computable: got \'column "__row" must appear in the GROUP BY'),
        ("customer", "whom(who)", "not computable: got 'Scalar Function with name whom does not exist!"),
        (
            "customer",
            "(SELECT any_value(content) FROM read_text('/etc/hostname'))",
            "not computable: got 'Cannot access file",
        ),
        ("time", "day a", "no such column: got 'day a'; wanted a column of the log: who, day, paid"),
    ],
)
def test_expressions_that_do_not_fit(tmp_path, field, expression, said):
    lines = [f"{field}: {expression}" if line.startswith(field) else line for line in PURCHASES.splitlines()]
    message = refuse(tmp_path, "who,day,paid\na,2026-01-01,1\n", "\n".join(lines))
    assert message.startswith(said)
    assert f" at mapping.yaml:{['zone', 'customer', 'time', 'amount'].index(field) + 1} {field}" in message


def test_a_window_that_fails_is_an_error_not_a_traceback(tmp_path):
    mapping = PURCHASES + "reject: [{reason: x, when: max(who::INT) OVER () > 1}]"
    message = refuse(tmp_path, "who,day,paid\na,2026-01-01,1\n", mapping)
    assert message.startswith("an expression fails on the log: got \"Could not convert string 'a' to INT32")


@pytest.mark.parametrize(
    ("content", "options", "name", "said"),
    [
        (
            "who,day,paid\n,,\n",
            "{}",
            "log.csv",
            "no row is an event: got '1 missing customer_id'; wanted at least one; at /log.csv",
        ),
        ("who,day,paid\n", "{}", "log.csv", "no row is an event: got 'no rows'"),
        ("", "{}", "log.csv", "no names for the columns: wanted a header or source.columns; at /log.csv"),
        ("a,b,c", "{header: no}", "log.csv", "no names for the columns"),
        ("who,day,Who", "{}", "log.csv", "columns named alike: got ['who', 'Who']"),
        ("who,day,paid,__row", "{}", "log.csv", "columns named alike: got ['__row']"),
        (
            "who,day,paid",
            "{}",
            "log.xls",
            "unknown format: got 'log.xls'; wanted source.format, or .parquet, .csv, .tsv, .txt, .jsonl, .ndjson",
        ),
        ("who,day,paid", "{}", "log.parquet", "the log is not written as declared: got"),
        (
            gzip.compress(b"who,day,paid\na,2026-01-01,1\n" * 99, mtime=0)[:-20],
            "{}",
            "log.csv.gz",
            "the log is not written as declared: got 'Compressed file ended",
        ),
        ("who,day,paid\n".encode("utf-16"), "{}", "log.csv", "the log begins with the mark of another encoding: got"),
        ('[{"who": "a"}]', "{}", "log.jsonl", "no line is a JSON object: wanted one object a line"),
        ('{"who": "a", "Who": "b"}', "{}", "log.jsonl", "columns named alike: got ['who', 'Who']"),
        ("who,day,paid", "{}", "log*.csv", "cannot read the log: got '/log*.csv'; wanted an existing file, no * ? ["),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, options, name, said):
    assert refuse(tmp_path, content, PURCHASES + f"source: {options}", name).startswith(said)


def test_progress_counts_to_its_total(tmp_path):
    steps = []
    (tmp_path / "log.csv").write_text("who,day,paid\na,2026-01-01,1\n")
    import_log(tmp_path / "log.csv", parse_mapping(PURCHASES), lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


cells = st.one_of(
    st.sampled_from(["", "1", "2", "C3", "-4.5", "2026-01-01", "2026-03-29 01:30:00", "TEST", "nan", "1e300", "1e10"]),
    st.text(alphabet="aé\"', \n;\\-0", max_size=6),
)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=7), max_size=25))
def test_every_row_is_in_an_event_or_in_the_quarantine(tmp_path_factory, rows):
    rows.append(["1", "a", "2026-01-01", "A", "1", "1"])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["invoice", "who", "day", "article", "quantity", "price"], *rows])
    imported = read(tmp_path_factory.mktemp("log"), text.getvalue(), INVOICES)
    assert imported.rows_read == len(rows)
    assert imported.rows_used + len(imported.rejected) == len(rows)
    assert imported.rejected["rejected_reason"].notna().all()
    assert sum(imported.reasons.values()) == len(imported.rejected)
    assert len(imported.events) <= imported.rows_used
    parsed = imported.rejected["rejected_row"].dropna().tolist()
    well_formed = [row for row in rows if len(row) == 6 or row[6:] == [""]]
    assert len(parsed) + imported.rows_used == len(well_formed)
    source = imported.rejected.dropna(subset="rejected_row")
    for number, article in zip(source["rejected_row"], source["article"].fillna(""), strict=True):
        assert article == well_formed[number - 1][3]


@pytest.mark.skipif(not RETAIL.exists(), reason="the retailer's invoices of 2009 and 2010 are not at ../shared/data")
def test_a_year_of_a_retailers_invoices():
    imported = import_log(RETAIL, load_mapping(ROOT / "docs/how-to/mappings/online_retail.yaml"))
    assert imported.rows_read == 525_461
    assert imported.reasons == {
        "no customer": 107_927,
        "postage, fee or adjustment": 1_801,
        "no price": 28,
        "test article": 16,
    }
    assert imported.events["type"].value_counts().to_dict() == {"purchase": 18_966, "refund": 4_020}
    assert imported.events["customer_id"].nunique() == 4_314
    assert imported.events["amount"].sum() == pytest.approx(8_428_133.68)


@pytest.mark.skipif(not CDNOW.exists(), reason="the purchases of compact discs are not at ../shared/data")
def test_a_cohort_of_buyers_of_compact_discs():
    imported = import_log(CDNOW, load_mapping(ROOT / "docs/how-to/mappings/cdnow.yaml"))
    assert (imported.rows_read, imported.rows_used, len(imported.events)) == (69_659, 69_659, 67_591)
    assert imported.events["customer_id"].nunique() == 23_570
    assert imported.events["amount"].sum() == pytest.approx(2_500_315.63)


def test_a_customer_has_one_id_in_a_column_of_numbers_with_gaps(tmp_path):
    """Pandas writes such a column as decimals; a file of text may hold both."""
    rows = "\n".join(f"{who},2026-01-0{n},1" for n, who in enumerate(("13085.0", "13085", " 13085.00 ", "007"), 1))
    imported = read(tmp_path, f"who,day,paid\n{rows}\n", PURCHASES)
    assert imported.events["customer_id"].tolist() == ["13085"] * 3 + ["007"]
    decimals = pd.DataFrame({"who": [13085.0, None, 2.0**53, 1.5, 7.0], "day": "2026-01-01", "paid": range(5)})
    for kind in ("float64", "float32"):
        decimals.astype({"who": kind}).to_parquet(tmp_path / "log.parquet")
        imported = import_log(tmp_path / "log.parquet", parse_mapping(PURCHASES))
        assert imported.events["customer_id"].tolist() == ["13085", "7"]
        assert rejected(imported) == {
            2: "missing customer_id",
            3: "customer_id not a whole number",
            4: "customer_id not a whole number",
        }
    exact = PURCHASES.replace("customer: who", "customer: who::DECIMAL(18, 2)")
    imported = read(tmp_path, "who,day,paid\n13085.00,2026-01-01,1\n1.50,2026-01-01,1\n", exact)
    assert imported.events["customer_id"].tolist() == ["13085"]
    assert rejected(imported) == {2: "customer_id not a whole number"}


def test_rows_of_one_customer_and_invoice_are_one_event_however_the_id_is_written(tmp_path):
    grouped = PURCHASES + "group_by: day\n"
    imported = read(tmp_path, "who,day,paid\n7,2026-01-01,1\n7.0,2026-01-01,2\n", grouped)
    assert imported.events[["customer_id", "amount"]].to_numpy().tolist() == [["7", 3.0]]


@pytest.mark.parametrize(
    "word", ["NULL", "\\N", "nan", "undefined", "(null)", "Anonymous", "0", "who", "N/A", "1.3E+12"]
)
def test_a_word_that_stands_for_no_id_makes_no_customer(tmp_path, word):
    declared = PURCHASES + "placeholder_ids: ['null', '\\N', nan, undefined, anonymous, '0', who, n/a]\n"
    imported = read(tmp_path, f"who,day,paid\n{word},2026-01-01,1\nc1,2026-01-01,1\n", declared)
    assert imported.events["customer_id"].tolist() == ["c1"]
    assert list(rejected(imported)) == [1]
    assert rejected(imported)[1] in ("customer_id is a placeholder", "customer_id is a rounded number")


def test_ids_that_the_api_would_not_take_are_rejected(tmp_path):
    unfit = ("x" * 201, "a\tb", "a\u200bb", "..")
    rows = "\n".join(f"{who},2026-01-01,{n}" for n, who in enumerate((*unfit, "x" * 200, "a/b?c#d%2F", "客戶"), 1))
    imported = read(tmp_path, f"who,day,paid\n{rows}\n", PURCHASES)
    assert imported.events["customer_id"].tolist() == ["x" * 200, "a/b?c#d%2F", "客戶"]
    assert rejected(imported) == {
        **dict.fromkeys((1, 2, 3), "customer_id is not text of at most 200 printable characters"),
        4: "customer_id is not an id",
    }


@pytest.mark.parametrize("who", ['["7"]', '{"id": 7}', "[]", "true", "null"])
def test_ids_of_json_lines_are_texts_and_whole_numbers(tmp_path, who):
    (tmp_path / "log.jsonl").write_text(
        f'{{"who": {who}, "day": "2026-01-01", "paid": 1}}\n{{"who": 7, "day": "2026-01-01", "paid": 2}}\n'
        '{"who": "{3F25}", "day": "2026-01-02", "paid": 3}\n'
    )
    imported = import_log(tmp_path / "log.jsonl", parse_mapping(PURCHASES))
    assert imported.events["customer_id"].tolist() == ["7", "{3F25}"]
    assert list(rejected(imported)) == [1]


def test_rows_too_far_ahead_of_the_clock_are_rejected(tmp_path):
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    log = "who,day,paid\na,2036-01-01,1\na,2026-07-01T13:00:00Z,1\na,2026-07-01T13:00:01Z,1\na,2026-07-02,1\n"
    (tmp_path / "log.csv").write_text(log)
    imported = import_log(tmp_path / "log.csv", parse_mapping(PURCHASES), latest=now + AHEAD)
    assert rejected(imported) == dict.fromkeys((1, 3, 4), "time ahead of our clock")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"PK\x03\x04", "a zip archive or an Excel file"),
        (b"\xfd7zXZ\x00", "an xz file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"BZh91AY&SY", "a bzip2 file"),
        (b"PAR1\x15", "a Parquet file"),
    ],
)
def test_a_file_that_is_not_text_is_named(tmp_path, start, name):
    told = refuse(tmp_path, start + b"\x80\xff rest", PURCHASES)
    assert told == f"a log that is not text: got '{name}'; wanted text, plain or compressed by gzip; at /log.csv"
