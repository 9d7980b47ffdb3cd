"""Reading LightGBM's model text, and saying what is wrong with it before LightGBM's native code gets it.

The native reader trusts the text: offsets, counts and children are used as they stand. So every number it will follow is checked here.
Format: LightGBM ``src/boosting/gbdt_model_text.cpp`` and ``src/io/tree.cpp`` (4.7.0, MIT).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

TREES_MAX, LEAVES_MAX = 5_000, 1_024
_END = "end of trees"
_OPTIONAL_PER_SPLIT = ("split_gain", "internal_value", "internal_weight", "internal_count")
_OPTIONAL_PER_LEAF = ("leaf_weight", "leaf_count")
_HEADER = frozenset(
    {
        *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names"),
        *("monotone_constraints", "feature_infos", "tree_sizes"),
    }
)


class TextWrong(ValueError):
    """The text cannot be used; says what is wrong in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree. A child below nought is the leaf ``-child - 1``."""

    split_feature: Sequence[int]
    threshold: Sequence[float]
    decision_type: Sequence[int]
    left_child: Sequence[int]
    right_child: Sequence[int]
    leaf_value: Sequence[float]


@dataclass(frozen=True, slots=True)
class Forest:
    """A binary classifier: its score is the sum of a leaf of each tree, the log odds of bad."""

    feature_names: Sequence[str]
    monotone: Sequence[int]
    trees: Sequence[Tree]


def read_forest(text: str) -> Forest:
    """The trees of a model text; raises TextWrong for what is not a plain binary classifier with numeric splits."""
    if not text.startswith("tree\n") or not text.isascii():
        raise TextWrong(
            "不是 LightGBM 的文本模型（Booster.save_model 的输出）", "this is no LightGBM model text (Booster.save_model)"
        )
    starts = [found.start() for found in re.finditer(r"^Tree=", text, re.MULTILINE)]
    end = text.find(f"\n{_END}\n") + 1
    if not starts or end <= starts[-1] or len(starts) > TREES_MAX:
        raise TextWrong(f"须有 1 至 {TREES_MAX} 棵树，并以 {_END} 结束", f"it has 1 to {TREES_MAX} trees and then: {_END}")
    head = _lines(text[: starts[0]].removeprefix("tree\n"))
    if unknown := head.keys() - _HEADER:
        raise TextWrong(
            f"文件头有未知的行：{', '.join(sorted(unknown))}", f"unknown lines of the head: {', '.join(sorted(unknown))}"
        )
    sizes = [after - before for before, after in zip(starts, [*starts[1:], end], strict=True)]
    if _whole(head, "tree_sizes") != sizes:
        raise TextWrong("tree_sizes 与各棵树的长度不符", "tree_sizes does not tell the lengths of the trees")
    if head.get("version") != "v4" or head.get("objective") != "binary sigmoid:1":
        raise TextWrong(
            "只接受 v4 格式、目标为 binary sigmoid:1 的模型", "only format v4 with the objective binary sigmoid:1 is read"
        )
    if _whole(head, "num_class") != [1] or _whole(head, "num_tree_per_iteration") != [1]:
        raise TextWrong("只接受二分类模型", "only a classifier of two classes is read")
    names = head.get("feature_names", "").split(" ")
    if _whole(head, "max_feature_idx") != [len(names) - 1] or len(head.get("feature_infos", "").split(" ")) != len(names):
        raise TextWrong("特征数前后不一致", "the numbers of features do not agree")
    monotone = _whole(head, "monotone_constraints") if "monotone_constraints" in head else [0] * len(names)
    if len(monotone) != len(names):
        raise TextWrong("单调约束须与特征一一对应", "there is a monotone constraint for each feature or for none")
    blocks = [text[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    return Forest(names, monotone, [_tree(number, block, len(names)) for number, block in enumerate(blocks)])


def checked_part(text: str) -> str:
    """Head and trees of a text that ``read_forest`` read: all that scoring needs. What follows (settings, importances) nobody checked."""
    return text[: text.index(f"\n{_END}\n") + len(_END) + 2]


def _tree(number: int, block: str, features: int) -> Tree:
    lines = _lines(block)

    def wrong(zh: str, en: str) -> TextWrong:
        return TextWrong(f"第 {number} 棵树：{zh}", f"tree {number}: {en}")

    if lines.get("Tree") != str(number):
        raise wrong("编号不连续", "the trees are not numbered in order")
    if lines.get("num_cat") != "0":
        raise wrong(
            "不接受类别分裂，请把类别按 values 的次序编码", "no categorical splits: code categories by the order of `values`"
        )
    if lines.get("is_linear", "0") != "0":
        raise wrong("不接受线性叶", "no linear leaves")
    [leaves] = _whole(lines, "num_leaves", 1)
    if not 1 <= leaves <= LEAVES_MAX:
        raise wrong(f"叶数须为 1 至 {LEAVES_MAX}", f"a tree has 1 to {LEAVES_MAX} leaves")
    splits = leaves - 1
    try:
        tree = Tree(
            _whole(lines, "split_feature", splits),
            _decimals(lines, "threshold", splits),
            _whole(lines, "decision_type", splits),
            _whole(lines, "left_child", splits),
            _whole(lines, "right_child", splits),
            _decimals(lines, "leaf_value", leaves),
        )
        for name, count in [(each, splits) for each in _OPTIONAL_PER_SPLIT] + [(each, leaves) for each in _OPTIONAL_PER_LEAF]:
            if name in lines:
                _decimals(lines, name, count)
    except TextWrong as bad:
        raise wrong(bad.zh, bad.en) from bad
    if any(not 0 <= feature < features for feature in tree.split_feature):
        raise wrong("分裂用到不存在的特征", "it splits by a feature there is none of")
    if any(kind not in (0, 2, 4, 6, 8, 10) for kind in tree.decision_type):
        raise wrong("未知的分裂类型", "a split of an unknown type")
    inner = [child for child in (*tree.left_child, *tree.right_child) if child >= 0]
    outer = [-child - 1 for child in (*tree.left_child, *tree.right_child) if child < 0]
    forward = all(
        child < 0 or child > parent for side in (tree.left_child, tree.right_child) for parent, child in enumerate(side)
    )
    if not forward or sorted(inner) != list(range(1, splits)) or (splits and sorted(outer) != list(range(leaves))):
        raise wrong("子节点不构成一棵树", "its children do not make a tree")
    return tree


def _lines(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, block.split("\n")):
        name, _, value = line.partition("=")
        if name in found:
            raise TextWrong(f"{name} 出现两次", f"{name} stands there twice")
        found[name] = value
    return found


def _whole(lines: dict[str, str], name: str, count: int | None = None) -> list[int]:
    return [int(number) for number in _numbers(lines, name, count, r"-?[0-9]{1,9}")]


def _decimals(lines: dict[str, str], name: str, count: int | None = None) -> list[float]:
    numbers = [float(number) for number in _numbers(lines, name, count, r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")]
    if not all(map(isfinite, numbers)):
        raise TextWrong(f"{name} 须为有限的数", f"{name} holds finite numbers")
    return numbers


def _numbers(lines: dict[str, str], name: str, count: int | None, form: str) -> list[str]:
    found = lines.get(name, "").split(" ") if lines.get(name) else []
    if not all(re.fullmatch(form, each) for each in found) or count not in (None, len(found)):
        raise TextWrong(f"{name} 须为 {count or '若干'} 个数", f"{name} holds {count or 'some'} numbers")
    return found
