"""How templates become code, and how that runs: a page calls hundreds of small things, and each of them counts."""

from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping
from functools import partial
from itertools import groupby
from types import CodeType
from typing import ClassVar

import jinja2
import markupsafe
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, DependencyFinderVisitor, Frame
from jinja2.ext import Extension
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from markupsafe import Markup, escape

from pipeline.language import words
from pipeline.template_blocks import refuse_unknown_blocks, sources_above

Pieces = MutableMapping[Hashable, str]
"""The variable `made_pieces`."""

MANY = 4
"""So many pieces are worth joining."""

_FIXED_WORD = ("name", "lparen", "string", "rparen")

bare: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)
"""A plain text as HTML: the library's own, without the wrapper that would mark it as safe."""

marked_safe: Callable[[str], Markup] = partial(str.__new__, Markup)
"""A text that is HTML, marked as such; the class itself asks each text first whether it isn't marked already."""


class WordsAtOnce(Extension):
    """Says each fixed interface word, `_("…")`, while its template is compiled: a page has dozens of them."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens of a template, with the text in the template's language where a call had nothing but a text."""
        say = words(str(self.environment.globals["language"]))
        tokens = list(stream)
        number = 0
        while number < len(tokens):
            token, types = tokens[number], tuple(one.type for one in tokens[number : number + 4])
            if types == _FIXED_WORD and token.value == "_":
                yield Token(token.lineno, "string", say(tokens[number + 2].value))
                number += len(types)
            else:
                yield token
                number += 1


class Reused(Extension):
    """`{% reused key, … %}…{% endreused %}`: a piece made once for all pages of a language that give the same keys.

    It is kept in the variable `made_pieces`, a dictionary; made each time where there is none, or a key is none.
    """

    tags = {"reused"}

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        # What is called by its place in the environment isn't looked at again by the context.
        environment.filters |= {"_found": _found, "_keep": _keep}
        environment.globals["made_pieces"] = _Nowhere()

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What looks for the piece, makes and keeps it where there is none, and writes it out."""
        line = next(parser.stream).lineno
        keys: list[nodes.Expr] = [nodes.Const(f"{parser.name}:{line}")]
        while parser.stream.current.type != "block_end":
            keys.append(parser.parse_expression())
            parser.stream.skip_if("comma")
        body = parser.parse_statements(("name:endreused",), drop_needle=True)
        named, piece = parser.free_identifier(line), parser.free_identifier(line)
        pieces = nodes.Name("made_pieces", "load")
        return [
            nodes.Assign(named, nodes.Tuple(keys, "load"), lineno=line),
            nodes.Assign(piece, nodes.Filter(pieces, "_found", [named], [], None, None), lineno=line),
            nodes.If(
                nodes.Not(piece),
                [
                    nodes.AssignBlock(piece, None, body, lineno=line),
                    nodes.ExprStmt(nodes.Filter(pieces, "_keep", [named, piece], [], None, None), lineno=line),
                ],
                [],
                [],
                lineno=line,
            ),
            nodes.Output([piece], lineno=line),
        ]


class _Nowhere(dict[Hashable, str]):
    """Keeps nothing."""

    def __setitem__(self, keys: Hashable, piece: str) -> None:
        pass


def _found(pieces: Pieces, keys: tuple[Hashable, ...]) -> str | None:
    try:
        return pieces[keys]
    except KeyError:
        return None


def _keep(pieces: Pieces, keys: tuple[Hashable, ...], piece: str) -> None:
    if None not in keys:
        pieces[keys] = piece


class Compiled(jinja2.BytecodeCache):
    """What templates were compiled to, for all renderers of a process: compiling one costs more than a page."""

    codes: ClassVar[dict[tuple[str, str], tuple[str, CodeType]]] = {}
    """By language and template, with a digest of the sources."""
    used: ClassVar[set[tuple[str, str]]] = set()
    """Which of them were asked for since somebody last emptied this."""

    def __init__(self, language: str) -> None:
        self._language = language

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        """What is kept for a source and those of all that it extends: their blocks were looked at while compiling."""
        sources = "\0".join((source, *sources_above(environment, source)))
        return super().get_bucket(environment, name, filename, sources)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Takes the code of the same source, where there is one."""
        checksum, code = self.codes.get((self._language, bucket.key), ("", None))
        if checksum == bucket.checksum:
            bucket.code = code
            self.used.add((self._language, bucket.key))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code."""
        if bucket.code is not None:
            self.codes[self._language, bucket.key] = bucket.checksum, bucket.code
            self.used.add((self._language, bucket.key))


CALLING = "_calling"
"""The first value of each macro of a template that holds nothing else: the context of the page that calls it."""
ARE_MACROS = "are_macros"
_LAST = """
{are_macros} = {value}
Macro, undefined, concat = environment.macro_class, environment.undefined, environment.concat
bare, marked_safe, plain, cond_expr_undefined = environment.bare, environment.marked_safe, environment.plain, Undefined
"""
"""What all functions of a template use, looked up once."""


def _is_macro(node: nodes.Node) -> bool:
    """Whether it is a macro, or the space between two."""
    if isinstance(node, nodes.Output):
        return all(isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes)
    return isinstance(node, nodes.Macro)


def _is_long(node: nodes.Node) -> bool:
    """Whether it is given on piece by piece: a list that is cut into `runs`, or what may hold one."""
    if isinstance(node, nodes.Block | nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport):
        return True
    if (
        isinstance(node, nodes.For)
        and isinstance(node.iter, nodes.Call)
        and getattr(node.iter.node, "name", "") == "runs"
    ):
        return True
    return any(map(_is_long, node.iter_child_nodes()))


class Code(CodeGenerator):
    """Code that escapes what it writes out without making an object of each text; none for blocks that nobody has."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - the library's
        refuse_unknown_blocks(self.environment, node, self.name or "", self.filename)
        if are_macros := all(map(_is_macro, node.body)):
            for macro in node.find_all(nodes.Macro):
                macro.args.insert(0, nodes.Name(CALLING, "param"))
        super().visit_Template(node, frame)
        for line in _LAST.format(are_macros=ARE_MACROS, value=are_macros).strip().splitlines():
            self.writeline(line)
        for kind, known in (("filter", self.filters), ("test", self.tests)):
            for name, identifier in known.items():
                self.writeline(f"{identifier} = environment.named(environment.{kind}s, {kind!r}, {name!r})")

    def pull_dependencies(self, nodes: Iterable[nodes.Node]) -> None:
        """Filters and tests get their names here, and are looked up once for the whole template."""
        visitor = DependencyFinderVisitor()
        for node in nodes:
            visitor.visit(node)
        for known, names in ((self.filters, visitor.filters), (self.tests, visitor.tests)):
            for name in sorted(names - known.keys()):
                known[name] = self.temporary_identifier()

    def write_commons(self) -> None:
        """What opens the function of a template or a block."""
        self.writeline("words = context.words")
        self.writeline("if 0: yield None")

    def enter_frame(self, frame: Frame) -> None:
        """A macro that is imported once looks for its words on the page that calls it."""
        loads = frame.symbols.loads
        if CALLING in frame.symbols.refs:
            self.writeline(f"context = {frame.symbols.refs[CALLING]}")
            self.writeline("words = context.words")
        words = "words" if len(self._context_reference_stack) == 1 else f"{self.get_context_ref()}.words"
        for target, (action, name) in loads.items():
            if action == VAR_LOAD_RESOLVE:
                self.writeline(f"{target} = {words}[{name!r}]")
        # The library writes the others.
        frame.symbols.loads = {target: load for target, load in loads.items() if load[0] != VAR_LOAD_RESOLVE}
        super().enter_frame(frame)
        frame.symbols.loads = loads

    def blockvisit(self, body: Iterable[nodes.Node], frame: Frame) -> None:
        """What stands together is given on as one text: each piece goes through all templates that are extended."""
        if frame.buffer is not None or frame.require_output_check:
            super().blockvisit(body, frame)
            return
        for is_long, together in groupby(body, _is_long):
            some = tuple(together)
            if is_long or (len(some) == 1 and isinstance(some[0], nodes.Output) and len(some[0].nodes) < MANY):
                super().blockvisit(some, frame)
            else:
                self.buffer(frame)
                super().blockvisit(some, frame)
                self.writeline(f"yield concat({frame.buffer})")
                frame.buffer = None

    def return_buffer_contents(self, frame: Frame, force_unescaped: bool = False) -> None:
        """The end of a macro, which marks its text itself; or as the library ends others."""
        if force_unescaped:
            self.writeline(f"return marked_safe(concat({frame.buffer})) if context.eval_ctx.autoescape else")
            self.write(f" concat({frame.buffer})")
        else:
            super().return_buffer_contents(frame)

    def visit_Extends(self, node: nodes.Extends, frame: Frame) -> None:  # noqa: N802
        if self.extends_so_far or not frame.rootlevel:
            self.writeline("context.blocks = {name: [*blocks] for name, blocks in context.blocks.items()}")
            super().visit_Extends(node, frame)
            return
        # The library adds block to block for each page.
        self.writeline("parent_template = environment.get_template(", node)
        self.visit(node.template, frame)
        self.write(f", {self.name!r})")
        self.writeline("context.blocks = parent_template.below(context.blocks)")
        self.has_known_extends = True
        self.extends_so_far += 1

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:  # noqa: N802
        ref = frame.symbols.ref(node.name)
        load = frame.symbols.find_load(ref) if node.ctx == "load" else None
        if load is not None and load[0] == VAR_LOAD_RESOLVE:
            self.write(ref)  # where it is missing, what says so
        else:
            super().visit_Name(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if type(node) is nodes.InternalName:
            self.write("(")  # a piece, which is HTML already
        elif _is_escaped(frame, finalize):
            self.write("(bare(_text) if type(_text := ")
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if type(node) is not nodes.InternalName and _is_escaped(frame, finalize):
            self.write(") is str else _text if type(_text) is Markup else escape(_text))")
        else:
            super()._output_child_post(node, frame, finalize)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        if not frame.eval_ctx.autoescape or frame.eval_ctx.volatile:
            super().visit_Concat(node, frame)
            return
        parts = [repr(part.value) if isinstance(part, nodes.Const) else "_part" for part in node.nodes]
        found = [part for part in node.nodes if not isinstance(part, nodes.Const)]
        if len(found) == 1:
            # As each way to the page of an event: most often it is a text, and the rest is known to be some.
            self.write("(" + " + ".join(parts) + " if type(_part := ")
            self.visit(found[0], frame)
            self.write(") is str else environment.joined((" + ", ".join(parts) + ")))")
            return
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:  # noqa: N802
        if node.name != "none":
            super().visit_Test(node, frame)
            return
        self.write("(")
        self.visit(node.node, frame)
        self.write(" is None)")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        # Without the variables of the block and the loop, which none of the functions that pages know asks for.
        if forward_caller or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.write("context.call(")
            self.visit(node.node, frame)
            self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
            self.write(")")
            return
        self.write("(_call if type(_call := ")
        self.visit(node.node, frame)
        self.write(') in plain and not hasattr(_call, "jinja_pass_arg")')
        self.write(f" else context.called(_call, {len(node.args)}))(")
        for one in node.args:
            self.visit(one, frame)
            self.write(", ")
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        # The library's way, which also looks for an item of that name, where there is no such attribute.
        of = "_of"
        self.write("(_found if (_found := getattr(")
        if isinstance(node.node, nodes.Name):
            of = frame.symbols.ref(node.node.name)
            self.visit(node.node, frame)
        else:
            self.write("(_of := ")
            self.visit(node.node, frame)
            self.write(")")
        self.write(f", {node.attr!r}, missing)) is not missing else environment.getattr({of}, {node.attr!r}))")


def _is_escaped(frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> bool:
    """Whether what is written out there is known to be escaped."""
    return bool(frame.eval_ctx.autoescape) and not frame.eval_ctx.volatile and finalize.src is None
