"""Data, references and small measures that the tests of the mathematics share."""

import csv
import json
import warnings
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as ScikitMixture

from gmmcli.mixture import shapes
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.fitting import FitOptions, Fitting, fit
from gmmcli.mixture.grid import grid
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.moments import FullMoments
from gmmcli.mixture.partition import model_of, moments_of
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.standardise import Standardisation, describe
from gmmcli.mixture.workers import Serial

REFERENCE = Path(__file__).parents[1] / "reference"
# each structure once, by its name in a model file: first the four of scikit-learn
WORDS = tuple(shapes.WORDS)
NAMES = tuple(dict.fromkeys(structure.name for structure in STRUCTURES.values()))
ONE_SCALE = frozenset(name for name in NAMES if not STRUCTURES[name].scales_by_column)
CORRELATED = frozenset(name for name in NAMES if STRUCTURES[name].form is FullMoments)
PENGUIN_COLUMNS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


def model_of_partition(problem, labels, n_components, *, softened=False):
    """The M-step from a hard partition of the problem's rows."""
    moments = moments_of(problem.batches, labels, problem.structure.form)
    return model_of(problem, moments, n_components, softened=softened)


def rows(X, weights=None):
    """The engine's batches of a table (N, D)."""
    table = np.asarray(X, dtype=np.float64)
    return ArrayBatches(np.ascontiguousarray(table.T), weights)


def fitted(X, n_components, *, weights=None, start=None, **options):
    """Fit a table (N, D)."""
    return fit(rows(X, weights), n_components, options=FitOptions(**options), start=start)


def cells_of(X, counts, names, **options):
    """The grid of fits of a table (N, D)."""
    chosen = FitOptions(**options)
    return grid(Fitting(rows(X)), counts, covariance_types=names, options=chosen)


def table(name, columns=None):
    """The complete rows of a reference data set: (N, D)."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    chosen = columns or tuple(records[0])
    cells = [[record[column] for column in chosen] for record in records]
    return np.array([[float(c) for c in row] for row in cells if not {"", "NA"} & set(row)])


def reference(name):
    """The optima of mclust for a data set, or the list of the best known fits."""
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def known_table(name):
    """The data of an entry of best_known_fits.json."""
    plain, _, divided = name.partition("/")
    views = {
        "penguins4": lambda: table("penguins", PENGUIN_COLUMNS),
        "penguins bill": lambda: table("penguins", PENGUIN_COLUMNS[:2]),
        "iris petal": lambda: table("iris")[:, 2:],
        "faithful$waiting": lambda: table("faithful", ("waiting",)),
        "faithful$eruptions": lambda: table("faithful", ("eruptions",)),
        "diabetes(mclust)": lambda: table("diabetes"),
        "diabetes_corrected": lambda: corrected("diabetes", (103, 1), 455),
        "galaxies_corrected": lambda: corrected("galaxies", (77, 0), 26.96),
    }
    # "/1000" only says what the unit of the file is
    assert divided in {"", "1000"}
    return views[plain]() if plain in views else table(plain)


def corrected(name, cell, value):
    X = table(name)
    assert X[cell] != value
    X[cell] = value
    return X


def two_clusters(rng, sizes=(300, 300), *, n_features=2, distance=8.0):
    """Two unit Gaussians `distance` apart along the first column, and their labels."""
    truth = np.repeat([0, 1], sizes)
    X = rng.standard_normal((sum(sizes), n_features))
    X[:, 0] += distance * truth
    return X, truth


def overlapping(rng, n_rows=400, n_features=3):
    """Three correlated clusters that overlap: EM takes many steps here."""
    labels = rng.integers(3, size=n_rows)
    maps = rng.standard_normal((3, n_features, n_features)) / 2 + np.eye(n_features)
    centres = 2 * rng.standard_normal((3, n_features))
    noise = rng.standard_normal((n_rows, n_features))
    return np.einsum("nd,nde->ne", noise, maps[labels]) + centres[labels]


def mistakes(labels, truth):
    """Rows on which two labellings differ, whatever the names of the clusters."""
    names = range(int(max(labels.max(), truth.max())) + 1)
    return min(int(np.sum(np.array(p)[labels] != truth)) for p in permutations(names))


def random_spd(rng, n_features, condition=10.0):
    """A random covariance of that condition number."""
    q = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    values = condition ** -np.linspace(0, 1, n_features) if n_features > 1 else np.ones(1)
    sigma = (q * values) @ q.T
    return (sigma + sigma.T) / 2


def random_model(rng, name, n_components=3, n_features=3):
    """A mixture of that structure with nothing special about it."""
    K, D = n_components, n_features
    covariance = random_covariance(rng, name, K, D)
    weights = rng.dirichlet(np.full(K, 5.0))
    return GaussianMixture(weights, rng.standard_normal((K, D)), covariance)


def random_covariance(rng, name, n_components=3, n_features=3):
    """Covariances of that structure: the M-step of matrices of sizes and shapes of their own."""
    K, D = n_components, n_features
    masses = rng.uniform(5, 50, K)
    sizes = masses * rng.uniform(0.3, 3, K)
    shaped = np.stack([random_spd(rng, D, condition) for condition in rng.uniform(3, 30, K)])
    matrices = sizes[:, None, None] * shaped
    structure = STRUCTURES[name]
    scatters = np.stack([structure.form.of_matrix(matrix) for matrix in matrices])
    return structure.from_scatter(masses, scatters)


def problem_of(X, name, *, strength=0.0, weights=None):
    """EM's problem for the rows as they are, and the standardisation it would have had."""
    structure = STRUCTURES[name]
    batches = rows(X, weights)
    description = describe(batches)
    standardisation = Standardisation.of(description, structure)
    penalty = Penalty.of(description, standardisation, structure=structure, strength=strength)
    return Problem(
        standardisation.copied(batches),
        structure,
        penalty,
        standardisation.radius(description),
        Serial(),
    )


def raw_problem(X, name):
    """EM's problem in the user's own coordinates, without a penalty."""
    structure = STRUCTURES[name]
    shape = (X.shape[1],) * (2 if name in CORRELATED else 1)
    penalty = Penalty(0.0, np.zeros(shape), np.zeros(shape), np.zeros(shape[0]))
    return Problem(rows(X), structure, penalty, np.abs(X).max(axis=0), Serial())


def same_model(a, b, *, rtol=1e-10, atol=1e-10):
    """Assert that two mixtures agree, relative to their own spread."""
    deviations = np.sqrt(np.einsum("kii->ki", a.covariance.full()))
    products = deviations[:, :, None] * deviations[:, None, :]
    assert a.n_components == b.n_components
    np.testing.assert_allclose(a.weights, b.weights, rtol=rtol, atol=atol)
    np.testing.assert_allclose(a.means / deviations, b.means / deviations, rtol=rtol, atol=atol)
    np.testing.assert_allclose(
        a.covariance.full() / products, b.covariance.full() / products, rtol=rtol, atol=atol
    )


class MclustRule:
    """mclust's own rule: the log-likelihood moves by less than 1e-12 of itself."""

    def __call__(self, before, step):
        change = step.log_likelihood - before.log_likelihood
        return abs(change) / (1 + abs(step.log_likelihood)) < 1e-12


def apart(rng, name, *, distance=12.0, n_components=4, n_features=3):
    """Clusters of that structure whose centres are far apart."""
    covariance = random_covariance(rng, name, n_components, n_features)
    spread = np.sqrt(covariance.variances.max())
    means = distance * spread * np.eye(n_components, n_features)
    means += rng.standard_normal(means.shape)
    return GaussianMixture(rng.dirichlet(np.full(n_components, 5.0)), means, covariance)


def lazy(X, name, weights=None):
    """EM over these rows as over many: those beyond doubt may be left out."""
    problem = raw_problem(X, name)
    covariance = problem.structure.form.of_matrix(
        np.atleast_2d(np.cov(X.T, ddof=0, aweights=weights))
    )
    return replace(
        problem,
        batches=rows(X, weights),
        is_lazy=True,
        mean=np.average(X, axis=0, weights=weights),
        penalty=replace(problem.penalty, target=covariance),
    )


def peer_after(model, X, n_iter):
    """What scikit-learn makes of a mixture in so many iterations over rows (N, D)."""
    name, values = model.covariance.name, model.covariance.values
    peer = ScikitMixture(
        model.n_components,
        covariance_type=name,
        weights_init=model.weights,
        means_init=model.means,
        precisions_init=1 / values if name in {"diag", "spherical"} else np.linalg.inv(values),
        reg_covar=0,
        max_iter=n_iter,
        tol=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return peer.fit(X)
