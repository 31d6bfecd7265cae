"""Styles inside the tags of a letter: many mail programs read no style sheet."""

import css_inline

from pipeline.errors import TemplateError

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def inlined(html: str, template: str) -> str:
    """The HTML of a template's letter with its styles in its tags; TemplateError where they can't be put there."""
    try:
        return _INLINER.inline(html)
    except (css_inline.InlineError, ValueError) as error:
        raise TemplateError(
            "{template}: its styles can't be inlined: {reason}", template=template, reason=error
        ) from error
