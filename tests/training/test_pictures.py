import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tactful.models.base.metrics import Estimate
from tactful.training.fit.job import TrainingResult
from tactful.training.studies.pictures import calibrations, curves, history, scoreboard, segments, table
from tactful.training.studies.segments import Segment

HALF = Estimate(0.5, 0.4, 0.65)


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))}


def test_a_table_has_each_estimate_with_its_interval() -> None:
    assert table({"honest": {"auc": HALF}}).loc["honest", "auc"] == "0.500 (0.400 to 0.650)"


def test_a_scoreboard_has_each_model_and_its_baselines(lapsed: TrainingResult) -> None:
    board = scoreboard({"lapse": lapsed})
    names = ("the model", "frequency alone", "recency alone", "rfm alone", "bgnbd alone")
    assert board.index.tolist() == [("lapse", name) for name in names]
    assert set(board["n"]) == {f"{lapsed.metrics['n']:,}"}


def test_a_curve_has_a_band_and_says_what_it_is() -> None:
    figure = curves({"one": {0: HALF, 1: HALF}}, title="T", xlabel="days", ylabel="AUC", note="n = 7", reference=0.5)
    (band,) = figure.axes[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.4, 0.65)
    assert {"T", "days", "AUC", "n = 7", "one"} <= words(figure)


def test_every_curve_is_drawn_however_many_there_are() -> None:
    named = {str(number): {0: HALF, 1: HALF} for number in range(9)}
    figure = curves(named, title="T", xlabel="days", ylabel="AUC", note="n = 7")
    assert len(figure.axes[0].collections) == 9
    assert set(named) <= words(figure)


def test_segments_stand_with_their_n_first_on_top() -> None:
    panel = [Segment("low", 1200, 900, HALF), Segment("high", 3, 3, HALF)]
    figure = segments({"by size": panel}, title="T", xlabel="share", note="n", percent=True)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    bottom, top = figure.axes[0].get_ylim()
    assert labels == ["low  (n = 1,200)", "high  (n = 3)"]
    assert bottom > top


def test_calibrations_stand_side_by_side(lapsed: TrainingResult, responded: TrainingResult) -> None:
    figure = calibrations({"lapse": lapsed.test, "response": responded.test}, note="n")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["lapse: calibration", "response: calibration"]


def test_a_history_shows_every_event_and_greys_the_future() -> None:
    time = pd.to_datetime(["2024-01-01 12:00", "2024-02-01 12:00", "2024-03-01 12:00"], utc=True)
    events = pd.DataFrame({"time": time, "type": ["purchase", "contact", "purchase"], "amount": [3.0, 0.0, 5.0]})
    figure = history(events, zone="UTC", title="T", note="n = 3", moment=time[1])
    drawn = [np.asarray(marks.get_offsets()) for marks in figure.axes[0].collections]
    assert [len(marks) for marks in drawn] == [2, 1, 0]
    assert {"purchase (2)", "contact (1)", "redeemed (0)", "the moment"} <= words(figure)
