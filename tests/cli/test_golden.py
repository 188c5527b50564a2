"""What the commands print today is what they printed when it was accepted by `make golden`."""

import pytest
import transcripts

GOLDEN = sorted((transcripts.ROOT / "tests" / "golden").glob("*.md"))


@pytest.mark.heavy
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_outputs_are_the_accepted_ones(path):
    accepted = path.read_text(encoding="utf-8")
    assert transcripts.examples(accepted)
    assert transcripts.updated(accepted) == accepted
