"""`fit`: from rows in the user's units to a mixture in the user's units."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import FloatArray, IntArray
from gmmcli.mixture.batches import ArrayBatches, Batches
from gmmcli.mixture.covariance import STRUCTURES
from gmmcli.mixture.em import Problem, Run, Step, climb
from gmmcli.mixture.initialise import Start, Starts, with_rare_rows
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.sampling import enriched, in_memory, rare_rows, samples
from gmmcli.mixture.search import Climber, Observer, agreeing, merit, model_of_partition, race
from gmmcli.mixture.standardise import COLLINEAR, Description, Standardisation, describe
from gmmcli.mixture.stopping import RULES
from gmmcli.mixture.workers import Serial, Workers

CONTENDERS = 2
"""Runs that are followed beyond the race: the likeliest may be second on a sample."""


def ignore(phase: str, step: Step) -> None:
    """Observe nothing."""
    del phase, step


def fit(
    batches: Batches,
    n_components: int,
    *,
    options: FitOptions | None = None,
    start: GaussianMixture | IntArray | None = None,
    workers: Workers | None = None,
    observe: Observer = ignore,
) -> FitResult:
    """Fit a mixture of K Gaussians by (penalised) maximum likelihood.

    Parameters
    ----------
    batches : the rows, in the user's units.
    start : a mixture in the user's units, or a label from 0 for each row; None to search.
    workers : who goes over the batches and the starts; None for one thread.
    observe : called with the name of the run and each step.

    Raises
    ------
    FitError : the data cannot carry K components.
    """
    options = options or FitOptions()
    return Fitting(batches, workers=workers, observe=observe).fit(n_components, options, start)


FIRST_STEPS = 5
"""M-steps over all rows that tell which of several contenders to follow."""


class Climb(NamedTuple):
    """Where a climb begins: its name, a mixture, and the M-steps that led to it."""

    name: str
    model: GaussianMixture
    n_iter: int


class Found(NamedTuple):
    """The best run, how many starts there were, and how many are known to have ended there."""

    run: Run
    n_starts: int
    n_agreeing: int


class Fitting:
    """One set of rows, described once, for any number of fits.

    Parameters as for `fit`.
    """

    def __init__(
        self, batches: Batches, *, workers: Workers | None = None, observe: Observer = ignore
    ) -> None:
        self.batches = batches
        self.workers = workers or Serial()
        self.observe = observe
        self.description: Description = describe(batches, workers=self.workers)
        self._coordinates: dict[bool, tuple[Standardisation, Batches]] = {}
        self._starts: dict[tuple[bool, int], tuple[list[ArrayBatches], Starts]] = {}

    def fit(
        self,
        n_components: int,
        options: FitOptions,
        start: GaussianMixture | IntArray | None = None,
    ) -> FitResult:
        """As the function `fit`."""
        if n_components < 1:
            raise FitError("a mixture has at least 1 component")
        standardisation, problem = self._problem(options)
        if start is None:
            found = self._search(n_components, options, problem)
        else:
            model = _given(start, n_components, standardisation, problem)
            run = self._climb(Climb("given start", model, 0), options, problem)
            found = Found(run, 1, 1)
        run, step = found.run, found.run.step
        n_rows = step.statistics.n_rows
        notes = list(dict.fromkeys(step.notes))
        if step.model.n_components < n_components:
            notes.append(
                f"{n_components} components were asked for, {step.model.n_components} are left"
            )
        return FitResult(
            model=standardisation.to_user(step.model).canonical(),
            n_rows=n_rows,
            log_likelihood=step.log_likelihood - n_rows * standardisation.log_volume,
            log_top=step.statistics.log_top,
            n_iter=step.n_iter,
            converged=run.converged,
            n_starts=found.n_starts,
            n_agreeing=found.n_agreeing,
            init=options.init if start is None else "given",
            seed=options.seed,
            reg_covar=problem.penalty.strength,
            tol=RULES[options.converge_on][1] if options.tol is None else options.tol,
            converge_on=options.converge_on,
            notes=tuple(notes),
        )

    def _problem(self, options: FitOptions) -> tuple[Standardisation, Problem]:
        structure = STRUCTURES[options.covariance_type]
        key = structure.scales_by_column
        if key not in self._coordinates:
            standardisation = Standardisation.of(self.description, structure)
            self._coordinates[key] = standardisation, standardisation.batches(self.batches)
        standardisation, standard = self._coordinates[key]
        n_rows = self.description.n_rows
        strength = 1 / n_rows if options.reg_covar is None else options.reg_covar
        penalty = Penalty.of(
            self.description, standardisation, structure=structure, strength=strength
        )
        radius = standardisation.radius(self.description)
        return standardisation, Problem(standard, structure, penalty, radius, self.workers)

    def _search(self, n_components: int, options: FitOptions, problem: Problem) -> Found:
        """Race the starts on a sample, then climb on larger ones, at last on all rows."""
        growing, starts = self._starts_of(options, problem)
        if n_components > starts.n_distinct:
            _check_distinct(problem.batches, n_components)
        sample = starts.sample
        partitions = list(starts.portfolio(options.init, n_components, n_init=options.n_init))
        climbers = self._race(sample, partitions, n_components, options, problem)
        runs = [(c, Run(c.step, converged=c.converged)) for c in climbers[:CONTENDERS]]
        for larger in growing[1:]:
            runs = self._follow(runs, options, _on(larger, problem))[:1]
        rare = rare_rows(problem, runs[0][1].step.model) if growing and n_components > 1 else None
        if rare is not None:
            fewer = starts.portfolio(options.init, n_components - 1, n_init=options.n_init)
            partitions = with_rare_rows(fewer, rare, n_components - 1)
            richer = enriched(sample, rare, self.description.n_rows)
            found = self._race(richer, partitions, n_components, options, problem)
            runs += [(c, Run(c.step, converged=False)) for c in found[:CONTENDERS]]
            few = replace(options, max_iter=min(options.max_iter, FIRST_STEPS))
            runs = self._follow(runs, few, problem, anew=True)[:1]
        climber, run = self._follow(runs, options, problem)[0]
        return Found(run, len(climbers), agreeing(climbers, climber))

    def _follow(
        self,
        runs: list[tuple[Climber, Run]],
        options: FitOptions,
        problem: Problem,
        *,
        anew: bool = False,
    ) -> list[tuple[Climber, Run]]:
        """Each run carried on over the problem's rows, the best first.

        anew : count its M-steps from 0, for a few first steps.
        """
        followed = []
        for climber, run in runs:
            begin = Climb(climber.name, run.step.model, 0 if anew else run.step.n_iter)
            followed.append((climber, self._climb(begin, options, problem)))
        return sorted(followed, key=lambda pair: -merit(pair[1].step))

    def _race(
        self,
        sample: ArrayBatches,
        partitions: list[Start],
        n_components: int,
        options: FitOptions,
        problem: Problem,
    ) -> list[Climber]:
        return race(
            _on(sample, problem),
            partitions,
            n_components,
            rule=options.rule,
            max_iter=options.max_iter,
            observe=self.observe,
        )

    def _climb(self, begin: Climb, options: FitOptions, problem: Problem) -> Run:
        return climb(
            begin.model,
            problem,
            options.rule(),
            n_iter=begin.n_iter,
            max_iter=options.max_iter,
            observe=partial(self.observe, begin.name),
        )

    def _starts_of(
        self, options: FitOptions, problem: Problem
    ) -> tuple[list[ArrayBatches], Starts]:
        """Growing samples (none if one holds everything), and the starts on the smallest."""
        key = (problem.structure.scales_by_column, options.seed)
        if key not in self._starts:
            rng = np.random.default_rng([options.seed, 1])
            growing = samples(problem.batches, self.description.n_rows, rng=rng)
            standardisation = self._coordinates[key[0]][0]
            starts = Starts(
                growing[0] if growing else in_memory(problem.batches),
                whitening=_whitening(self.description, standardisation),
                seed=options.seed,
            )
            self._starts[key] = growing, starts
        return self._starts[key]


def _check_distinct(batches: Batches, n_components: int) -> None:
    distinct: set[bytes] = set()
    for X, _ in batches:
        distinct.update(row.tobytes() for row in np.unique(X, axis=1).T)
        if len(distinct) >= n_components:
            return
    raise FitError(
        f"{n_components} components were asked for, but there are only "
        f"{len(distinct)} distinct rows",
        f"choose -k {len(distinct)} or fewer",
    )


def _on(sample: ArrayBatches, problem: Problem) -> Problem:
    """The problem over a sample, under the sample's own penalty, so that no run hits a spike."""
    strength = max(problem.penalty.strength, 1 / sample.total_weight)
    return replace(problem, batches=sample, penalty=replace(problem.penalty, strength=strength))


def _given(
    start: GaussianMixture | IntArray,
    n_components: int,
    standardisation: Standardisation,
    problem: Problem,
) -> GaussianMixture:
    """The user's start in standardised coordinates, in the problem's structure."""
    if not isinstance(start, GaussianMixture):
        present = np.unique(start)
        if not np.array_equal(present, np.arange(n_components)):
            raise FitError(
                f"the start has the labels {', '.join(map(str, present[:10]))}, "
                f"not 0 to {n_components - 1}"
            )
        n_rows = sum(batch.X.shape[1] for batch in problem.batches)
        if len(start) != n_rows:
            raise FitError(f"the start has {len(start)} labels for {n_rows} rows")
        return model_of_partition(problem, start, n_components)
    if start.n_features != problem.batches.n_features:
        raise FitError(
            f"the start has {start.n_features} columns, the rows {problem.batches.n_features}"
        )
    if start.n_components != n_components:
        raise FitError(f"the start has {start.n_components} components, not {n_components}")
    model = standardisation.from_user(start)
    if isinstance(model.covariance, problem.structure):
        return model
    form = problem.structure.form
    scatters = np.stack(
        [
            weight * form.of_matrix(matrix)
            for weight, matrix in zip(model.weights, model.full_covariances(), strict=True)
        ]
    )
    covariance = problem.structure.from_scatter(model.weights, scatters)
    return GaussianMixture(model.weights, model.means, covariance)


def _whitening(description: Description, standardisation: Standardisation) -> FloatArray:
    """W (D, D) that makes standardised rows white, zero in directions without spread."""
    values, vectors = np.linalg.eigh(description.correlation)
    spread = values > COLLINEAR * len(values)
    unit = np.where(spread, 1 / np.sqrt(np.where(spread, values, 1)), 0)
    ratio = np.where(description.constant, 1, description.deviation / standardisation.scale)
    whitening: FloatArray = (vectors * unit) @ vectors.T / ratio
    return whitening
