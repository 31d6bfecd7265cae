"""How templates become code, and how that runs: a page calls hundreds of small things, and each of them counts."""

from collections.abc import Callable, Hashable, Iterator, MutableMapping
from types import CodeType, FunctionType, MethodType
from typing import Any, ClassVar

import jinja2
import markupsafe
from jinja2 import nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from pipeline.language import words
from pipeline.template_blocks import refuse_unknown_blocks, sources_above

_PLAIN = frozenset({FunctionType, MethodType})

_FIXED_WORD = ("name", "lparen", "string", "rparen")

# The library's own, without the wrapper that would mark the text as safe: what is written out needs no mark.
_bare: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)


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

    def parse(self, parser: Parser) -> nodes.Node:
        """The piece as a call of `_piece`, which asks for the body where it has none."""
        line = next(parser.stream).lineno
        # The context goes as an argument: what asks for it gets a copy of all that is in it.
        keys: list[nodes.Expr] = [nodes.ContextReference(), nodes.Const(f"{parser.name}:{line}")]
        while parser.stream.current.type != "block_end":
            keys.append(parser.parse_expression())
            parser.stream.skip_if("comma")
        body = parser.parse_statements(("name:endreused",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_piece", keys), [], [], body).set_lineno(line)

    def _piece(self, context: Context, *keys: Hashable, caller: Callable[[], str]) -> str:
        pieces: MutableMapping[Hashable, str] | None = context.get("made_pieces")
        if pieces is None or None in keys:
            return caller()
        if (made := pieces.get(keys)) is None:
            made = pieces[keys] = caller()
        return made


class Compiled(jinja2.BytecodeCache):
    """What templates were compiled to, for all renderers of a process: compiling one costs more than a page."""

    _codes: ClassVar[dict[tuple[str, str], tuple[str, CodeType]]] = {}

    def __init__(self, language: str) -> None:
        self._language = language

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        """What is kept for a source and those of all that it extends: their blocks were looked at while compiling."""
        sources = "\0".join((source, *sources_above(environment, source)))
        return super().get_bucket(environment, name, filename, sources)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Takes the code of the same source, where there is one."""
        checksum, code = self._codes.get((self._language, bucket.key), ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code."""
        if bucket.code is not None:
            self._codes[self._language, bucket.key] = bucket.checksum, bucket.code


class _Code(CodeGenerator):
    """Code that escapes what it writes out without making an object of each text; none for blocks that nobody has."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - the library's
        refuse_unknown_blocks(self.environment, node, self.name or "", self.filename)
        super().visit_Template(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class _Context(Context):
    """Calls functions and macros at once; all else that may be called is looked at as the library does."""

    def call(self, obj: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """What the callable returns."""
        kind = type(obj)
        if kind is Macro:
            args = (self.eval_ctx, *args)
        elif kind not in _PLAIN or hasattr(obj, "jinja_pass_arg"):
            return super().call(obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return obj(*args, **kwargs)


class Environment(jinja2.Environment):
    """Jinja's own, with our code and context."""

    code_generator_class = _Code
    context_class = _Context

    @staticmethod
    def escaped(value: Any) -> str:
        """A value as HTML; what is marked as safe as it is."""
        if type(value) is str:
            return _bare(value)
        return value if type(value) is Markup else escape(value)
