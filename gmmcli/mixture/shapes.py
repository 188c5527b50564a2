"""The covariance structures by name: what each means, and which is a special case of which.

A structure has three letters after Banfield & Raftery (1993), as in mclust: volume, shape and
orientation of the clusters, the factors of Sigma_k = lambda_k D_k A_k D_k^T. E is one for all
clusters, V one for each, I none: round shapes, or axes along the columns.

Knows no arrays, so that help and completion can read it without loading NumPy.
"""

MEANINGS = {
    "EII": "round; one size",
    "VII": "round; own size",
    "EEI": "along columns; one size and shape",
    "VEI": "along columns; one shape, own size",
    "EVI": "along columns; one size, own shape",
    "VVI": "along columns; own size and shape",
    "EEE": "one size, shape and direction",
    "VEE": "one shape and direction, own size",
    "EVE": "one size and direction, own shape",
    "VVE": "one direction, own size and shape",
    "EEV": "one size and shape, own direction",
    "VEV": "one shape, own size and direction",
    "EVV": "one size, own shape and direction",
    "VVV": "own size, shape and direction",
}
"""The structures, and what the clusters share (one) and what each has for itself (own)."""

WORDS = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
"""The words for four of them; a model file has these."""

ONE_COLUMN = {"E": "EII", "V": "VII"}
"""What the names for data of one column stand for; there all others are one of these two."""

NAMES = {
    **{name: MEANINGS[code] for name, code in WORDS.items()},
    **MEANINGS,
    "E": "one column; one variance",
    "V": "one column; own variance",
}
"""Every name, and what it means."""

_FREEDOM = "IEV"


def spelled(name: str) -> str | None:
    """The name as it is written here, whatever its capitals; None if there is none."""
    return next((known for known in NAMES if known.lower() == name.lower()), None)


def described() -> list[str]:
    """A line for each structure: its names and its meaning."""
    double = {f"{word}, {code}": MEANINGS[code] for word, code in WORDS.items()}
    single = {name: means for name, means in NAMES.items() if name not in {*WORDS, *WORDS.values()}}
    return [f"{names:<16}{means}" for names, means in (double | single).items()]


def all_of(n_features: int) -> tuple[str, ...]:
    """The structures that differ in that many columns."""
    return tuple(ONE_COLUMN) if n_features == 1 else tuple(MEANINGS)


def nested_in(name: str) -> tuple[str, ...]:
    """The structures that are special cases of the named one, itself not among them.

    It is one if none of its letters leaves more freedom. The names are those of three letters.
    """
    code = WORDS.get(name) or ONE_COLUMN.get(name, name)
    freedom = [_FREEDOM.index(letter) for letter in code]
    return tuple(
        other
        for other in MEANINGS
        if other != code
        and all(_FREEDOM.index(o) <= f for o, f in zip(other, freedom, strict=True))
    )
