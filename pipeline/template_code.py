"""How templates become code, and how that runs: a page calls hundreds of small things, and each of them counts."""

from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any, ClassVar

import jinja2
import markupsafe
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro, markup_join
from jinja2.utils import missing
from markupsafe import Markup, escape

from pipeline.language import words
from pipeline.template_blocks import refuse_unknown_blocks, sources_above

_PLAIN = frozenset({FunctionType, MethodType, BuiltinFunctionType})

MANY = 4
"""So many pieces are worth joining."""

Pieces = MutableMapping[Hashable, str] | jinja2.Undefined
"""The variable `made_pieces`."""

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


def _found(pieces: Pieces, keys: tuple[Hashable, ...]) -> str | None:
    return None if isinstance(pieces, jinja2.Undefined) else pieces.get(keys)


def _keep(pieces: Pieces, keys: tuple[Hashable, ...], piece: str) -> None:
    if not (isinstance(pieces, jinja2.Undefined) or None in keys):
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


_CALLING = "_calling"
"""The first value of each macro of a template that holds nothing else: the context of the page that calls it."""
_ARE_MACROS = "are_macros"


def _is_macro(node: nodes.Node) -> bool:
    """Whether it is a macro, or the space between two."""
    if isinstance(node, nodes.Output):
        return all(isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes)
    return isinstance(node, nodes.Macro)


class _Code(CodeGenerator):
    """Code that escapes what it writes out without making an object of each text; none for blocks that nobody has."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - the library's
        refuse_unknown_blocks(self.environment, node, self.name or "", self.filename)
        if are_macros := all(map(_is_macro, node.body)):
            for macro in node.find_all(nodes.Macro):
                macro.args.insert(0, nodes.Name(_CALLING, "param"))
        super().visit_Template(node, frame)
        self.writeline(f"{_ARE_MACROS} = {are_macros}")
        self.writeline("Macro = environment.macro_class")

    def enter_frame(self, frame: Frame) -> None:
        """A macro that is imported once looks for its words on the page that calls it."""
        if _CALLING in frame.symbols.refs:
            self.writeline(f"context = {frame.symbols.refs[_CALLING]}")
            self.writeline("resolve = context.resolve_or_missing")
        super().enter_frame(frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        """What stands side by side is given on as one text: each goes through all templates that are extended."""
        if frame.buffer is not None or frame.require_output_check or len(node.nodes) < MANY:
            super().visit_Output(node, frame)
            return
        together = frame.copy()
        together.buffer = self.temporary_identifier()
        self.writeline(f"{together.buffer} = []")
        super().visit_Output(node, together)
        self.writeline(f"yield concat({together.buffer})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if type(node) is nodes.InternalName:
            self.write("(")  # a piece, which is HTML already
        elif _is_escaped(frame, finalize):
            self.write("(environment.bare(_text) if type(_text := ")
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
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        # Without the variables of the block and the loop, which none of the functions that pages know asks for.
        self.write("context.call(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        # The library's way, which also looks for an item of that name, where there is no such attribute.
        self.write("(_found if (_found := getattr((_of := ")
        self.visit(node.node, frame)
        self.write(f"), {node.attr!r}, missing)) is not missing else environment.getattr(_of, {node.attr!r}))")


def _is_escaped(frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> bool:
    """Whether what is written out there is known to be escaped."""
    return bool(frame.eval_ctx.autoescape) and not frame.eval_ctx.volatile and finalize.src is None


class _Macro(Macro):
    """A macro that knows of most calls ahead what they need: the library's own way is a long one for a few values."""

    def __init__(self, environment: jinja2.Environment, func: Callable[..., str], *about: Any) -> None:
        super().__init__(environment, func, *about)
        self.func = func
        self.asks_for_context = _CALLING in self.arguments[:1]
        is_plain = not (self.caller or self.catch_kwargs or self.catch_varargs)
        # It puts its defaults in the place of those that are missing.
        takes = len(self.arguments)
        self.missing = [(missing,) * (takes - given) for given in range(takes + 1)] if is_plain else []


class _Context(Context):
    """Calls functions and macros at once; all else that may be called is looked at as the library does."""

    def call(self, obj: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """What the callable returns."""
        kind = type(obj)
        if kind is _Macro:
            macro: Any = obj
            if macro.asks_for_context:
                args = (self, *args)
            if kwargs or len(args) >= len(macro.missing):
                return macro(self.eval_ctx, *args, **kwargs)
            text = macro.func(*args, *macro.missing[len(args)])
            return marked_safe(text) if self.eval_ctx.autoescape else text
        if kind in _PLAIN and not hasattr(obj, "jinja_pass_arg"):
            return obj(*args, **kwargs)
        return super().call(obj, *args, **kwargs)


class _Template(jinja2.Template):
    """One that holds nothing but macros is made once and not for each page that imports it."""

    _made: TemplateModule | None = None

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - the library's
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> TemplateModule:
        """What it defines, for the page with these variables."""
        if not self.root_render_func.__globals__[_ARE_MACROS]:
            return super().make_module(vars, shared, locals)
        if self._made is None:
            self._made = super().make_module()
        return self._made


class Environment(jinja2.Environment):
    """Jinja's own, with our code and context."""

    code_generator_class = _Code
    context_class = _Context
    template_class = _Template
    macro_class = _Macro

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[object, jinja2.Template] = {}

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - the library's
    ) -> jinja2.Template:
        """A template, looked for once: each page asks for the same few."""
        if globals is not None:
            return super().get_template(name, parent, globals)
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = super().get_template(name, parent)
            # One table instead of two that are looked through together; each page copies it.
            found.globals = dict(found.globals)
        return found

    bare = staticmethod(bare)

    @staticmethod
    def joined(parts: tuple[Any, ...]) -> str:
        """What stands between tildes as one text; it is HTML as soon as one of them is."""
        for part in parts:
            if type(part) is not str:
                return markup_join(parts)
        return "".join(parts)
