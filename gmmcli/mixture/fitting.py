"""`fit`: from rows in the user's units to a mixture in the user's units."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.arrays import IntArray
from gmmcli.mixture.batches import ArrayBatches, Batches
from gmmcli.mixture.covariance import structure_of
from gmmcli.mixture.em import Problem, Run, State, Step, climb
from gmmcli.mixture.inference import PRIOR_STRENGTH, bayesian
from gmmcli.mixture.initialise import LEAN, Start, Starts, with_rare_rows
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.outcome import Found, result_of
from gmmcli.mixture.penalty import Penalty
from gmmcli.mixture.sampling import (
    check_distinct,
    enriched,
    in_memory,
    is_large,
    rare_rows,
    samples,
)
from gmmcli.mixture.search import (
    Climber,
    Observer,
    agreeing,
    given_start,
    merit,
    near,
    optima,
    race,
)
from gmmcli.mixture.snapshot import Ascent, Keep, Snapshot
from gmmcli.mixture.split_merge import rearranged
from gmmcli.mixture.standardise import Description, Standardisation, describe
from gmmcli.mixture.workers import Serial, Workers

CONTENDERS = 2
"""Runs that are followed beyond the race: the likeliest may be second on a sample."""
ON_SAMPLES = 4
"""The same, as long as the rows are a sample."""


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


FEW_ROWS = 2_000
"""Rows up to which split and merge is always tried: few rows have many optima, and cost little."""
FIRST_STEPS = 5
"""M-steps over all rows that tell which of several contenders to follow."""


class Fitting:
    """One set of rows, described once, for any number of fits.

    Parameters
    ----------
    description : of these rows, if it is known already.
    batches, workers, observe : as for `fit`.

    is_large : whether the starts go over a sample of the rows.
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
        self._coordinates: dict[bool, tuple[Standardisation, Batches]] = {}
        self._starts: dict[tuple[bool, int], tuple[list[ArrayBatches], Starts]] = {}

    def fit(
        self,
        n_components: int,
        options: FitOptions,
        start: GaussianMixture | IntArray | Sequence[GaussianMixture] | None = None,
        *,
        also: Sequence[GaussianMixture] = (),
        resume: Snapshot | None = None,
        keep: Keep | None = None,
    ) -> FitResult:
        """As the function `fit`.

        Parameters
        ----------
        start : as for `fit`; or several mixtures of K components, among which is searched.
        also : mixtures of K components in the user's units that the search starts from as well.
        resume : what an earlier call gave to `keep`, with the same rows and options.
        keep : called with a snapshot after each step over all rows.
        """
        if n_components < 1:
            raise FitError("a mixture has at least 1 component")
        standardisation, problem = self.problem(options, n_components)
        searched = start is None or isinstance(start, Sequence)
        told = {"k": n_components, "given start": not searched}
        key = {**told, **asdict(options), **self.description.fingerprint()}
        if resume is not None:
            resume.check(key)
            snapshot = resume
        elif start is None or isinstance(start, Sequence):
            warm = [
                given_start(model, n_components, standardisation, problem)
                for model in (*(start or ()), *also)
            ]
            snapshot = self._search(key, options, problem, warm, alone=start is not None)
        else:
            model = given_start(start, n_components, standardisation, problem)
            ascent = Ascent("given start", model, State.new(model), options.rule())
            n_passes = 1 if self.is_large else 0
            snapshot = Snapshot(key, 1, n_passes, [ascent])
        found = self._finish(snapshot, options, problem, keep)
        init = "given" if snapshot.key["given start"] else options.init
        return result_of(found, standardisation, problem, options, n_components, init)

    def _finish(
        self, snapshot: Snapshot, options: FitOptions, problem: Problem, keep: Keep | None
    ) -> Found:
        """Every ascent over all rows to its end, and the best of them."""

        def watch(ascent: Ascent, step: Step) -> None:
            ascent.model = step.model
            self.observe(ascent.name, step)
            if keep is not None:
                keep(snapshot)

        runs = []
        for ascent in snapshot.ascents:
            observe = partial(watch, ascent)
            runs.append(self._climb(ascent, problem, max_iter=options.max_iter, observe=observe))
        best = max(range(len(runs)), key=lambda i: merit(runs[i].step, problem))
        n_passes = snapshot.n_passes
        if n_passes:
            n_passes += sum(ascent.state.n_passes for ascent in snapshot.ascents)
        n_agreeing = snapshot.ascents[best].n_agreeing
        return Found(runs[best], snapshot.n_starts, n_agreeing, n_passes)

    def problem(self, options: FitOptions, n_components: int) -> tuple[Standardisation, Problem]:
        """What EM maximises over these rows, and the way to its coordinates."""
        structure = structure_of(options.covariance_type, self.batches.n_features)
        key = structure.scales_by_column
        if key not in self._coordinates:
            standardisation = Standardisation.of(self.description, structure)
            standard = standardisation.batches(self.batches, workers=self.workers)
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
            standard, structure, penalty, radius, self.workers, standardisation.log_volume
        )
        if options.weight_prior is None:
            return standardisation, problem
        return standardisation, bayesian(problem, options, n_components=n_components, n_rows=n_rows)

    def _search(
        self,
        key: dict[str, Any],
        options: FitOptions,
        problem: Problem,
        warm: Sequence[GaussianMixture],
        *,
        alone: bool,
    ) -> Snapshot:
        """The ascents over all rows that promise most, at their beginning.

        The starts race on a sample, and the best of them go on to larger ones.

        Parameters
        ----------
        warm : mixtures that are starts, too, or if `alone` the only ones.
        """
        n_components: int = key["k"]
        growing, starts = self._starts_of(options, problem)
        portfolio, fewest = starts.portfolio, n_components
        if options.weight_prior is not None:
            portfolio, fewest = starts.portfolios, 1
            n_components = min(n_components, starts.n_distinct)
        elif n_components > starts.n_distinct:
            check_distinct(problem.batches, n_components)
        sample = starts.sample
        init = LEAN if options.rough and options.init == "auto" else options.init
        partitions = portfolio(init, n_components, n_init=options.n_init)
        begin: list[Start | GaussianMixture] = [*warm] if alone else [*partitions, *warm]
        climbers = self._race(sample, begin, fewest, options, problem)
        ranked = self._rearranged(sample, climbers, options, problem)
        if not growing:
            # the race was over all rows, so its steps are the beginning of these runs
            ascents = [_new_ascent(c, options, agreeing(climbers, c)) for c in ranked[:CONTENDERS]]
            for ascent, climber in zip(ascents, ranked, strict=False):
                ascent.state.n_iter = climber.step.n_iter
            return Snapshot(key, len(climbers), 0, ascents)
        here = problem.over(sample)
        leading = [c for c in optima(ranked) if near(c.step, ranked[0].step, here)]
        ascents = [_new_ascent(c, options, agreeing(climbers, c)) for c in leading[:ON_SAMPLES]]
        for larger in growing[1:]:
            ascents = self._ahead_on_sample(ascents, options, problem.over(larger))[:CONTENDERS]
        if options.rough:
            ascents = ascents[:1]
        # to describe the rows, to sample them, and to look for rare ones
        n_passes, n_starts = 3, len(climbers)
        rare = None if alone or n_components == 1 else rare_rows(problem, ascents[0].model)
        if rare is not None:
            fewer = portfolio(init, n_components - 1, n_init=options.n_init)
            with_rare = with_rare_rows(fewer, rare, n_components - 1)
            richer = enriched(sample, rare, self.description.n_rows)
            found = self._race(richer, with_rare, fewest, options, problem)
            ascents += [_new_ascent(c, options, agreeing(found, c)) for c in found[:CONTENDERS]]
            n_starts += len(found)
        if len(ascents) > 1:
            few = replace(options, max_iter=min(options.max_iter, FIRST_STEPS))
            n_passes += len(ascents) * (few.max_iter + 1)
            runs = [
                self._climb(ascent, problem, max_iter=few.max_iter, observe=self._watch(ascent))
                for ascent in ascents
            ]
            ascents = _ahead(ascents, runs, few, problem)[:1]
        return Snapshot(key, n_starts, n_passes, ascents)

    def _ahead_on_sample(
        self, ascents: list[Ascent], options: FitOptions, problem: Problem
    ) -> list[Ascent]:
        """The ascents by where they come to over a sample; threads share whole runs."""
        on_one = replace(problem, workers=Serial())

        def run(ascent: Ascent) -> Run:
            begin = replace(ascent, rule=replace(options, rough=True).rule())
            return self._climb(begin, on_one, max_iter=options.max_iter, observe=lambda _: None)

        runs = list(problem.workers.map_ordered(run, ascents))
        for ascent, ended in zip(ascents, runs, strict=True):
            self.observe(ascent.name, ended.step)
        best = max((ended.step for ended in runs), key=lambda step: merit(step, problem))
        kept = [i for i, ended in enumerate(runs) if near(ended.step, best, problem)]
        return _ahead([ascents[i] for i in kept], [runs[i] for i in kept], options, problem)

    def _watch(self, ascent: Ascent) -> Callable[[Step], None]:
        return partial(self.observe, ascent.name)

    def _race(
        self,
        sample: ArrayBatches,
        starts: Sequence[Start | GaussianMixture],
        n_components: int,
        options: FitOptions,
        problem: Problem,
    ) -> list[Climber]:
        return race(
            problem.over(sample),
            starts,
            n_components,
            # the optimum of a sample is not that of all rows anyway
            rule=replace(options, rough=True).rule if self.is_large else options.rule,
            max_iter=options.max_iter,
            observe=self.observe,
        )

    def _rearranged(
        self,
        sample: ArrayBatches,
        climbers: list[Climber],
        options: FitOptions,
        problem: Problem,
    ) -> list[Climber]:
        """The runs of a race and those that split and merge leads to, the best first."""
        if options.init != "auto" or options.rough:
            begins = []
        elif self.description.n_lines <= FEW_ROWS:
            begins = optima(climbers)[:CONTENDERS]
        else:
            begins = climbers[:1] if agreeing(climbers, climbers[0]) == 1 else []
        here = problem.over(sample)
        found = [
            rearranged(
                here,
                climber,
                rule=options.rule,
                max_iter=options.max_iter,
                observe=self.observe,
            )
            for climber in begins
        ]
        better = [climber for climber in found if climber is not None]
        return sorted([*better, *climbers], key=lambda climber: -merit(climber.step, here))

    @staticmethod
    def _climb(
        begin: Ascent, problem: Problem, *, max_iter: int, observe: Callable[[Step], None]
    ) -> Run:
        return climb(
            begin.model, problem, begin.rule, state=begin.state, max_iter=max_iter, observe=observe
        )

    def _starts_of(
        self, options: FitOptions, problem: Problem
    ) -> tuple[list[ArrayBatches], Starts]:
        """Growing samples (none if one holds everything), and the starts on the smallest."""
        key = (problem.structure.scales_by_column, options.seed)
        if key not in self._starts:
            rng = np.random.default_rng([options.seed, 1])
            growing = samples(problem.batches, self.description, rng=rng)
            standardisation = self._coordinates[key[0]][0]
            starts = Starts(
                growing[0] if growing else in_memory(problem.batches),
                whitening=standardisation.whitening(self.description),
                seed=options.seed,
            )
            self._starts[key] = growing, starts
        return self._starts[key]


def _ahead(
    ascents: Sequence[Ascent], runs: Sequence[Run], options: FitOptions, problem: Problem
) -> list[Ascent]:
    """The ascents, the one whose run came highest first, to begin anew where that ended."""
    order = sorted(range(len(runs)), key=lambda i: -merit(runs[i].step, problem))
    return [
        replace(
            ascents[i],
            model=runs[i].step.model,
            state=State.new(runs[i].step.model),
            rule=options.rule(),
        )
        for i in order
    ]


def _new_ascent(climber: Climber, options: FitOptions, n_agreeing: int) -> Ascent:
    """An ascent from where a run on a sample has come to."""
    model = climber.step.model
    return Ascent(climber.name, model, State.new(model), options.rule(), n_agreeing)
