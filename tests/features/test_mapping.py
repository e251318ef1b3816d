from pathlib import Path

import pytest

from tactful.features.errors import MappingError
from tactful.features.importing.mapping import EventKind, LogMapping, Source
from tactful.features.importing.yaml import load_mapping, parse_mapping
from tests.checked_text import CheckedText

GUIDES = Path(__file__).parents[2] / "docs" / "how-to" / "mappings"

GOOD = CheckedText("""\
zone: Europe/London
customer: CAST("Customer ID" AS BIGINT)
time: InvoiceDate
group_by: Invoice
reject:
  - {reason: no price, when: Price = 0}
events:
  - {type: refund, when: "starts_with(Invoice, 'C')", channel: web}
  - {type: lower(kind), amount: 0}
""")


def test_words_of_the_vocabulary_are_constants_and_the_rest_is_sql():
    mapping = parse_mapping(GOOD)
    assert [kind.type for kind in mapping.events] == ["'refund'", "lower(kind)"]
    assert mapping.events[0].channel == "'web'"
    assert mapping.events[1].amount == "0"
    assert mapping.group_by == ("Invoice",)


def test_a_kind_of_event_overrides_the_field_beside_it():
    mapping = parse_mapping(GOOD + "amount: Price")
    assert mapping.field(0, "amount") == ("Price", ("amount",))
    assert mapping.field(1, "amount") == ("0", ("events", 1, "amount"))
    assert mapping.field(0, "subject") == (None, ("subject",))


def test_declared_places_have_lines():
    assert parse_mapping(GOOD, "log.yaml").where(("reject", 0, "when")) == "log.yaml:6 reject.0.when"
    assert (
        LogMapping.model_validate({"zone": "UTC", "customer": "a", "time": "b", "events": [{"type": "view"}]}).where(
            ("time",)
        )
        == "time"
    )


def test_scalars_are_read_as_they_are_written():
    mapping = parse_mapping(GOOD + "source: {header: no, columns: [on, 1e3, 2010-01-01], nulls: NULL}")
    assert mapping.source.header is False
    assert mapping.source.columns == ("on", "1e3", "2010-01-01")
    assert mapping.source.nulls == ("NULL",)


def test_all_mistakes_are_reported_in_the_order_of_their_lines():
    text = """\
zone: Europe/Lndon
customer: CAST(id AS
time: a
time: b
source: {format: xls, headr: yes}
reject:
  - reason: no price
events:
  - {type: 5 +, foo: 1}
"""
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "log.yaml")
    assert str(caught.value).splitlines() == [
        "8 mistakes in the mapping",
        "  unknown time zone; wanted an IANA name such as Europe/Berlin: got 'Europe/Lndon'; at log.yaml:1 zone",
        "  not an SQL expression (syntax error at or near \"AS\"): got 'CAST(id AS'; at log.yaml:2 customer",
        "  given twice: at log.yaml:4 time",
        "  Input should be 'csv', 'spaced', 'jsonl' or 'parquet': got 'xls'; at log.yaml:5 source.format",
        f"  unknown key: got 'headr'; wanted {', '.join(Source.model_fields)}; at log.yaml:5 source.headr",
        "  missing: at log.yaml:7 reject.0.when",
        "  not an SQL expression (syntax error at or near \"+\"): got '5 +'; at log.yaml:9 events.0.type",
        f"  unknown key: got 'foo'; wanted {', '.join(EventKind.model_fields)}; at log.yaml:9 events.0.foo",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a mapping"),
        ("[a]", "not a mapping"),
        ("a: b: c", "not YAML: got 'mapping values are not allowed here'; at log.yaml:1"),
        ("a\x00b", "not YAML"),
        (GOOD.replace("time: InvoiceDate\n", ""), "missing: at log.yaml:1 time"),
        (GOOD.replace("InvoiceDate", ""), "String should have at least 1 character: got ''; at log.yaml:3 time"),
        (GOOD.replace("InvoiceDate", "a; DROP TABLE raw"), "not an SQL expression"),
        (GOOD.replace("InvoiceDate", "a, b"), "not an SQL expression"),
        ("{zone: UTC, customer: a, time: b, events: []}", "at least one is wanted: got []; at log.yaml:1 events"),
    ],
)
def test_what_is_no_mapping_says_why(text, said):
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "log.yaml")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "encoding: klingon",
            "unknown encoding; wanted one such as utf-8, utf-16, latin-1, windows-1252: got 'klingon'",
        ),
        ("encoding: base64", "unknown encoding"),
        ("thousands: .", "one sign for decimals and thousands"),
        ("decimal: ;", "Input should be '.' or ','"),
        ("delimiter: '\"'", "delimiter, quote and escape must differ"),
        ("escape: ','", "delimiter, quote and escape must differ"),
        ("skip_lines: -1", "Input should be greater than or equal to 0"),
        ("max_lines: 0", "Input should be greater than or equal to 1"),
    ],
)
def test_sources_that_cannot_be_read(source, said):
    with pytest.raises(MappingError) as caught:
        parse_mapping(f"{GOOD}source: {{{source}}}")
    assert str(caught.value).startswith(said)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MappingError, match="cannot read the mapping"):
        load_mapping(tmp_path / "no.yaml")


@pytest.mark.parametrize("file", sorted(GUIDES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_mappings_of_the_guide_are_mappings(file):
    assert load_mapping(file).events
