"""PURE. Every small fault that a module could have: one changed place in its syntax tree each.

Comparisons, boolean and arithmetic operators, constants, what is returned, conditions, and
statements that are left out. Types, documentation and the texts of exceptions are left alone.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_LEFT_OUT = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
MARK = "~mutated"


@dataclass(frozen=True)
class Mutant:
    """One fault. `place` finds the node in `ast.walk` order and `choice` what becomes of it;
    `scope` is the function it is in, as `Class.method`, or "" where it works when the module is
    imported."""

    place: int
    choice: int
    line: int
    kind: str
    scope: str
    before: str
    after: str


Option = tuple[str, Callable[[], ast.AST]]


def mutants_of(source: str) -> list[Mutant]:
    """All of them, in the order of their lines."""
    tree = ast.parse(source)
    skipped, scopes = _skipped(tree), _scopes(tree)
    found = []
    for place, node in enumerate(ast.walk(tree)):
        if node in skipped:
            continue
        for choice, (kind, make) in enumerate(_options(node, scopes[node])):
            before, after = ast.unparse(node), ast.unparse(make())
            where: Any = node.iter if isinstance(node, ast.comprehension) else node
            found.append(Mutant(place, choice, where.lineno, kind, scopes[node], before, after))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.place, mutant.choice))


def planted(source: str, mutant: Mutant) -> ast.Module:
    """The module with this fault; everything else keeps its line."""
    tree = ast.parse(source)
    node = next(each for place, each in enumerate(ast.walk(tree)) if place == mutant.place)
    _, make = list(_options(node, mutant.scope))[mutant.choice]
    _replace(tree, node, ast.copy_location(make(), node))
    return ast.fix_missing_locations(tree)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is old for each in value):
                value[:] = [new if each is old else each for each in value]


def _skipped(tree: ast.AST) -> set[ast.AST]:
    """What says nothing about behaviour: types, documentation, imports, texts of exceptions."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        inner: list[ast.AST | None] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            inner.append(node.annotation)
        if isinstance(node, ast.FunctionDef):
            inner.append(node.returns)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            inner += node.exc.args
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in {"Literal", "ClassVar"}:
            inner.append(node.slice)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.append(node)
        for part in inner:
            found.update(ast.walk(part) if part is not None else ())
    return found


def _scopes(tree: ast.AST) -> dict[ast.AST, str]:
    """Each node's function. Defaults and decorators of a function belong to what is around it."""
    found: dict[ast.AST, str] = {}

    def visit(node: ast.AST, names: tuple[str, ...], *, inside: bool) -> None:
        found[node] = ".".join(names) if inside else ""
        if inside or not isinstance(node, ast.FunctionDef | ast.ClassDef):
            for child in ast.iter_child_nodes(node):
                visit(child, names, inside=inside)
            return
        is_function = isinstance(node, ast.FunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, (*names, node.name), inside=is_function and child in node.body)

    visit(tree, (), inside=False)
    return found


def _options(node: ast.AST, scope: str) -> Iterator[Option]:
    ways = next((ways for kinds, ways in _WAYS if isinstance(node, kinds)), None)
    if ways is not None:
        yield from ways(node)
    if isinstance(node, _LEFT_OUT) and scope:
        yield "statement", ast.Pass


def _comparisons(node: ast.Compare) -> Iterator[Option]:
    for number, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            ops: Sequence[ast.cmpop] = [*node.ops[:number], other(), *node.ops[number + 1 :]]
            yield "comparison", lambda ops=ops: _with(node, ops=list(ops))  # type: ignore[misc]


def _constants(node: ast.Constant) -> Iterator[Option]:
    value = node.value
    others: tuple[object, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int | float):
        others = (value + 1, value - 1)
    elif isinstance(value, str):
        others = (value + MARK,)
    elif isinstance(value, bytes):
        others = (value + MARK.encode(),)
    for other in others:
        yield "constant", lambda other=other: ast.Constant(other)  # type: ignore[misc]


def _booleans(node: ast.BoolOp) -> Iterator[Option]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "boolean", lambda: ast.BoolOp(other, node.values)


def _negations(node: ast.UnaryOp) -> Iterator[Option]:
    if isinstance(node.op, ast.Not):
        yield "boolean", lambda: node.operand


def _arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[Option]:
    if type(node.op) in _ARITHMETIC:
        yield "arithmetic", lambda: _with(node, op=_ARITHMETIC[type(node.op)]())


def _returns(node: ast.Return) -> Iterator[Option]:
    if node.value is not None and ast.unparse(node.value) != "None":
        yield "return", lambda: ast.Return(ast.Constant(None))


def _conditions(node: ast.If | ast.While | ast.IfExp) -> Iterator[Option]:
    yield "condition", lambda: _with(node, test=ast.UnaryOp(ast.Not(), node.test))


def _filters(node: ast.comprehension) -> Iterator[Option]:
    for number, test in enumerate(node.ifs):
        yield "condition", _negation(node, number, test)


def _negation(node: ast.comprehension, number: int, test: ast.expr) -> Callable[[], ast.AST]:
    ifs = [*node.ifs[:number], ast.UnaryOp(ast.Not(), test), *node.ifs[number + 1 :]]
    return lambda: _with(node, ifs=ifs)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


_WAYS: tuple[tuple[Any, Callable[[Any], Iterator[Option]]], ...] = (
    (ast.Compare, _comparisons),
    (ast.BoolOp, _booleans),
    (ast.UnaryOp, _negations),
    ((ast.BinOp, ast.AugAssign), _arithmetic),
    (ast.Constant, _constants),
    (ast.Return, _returns),
    ((ast.If, ast.While, ast.IfExp), _conditions),
    (ast.comprehension, _filters),
)
