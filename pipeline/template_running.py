"""How the code of templates runs: its variables, blocks and macros, each found in one step."""

from collections.abc import Callable, Mapping, MutableMapping
from functools import cached_property, partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NoReturn

import jinja2
from jinja2.environment import TemplateModule
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro, markup_join
from jinja2.utils import missing

from pipeline.template_code import ARE_MACROS, CALLING, Code, bare, marked_safe

_PLAIN = frozenset({FunctionType, MethodType, BuiltinFunctionType})

Blocks = dict[str, list[Any]]
"""What stands in each block, by its name: the innermost template's first."""


class _Macro(Macro):
    """A macro whose function may be called at once: the library's own way is a long one for a few values."""

    def __init__(self, environment: jinja2.Environment, func: Callable[..., str], *about: Any) -> None:
        super().__init__(environment, func, *about)
        self.asks_for_context = CALLING in self.arguments[:1]
        is_plain = not (self.caller or self.catch_kwargs or self.catch_varargs)
        self.takes = len(self.arguments) - self.asks_for_context if is_plain else -1
        self.func: Any = func
        # It puts its defaults in the place of those that are missing.
        self.func.__defaults__ = (missing,) * len(self.arguments) if is_plain else None


class _Words(dict[str, Any]):
    """The variables of a page; one that it lacks is what tells of that where it is used."""

    __slots__ = ("_undefined",)

    def __init__(self, environment: jinja2.Environment, *tables: Mapping[str, Any]) -> None:
        self._undefined = environment.undefined
        for table in tables:
            self.update(table)

    def __missing__(self, name: str) -> Any:
        return self._undefined(name=name)


class _Context(Context):
    """Holds all variables in one table. Calls macros at once; all else is looked at as the library does."""

    def __init__(
        self,
        environment: jinja2.Environment,
        parent: Mapping[str, Any],
        name: str | None,
        blocks: Mapping[str, Any],
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the library's
    ) -> None:
        self.words = self.vars = self.parent = parent if type(parent) is _Words else _Words(environment, parent)
        self.environment = environment
        self.eval_ctx = EvalContext(environment, name)
        self.exported_vars = set()
        self.name = name
        self.globals_keys = set(globals or ())
        self.blocks = {name: [block] for name, block in blocks.items()}

    def resolve_or_missing(self, key: str) -> Any:
        """A variable, or what the library takes for none."""
        return self.words.get(key, missing)

    def get_all(self) -> dict[str, Any]:
        """All variables; another template makes its own table of them."""
        return self.words

    def called(self, obj: Any, given: int) -> Callable[..., Any]:
        """What to call in the place of something that isn't a plain function, with so many values."""
        if type(obj) is _Macro and given <= obj.takes:
            return partial(obj.func, self) if obj.asks_for_context else obj.func
        return partial(self.call, obj)

    def call(self, obj: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """What the callable returns."""
        kind = type(obj)
        if kind is _Macro:
            macro: Any = obj
            return macro(self.eval_ctx, *((self,) if macro.asks_for_context else ()), *args, **kwargs)
        if kind in _PLAIN and not hasattr(obj, "jinja_pass_arg"):
            return obj(*args, **kwargs)
        return super().call(obj, *args, **kwargs)


class _Template(jinja2.Template):
    """One that holds nothing but macros is made once and not for each page that imports it."""

    _made: TemplateModule | None = None

    @cached_property
    def _stacks(self) -> Blocks:
        return {name: [block] for name, block in self.blocks.items()}

    @cached_property
    def _above(self) -> dict[int, tuple[Blocks, Blocks]]:
        """The blocks of those that extend this one, by their identity, and what `below` makes of them."""
        return {}

    def new_context(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - the library's
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> _Context:
        """The variables of a page and its blocks, which are the same for all pages."""
        own = {name: value for name, value in locals.items() if value is not missing} if locals else {}
        words = _Words(self.environment, {} if shared else self.globals, vars or {}, own)
        context = _Context(self.environment, words, self.name, {}, self.globals)
        context.blocks = self._stacks
        return context

    def below(self, blocks: Blocks) -> Blocks:
        """The blocks of a template that extends this one, each with that of this one below it."""
        # Held on to, so that no others are found in their place.
        found = self._above.get(id(blocks))
        if found is None:
            stacks = {name: [*blocks.get(name, ()), *self._stacks.get(name, ())] for name in {**blocks, **self._stacks}}
            found = self._above[id(blocks)] = blocks, stacks
        return found[1]

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - the library's
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> TemplateModule:
        """What it defines, for the page with these variables."""
        if not self.root_render_func.__globals__[ARE_MACROS]:
            return super().make_module(vars, shared, locals)
        if self._made is None:
            self._made = super().make_module()
        return self._made


class Environment(jinja2.Environment):
    """Jinja's own, with our code and context."""

    code_generator_class = Code
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

    def encoded(self, name: str, words: Mapping[str, Any]) -> bytes:
        """A text in UTF-8: each piece by itself, since one rare letter makes the encoding of a whole text slow."""
        template = self.get_template(name)
        try:
            return b"".join(map(str.encode, template.root_render_func(template.new_context(dict(words)))))
        except Exception:  # noqa: BLE001 - raised again, with its place in the template
            self.handle_exception()

    bare = staticmethod(bare)
    marked_safe = staticmethod(marked_safe)
    plain = _PLAIN

    @staticmethod
    def named(known: Mapping[str, Callable[..., Any]], kind: str, name: str) -> Callable[..., Any]:
        """A filter or a test; where there is none, what tells of that once it is used."""

        def unknown(*_given: object) -> NoReturn:
            raise jinja2.TemplateRuntimeError(f"No {kind} named {name!r} found.")

        return known.get(name, unknown)

    @staticmethod
    def joined(parts: tuple[Any, ...]) -> str:
        """What stands between tildes as one text; it is HTML as soon as one of them is."""
        for part in parts:
            if type(part) is not str:
                return markup_join(parts)
        return "".join(parts)
