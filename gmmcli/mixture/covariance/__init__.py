"""The covariance structures: one class each, and the table of their names.

A structure says which second moments of the data it needs (its form), how they become
covariances (the M-step), and what follows from its letters: how many free parameters it has and
which shape its numbers have in a model file. With Sigma_k = lambda_k D_k A_k D_k^T:

    structure     what all have, and what follows from the three letters
    round         EII VII
    free          EEI VVI EEE VVV    quotients
    proportional  VEI VEE            one shape, own sizes
    equal_volume  EVI EVV            one size, own shapes
    orientation   EEV VEV EVE VVE    one of those along the columns, along other axes
    axes          (turns of axes that all have in common)

Names and M-steps: Celeux & Govaert (1995), Gaussian parsimonious clustering models, Pattern
Recognition 28.
"""

from gmmcli.errors import FitError
from gmmcli.mixture.covariance.equal_volume import EVI, EVV
from gmmcli.mixture.covariance.free import EEE, EEI, VVI, VVV
from gmmcli.mixture.covariance.orientation import EEV, EVE, VEV, VVE
from gmmcli.mixture.covariance.proportional import VEE, VEI
from gmmcli.mixture.covariance.round import EII, VII
from gmmcli.mixture.covariance.structure import Covariance
from gmmcli.mixture.shapes import ONE_COLUMN, WORDS

__all__ = [
    "EEE",
    "EEI",
    "EEV",
    "EII",
    "EVE",
    "EVI",
    "EVV",
    "STRUCTURES",
    "VEE",
    "VEI",
    "VEV",
    "VII",
    "VVE",
    "VVI",
    "VVV",
    "Covariance",
    "structure_of",
]

_ALL = (EII, VII, EEI, VEI, EVI, VVI, EEE, VEE, EVE, VVE, EEV, VEV, EVV, VVV)
_BY_CODE: dict[str, type[Covariance]] = {structure.code: structure for structure in _ALL}

STRUCTURES: dict[str, type[Covariance]] = {
    **{word: _BY_CODE[code] for word, code in WORDS.items()},
    **_BY_CODE,
}
"""By name: four have two."""


def structure_of(name: str, n_features: int) -> type[Covariance]:
    """The structure that a name means for data of D columns.

    Raises
    ------
    FitError : the name is for one column, and there are more.
    """
    code = ONE_COLUMN.get(name, name)
    if code != name and n_features > 1:
        raise FitError(
            f"{name} is for data of one column, and there are {n_features}",
            f"for more columns its name is {code}",
        )
    return STRUCTURES[code]
