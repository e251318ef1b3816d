"""The structure of LightGBM's native text, checked before LightGBM reads it.

LightGBM trusts its text: it aborts the process on a truncated one and never returns from trees with a cycle. This
module reads the same text in Python and refuses what LightGBM would not survive.
"""

import math
from collections.abc import Mapping
from itertools import pairwise

from tactful.models.base.errors import ModelError

_END = "\nend of trees"
_FEWER_THAN_LEAVES = {"leaf_weight": 0, "leaf_count": 0, "internal_value": 1, "internal_weight": 1, "internal_count": 1}
_CATEGORICAL = 1
"""The bit of a decision type that says that the threshold names a set of categories."""


def check_trees(text: str) -> None:
    """Checks that each tree of a text can be walked: whole, in range, and without a cycle.

    Args:
        text: LightGBM's native text.

    Raises:
        ModelError: It says which tree cannot be walked, and why.

    Example:
        >>> check_trees("tree")
        Traceback (most recent call last):
        tactful.models.base.errors.ModelError: a text of trees without an end: wanted a line `end of trees`
    """
    if _END not in text:
        raise ModelError("a text of trees without an end", wanted="a line `end of trees`")
    head, *blocks = text[: text.index(_END) + 1].split("\nTree=")
    header = _fields(head)
    sizes = _integers(header, "tree_sizes", None, "the header") if "tree_sizes" in header else []
    found = [len(f"Tree={block}\n".encode()) for block in blocks[:-1]]
    found += [len(f"Tree={blocks[-1]}".encode())] if blocks else []
    if sizes != found:
        raise ModelError(
            "sizes of trees that are not theirs", got=f"{len(sizes)} sizes", wanted=f"{len(found)} that fit"
        )
    columns = len(header.get("feature_names", "").split())
    if header.get("max_feature_idx") != str(columns - 1):
        got, wanted = header.get("max_feature_idx"), str(columns - 1)
        raise ModelError("another number of columns than names", got=got, wanted=wanted)
    for number, block in enumerate(blocks):
        _check_tree(_fields(block), f"tree {number}", columns)


def _check_tree(fields: Mapping[str, str], where: str, columns: int) -> None:
    (leaves,) = _integers(fields, "num_leaves", 1, where)
    (categorical,) = _integers(fields, "num_cat", 1, where)
    if leaves < 1 or fields.get("is_linear", "0") != "0":
        raise ModelError("a tree of another kind", got=f"{leaves} leaves", wanted="constant leaves", where=where)
    if not all(map(math.isfinite, _numbers(fields, "leaf_value", leaves, where))):
        raise ModelError(
            "a leaf that is not finite", got=fields["leaf_value"][:80], wanted="finite numbers", where=where
        )
    for name, fewer in _FEWER_THAN_LEAVES.items():
        if leaves > 1 and name in fields:
            _numbers(fields, name, leaves - fewer, where)
    if leaves == 1:
        return
    _numbers(fields, "split_gain", leaves - 1, where)
    features = _integers(fields, "split_feature", leaves - 1, where)
    if not all(0 <= feature < columns for feature in features):
        raise ModelError("a split by no column", got=features[:9], wanted=f"below {columns}", where=where)
    kinds = _integers(fields, "decision_type", leaves - 1, where)
    _check_categories(fields, kinds, _numbers(fields, "threshold", leaves - 1, where), categorical, where)
    left, right = (_integers(fields, name, leaves - 1, where) for name in ("left_child", "right_child"))
    _walk(left, right, where)


def _check_categories(
    fields: Mapping[str, str], kinds: list[int], thresholds: list[float], sets: int, where: str
) -> None:
    """Every categorical split names a set of categories that is there."""
    bounds = _integers(fields, "cat_boundaries", sets + 1, where) if sets else [0]
    if bounds[0] != 0 or any(low >= high for low, high in pairwise(bounds)):
        raise ModelError("sets of categories out of order", got=bounds[:9], wanted="0 and larger ones", where=where)
    if sets:
        _numbers(fields, "cat_threshold", bounds[-1], where)
    for kind, threshold in zip(kinds, thresholds, strict=True):
        if kind & _CATEGORICAL and not 0 <= threshold < sets:
            raise ModelError("a split by no set of categories", got=threshold, wanted=f"below {sets}", where=where)


def _walk(left: list[int], right: list[int], where: str) -> None:
    """Every node and leaf is reached from the root, once; a leaf of number n is written as -n - 1."""
    reached = {0}
    waiting = [0]
    while waiting:
        node = waiting.pop()
        for child in (left[node], right[node]):
            if not -len(left) - 1 <= child < len(left):
                raise ModelError("a child that is not there", got=child, wanted=f"below {len(left)}", where=where)
            if child in reached:
                raise ModelError("a node with two parents", got=child, wanted="a tree", where=where)
            reached.add(child)
            if child >= 0:
                waiting.append(child)
    if len(reached) != 2 * len(left) + 1:
        got, wanted = f"{len(reached)} nodes and leaves", f"{2 * len(left) + 1}"
        raise ModelError("a tree with parts that nothing leads to", got=got, wanted=wanted, where=where)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _integers(fields: Mapping[str, str], name: str, count: int | None, where: str) -> list[int]:
    numbers = _numbers(fields, name, count, where)
    if not all(number.is_integer() for number in numbers):
        raise ModelError(f"{name} that is no integer", got=fields[name][:80], wanted="integers", where=where)
    return [int(number) for number in numbers]


def _numbers(fields: Mapping[str, str], name: str, count: int | None, where: str) -> list[float]:
    """So many numbers of a field; a threshold may be infinite."""
    try:
        numbers = [float(word) for word in fields[name].split()]
    except (KeyError, ValueError) as error:
        raise ModelError(f"{name} that cannot be read", got=str(error)[:80], wanted="numbers", where=where) from error
    if any(map(math.isnan, numbers)):
        raise ModelError(f"{name} that is no number", got=fields[name][:80], wanted="numbers", where=where)
    if count is not None and len(numbers) != count:
        raise ModelError(f"another number of {name}", got=len(numbers), wanted=count, where=where)
    return numbers
