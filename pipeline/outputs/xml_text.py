"""XML written as text: a tree of a long file takes longer than its text. Catalogues hold no forbidden characters."""

DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"


def escaped(text: str) -> str:
    """A text as the content of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str) -> str:
    """A text on one line as the value of an attribute, between double quotes."""
    return escaped(text).replace('"', "&quot;")
