"""Damaged texts of trees are refused before LightGBM reads them; whatever is let through, LightGBM survives."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from tactful.models.base.errors import ModelError
from tactful.models.base.gbm import TreeModel
from tactful.models.base.tree_text import check_trees

MUTATIONS = 400
SURVIVES = """
import sys
from pathlib import Path
import lightgbm, numpy
rows = numpy.random.default_rng(0).normal(size=(50, 8))
for file in sorted(Path(sys.argv[1]).iterdir()):
    print(file.name, flush=True)
    try:
        booster = lightgbm.Booster(model_str=file.read_text())
    except lightgbm.basic.LightGBMError:
        continue
    booster.predict(rows)
    booster.predict(rows, pred_contrib=True)
"""


@pytest.fixture(scope="module")
def text() -> str:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 8))
    rows[:, 3] = rng.integers(0, 40, 500)
    labels = rows[:, 0] + (rows[:, 3] % 3 == 0) + rng.normal(size=500) > 0
    data = lightgbm.Dataset(rows, labels, categorical_feature=[3])
    settings: dict[str, object] = {"objective": "binary", "verbosity": -1, "num_leaves": 8, "num_threads": 1, "seed": 1}
    settings |= {"min_data_per_group": 5, "cat_smooth": 1, "cat_l2": 1, "max_cat_to_onehot": 1, "min_data_in_leaf": 5}
    return str(lightgbm.train(settings, data, 5).model_to_string())


def field(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Changes the values of a field in the first tree that has some."""
    return lambda text: re.sub(
        rf"(?m)^{name}=(.+)$", lambda found: f"{name}=" + " ".join(change(found[1].split())), text, count=1
    )


DAMAGES = {
    "truncated": lambda text: text[: len(text) // 2],
    "truncated in its last tree": lambda text: text[: text.index("end of trees") - 40],
    "cyclic": field("left_child", lambda words: ["0"] * len(words)),
    "its own child": field("right_child", lambda words: [str(n) for n, _ in enumerate(words)]),
    "a child out of range": field("right_child", lambda words: ["9999", *words[1:]]),
    "a leaf out of range": field("right_child", lambda words: ["-9999", *words[1:]]),
    "a column out of range": field("split_feature", lambda words: ["8", *words[1:]]),
    "a set of categories out of range": field("cat_boundaries", lambda words: ["0", *["999999"] * len(words[1:])]),
    "a threshold that is no number": field("threshold", lambda words: ["nan", *words[1:]]),
    "a leaf that is infinite": field("leaf_value", lambda words: ["inf", *words[1:]]),
    "fewer leaves than told": field("leaf_value", lambda words: words[:-1]),
    "more leaves than there are": field("num_leaves", lambda words: ["1000000000"]),
    "fewer trees than sizes": lambda text: text[: text.index("Tree=4")] + text[text.index("end of trees") :],
    "wrong sizes": field("tree_sizes", lambda words: [str(int(words[0]) + 1), *words[1:]]),
    "more columns than names": field("max_feature_idx", lambda words: ["2000000000"]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_trees_are_refused(text: str, damage: Callable[[str], str]) -> None:
    assert damage(text) != text
    with pytest.raises(ModelError):
        TreeModel(damage(text))


def test_whole_trees_and_trees_without_a_split_are_read(text: str) -> None:
    check_trees(text)
    rows = np.zeros((100, 2))
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1_000}
    stump = lightgbm.train(settings, lightgbm.Dataset(rows, np.arange(100) % 2), 2).model_to_string()
    assert TreeModel(stump).predict(rows[:1]) == pytest.approx(0.5)


def test_lightgbm_survives_whatever_is_let_through(text: str, tmp_path: Path) -> None:
    """Digits are changed and lines are lost at random before the end of the trees."""
    chance, let_through = random.Random(0), 0
    trees, rest = text[: text.index("end of trees")], text[text.index("end of trees") :]
    for number in range(MUTATIONS):
        lines = trees.split("\n")
        place = chance.randrange(len(lines))
        words = re.split(r"(\d)", lines[place])
        digits = [at for at, word in enumerate(words) if word.isdigit()]
        if digits and chance.random() < 0.8:
            words[chance.choice(digits)] = chance.choice("0123456789-")
            lines[place] = "".join(words)
        else:
            del lines[place]
        damaged = "\n".join(lines) + rest
        try:
            check_trees(damaged)
        except ModelError:
            continue
        (tmp_path / f"{number:03}").write_text(damaged)
        let_through += 1
    assert 10 < let_through < MUTATIONS - 10
    done = subprocess.run(
        [sys.executable, "-c", SURVIVES, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, len(done.stdout.split())) == (0, let_through), done.stdout.split()[-1:]
