"""Pages and mails put together once instead of each time they are shown.

Django looks for a page's layout, its blocks and its included pieces anew whenever it renders, and
translates each of its fixed sentences. None of that depends on who asks. Here a template becomes
one list of nodes when it is loaded: blocks stand where the layout has them, included pieces where
they are included, and what is the same for everybody in one language is text, made once.

What could come out differently that way stays as Django has it: a template that asks for
`block.super`, a piece that is named by a variable, tags that are not known here.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.template import Node, NodeList, TemplateDoesNotExist
from django.template.base import Template, TextNode, Variable, VariableNode
from django.template.context import Context
from django.template.defaulttags import (
    AutoEscapeControlNode,
    CommentNode,
    CsrfTokenNode,
    ForNode,
    IfNode,
    LoadNode,
    URLNode,
    WithNode,
)
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.template.loaders import cached
from django.templatetags.cache import CacheNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.utils.translation import get_language

_ASKS_BLOCK = re.compile(r"{[{%][^}]*\bblock\.")
_NAMED = (
    (BlockTranslateNode, "asvar"),
    (StaticNode, "varname"),
    (TranslateNode, "asvar"),
    (URLNode, "asvar"),
)
"""Tags that set a variable, where they are given its name in this attribute."""
_PLAIN = (CsrfTokenNode, TextNode, VariableNode)
_CONTAINERS = (AutoEscapeControlNode, CacheNode, ForNode, WithNode)
_SILENT = (CommentNode, LoadNode)


class _Dynamic(Exception):
    """This template has to be put together each time."""


class Loader(cached.Loader):
    """Django's cached loader, whose templates are put together. A template that another one
    extends stays as it was written: `skip` is given for those alone."""

    def __init__(self, engine: Any, loaders: Sequence[Any]) -> None:
        self._flat: dict[str, Template] = {}
        super().__init__(engine, loaders)

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        """Raises TemplateDoesNotExist, TemplateSyntaxError."""
        if skip is not None:
            return super().get_template(template_name, skip)
        found = self._flat.get(template_name)
        if found is None:
            found = self._flat[template_name] = self._put_together(template_name)
        return found

    def reset(self) -> None:
        self._flat.clear()
        super().reset()

    def _put_together(self, name: str) -> Template:
        written = super().get_template(name)
        if self.engine.debug:
            # An error page points at what is written.
            return written
        try:
            nodes = _Making(super().get_template).nodes_of(name)
        except _Dynamic:
            return written
        found = copy.copy(written)
        found.nodelist = _Whole(nodes)
        return found


class _Whole(NodeList):
    """All nodes of a template, for which the language in force is found out once."""

    def render(self, context: Any) -> Any:
        outer = context.__dict__.get("spoken")
        context.spoken = get_language()
        try:
            return super().render(context)
        finally:
            context.spoken = outer


class _Making:
    """One template on its way from what is written to one list of nodes."""

    def __init__(self, read: Callable[..., Template]) -> None:
        self._read = read
        self._templates: list[str] = []
        self._blocks: list[BlockNode] = []

    def nodes_of(self, name: str) -> list[Node]:
        """Raises _Dynamic."""
        if name in self._templates:
            raise _Dynamic
        self._templates.append(name)
        try:
            return list(_merged(self._laid_out(name)))
        except TemplateDoesNotExist:
            raise _Dynamic from None
        finally:
            self._templates.pop()

    def _laid_out(self, name: str) -> Iterator[Node]:
        """A template in the layout that it extends."""
        blocks: dict[str, BlockNode] = {}
        written = self._read(name)
        known = [written.origin]
        while extending := _extending(written):
            blocks = {**extending.blocks, **blocks}
            written = self._read(_name_in(extending.parent_name), known)
            known.append(written.origin)
        return self._flattened(written.nodelist, blocks)

    def _flattened(self, nodes: Iterable[Node], blocks: Mapping[str, BlockNode]) -> Iterator[Node]:
        for node in nodes:
            if isinstance(node, BlockNode):
                yield from self._block(blocks.get(node.name, node), blocks)
            elif isinstance(node, IncludeNode):
                yield from self._included(node)
            elif isinstance(node, IfNode):
                yield self._condition(node, blocks)
            elif isinstance(node, BlockTranslateNode):
                yield _Sentence(node)
            elif isinstance(node, _CONTAINERS):
                yield self._container(node, blocks)
            elif not isinstance(node, TextNode) and node.get_nodes_by_type(BlockNode):
                raise _Dynamic
            elif not isinstance(node, _SILENT):
                yield node

    def _block(self, chosen: BlockNode, blocks: Mapping[str, BlockNode]) -> list[Node]:
        if chosen in self._blocks:
            raise _Dynamic
        self._blocks.append(chosen)
        try:
            found = list(self._flattened(chosen.nodelist, blocks))
        finally:
            self._blocks.pop()
        return found if all(map(_is_known, found)) else [_Scope(found)]

    def _condition(self, node: IfNode, blocks: Mapping[str, BlockNode]) -> IfNode:
        made = copy.copy(node)
        made.conditions_nodelists = [
            (condition, NodeList(_merged(self._flattened(nodes, blocks))))
            for condition, nodes in node.conditions_nodelists
        ]
        return made

    def _container(self, node: Node, blocks: Mapping[str, BlockNode]) -> Node:
        made = copy.copy(node)
        for attribute in node.child_nodelists:
            nodes = getattr(node, attribute)
            setattr(made, attribute, NodeList(_merged(self._flattened(nodes, blocks))))
        return made

    def _included(self, node: IncludeNode) -> Sequence[Node]:
        """What is included, where Django would find the same each time and nothing in it keeps
        what it is doing from one time to the next."""
        try:
            name = _name_in(node.template)
            if node.isolated_context or name.startswith("."):
                return [node]
            nodes = self.nodes_of(name)
        except _Dynamic:
            return [node]
        if not all(map(_is_known, nodes)):
            return [node]
        if node.extra_context:
            return [WithNode(None, None, NodeList(nodes), extra_context=node.extra_context)]
        return nodes


def _extending(written: Template) -> ExtendsNode | None:
    """The node that names the layout, which is then all there is. Raises _Dynamic."""
    if _ASKS_BLOCK.search(written.source):
        raise _Dynamic
    found = next((node for node in written.nodelist if isinstance(node, ExtendsNode)), None)
    if found is not None and len(written.nodelist) > 1:
        raise _Dynamic
    return found


class _Fixed(Node):
    """Nodes that are the same for everybody who reads one language."""

    child_nodelists = ()

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self._made: dict[tuple[str | None, bool], str] = {}

    def render_annotated(self, context: Any) -> str:
        key = context.spoken, context.autoescape
        made = self._made.get(key)
        if made is None:
            made = "".join([str(node.render_annotated(context)) for node in self.nodes])
            self._made[key] = made
        return made

    render = render_annotated


class _Sentence(BlockTranslateNode):
    """A sentence with values in it, whose words are put together once."""

    def __init__(self, written: BlockTranslateNode) -> None:
        self.__dict__.update(written.__dict__)
        self._read: dict[int, tuple[str, list[str]]] = {}

    def render_token_list(self, tokens: list[Any]) -> tuple[str, list[str]]:
        # The two lists there are, of one and of many, live as long as the node.
        found = self._read.get(id(tokens))
        if found is None:
            found = self._read[id(tokens)] = super().render_token_list(tokens)
        return found[0], [*found[1]]


class _Scope(Node):
    """The nodes of a block: variables that they set are gone after it."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodelist = NodeList(nodes)

    def render(self, context: Context) -> str:
        with context.push():
            return self.nodelist.render(context)


def _name_in(expression: Any) -> str:
    """The name that a tag is given in quotes. Raises _Dynamic."""
    value = expression.var
    if isinstance(value, Variable):
        value = value.literal
    if expression.filters or not isinstance(value, str):
        raise _Dynamic
    return str(value)


def _is_known(node: Node) -> bool:
    """Whether a node sets no variable for those after it, and remembers nothing."""
    if isinstance(node, (IfNode, *_CONTAINERS)):
        return all(map(_is_known, (inner for nodes in _lists(node) for inner in nodes)))
    for kind, naming in _NAMED:
        if isinstance(node, kind):
            return getattr(node, naming) is None
    return isinstance(node, (*_PLAIN, _Fixed, IncludeNode))


def _lists(node: Any) -> list[NodeList]:
    if isinstance(node, IfNode):
        return [nodes for _, nodes in node.conditions_nodelists]
    return [getattr(node, attribute) for attribute in node.child_nodelists]


def _is_fixed(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        fixed = node.asvar is None and node.message_context is None
        return fixed and _is_quoted(node.filter_expression)
    if isinstance(node, StaticNode):
        return node.varname is None and _is_quoted(node.path)
    return isinstance(node, TextNode)


def _is_quoted(expression: Any) -> bool:
    try:
        _name_in(expression)
    except _Dynamic:
        return False
    return True


def _merged(nodes: Iterable[Node]) -> Iterator[Node]:
    """The same with neighbours that are fixed as one."""
    waiting: list[Node] = []
    for node in nodes:
        if isinstance(node, _Fixed):
            waiting += node.nodes
        elif _is_fixed(node):
            waiting.append(node)
        else:
            yield from _as_one(waiting)
            waiting = []
            yield node
    yield from _as_one(waiting)


def _as_one(nodes: list[Node]) -> list[Node]:
    if not nodes:
        return []
    texts = [node.s for node in nodes if isinstance(node, TextNode)]
    return [TextNode("".join(texts)) if len(texts) == len(nodes) else _Fixed(nodes)]
