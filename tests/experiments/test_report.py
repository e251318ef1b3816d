"""The page: the verdict first, nothing from elsewhere, n and units, and no claim on a failed sample ratio."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tactful.experiments.readout.effects import SampleRatio
from tactful.experiments.readout.readout import Readout
from tactful.experiments.readout.report import report
from tactful.experiments.readout.svg import Bar, along, intervals
from tests.experiments.test_readout import read
from tests.experiments.trials import trial


@pytest.fixture(scope="module")
def found() -> Readout:
    return read(trial(5, 3_000, lift=0.4), question="Do <coupons> pay?")


class Balanced(HTMLParser):
    """Fails on a tag that is closed where it was not opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_by_itself(found: Readout) -> None:
    page = report(found)
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", page)
    assert "Do &lt;coupons&gt; pay?" in page
    assert "nan" not in page.lower().replace("finance", "")


def test_the_verdict_comes_first(found: Readout) -> None:
    page = report(found)
    order = ["Switch to treatment", "split as declared?", "as it became known", "must not be harmed", "by style",
             "does it last?", "How this was done"]  # fmt: skip
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert "GBP with treatment" in page
    assert "90th percentile" in page


def test_a_failed_sample_ratio_is_all_that_is_said(found: Readout) -> None:
    ratio = SampleRatio({"control": 1_000, "treatment": 2_000}, {"control": 1_500.0, "treatment": 1_500.0}, 1e-80)
    page = report(replace(found, sample_ratio=ratio))
    assert "Do not decide on this" in page
    assert "Switch to" not in page
    assert "with 95 % confidence" not in page


def test_what_is_simulated_says_so_in_each_figure(found: Readout) -> None:
    page = report(replace(found, simulated=True))
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 3
    assert all("SIMULATED" in figure and "n = " in figure for figure in figures)
    assert "SIMULATED" not in report(found)


def test_figures_draw_their_intervals_and_escape_their_words() -> None:
    bar = Bar("<b>", 1.0, 0.5, 1.5, 1_234, (0.2, 1.8))
    for figure in (intervals([bar], str, title="t", note="n"), along([bar, bar], str, title="t", note="n")):
        assert "&lt;b&gt;" in figure
        assert "n = 1,234" in figure
        assert figure.count("<circle") >= 1


def test_the_values_beside_an_axis_lie_within_the_picture() -> None:
    bars = [Bar(f"week {i}", 10.0 * i, -900.0, 1_900.0, 50) for i in range(1, 4)]
    picture = along(bars, lambda value: f"{value:+,.2f} USD", title="", note="")
    labels = re.findall(r'<text x="([\d.]+)"[^>]*anchor="end" font-size="10"[^>]*>([^<]*)<', picture)
    assert len(labels) > 2
    assert all(float(x) >= 0.64 * 10 * len(label) for x, label in labels)


LABEL = r'<text x="([-\d.]+)" y="([\d.]+)" text-anchor="(middle|end)" font-size="(\d+)"[^>]*>([^<]*)<'


@pytest.mark.parametrize("looks", [1, 2, 4, 12, 26, 52])
@pytest.mark.parametrize("n", [50, 1_234_567])
def test_labels_never_touch_and_the_last_is_there(looks: int, n: int) -> None:
    bars = [Bar(f"{i % 28 + 1:02d} May", float(i), i - 900.0, i + 1_900.0, n) for i in range(looks)]
    for picture in (
        along(bars, lambda value: f"{value:+,.2f} USD", title="", note=""),
        intervals(bars[:12], lambda value: f"{1000 * value:+,.2f} USD", title="", note=""),
    ):
        spans: dict[str, list[tuple[float, float]]] = {}
        for x, y, anchor, size, label in re.findall(LABEL, picture):
            if anchor == "middle":
                reach = 0.3 * int(size) * len(label)
                spans.setdefault(y, []).append((float(x) - reach, float(x) + reach))
        for row in spans.values():
            assert all(right <= left for (_, right), (left, _) in pairwise(sorted(row)))
    dates = re.findall(r">(\d\d May)<", along(bars, str, title="", note=""))
    assert dates[-1] == bars[-1].label
    assert len(dates) == looks or len(dates) > 5


def test_a_long_name_is_cut() -> None:
    bar = Bar("customers of a very long segment name", 1.0, 0.5, 1.5, 3)
    assert ">customers of a very long…<" in re.sub(" se…", "…", intervals([bar], str, title="", note=""))
