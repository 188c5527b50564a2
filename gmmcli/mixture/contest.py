"""From many starts to the few ascents over all rows that promise most.

The starts race on a sample, the best of them go on to larger samples, and what is still in doubt
then is decided by a few steps over all rows. A sample does not show clusters that are rare, so
rows that its best fit cannot explain are looked for in all of them, and tried as a cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.em import Problem, Run, State
from gmmcli.mixture.initialise import LEAN, Start, Starts, with_rare_rows
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.sampling import check_distinct, enriched, rare_rows
from gmmcli.mixture.search import (
    Climber,
    Observer,
    agreeing,
    merit,
    near,
    optima,
    race,
    set_aside,
)
from gmmcli.mixture.snapshot import Ascent, Snapshot
from gmmcli.mixture.split_merge import FEW_ROWS, rearranged
from gmmcli.mixture.workers import Serial

CONTENDERS = 2
"""Runs that are followed beyond the race: the likeliest may be second on a sample."""
ON_SAMPLES = 4
"""The same, as long as the rows are a sample."""
ALIKE = 1e-4
"""Nats a row within which two optima of a sample count as one: they are known only roughly."""
FEW_STARTS = 2
"""Starts that agree on the best optimum, up to which it is in doubt."""
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
    growing: Sequence[ArrayBatches]
    n_rows: float
    observe: Observer

    def snapshot(
        self, key: dict[str, Any], warm: Sequence[GaussianMixture], *, alone: bool
    ) -> Snapshot:
        """The ascents over all rows that promise most, at their beginning.

        Parameters
        ----------
        key : of the fit; its "k" is the number of components.
        warm : mixtures that are starts, too, or if `alone` the only ones.
        """
        n_components: int = key["k"]
        fewest = n_components
        if self.options.weight_prior is not None:
            fewest, n_components = 1, min(n_components, self.starts.n_distinct)
        elif n_components > self.starts.n_distinct:
            check_distinct(self.problem.batches, n_components)
        partitions = [] if alone else self._partitions(n_components)
        climbers = self._race(self.starts.sample, [*partitions, *warm], fewest)
        ranked = self._rearranged(climbers)
        if not self.growing:
            leading = optima(ranked)[:CONTENDERS]
            ascents = [self._ascent(climber, climbers) for climber in leading]
            for ascent, climber in zip(ascents, leading, strict=True):
                # the race was over all rows, so its steps are the beginning of these runs
                ascent.state.n_iter = climber.step.n_iter
            return Snapshot(key, len(climbers), 0, ascents, set_aside(climbers, ranked[0]))
        best, here = ranked[0].step, self._on_sample
        distinct = optima(ranked, ALIKE)
        leading = [climber for climber in distinct if near(climber.step, best, here)]
        ascents = [self._ascent(climber, climbers) for climber in leading[:ON_SAMPLES]]
        for larger in self.growing[1:]:
            ascents = self._compared(ascents, larger)[:CONTENDERS]
        if self.options.rough:
            ascents = ascents[:1]
        rarer = [] if alone or n_components == 1 else self._rarer(n_components, fewest, ascents[0])
        ascents += [self._ascent(climber, rarer) for climber in rarer[:CONTENDERS]]
        # to describe the rows, to sample them, and to look for rare ones
        n_passes = 3
        if len(ascents) > 1:
            n_steps = min(self.options.max_iter, FIRST_STEPS)
            n_passes += len(ascents) * (n_steps + 1)
            runs = [self._followed(ascent, n_steps) for ascent in ascents]
            ascents = self._anew(ascents, runs, self.problem)[:1]
        return Snapshot(key, len(climbers) + len(rarer), n_passes, ascents)

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
        self, sample: ArrayBatches, starts: Sequence[Start | GaussianMixture], n_components: int
    ) -> list[Climber]:
        # the optimum of a sample is not that of all rows anyway
        rule = replace(self.options, rough=True).rule if self.growing else self.options.rule
        return race(
            self._over(sample),
            starts,
            n_components,
            rule=rule,
            max_iter=self.options.max_iter,
            observe=self.observe,
        )

    def _rearranged(self, climbers: list[Climber]) -> list[Climber]:
        """The runs of a race and those that split and merge leads to, the best first."""
        n_begins = int(agreeing(climbers, climbers[0]) <= FEW_STARTS)
        if not self.growing and self.starts.n_rows <= FEW_ROWS:
            n_begins += 1
        if self.options.init != "auto" or self.options.rough:
            n_begins = 0
        begins = optima(climbers)[:n_begins]
        moved = partial(
            rearranged,
            self._on_sample,
            rule=self.options.rule,
            max_iter=self.options.max_iter,
            observe=self.observe,
        )
        better = [climber for climber in map(moved, begins) if climber is not None]
        everyone = [*better, *climbers]
        return sorted(everyone, key=lambda climber: -merit(climber.step, self._on_sample))

    def _rarer(self, n_components: int, fewest: int, ahead: Ascent) -> list[Climber]:
        """Runs from starts with a cluster of the rows that the run ahead cannot explain."""
        rare = rare_rows(self.problem, ahead.model)
        if rare is None:
            return []
        with_rare = with_rare_rows(self._partitions(n_components - 1), rare, n_components - 1)
        return self._race(enriched(self.starts.sample, rare, self.n_rows), with_rare, fewest)

    def _compared(self, ascents: Sequence[Ascent], sample: ArrayBatches) -> list[Ascent]:
        """The ascents by where they come to over a sample; threads share whole runs."""
        problem = self._over(sample)
        alone = replace(problem, workers=Serial())
        rough = replace(self.options, rough=True)

        def run(ascent: Ascent) -> Run:
            begin = replace(ascent, rule=rough.rule())
            return begin.climb(alone, max_iter=rough.max_iter, observe=lambda _: None)

        runs = list(problem.workers.map_ordered(run, ascents))
        for ascent, ended in zip(ascents, runs, strict=True):
            self.observe(ascent.name, ended.step)
        best = max((ended.step for ended in runs), key=lambda step: merit(step, problem))
        pairs = zip(ascents, runs, strict=True)
        kept = [(ascent, run) for ascent, run in pairs if near(run.step, best, problem)]
        return self._anew([ascent for ascent, _ in kept], [run for _, run in kept], problem)

    def _followed(self, ascent: Ascent, n_steps: int) -> Run:
        observe = partial(self.observe, ascent.name)
        return ascent.climb(self.problem, max_iter=n_steps, observe=observe)

    def _anew(
        self, ascents: Sequence[Ascent], runs: Sequence[Run], problem: Problem
    ) -> list[Ascent]:
        """The ascents, the one whose run came highest first, to begin anew where that ended."""
        pairs = sorted(
            zip(ascents, runs, strict=True), key=lambda pair: -merit(pair[1].step, problem)
        )
        return [
            replace(
                ascent,
                model=run.step.model,
                state=State.new(run.step.model),
                rule=self.options.rule(),
            )
            for ascent, run in pairs
        ]

    def _ascent(self, climber: Climber, climbers: Sequence[Climber]) -> Ascent:
        """An ascent from where a run of a race has come to."""
        model, n_agreeing = climber.step.model, agreeing(climbers, climber)
        return Ascent(climber.name, model, State.new(model), self.options.rule(), n_agreeing)
