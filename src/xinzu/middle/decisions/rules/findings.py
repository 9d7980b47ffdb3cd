"""What the checks of a strategy may find, each with its severity, its words and its remedy, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.middle.decisions.model import Finding, Severity

E, W = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Lint:
    """One kind of finding. The texts are formats over the facts of the place where it was found."""

    severity: Severity
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str
    counsel: bool = False


LINTS: dict[str, Lint] = {
    # The shape of the graph
    "shape": Lint(
        E,
        "策略图结构有误：{why_zh}",
        "the graph is malformed: {why_en}",
        "请在编辑器中修正后重新保存",
        "correct it in the editor and save again",
    ),
    "node_type": Lint(
        E,
        "节点类型 {type} 不允许使用",
        "type {type} is not allowed",
        "只用以下类型：{allowed}",
        "use only {allowed}",
    ),
    "function_node": Lint(
        E,
        "函数节点（代码）默认关闭：代码不可审计，也不可按列重放",
        "type 'functionNode' is not allowed: code can neither be audited nor replayed",
        "改用决策表、表达式或评分卡节点",
        "use tables, expressions or a scorecard",
    ),
    "cycle": Lint(E, "连线形成环", "the edges form a cycle", "去掉指回上游的连线", "remove the edge that leads back"),
    "loose_edge": Lint(
        E,
        "连线从 {source} 到 {target}，其中有不存在的节点",
        "an edge goes from {source} to {target}, which are not both nodes",
        "删除该连线",
        "remove the edge",
    ),
    "limit": Lint(
        E, "{what_zh}最多 {max}，实际 {found}", "at most {max} {what_en}, found {found}", "拆分或精简", "split or shorten it"
    ),
    # Tables
    "row_id": Lint(
        E,
        "每一行须有自己的 _id，实际为 {found}",
        "every row has an _id of its own, found {found}",
        "为该行指定唯一编号",
        "give the row an id of its own",
    ),
    "cell_not_text": Lint(
        E, "单元格须为文本，实际为 {found}", "a cell is text, found {found}", "写成表达式文本", "write an expression as text"
    ),
    "no_column": Lint(
        E, "表中没有该列", "the table has no such column", "删除该单元格或补上该列", "remove the cell or add the column"
    ),
    "syntax": Lint(E, "表达式有误：{why}", "{why}", "按 ZEN 表达式语法修正", "correct it by the grammar of ZEN expressions"),
    "no_field": Lint(
        E, "输入列没有写所看的指标", "name the indicator it looks at", "为该列填写指标", "give the column an indicator"
    ),
    "no_condition": Lint(
        E,
        "该行没有任何条件，总会命中",
        "without any condition it always hits",
        "至少填写一个条件，或删除该行",
        "give it a condition or remove it",
    ),
    "null_unsafe": Lint(
        E,
        "{name} 可能缺失，缺失时该行永不命中",
        "{name} may be missing, then this row never hits",
        "为该列给出缺省值，例如 {name} ?? 0，或另设一行判断缺失",
        "give the column a default, {name} ?? 0, or a row of its own for what is missing",
    ),
    "mixed_and_or": Lint(
        E,
        "单元格中 and 与 or（逗号）混用，没有优先级之分",
        "and/or have no precedence in a cell",
        "拆成两行",
        "use two rows",
    ),
    "loose_not": Lint(
        E,
        "not 只作用于比较的左边",
        "not takes only the left side of the comparison",
        "加括号：not (…)",
        "use brackets: not (…)",
    ),
    "loose_default": Lint(
        W,
        "?? 比算术运算结合得更紧",
        "?? binds tighter than arithmetic",
        "加括号写明缺省值属于哪一部分",
        "use brackets to say what the default stands for",
    ),
    "byte_length": Lint(
        W,
        "len() 与切片按字节计，一个汉字为 3",
        "len() counts bytes: a Chinese character counts three",
        "不用长度判断中文文本，或按字节数写",
        "do not judge Chinese text by its length, or count bytes",
    ),
    "impure": Lint(
        E,
        "策略不得读取时钟或随机数",
        "a strategy may not read the clock or chance",
        "用指标 as_of 作为决策日",
        "use the indicator as_of as the date of the decision",
    ),
    "unknown_indicator": Lint(
        E,
        "{name} 不是已声明的指标，也不是上游节点的输出",
        "{name} is not a declared indicator and no node before it gives it",
        "改用已声明的指标",
        "use a declared indicator",
    ),
    "protected": Lint(
        E,
        "{name} 属于不得用于信用决定的个人特征（性别、民族、宗教、健康等）",
        "{name} is a protected attribute (sex, ethnicity, religion, health …)",
        "删除该条件；以偿付能力与履约记录作判断",
        "remove it; judge by means and record of payment",
        counsel=True,
    ),
    "age_beyond_floor": Lint(
        W,
        "年龄用于法定最低年龄以外的判断",
        "age is used for more than the lawful minimum",
        "请法务确认其必要性与合理性，并保留说明",
        "let counsel confirm that it is needed and justified, and keep the note",
        counsel=True,
    ),
    "unreachable": Lint(
        W,
        "上方的行 {above} 已覆盖该行，该行永不命中",
        "row {above} above takes everything: this row never hits",
        "删除该行或上移",
        "remove it or move it up",
    ),
    "overlap": Lint(
        W,
        "与行 {other} 部分重叠而结论不同，结果取决于行序",
        "overlaps row {other} with another result: the order of the rows decides",
        "把条件写成互不相交，或确认行序",
        "make the conditions disjoint or confirm the order",
    ),
    "gap": Lint(
        W,
        "没有行匹配 {example}",
        "no row matches {example}",
        "补一行兜底",
        "add a row for the rest",
    ),
    "not_compared": Lint(
        W,
        "行数超过 {max}，未检查重叠、覆盖与缺口",
        "more than {max} rows: they were not compared with each other",
        "把大表拆成几张小表",
        "split the table",
    ),
    # What a strategy says
    "unquoted": Lint(E, "{field} 须写成带引号的文本", "write the {field} as quoted text", "例如 'refer'", "for example 'refer'"),
    "row_outcome": Lint(
        E,
        "行的结论只能是 'decline' 或 'refer'",
        "the outcome of a row is 'decline' or 'refer'",
        "批准由没有命中产生，不由行给出",
        "an approval is what is left when nothing hits; no row gives it",
    ),
    "unknown_reason": Lint(
        E,
        "原因码 {reason} 不在策略可用的目录中",
        "reason {reason} is not in the catalogue",
        "改用目录中的原因码",
        "use a code of the catalogue",
    ),
    "bad_config": Lint(
        E, "节点配置有误：{why}", "the node's configuration is wrong: {why}", "按说明修正配置", "correct the configuration"
    ),
    "unknown_model": Lint(
        E,
        "模型 {model} 不可用",
        "model {model} is not available",
        "先登记并批准该模型",
        "register and approve the model first",
    ),
    "unreadable": Lint(
        E, "引擎无法读取：{why}", "the engine cannot read it: {why}", "在编辑器中检查各节点", "check the nodes in the editor"
    ),
    "trial": Lint(
        E,
        "试算「{case}」未得出结论：{why}",
        "case {case}: {why}",
        "保证缺失与极端取值下也有结论与原因码",
        "see that there is a verdict with a known reason when values are missing or extreme",
    ),
}


def finding(code: str, node: str = "", row: str = "", column: str = "", **facts: object) -> Finding:
    """A finding in its words."""
    lint = LINTS[code]
    zh, en, remedy_zh, remedy_en = (text.format(**facts) for text in (lint.text_zh, lint.text_en, lint.remedy_zh, lint.remedy_en))
    return Finding(code, lint.severity, node, row, column, zh, en, remedy_zh, remedy_en, lint.counsel)
