"""Where bytes stop being UTF-8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import utf8


def by_python(data: bytes) -> int | None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


@given(st.lists(st.one_of(st.text(max_size=6).map(str.encode), st.binary(max_size=3)), max_size=6).map(b"".join))
def test_the_first_wrong_byte_is_where_python_finds_it(data: bytes) -> None:
    for at_once in (4, 5, 7, 2**20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(utf8, "AT_ONCE", at_once)
            assert utf8.first_wrong_byte(data) == by_python(data)
