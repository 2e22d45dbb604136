"""Joins on a bare code of an administrative unit, found in the SQL that dbt sends.

Codes are reused: 27694 was Phường 1 until 30/6/2025 and is Phường Long An since. A join on a code is right only beside a
condition on the validity of one of its sides.
"""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

CODE = re.compile(
    r"(^|_)(commune|ward|district|province)(_code)?$|(^|_)(unit|old|new|parent)_code$|^(ma_xa|xa_id)(_cu)?$"
)
"""Names that a code of a unit goes by."""
NO_CODE = frozenset({"former_province"})
"""Of the vintage before the reform, whatever the row's own: what is set equal to it is of that vintage too."""
VALIDITY = re.compile(r"(^|_)(valid|period)_(from|to|until)$|^effective_on$|^changed_on$")
_PREDICATES = (exp.EQ, exp.NullSafeEQ, exp.In)


def is_code(name: str, more: frozenset[str] = frozenset()) -> bool:
    """True for a name of a code of a unit, or one of `more`."""
    return name in more or (name not in NO_CODE and CODE.search(name) is not None)


def bare_joins(statement: str, more: frozenset[str] = frozenset()) -> list[str]:
    """The equalities of two columns, one a code of a unit, without a condition on the validity of either side."""
    tree = parsed(statement)
    names = more | _renamed(tree, more)
    found = [join.sql("postgres") for join in tree.find_all(exp.Join) if _joins_by_name(join, names)]
    return found + [equality.sql("postgres") for equality in _equalities(tree, names) if not _is_dated(equality)]


def without_validity(statement: str) -> str:
    """The statement with every condition on validity beside another condition taken away: what a careless hand makes."""

    def drop(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.And):
            sides = [side for side in (node.left, node.right) if not _is_validity(side)]
            if len(sides) == 1:
                return sides[0]
        return node

    return parsed(statement).transform(drop).sql("postgres")


def parsed(statement: str) -> exp.Expression:
    """The tree of a query. sqlglot does not know `is nfc normalized`, which has nothing to do with joins."""
    return sqlglot.parse_one(re.sub(r"is (not )?nfc normalized", r"is \1null", statement), dialect="postgres")


def _is_validity(condition: exp.Expression) -> bool:
    return isinstance(condition, exp.Predicate) and bool(_validities(condition))


def _validities(condition: exp.Expression) -> list[exp.Column]:
    """Columns of validity that the condition compares; one that only chooses between cases is none."""
    columns = (column for column in condition.find_all(exp.Column) if VALIDITY.search(column.name))
    return [column for column in columns if not isinstance(column.find_ancestor(exp.Case, type(condition)), exp.Case)]


def _renamed(tree: exp.Expression, more: frozenset[str]) -> frozenset[str]:
    """Names that a query gives to expressions made of nothing but codes."""
    found = frozenset[str]()
    while True:
        again = frozenset(alias.alias for alias in tree.find_all(exp.Alias) if _is_of_codes(alias.this, more | found))
        if again <= found:
            return found
        found |= again


def _is_of_codes(value: exp.Expression, more: frozenset[str]) -> bool:
    columns = list(value.find_all(exp.Column))
    if value.find(exp.AggFunc, exp.Predicate, exp.Select, exp.Window):
        return False
    return bool(columns) and all(is_code(column.name, more) for column in columns)


def _joins_by_name(join: exp.Join, more: frozenset[str]) -> bool:
    using = join.args.get("using") or []
    return join.args.get("method") == "NATURAL" or any(is_code(column.name, more) for column in using)


def _equalities(tree: exp.Expression, more: frozenset[str]) -> Iterator[exp.Expression]:
    for predicate in tree.find_all(*_PREDICATES):
        left, right = _sides(predicate)
        is_former = any(column.name in NO_CODE for column in left + right)
        is_own_key = predicate.find(exp.JSONExtractScalar) is not None  # a refused record held against its own table
        if (
            left
            and right
            and not is_former
            and not is_own_key
            and any(is_code(column.name, more) for column in left + right)
        ):
            yield predicate


def _sides(predicate: exp.Expression) -> tuple[list[exp.Column], list[exp.Column]]:
    """Columns on both sides; of `x in (select y …)` what the subquery gives out."""
    if isinstance(predicate, exp.In):
        query = predicate.args.get("query")
        given = query.unnest().selects if query is not None else []
        return list(predicate.this.find_all(exp.Column)), [c for value in given for c in value.find_all(exp.Column)]
    return list(predicate.this.find_all(exp.Column)), list(predicate.expression.find_all(exp.Column))


def _is_dated(equality: exp.Expression) -> bool:
    """True when a validity of one of the sides is asked for beside the equality, in the same chain of `and`."""
    both = [column for side in _sides(equality) for column in side]
    if any(VALIDITY.search(column.name) for column in both):
        return True  # a key made of code and first day
    sides = {column.table for column in both}
    top: exp.Expression = equality
    while isinstance(top.parent, (exp.And, exp.Paren)):
        top = top.parent
    beside = (
        [part for part in top.unnest().flatten() if part is not equality] if isinstance(top.unnest(), exp.And) else []
    )
    conditions = [column for part in beside if _is_validity(part.unnest()) for column in _validities(part)]
    return any(column.table in sides or not column.table for column in conditions)
