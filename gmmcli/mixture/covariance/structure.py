"""What a covariance structure is: a value, an M-step, and what follows from its three letters."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from gmmcli.mixture.arrays import FloatArray, frozen
from gmmcli.mixture.moments import Moments
from gmmcli.mixture.shapes import MEANINGS, WORDS


@dataclass(frozen=True, eq=False)
class Covariance(ABC):
    """The covariances of K components that share a structure; immutable.

    Parameters
    ----------
    matrices : (K, D, D), or (K, D) for structures without correlations.
    """

    matrices: FloatArray

    code: ClassVar[str]
    """Volume, shape and orientation: a letter each, see `shapes`."""
    form: ClassVar[type[Moments]]
    scales_by_column: ClassVar[bool]
    """Whether the structure survives a change of units of one column alone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrices", frozen(self.matrices))

    def __init_subclass__(cls) -> None:
        """Derive what the letters say: name, meaning, and what is the same in all numbers."""
        if "code" in vars(cls):
            names = {code: word for word, code in WORDS.items()}
            cls.name = names.get(cls.code, cls.code)
            cls.description = MEANINGS[cls.code]
            cls.shared = "V" not in cls.code
            cls.is_own = "E" not in cls.code
            cls.round = cls.code[1] == "I"

    name: ClassVar[str]
    """In a model file."""
    description: ClassVar[str]
    shared: ClassVar[bool]
    """Whether all components have the same covariance."""
    is_own: ClassVar[bool]
    """Whether no component has anything in common with others."""
    round: ClassVar[bool]
    """Whether all columns have the same variance."""

    @classmethod
    @abstractmethod
    def from_scatter(
        cls, masses: FloatArray, scatters: FloatArray, previous: "Covariance | None" = None
    ) -> Self:
        """The M-step: maximise -1/2 sum_k [N_k ln det Sigma_k + tr(W_k Sigma_k^-1)].

        Parameters
        ----------
        masses : (K,), N_k.
        scatters : W_k about the component means, in the shape of `matrices`. One that is
            singular may give a covariance that is, or holds NaN: the component has collapsed.
        previous : of this structure, from which an iterative M-step goes on. It never ends
            below it.
        """

    @classmethod
    def n_parameters(cls, n_components: int, n_features: int) -> int:
        """Free parameters of the covariances alone (Celeux & Govaert 1995, table 1)."""
        volumes, shapes, orientations = (
            {"I": 0, "E": 1, "V": n_components}[letter] for letter in cls.code
        )
        planes = n_features * (n_features - 1) // 2
        return volumes + shapes * (n_features - 1) + orientations * planes

    @classmethod
    def n_own_parameters(cls, n_features: int) -> int:
        """Free parameters of a component's covariance that it does not share with others."""
        one, two = (cls.n_parameters(n, n_features) for n in (1, 2))
        return two - one

    @classmethod
    def rows_needed(cls, n_features: int) -> int:
        """Rows below which a component's covariance is the penalty's work, not the data's."""
        volume, shape, orientation = tuple(cls.code)
        if n_features == 1:
            return 1 if volume == "E" else 2
        if orientation == "V":
            # fewer rows than D leave axes undetermined, and fewer than D + 1 one without spread
            return n_features + (shape == "V")
        return 1 if cls.shared else 2

    @property
    def values(self) -> FloatArray:
        """The numbers without repetition: (K, D, D), or (K, D) without correlations.

        The first axis is left out where all components have the same covariance, the last of
        (K, D) where all columns have the same variance.
        """
        values = self.matrices[..., 0] if self.round else self.matrices
        return values[0, ...] if self.shared else values

    @classmethod
    def from_values(cls, values: FloatArray, *, n_components: int, n_features: int) -> Self:
        """The inverse of `values`; ValueError where the shape is not the structure's."""
        axes = cls.form.of_matrix(np.eye(n_features)).ndim
        whole = (n_components, *(n_features,) * axes)
        shape = whole[cls.shared : len(whole) - cls.round]
        if values.shape != shape:
            message = f"covariances have shape {values.shape}, but {cls.name} needs {shape}"
            raise ValueError(message)
        return cls(np.broadcast_to(values[..., None] if cls.round else values, whole))

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.matrices)

    @cached_property
    def factors(self) -> FloatArray:
        """Inverse Cholesky factors (K, D, D), or inverse standard deviations (K, D)."""
        if not self.shared:
            return self.form.factors(self.matrices)
        return np.broadcast_to(self.form.factors(self.matrices[:1]), self.matrices.shape)

    @cached_property
    def log_determinants(self) -> FloatArray:
        """ln det Sigma_k: (K,)."""
        return self.form.log_determinants(self.factors)

    def traces(self, matrix: FloatArray) -> FloatArray:
        """tr(S Sigma_k^-1) of a matrix S in the form's shape: (K,)."""
        if matrix.ndim == 1:
            return self.factors**2 @ matrix
        traces: FloatArray = ((self.factors @ matrix) * self.factors).sum(axis=(1, 2))
        return traces

    @property
    def variances(self) -> FloatArray:
        """Of each column, in each component: (K, D)."""
        return self.matrices if self.matrices.ndim == 2 else np.einsum("kii->ki", self.matrices)

    def full(self) -> FloatArray:
        """Every covariance as a matrix: (K, D, D)."""
        if self.matrices.ndim == 3:
            return self.matrices
        return self.matrices[:, :, None] * np.eye(self.matrices.shape[1])

    def scaled(self, scale: FloatArray) -> Self:
        """The covariances when column j is multiplied by scale[j].

        The scales are equal unless the structure `scales_by_column`.
        """
        products = np.outer(scale, scale) if self.matrices.ndim == 3 else scale**2
        return type(self)(self.matrices * products)

    def taken(self, components: list[int]) -> Self:
        """The covariances of these components, in this order; one may be named twice."""
        return type(self)(self.matrices[components])

    def parted(self, structure: type["Covariance"], n: int) -> list["Covariance"]:
        """Those of n mixtures whose components stand side by side in this one.

        They need not find anew what is known of all together.
        """
        parts = [structure(matrices) for matrices in np.split(self.matrices, n)]
        factors, log_determinants = np.split(self.factors, n), np.split(self.log_determinants, n)
        for part, *known in zip(parts, factors, log_determinants, strict=True):
            vars(part).update(zip(("factors", "log_determinants"), known, strict=True))
        return parts


def each(numbers: FloatArray, matrices: FloatArray) -> FloatArray:
    """Numbers (K,), one for each of the matrices, shaped to multiply them."""
    return numbers.reshape((-1,) + (1,) * (matrices.ndim - 1))
