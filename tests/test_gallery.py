"""The pictures in README.md are those that its commands draw."""

import re
import shutil

import gallery
import pytest
import transcripts

PARTS = gallery.parts()
DRAWN = re.compile(rf"{gallery.FOLDER.as_posix()}/(\S+\.svg)")


def test_each_picture_is_drawn_once():
    commands = [example.command for part in PARTS for example in part.examples]
    assert sorted(DRAWN.findall("\n".join(commands))) == list(gallery.kept())
    assert [e for part in PARTS for e in part.examples] == transcripts.examples(gallery.section())


@pytest.mark.heavy
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_gallery_is_what_the_readme_draws_today(part):
    names = DRAWN.findall("\n".join(example.command for example in part.examples))
    assert names
    with transcripts.new_folder() as folder:
        target = folder / gallery.FOLDER
        shutil.rmtree(target)
        target.mkdir()
        assert transcripts.played(part, folder=folder) == part.examples
        kept, pictures = gallery.kept(), gallery.kept(folder)
    assert list(pictures) == sorted(names)
    assert [name for name in names if not gallery.same(kept[name], pictures[name])] == []


def test_the_readme_shows_the_whole_gallery_with_a_text_for_each():
    text = gallery.README.read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^]]+)\]\(sample_data/gallery/([^)]+)\)", text)
    assert sorted(name for _, name in shown) == list(gallery.kept())
    assert all(len(words) > 20 for words, _ in shown)


def test_the_gallery_is_small():
    assert sum(len(svg.encode()) for svg in gallery.kept().values()) < 400_000


def test_another_picture_is_not_the_same():
    pictures = gallery.kept()
    svg = pictures["clusters.svg"]
    assert gallery.same(svg, svg)
    assert not gallery.same(svg, pictures["full.svg"])
    moved = re.sub(r"(?<= d=\"M )(\d+)", lambda match: str(int(match.group()) + 1), svg, count=1)
    assert moved != svg
    assert not gallery.same(svg, moved)
    nearly = re.sub(r"(\.\d{5})\d", r"\g<1>9", svg)
    assert nearly != svg
    assert gallery.same(svg, nearly)
    renamed = re.sub(r"(id=\"|#)p([0-9a-f]{10})\b", r"\g<1>q\2", svg)
    assert renamed != svg
    assert gallery.same(svg, renamed)
