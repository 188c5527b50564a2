"""Which columns are features."""

import pytest

from gmmcli.data import choose_among, choose_features, find_column, match_columns
from gmmcli.errors import DataError, ModelError, UsageError

CONTENT = "a,b,group,3,c,none\n1,2,x,4,5,\n2,3,y,5,6,\n"


@pytest.fixture
def opened(table):
    return table(CONTENT)


@pytest.mark.parametrize(
    ("specs", "used"),
    [
        ((), "a b 3 c"),
        (("c", "a"), "c a"),
        (("1",), "a"),
        (("3",), "3"),
        (("1-2", "5"), "a b c"),
        (("!a",), "b 3 c"),
        (("!1-2",), "3 c"),
        (("1-5", "!group", "!b"), "a 3 c"),
        (("a", "a", "1"), "a"),
    ],
)
def test_specs(opened, specs, used):
    assert choose_features(opened, specs).used == tuple(used.split())


def test_why_the_others_are_left_out(opened):
    features = choose_features(opened, (), reserved=("c",))
    assert features.used == ("a", "b", "3")
    assert features.left_out == (("group", "text"), ("c", "has another role"), ("none", "empty"))
    features = choose_features(opened, ("1-2", "!b"))
    assert dict(features.left_out)["b"] == "left out as asked"
    assert dict(features.left_out)["c"] == "not asked for"


def test_a_name_that_starts_with_an_exclamation_mark(table):
    assert choose_features(table("!a,a\n1,2\n"), ("!a",)).used == ("!a",)


@pytest.mark.parametrize(
    ("specs", "message", "advice"),
    [
        (("A",), "no column 'A'", "close to it: 'a'"),
        (("gruop",), "no column 'gruop'", "close to it: 'group'"),
        (("zzz",), "no column 'zzz'", "its columns: 'a', 'b', 'group'"),
        (("a,b",), "no column 'a,b'", "-C 'a' -C 'b'"),
        (("9",), "no column '9'", "its columns"),
        (("4-9",), "no columns 4-9", "from 1 to 6"),
        (("3-2",), "no columns 3-2", "from 1 to 6"),
        (("!zzz",), "no column 'zzz'", "its columns"),
        (("group",), "column 'group' is not numeric: row 1 holds 'x'", "-C '!group'"),
        (("1-3",), "column 'group' is not numeric", ""),
        (("!1-6",), "no numeric column is left", ""),
    ],
)
def test_specs_that_cannot_be(opened, specs, message, advice):
    with pytest.raises(DataError, match=message) as caught:
        choose_features(opened, specs)
    assert advice in caught.value.advice


def test_a_column_with_two_roles(opened):
    with pytest.raises(UsageError, match="column 'c' is asked for as a feature and in another"):
        choose_features(opened, ("a", "c"), reserved=("c",))
    assert choose_features(opened, ("4-5",), reserved=("c",)).used == ("3",)


def test_a_table_without_rows(table):
    with pytest.raises(DataError, match="has no rows"):
        choose_features(table("x,y\n"), ())


def test_finding_one_column(opened):
    assert find_column(opened, "group") == "group"
    assert find_column(opened, "5", numeric=True) == "c"
    with pytest.raises(DataError, match="no column 'cc'"):
        find_column(opened, "cc")
    with pytest.raises(DataError, match="'group' is not numeric: row 1 holds 'x'"):
        find_column(opened, "group", numeric=True)


def test_the_columns_of_a_model(opened):
    match_columns(opened, ("c", "a"))
    with pytest.raises(ModelError, match="no columns 'gruop', 'd', which the model") as caught:
        match_columns(opened, ("a", "gruop", "d"))
    assert "'group'" in caught.value.advice
    with pytest.raises(ModelError, match="'group' is not numeric: row 1 holds 'x', and the model"):
        match_columns(opened, ("a", "group"))


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        (["b"], ("b",)),
        (["3", "a"], ("c", "a")),
        (["1-2"], ("a", "b")),
        (["!b"], ("a", "c")),
        (["1-3", "!a"], ("b", "c")),
    ],
)
def test_columns_of_a_model_are_chosen_as_those_of_a_table(specs, expected):
    assert choose_among(("a", "b", "c"), specs, owner="the model") == expected


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["d"], "the model has no column 'd'"),
        (["2-4"], "the model has no columns 2-4"),
        (["!1-3"], "no column of the model is left"),
    ],
)
def test_columns_that_a_model_does_not_have(specs, message):
    with pytest.raises(DataError, match=message):
        choose_among(("a", "b", "c"), specs, owner="the model")
