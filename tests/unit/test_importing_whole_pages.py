"""A description that is a whole page, or calls itself one, is read as any piece of HTML."""

import pytest

from pipeline.importing.markup import as_markdown


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html><head><title>T</title></head><body><p>Hi <b>you</b></p></body></html>", "Hi **you**"),
        ("<html><body>a</body><body>b</body></html>", "ab"),
        ("<html><head>x", "x"),
        ("<p>one</p></div></div><p>two", "one\n\ntwo"),
    ],
)
def test_a_page_with_one_body_or_two_or_none_is_read(page: str, words: str) -> None:
    assert as_markdown(page) == words
