"""From many starts to the few ascents over all rows that promise most.

The starts race on a sample, the best of them go on to larger samples, and what is still in doubt
then is decided by a few steps over all rows. A sample does not show clusters that are rare, so
rows that its best fit cannot explain are looked for in all of them, and tried as clusters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress, islice
from operator import itemgetter
from typing import Any

import numpy as np

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.em import Coming, Rule, Run, State, Step
from gmmcli.mixture.evident import evident
from gmmcli.mixture.initialise import LEAN, QUICK, Start, Starts, groups_of, with_rare_rows
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.partition import joined, model_of
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import StandardisedSamples, check_distinct, enriched, rare_rows
from gmmcli.mixture.search import (
    QUICK_ROUNDS,
    ROUNDS,
    Climber,
    Known,
    Observer,
    Rounds,
    agreeing,
    merit,
    near,
    optima,
    race,
    rough_rounds,
    same_optimum,
    set_aside,
)
from gmmcli.mixture.snapshot import Ascent, Snapshot
from gmmcli.mixture.split_merge import FEW_ROWS, rearranged
from gmmcli.mixture.statistics import Estimates

CONTENDERS = 2
"""Runs that are followed beyond the race: the likeliest may be second on a sample."""
ON_SAMPLES = 4
"""The same, as long as the rows are a sample."""
NEAR, NEAR_WHERE_ROUGH = 2.0, 1.0
"""Standard errors by which a run on a sample may be behind and still be the best over all rows."""
ALIKE = 1e-4
"""Nats a row within which two optima of a sample count as one: they are known only roughly."""
IN_DOUBT = 1 / 4, 1 / 3
"""Share of the starts that agree on the best optimum, up to which it is in doubt; of few rows."""
MOST_APART = 12
"""Clusters that a few starts may show to stand apart."""
MOST_RARE = 3
"""Clusters that rows may be which a sample does not explain."""
QUICK_STEPS = 4
"""M-steps to the optimum of a sample from which EM counts as quick."""
SPARE_GROUPS = 2
"""Groups more than components, of which some are joined as suits the structure."""
JOINED = 2
"""Starts that come of it, at most: which is likeliest by hard assignment may not be so by EM."""
ROUGH_GROWTH = 5
"""Times that there are more rows than in a later sample, at least: else a rough fit skips it."""
ROUGH_STEPS = 2
"""M-steps of rough fits on a later sample: what the first one's rows had by chance is gone then."""
LEAST_GAIN = 3e-6
"""Nats a row that a step on a sample has to gain: its optimum is not that of all rows anyway."""
LEAST_WHERE_ROUGH = 0.5
"""The same for rough fits, and in nats in all: less than that is chance."""
LATE_WHERE_ROUGH = 3e-3
"""Gain in nats a row below which rough fits leap: which optimum they come to matters less."""
FIRST_STEPS = 5
"""M-steps over all rows that tell which of several contenders to follow."""


@dataclass(frozen=True, eq=False)
class Contest:
    """Who is to climb over all rows.

    problem : over all rows.
    starts : on the smallest sample, or on all rows.
    growing : the samples, the smallest first; none if the starts are on all rows.
    n_rows : the sum of the row weights.
    """

    problem: Problem
    options: FitOptions
    starts: Starts
    growing: StandardisedSamples
    n_rows: float
    observe: Observer

    def snapshot(
        self,
        key: dict[str, Any],
        warm: Sequence[GaussianMixture],
        known: Known | None,
    ) -> Snapshot:
        """The ascents over all rows that promise most, at their beginning.

        Parameters
        ----------
        key : of the fit; its "k" is the number of components.
        warm : mixtures that are starts, too.
        known : what a smaller mixture has reached, which a rough fit is not to end below.
        """
        n_components: int = key["k"]
        fewest = n_components
        if self.options.weight_prior is not None:
            fewest, n_components = 1, min(n_components, self.starts.n_distinct)
        elif n_components > self.starts.n_distinct:
            check_distinct(self.problem.batches, n_components)
        climbers = [] if warm else self._quick(n_components)
        if climbers:
            ascents = [self._ascent(climbers[0], climbers)]
            # where EM takes few steps, a step over all rows is worth more than many on some of them
            is_fast = climbers[0].step.n_iter <= QUICK_STEPS
            n_samples = min(2 if is_fast else len(self.growing), len(self.growing))
            for number in range(1, n_samples):
                n_steps = 0 if is_fast else self.options.max_iter
                ascents = self._compared(ascents, self.growing[number], n_steps)
        else:
            own, mixtures = self._partitions(n_components), self._joined(n_components)
            climbers = self._race(self.starts.sample, [*own, *mixtures, *warm], fewest)
            ranked = self._rearranged(climbers)
            if not self.growing:
                return self._of_all_rows(key, ranked, climbers)
            ascents = self._ahead(ranked, climbers)
        # to describe the rows and to sample them
        n_passes, n_starts = 2, len(climbers)
        ascents = ascents[:CONTENDERS]
        rarer: list[list[Climber]] = []
        if n_components > 1 and self.options.seek_rare:
            rarer = self._rarer(n_components, fewest, ascents[0])
            n_passes += ascents[0].state.begun is None
            n_starts += sum(map(len, rarer))
        if self.options.rough:
            best, n_more = self._most_promising(ascents, known)
            ascents, n_passes = [best], n_passes + n_more
        ascents += [self._ascent(runs[0], runs) for runs in rarer]
        if len(ascents) > 1:
            n_steps = min(self.options.max_iter, FIRST_STEPS)
            n_passes += len(ascents) * (n_steps + 1)
            runs = [self._run(ascent, self.problem, n_steps) for ascent in ascents]
            ascents = self._anew(ascents, runs, self.problem)[:1]
        return Snapshot(key, n_starts, n_passes, ascents)

    def _of_all_rows(
        self, key: dict[str, Any], ranked: list[Climber], climbers: list[Climber]
    ) -> Snapshot:
        """The best runs of a race that was over all rows, to go on from where they are."""
        leading = optima(ranked)[:CONTENDERS]
        ascents = [self._ascent(climber, climbers) for climber in leading]
        for ascent, climber in zip(ascents, leading, strict=True):
            ascent.state.n_iter = climber.step.n_iter
        return Snapshot(key, len(climbers), 0, ascents, set_aside(climbers, ranked[0]))

    def _quick(self, n_components: int) -> list[Climber]:
        """The best runs of a few starts, if they make others superfluous; none if they do not."""
        options, starts = self.options, self.starts
        apart = options.init == "auto" and options.weight_prior is None and not options.rough
        if not (apart and self.growing and 1 < n_components <= MOST_APART):
            return []
        few = starts.portfolio(QUICK, n_components, n_init=1)
        climbers = self._race(starts.sample, few, n_components, QUICK_ROUNDS)
        model = climbers[0].step.model
        if model.n_components < n_components or not evident(model, starts.sample):
            return []
        return [climber for climber in climbers if same_optimum(climber, climbers[0])]

    @cached_property
    def _on_sample(self) -> Problem:
        return self._over(self.starts.sample)

    def _over(self, sample: ArrayBatches) -> Problem:
        return replace(self.problem.over(sample), is_sample=bool(self.growing))

    def _partitions(self, n_components: int) -> list[Start]:
        options, starts = self.options, self.starts
        portfolio = starts.portfolio if options.weight_prior is None else starts.portfolios
        init = LEAN if options.rough and options.init == "auto" else options.init
        return list(portfolio(init, n_components, n_init=options.n_init))

    def _race(
        self,
        sample: ArrayBatches,
        starts: Sequence[Start | GaussianMixture],
        n_components: int,
        rounds: Rounds | None = None,
    ) -> list[Climber]:
        return race(
            self._over(sample),
            starts,
            n_components,
            rule=partial(self._rule, sample.n_rows),
            rounds=self._capped(rounds or self._rounds(n_components)),
            observe=self.observe,
        )

    def _rounds(self, n_components: int) -> Rounds:
        return rough_rounds(n_components) if self.options.rough else ROUNDS

    def _capped(self, rounds: Rounds) -> Rounds:
        return [(min(n_iter, self.options.max_iter), n_runners) for n_iter, n_runners in rounds]

    def _rule(self, n_rows: int) -> Rule:
        """A new stopping rule of runs over so many rows of a sample, or over all."""
        if not self.growing:
            return self.options.rule()
        return self.options.rule(LEAST_WHERE_ROUGH / n_rows if self.options.rough else LEAST_GAIN)

    def _rearranged(self, climbers: list[Climber]) -> list[Climber]:
        """The runs of a race and those that split and merge leads to, the best first."""
        few = not self.growing and self.starts.n_rows <= FEW_ROWS
        in_doubt = agreeing(climbers, climbers[0]) <= len(climbers) * IN_DOUBT[few]
        n_begins = few + in_doubt
        if self.options.init != "auto" or self.options.rough:
            n_begins = 0
        begins, better = optima(climbers)[:n_begins], list[Climber]()
        for begin in begins:
            moved = rearranged(
                self._on_sample,
                begin,
                known=[*begins, *better],
                rule=self.options.rule,
                max_iter=self.options.max_iter,
                observe=self.observe,
            )
            better += [] if moved is None else [moved]
        everyone = [*better, *climbers]
        return sorted(everyone, key=lambda climber: -merit(climber.step, self._on_sample))

    def _ahead(self, ranked: list[Climber], climbers: list[Climber]) -> list[Ascent]:
        """The runs that may be the best over all rows, by what the samples say."""
        best, here = ranked[0].step, self._on_sample
        distinct = optima(ranked, ALIKE)
        leading = compress(distinct, self._near([climber.step for climber in distinct], best, here))
        ascents = [self._ascent(climber, climbers) for climber in islice(leading, ON_SAMPLES)]
        growth, n_steps = 1, self.options.max_iter
        if self.options.rough:
            growth, n_steps = ROUGH_GROWTH, min(n_steps, ROUGH_STEPS)
        for number, size in enumerate(self.growing.sizes):
            if number > 0 and self.n_rows >= growth * size:
                ascents = self._compared(ascents, self.growing[number], n_steps)[:CONTENDERS]
        return ascents

    def _rarer(self, n_components: int, fewest: int, ahead: Ascent) -> list[list[Climber]]:
        """Runs from starts with one cluster, two, and so on, of the rows that a run cannot explain.

        Which of them is better shows only over all rows.
        """
        sample = self.starts.sample
        rare = rare_rows(self.problem, ahead.model, sample, self.n_rows)
        ahead.state.begun = rare.statistics
        if rare.rows is None or rare.left.sum() < n_components:
            return []
        wider = enriched(sample, rare.left, rare.rows, self.n_rows)
        white, most = self.starts.whitening @ rare.rows.X, min(MOST_RARE, n_components - 1)
        weights = np.ones(rare.rows.n_rows) if rare.rows.weights is None else rare.rows.weights
        found = []
        for n_rare, groups in enumerate(groups_of(white, weights, most), start=1):
            starts = self._partitions(n_components - n_rare)
            with_rare = [with_rare_rows(start, wider, rare.left, groups) for start in starts]
            found.append(self._race(wider, with_rare, fewest))
        return found

    def _most_promising(self, ascents: Sequence[Ascent], known: Known | None) -> tuple[Ascent, int]:
        """The one whose first step over all rows reaches most, and the passes of the others.

        What a race gains on a sample is partly chance: over all rows it may be a loss. So one from
        what is known is tried as well, if all others are below it.
        """
        if known is None and len(ascents) == 1:
            return ascents[0], 0
        promised = [(self._promise(ascent), ascent) for ascent in ascents]
        if known is not None and max(promised, key=itemgetter(0))[0] < known.log_likelihood:
            rival = self._begin("a smaller mixture, enlarged", known.start, 0)
            promised.append((self._promise(rival), rival))
        best = max(promised, key=itemgetter(0))[1]
        best.rule = self.options.rule(floor=np.nan if known is None else known.log_likelihood)
        return best, len(promised) - 1

    def _promise(self, ascent: Ascent) -> float:
        """The log-likelihood that the first M-step reaches, about, in user units."""
        statistics = ascent.state.begun or self.problem.e_step(ascent.model)
        ascent.state.begun = statistics
        gain = Coming(self.problem, ascent.model, statistics).gain / 2
        return statistics.log_likelihood + gain - statistics.n_rows * self.problem.log_volume

    def _joined(self, n_components: int) -> list[GaussianMixture]:
        """Mixtures from some groups too many, joined as suits the structure."""
        options = self.options
        if options.init != "auto" or n_components == 1 or options.weight_prior is not None:
            return []
        problem, found = self._on_sample, list[Estimates]()
        for start in self.starts.portfolio("hierarchical", n_components + SPARE_GROUPS, n_init=1):
            moments = start.moments(problem.structure.form)
            found += joined(problem, moments, n_components)[:JOINED]
        return [model_of(problem, likely, n_components, softened=True) for likely in found]

    def _near(self, steps: Sequence[Step], best: Step, problem: Problem) -> Iterator[bool]:
        return near(steps, best, problem, NEAR_WHERE_ROUGH if self.options.rough else NEAR)

    def _compared(
        self, ascents: Sequence[Ascent], sample: ArrayBatches, n_steps: int
    ) -> list[Ascent]:
        """The ascents by where so many steps over a sample, at most, take them."""
        problem = self._over(sample)

        begins = [replace(ascent, rule=self._rule(sample.n_rows)) for ascent in ascents]
        runs = [self._run(begin, problem, n_steps) for begin in begins]
        steps = [run.step for run in runs]
        best = max(steps, key=lambda step: merit(step, problem))
        are_near = list(self._near(steps, best, problem))
        kept = list(compress(ascents, are_near))
        return self._anew(kept, list(compress(runs, are_near)), problem)

    def _run(self, ascent: Ascent, problem: Problem, n_steps: int) -> Run:
        observe = partial(self.observe, ascent.name)
        return ascent.climb(problem, max_iter=n_steps, observe=observe)

    def _anew(
        self, ascents: Sequence[Ascent], runs: Sequence[Run], problem: Problem
    ) -> list[Ascent]:
        """The ascents, to begin anew where their runs ended, the highest first; one an optimum."""
        distinct: list[tuple[Ascent, Run]] = []
        pairs = zip(ascents, runs, strict=True)
        for ascent, run in sorted(pairs, key=lambda pair: -merit(pair[1].step, problem)):
            if not any(same_optimum(run, other, ALIKE) for _, other in distinct):
                distinct.append((ascent, run))
        steps = [run.step for _, run in distinct]
        # an M-step more comes without another E-step
        ends = [step.coming.mixture if self.options.max_iter else step.model for step in steps]
        return [
            self._begin(ascent.name, end, ascent.n_agreeing)
            for (ascent, _), end in zip(distinct, ends, strict=True)
        ]

    def _ascent(self, climber: Climber, climbers: Sequence[Climber]) -> Ascent:
        """An ascent from where a run of a race has come to."""
        return self._begin(climber.name, climber.step.model, agreeing(climbers, climber))

    def _begin(self, name: str, model: GaussianMixture, n_agreeing: int) -> Ascent:
        state = State.new(model, late=LATE_WHERE_ROUGH if self.options.rough else None)
        return Ascent(name, model, state, self.options.rule(), n_agreeing)
