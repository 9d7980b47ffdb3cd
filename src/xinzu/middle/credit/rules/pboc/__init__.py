"""The second-generation personal credit report of the PBOC: its nodes, its codes, reading, checking, deriving and making one.

Walk: ``documents`` (XML or JSON to a tree of text) → ``fields`` (tree to typed nodes and back) → ``nodes`` (what a report holds) →
``checks`` (what contradicts itself) → ``indicators`` (what a decision looks at). ``synthetic`` makes reports that are marked as such.

Sources. Node and field names, their nesting and Chinese names: database schemas and parsers of banks in public code, which agree with
one another (the field schema of 2020-09 and the product description 个人信用报告（二代试行）202007 they cite). Not seen by us: the
interface specification itself (征信系统数据查询接口规格说明, 2019-09), which is handed to connected institutions only. From knowledge of
the field and therefore to be confirmed with a connected institution: how dates and months are written (``2026-03-01``, ``2026-03``),
that amounts are whole yuan, which fields are always filled.
"""
