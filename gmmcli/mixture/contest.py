"""From many starts to the few ascents over all rows that promise most.

The starts race on a sample, the best of them go on to larger samples, and what is still in doubt
then is decided by a few steps over all rows. A sample does not show clusters that are rare, so
rows that its best fit cannot explain are looked for in all of them, and tried as clusters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress, islice
from operator import itemgetter
from typing import Any

import numpy as np

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.em import Coming, Run, State
from gmmcli.mixture.heats import Heats
from gmmcli.mixture.initialise import with_rare_rows
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import GROWTH, check_distinct, enriched, rare_rows
from gmmcli.mixture.search import (
    Climber,
    Known,
    agreeing,
    agreeing_each,
    alike,
    merit,
    optima,
    set_aside,
)
from gmmcli.mixture.snapshot import Ascent, Snapshot
from gmmcli.mixture.trees import groups_of

CONTENDERS = 2
"""Runs that are followed beyond the race: the likeliest may be second on a sample."""
MORE_IN_DOUBT = 2
"""Runs more that are followed, on samples and over all rows, where the races leave doubt."""
MOST_RARE = 3
"""Clusters that rows may be which a sample does not explain."""
QUICK_STEPS = 4
"""M-steps to the optimum of a sample from which EM counts as quick."""
ROUGH_GROWTH = 5
"""Times that there are more rows than in a later sample, at least: else a rough fit skips it."""
ROUGH_STEPS = 2
"""M-steps of rough fits on a later sample: what the first one's rows had by chance is gone then."""
LATE_WHERE_ROUGH = 3e-3
"""Gain in nats a row below which rough fits leap: which optimum they come to matters less."""
FIRST_STEPS = 5
"""M-steps over all rows that tell which of several contenders to follow."""


@dataclass(frozen=True, eq=False)
class Contest:
    """Who is to climb over all rows.

    heats : the races on samples.
    n_rows : the sum of the row weights.
    """

    heats: Heats
    n_rows: float

    @property
    def problem(self) -> Problem:
        """Over all rows."""
        return self.heats.problem

    @property
    def options(self) -> FitOptions:
        """How to fit."""
        return self.heats.options

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
            fewest, n_components = 1, min(n_components, self.heats.starts.n_distinct)
        elif n_components > self.heats.starts.n_distinct:
            check_distinct(self.problem.batches, n_components)
        climbers = [] if warm else self.heats.quick(n_components)
        if climbers:
            again = list[Climber]()
            ascents = [self._ascent(climbers[0], climbers)]
            # where EM takes few steps, a step over all rows is worth more than many on some of them
            is_fast = climbers[0].step.n_iter <= QUICK_STEPS
            for sample in islice(self._later(GROWTH), 1 if is_fast else None):
                ascents = self._compared(ascents, sample, 0 if is_fast else self.options.max_iter)
        else:
            climbers = self.heats.main(n_components, fewest, warm)
            ranked = self.heats.rearranged(climbers)
            if not self.heats.growing:
                return self._of_all_rows(key, ranked, climbers)
            ascents, again = self._ahead(n_components, ranked, climbers)
        # to describe the rows and to sample them
        n_passes, n_starts = 2, len(climbers) + len(again)
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
            n_followed = 1 + MORE_IN_DOUBT * bool(again)
            ascents = self._anew(ascents, runs, self.problem)[:n_followed]
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

    def _ahead(
        self, n_components: int, ranked: Sequence[Climber], climbers: Sequence[Climber]
    ) -> tuple[list[Ascent], list[Climber]]:
        """The runs that may be the best over all rows, by what the larger samples say.

        And the runs over more rows that were begun where these leave doubt.
        """
        growth, n_steps, growing = GROWTH, self.options.max_iter, self.heats.growing
        if self.options.rough:
            growth, n_steps = ROUGH_GROWTH, min(n_steps, ROUGH_STEPS)
        again = self.heats.again(n_components, climbers)
        n_contenders = CONTENDERS + MORE_IN_DOUBT * bool(again)
        ascents = list[Ascent]()
        for number, (best, runs) in enumerate([(ranked, climbers), (again, again)]):
            leading = self.heats.leading(best, growing[number])
            for climber, count in zip(leading, agreeing_each(runs, leading), strict=True):
                ascents.append(self._begin(climber.name, climber.step.model, count))
        for sample in self._later(growth, is_in_doubt=bool(again)):
            ascents = self._compared(ascents, sample, n_steps)[:n_contenders]
        return ascents[:n_contenders], again

    def _later(self, growth: float, *, is_in_doubt: bool = False) -> Iterator[ArrayBatches]:
        """The samples larger than the first, up to so small a part of all rows.

        Where there is doubt the second one in any case.
        """
        growing = self.heats.growing
        for number in range(1, len(growing)):
            if self.n_rows >= growth * growing.sizes[number] or (is_in_doubt and number == 1):
                yield growing[number]

    def _rarer(self, n_components: int, fewest: int, ahead: Ascent) -> list[list[Climber]]:
        """Runs from starts with one cluster, two, and so on, of the rows that a run cannot explain.

        Which of them is better shows only over all rows.
        """
        starts, sample = self.heats.starts, self.heats.starts.sample
        rare = rare_rows(self.problem, ahead.model, sample, self.n_rows)
        ahead.state.begun = rare.statistics
        if rare.rows is None or rare.left.sum() < n_components:
            return []
        wider = enriched(sample, rare.left, rare.rows, self.n_rows)
        white, most = starts.whitening @ rare.rows.X, min(MOST_RARE, n_components - 1)
        weights = np.ones(rare.rows.n_rows) if rare.rows.weights is None else rare.rows.weights
        found = []
        for n_rare, groups in enumerate(groups_of(white, weights, most), start=1):
            few = self.heats.partitions(n_components - n_rare)
            with_rare = [with_rare_rows(start, wider, rare.left, groups) for start in few]
            found.append(self.heats.race(wider, with_rare, fewest))
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

    def _compared(
        self, ascents: Sequence[Ascent], sample: ArrayBatches, n_steps: int
    ) -> list[Ascent]:
        """The ascents by where so many steps over a sample, at most, take them."""
        if not ascents:
            return []
        problem = self.heats.over(sample)
        begins = [replace(ascent, rule=self.heats.rule(sample.n_rows)) for ascent in ascents]
        runs = [self._run(begin, problem, n_steps) for begin in begins]
        steps = [run.step for run in runs]
        best = max(steps, key=lambda step: merit(step, problem))
        are_near = list(self.heats.near(steps, best, problem))
        kept = list(compress(ascents, are_near))
        return self._anew(kept, list(compress(runs, are_near)), problem)

    def _run(self, ascent: Ascent, problem: Problem, n_steps: int) -> Run:
        observe = partial(self.heats.observe, ascent.name)
        return ascent.climb(problem, max_iter=n_steps, observe=observe)

    def _anew(
        self, ascents: Sequence[Ascent], runs: Sequence[Run], problem: Problem
    ) -> list[Ascent]:
        """The ascents, to begin anew where their runs ended, the highest first; one an optimum."""
        distinct: list[tuple[Ascent, Run]] = []
        pairs = zip(ascents, runs, strict=True)
        for ascent, run in sorted(pairs, key=lambda pair: -merit(pair[1].step, problem)):
            same = [known for known, other in distinct if alike(run, other)]
            if same:
                same[0].n_agreeing += ascent.n_agreeing
            else:
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
