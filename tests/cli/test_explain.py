"""gmmcli explain: every word that an option takes is explained, in plain text for any terminal."""

import re
from typing import get_args

import pytest

from gmmcli.cli.explain import topics
from gmmcli.cli.options import Init
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.selection import CRITERIA

ROUND = ("EII", "VII")
ALONG_COLUMNS = ("EEI", "VEI", "EVI", "VVI")
TURNED = ("EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")
MODELS = (*ROUND, *ALONG_COLUMNS, *TURNED)
PICTURE = r"  .*\n     parameters: .*\n\n((?:.*[#+].*\n)+)"


@pytest.fixture
def explained(cli):
    """The text on a topic."""

    def text(topic):
        outcome = cli("explain", topic)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    return text


@pytest.mark.parametrize("topic", topics())
def test_a_topic_is_plain_text_for_a_narrow_terminal_in_any_locale(explained, topic):
    text = explained(topic)
    title, blank, *rest = text.split("\n")
    assert title.isprintable()
    assert blank == ""
    assert text.isascii()
    assert max(map(len, text.split("\n"))) <= 80
    assert "source" in text.lower()
    # what it refers to exists
    assert set(re.findall(r"gmmcli explain (\w+)", " ".join(rest))) <= set(topics())


def test_alone_it_lists_the_topics_with_their_titles(cli, explained):
    lines = cli("explain").lines()
    assert [line.split()[0] for line in lines] == topics()
    assert {"covariance", "criteria", "merging", "regularisation", "starts"} <= set(topics())
    for line in lines:
        name, _, title = line.partition(" ")
        assert explained(name).startswith(title.strip() + "\n")
        assert len(line) <= 80


def test_every_covariance_structure_is_explained_with_a_picture(explained):
    text = explained("covariance")
    for name in MODELS:
        entry = re.search(
            rf"^{name}  .*\n     parameters: .*\n\n((?:.*[#+].*\n)+)", text, re.MULTILINE
        )
        assert entry is not None, name
    for name in STRUCTURES:
        assert re.search(rf"\b{name}\b", text), name
    assert "spherical is VII, diag is VVI, tied is EEE, full is VVV" in " ".join(text.split())


def test_the_pictures_differ_where_the_letters_say_so(explained):
    text = explained("covariance")

    def sizes(name):
        """The area of each of the three ellipses."""
        picture = re.search(f"^{name}{PICTURE}", text, re.MULTILINE).group(1)
        lines = [line.ljust(57)[3:] for line in picture.splitlines()]
        return [sum(line[a : a + 18].count("#") for line in lines) for a in (0, 18, 36)]

    for name in MODELS:
        first, second, third = sizes(name)
        if name[0] == "V":
            assert first < second < third
        else:
            assert max(first, second, third) - min(first, second, third) <= 3


def test_every_criterion_is_explained_with_its_sign(explained):
    text = explained("criteria")
    for name in CRITERIA:
        assert re.search(rf"^  {name} +\S", text, re.MULTILINE | re.IGNORECASE), name
    assert "lower is better for every one of them" in text
    assert "opposite sign" in text


def test_every_kind_of_start_is_explained(explained):
    plain = explained("starts").replace("k-means", "kmeans")
    assert all(name in plain for name in get_args(Init))


def test_a_topic_that_does_not_exist_is_answered_with_those_that_do(cli):
    outcome = cli("explain", "covarience")
    assert (outcome.code, outcome.out) == (2, "")
    message, advice = outcome.err.splitlines()
    assert message == "gmmcli: error: there is no topic 'covarience'"
    assert advice.startswith("did you mean covariance? the topics: bayes, covariance, ")
    outcome = cli("explain", "xyz")
    assert outcome.err.splitlines()[1].startswith("the topics: ")


def test_standard_output_that_cannot_be_written_is_said(installed):
    with open("/dev/full", "wb") as full:
        outcome = installed("explain", "covariance", capture_output=False, stdout=full, stderr=-1)
    assert outcome.code == 1
    assert "cannot write standard output" in outcome.err
