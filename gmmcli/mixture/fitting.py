"""`fit`: from rows in the user's units to a mixture in the user's units."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.batches import ArrayBatches, Batches
from gmmcli.mixture.contest import Contest
from gmmcli.mixture.covariance import structure_of
from gmmcli.mixture.em import Run, State, Step
from gmmcli.mixture.heats import Heats
from gmmcli.mixture.inference import PRIOR_STRENGTH, bayesian
from gmmcli.mixture.initialise import FROM_TREES, Starts
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.outcome import Found, result_of
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import (
    SAMPLE_ROWS,
    Samples,
    StandardisedSamples,
    in_memory,
    is_large,
)
from gmmcli.mixture.search import ALONE, Observer, Relatives, given_start, merit, same_optimum
from gmmcli.mixture.snapshot import Ascent, Keep, Snapshot
from gmmcli.mixture.standardise import Description, Standardisation, StandardisedBatches, describe
from gmmcli.mixture.streams import Purpose, stream
from gmmcli.mixture.trees import Ground, Grounds, Whitened
from gmmcli.mixture.workers import Serial, Workers

MOST_COPIED = 2_000_000
"""Numbers up to which many rows are held in a copy, too."""


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


class Fitting:
    """One set of rows, described once, for any number of fits.

    Parameters
    ----------
    description : of these rows, if it is known already.
    batches, workers, observe : as for `fit`.

    is_large : whether the starts go over a sample of the rows.
    is_often : whether the rows are gone over so often that they are standardised once, not in each
        pass.
    samples, starts : what was drawn so far, by seed; starts by whether columns have scales, too.
    """

    def __init__(
        self,
        batches: Batches,
        *,
        description: Description | None = None,
        workers: Workers | None = None,
        observe: Observer = ignore,
    ) -> None:
        self.batches = batches
        self.workers = workers or Serial()
        self.observe = observe
        self.description = description or describe(batches, workers=self.workers)
        self.is_large = is_large(self.description)
        self.is_often = not self.is_large
        self._coordinates: dict[bool, tuple[Standardisation, Batches]] = {}
        self.samples: dict[int, tuple[Samples, Whitened]] = {}
        self.starts: dict[tuple[bool, int], tuple[StandardisedSamples, Starts]] = {}

    def alone(self) -> Self:
        """The same for one thread: to be one of several that work side by side, on many fits."""
        other = type(self)(self.batches, description=self.description, observe=self.observe)
        n_numbers = self.description.n_lines * self.batches.n_features
        other.is_often = n_numbers <= MOST_COPIED
        other.samples, other.starts = dict(self.samples), dict(self.starts)
        return other

    def grow_trees(self, fits: Iterable[FitOptions]) -> None:
        """Grow the trees that the starts of these fits are cut from, before `alone` is called."""
        starts = [
            self._starts_of(options, self.problem(options, 1)[1])[1]
            for options in fits
            if options.init in FROM_TREES
        ]
        grounds: list[Ground] = [*(one.whitened for one in starts), *starts]
        Grounds(list(dict.fromkeys(grounds))).grow(self.workers)

    def fit(
        self,
        n_components: int,
        options: FitOptions,
        start: GaussianMixture | IntArray | None = None,
        *,
        relatives: Relatives = ALONE,
        resume: Snapshot | None = None,
        keep: Keep | None = None,
    ) -> FitResult:
        """As the function `fit`.

        Parameters
        ----------
        start : as for `fit`.
        relatives : what is known of others before the search, in the user's units; from a given
            start only what a rough fit is not to end below.
        resume : what an earlier call gave to `keep`, with the same rows and options.
        keep : called with a snapshot after each step over all rows.
        """
        if n_components < 1:
            raise FitError("a mixture has at least 1 component")
        standardisation, problem = self.problem(options, n_components)
        key = self.key(n_components, options, start)
        if resume is not None:
            resume.check(key)
            snapshot = resume
        elif start is None:

            def here(model: GaussianMixture) -> GaussianMixture:
                return given_start(model, n_components, standardisation, problem)

            warm = list(map(here, relatives.mixtures))
            known = relatives.known
            growing, starts = self._starts_of(options, problem)
            n_rows = self.description.n_rows
            contest = Contest(Heats(problem, options, starts, growing, self.observe), n_rows)
            if known is not None:
                known = known._replace(start=here(known.start))
            snapshot = contest.snapshot(key, warm, known)
        else:
            model = given_start(start, n_components, standardisation, problem)
            floor = np.nan if relatives.known is None else relatives.known.log_likelihood
            rule = options.rule(floor=floor)
            ascent = Ascent("given start", model, State.new(model), rule)
            n_passes = 1 if self.is_large else 0
            snapshot = Snapshot(key, 1, n_passes, [ascent])
        found = self._finish(snapshot, options, problem, keep)
        init = "given" if snapshot.key["given start"] else options.init
        return result_of(found, standardisation, problem, options, n_components, init)

    def key(
        self, n_components: int, options: FitOptions, start: GaussianMixture | IntArray | None
    ) -> dict[str, Any]:
        """What the rows and the options of a fit are, name by name: a snapshot's key."""
        told = {"k": n_components, "given start": start is not None}
        return {**told, **asdict(options), **self.description.fingerprint()}

    def _finish(
        self, snapshot: Snapshot, options: FitOptions, problem: Problem, keep: Keep | None
    ) -> Found:
        """Every ascent over all rows to its end, and the best of them."""

        def watch(ascent: Ascent, step: Step) -> None:
            ascent.model = step.model
            self.observe(ascent.name, step)
            # an E-step that looked for rare rows, too, adds up in another order than one taken anew
            if keep is not None and step.n_iter > 0:
                keep(snapshot)

        runs, merits = list[Run](), list[float]()
        for ascent in snapshot.ascents:
            ascent.rule.to_beat = max(merits, default=np.nan) * self.description.n_rows
            observe = partial(watch, ascent)
            runs.append(ascent.climb(problem, max_iter=options.max_iter, observe=observe))
            merits.append(merit(runs[-1].step, problem))
        best = int(np.argmax(merits))
        n_passes = snapshot.n_passes
        if n_passes:
            n_passes += sum(ascent.state.n_passes for ascent in snapshot.ascents)
        n_agreeing = sum(
            ascent.n_agreeing
            for ascent, run in zip(snapshot.ascents, runs, strict=True)
            if same_optimum(run, runs[best])
        )
        return Found(runs[best], snapshot.n_starts, n_agreeing, n_passes, snapshot.set_aside)

    def problem(self, options: FitOptions, n_components: int) -> tuple[Standardisation, Problem]:
        """What EM maximises over these rows, and the way to its coordinates."""
        structure = structure_of(options.covariance_type, self.batches.n_features)
        key = structure.scales_by_column
        if key not in self._coordinates:
            standardisation = Standardisation.of(self.description, structure)
            if isinstance(self.batches, ArrayBatches) and self.is_often:
                standard: Batches = standardisation.copied(self.batches)
            else:
                standard = StandardisedBatches(self.batches, standardisation)
            self._coordinates[key] = standardisation, standard
        standardisation, standard = self._coordinates[key]
        n_rows = self.description.n_rows
        default = 1 / n_rows if options.weight_prior is None else PRIOR_STRENGTH
        strength = default if options.reg_covar is None else options.reg_covar
        penalty = Penalty.of(
            self.description, standardisation, structure=structure, strength=strength
        )
        radius = standardisation.radius(self.description)
        problem = Problem(
            standard,
            structure,
            penalty,
            radius,
            self.workers,
            standardisation.log_volume,
            is_lazy=self.is_large,
            mean=standardisation.mean(self.description),
        )
        if options.weight_prior is None:
            return standardisation, problem
        return standardisation, bayesian(problem, options, n_components=n_components, n_rows=n_rows)

    def sample(self, options: FitOptions, problem: Problem) -> Problem:
        """The problem over the largest sample of SAMPLE_ROWS at most; the rows are large data."""
        growing, _ = self._starts_of(options, problem)
        number = max(i for i, size in enumerate(growing.sizes) if size <= SAMPLE_ROWS)
        return replace(problem.over(growing[number]), is_sample=True)

    def _starts_of(
        self, options: FitOptions, problem: Problem
    ) -> tuple[StandardisedSamples, Starts]:
        """Growing samples (none if one holds everything), and the starts on the smallest."""
        key = (problem.structure.scales_by_column, options.seed)
        if key not in self.starts:
            samples, whitened = self._sampled(options.seed)
            standardisation = self._coordinates[key[0]][0]
            growing = StandardisedSamples(samples, standardisation)
            starts = Starts(
                growing[0] if growing else in_memory(problem.batches),
                whitening=standardisation.whitening(self.description),
                seed=options.seed,
                whitened=whitened,
            )
            self.starts[key] = growing, starts
        return self.starts[key]

    def _sampled(self, seed: int) -> tuple[Samples, Whitened]:
        """What the starts in all coordinates share."""
        if seed not in self.samples:
            rng = stream(seed, Purpose.SAMPLES)
            samples = Samples(self.batches, self.description, rng=rng)
            first = samples[0] if samples else in_memory(self.batches)
            # white rows are the same whichever coordinates they come from, but for rounding
            standardisation = Standardisation.by_column(self.description)
            white = standardisation.whitening(self.description) @ standardisation.apply(first.X)
            weights = np.ones(first.n_rows) if first.weights is None else first.weights
            self.samples[seed] = samples, Whitened(white, weights, seed=seed)
        return self.samples[seed]
