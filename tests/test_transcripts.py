"""README.md is in step with the programs, and what checks that can fail."""

import re

import gallery
import pytest
import transcripts
from effort import THOROUGH
from transcripts import Example

README = (transcripts.ROOT / "README.md").read_text(encoding="utf-8")
PARTS = transcripts.parts(README)
# test_gallery.py runs the others, and looks at what they draw
DRAWN = gallery.parts()
OTHERS = [part for part in PARTS if part not in DRAWN]


def test_every_example_in_the_readme_is_in_one_part():
    found = [example for part in PARTS for example in part.examples]
    assert found == transcripts.examples(README)
    assert len(found) > 40
    assert len(OTHERS) + len(DRAWN) == len(PARTS)
    assert len(DRAWN) >= 3
    assert len({part.name for part in PARTS}) == len(PARTS)


@pytest.mark.heavy
@pytest.mark.parametrize("part", OTHERS, ids=lambda part: part.name)
def test_the_examples_in_the_readme_print_what_it_says(part):
    with transcripts.new_folder() as folder:
        assert transcripts.played(part, folder=folder) == part.examples


@pytest.mark.skipif(not THOROUGH, reason="its parts are run one by one")
def test_the_examples_in_the_readme_follow_one_another():
    assert transcripts.updated(README) == README


def test_the_readme_shows_the_help_of_each_command(tmp_path):
    listed = transcripts.run("gmmcli --help", folder=tmp_path)
    commands = re.findall(r"^  ([a-z][a-z-]+)  ", listed, re.MULTILINE)
    assert {"fit", "generate", "merge", "plot", "predict", "select-k"} <= set(commands)
    shown = {example.command for example in transcripts.examples(README)}
    assert {"gmmcli --help", *(f"gmmcli {name} --help" for name in commands)} <= shown


def test_the_demo_is_the_golden_one():
    makefile = (transcripts.ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^demo: [^#]*## .*\n((?:\t.*\n)+)", makefile, re.MULTILINE).group(1)
    golden = (transcripts.ROOT / "tests" / "golden" / "demo.md").read_text(encoding="utf-8")
    commands = [example.command for example in transcripts.examples(golden)]
    assert [line.strip() for line in recipe.splitlines()] == commands


TRANSCRIPT = """\
Text with a `$ command` that is none.

```console
$ printf 'one\\n2.0\\n'
one
2.0
$ cat <<END
> a b
> END
a b
```

```sh
$ not an example
```

```console
$ true
```
"""


def test_examples_are_found_with_their_outputs():
    assert transcripts.examples(TRANSCRIPT) == [
        Example("printf 'one\\n2.0\\n'", "one\n2.0\n"),
        Example("cat <<END\na b\nEND", "a b\n"),
        Example("true", ""),
    ]


CHAIN = """\
# One

```console
$ seq 3 > a.txt; wc -l < a.txt
3
$ echo unrelated | tee out.txt
unrelated
```

## Two

```console
$ mkdir more
$ for i in 1 2; do head -n $i a.txt > more/$i.txt; done
$ echo 7 > out.txt
```

```console
$ cat more/*.txt > b.txt
```

## Three

```console
$ cat b.txt
1
1
2
$ echo 8 > out.txt
```

```console
$ cat out.txt
8
```
"""


def test_the_parts_of_a_transcript_have_what_makes_their_files_before_them():
    parts = transcripts.parts(CHAIN)
    assert [part.name for part in parts] == ["One, 1", "Two, 1", "Two, 2", "Three, 1", "Three, 2"]
    assert [e for part in parts for e in part.examples] == transcripts.examples(CHAIN)
    needed = [[example.command.split()[0] for example in part.before] for part in parts]
    made = ["seq", "mkdir", "for"]
    assert needed == [[], ["seq"], made, [*made, "cat"], ["echo", "echo"]]
    for part in parts:
        with transcripts.new_folder() as folder:
            assert transcripts.played(part, folder=folder) == part.examples


def test_a_part_out_of_step_is_seen():
    (*_, stale, _) = transcripts.parts(CHAIN.replace("\n1\n1\n2\n", "\n1\n2\n2\n"))
    with transcripts.new_folder() as folder:
        first, second = transcripts.played(stale, folder=folder)
    assert (first.output, second) == ("1\n1\n2\n", stale.examples[1])
    assert first != stale.examples[0]


def test_a_part_without_what_it_reads_is_an_error(tmp_path):
    (part,) = transcripts.parts("```console\n$ cat missing.txt\n```\n")
    with pytest.raises(RuntimeError, match=r"missing\.txt"):
        transcripts.played(part, folder=tmp_path)


def test_a_transcript_in_step_stays_as_it_is():
    assert transcripts.updated(TRANSCRIPT) == TRANSCRIPT
    nearly = TRANSCRIPT.replace("\n2.0\n", "\n2.0000001\n")
    assert transcripts.updated(nearly) == nearly


@pytest.mark.parametrize(("true", "false"), [("\na b\n", "\na c\n"), ("\n2.0\n", "\n2.1\n")])
def test_a_transcript_out_of_step_is_brought_up_to_date(true, false):
    stale = TRANSCRIPT.replace(true, false)
    assert stale != TRANSCRIPT
    pairs = list(transcripts.replayed(stale))
    assert [transcripts.same(old.output, new.output) for old, new in pairs].count(False) == 1
    assert transcripts.updated(stale) == TRANSCRIPT


@pytest.mark.parametrize("command", ["false", "false | cat", "no-such-command"])
def test_a_command_that_fails_is_an_error(command, tmp_path):
    with pytest.raises(RuntimeError, match="ends with"):
        transcripts.run(command, folder=tmp_path)


def test_examples_see_the_sample_data_but_not_the_caller(monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    text = "```console\n$ ls; echo ${SECRET-unset}\nsample_data\nunset\n```\n"
    assert transcripts.updated(text) == text


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("bic 10.5", "bic 10.5", True),
        ("bic 10.50000001", "bic 10.5", True),
        ("bic 10.501", "bic 10.5", False),
        ("bic 10.5", "bic  10.5", False),
        ("bic 10.5", "aic 10.5", False),
        ("p 1e-17", "p 3.5e-18", True),
        ("1,2", "1,2,3", False),
        ("cluster 1", "cluster 2", False),
        ("-1.5", "1.5", False),
    ],
)
def test_numbers_agree_to_six_digits_and_text_exactly(left, right, expected):
    assert transcripts.same(left, right) is expected
