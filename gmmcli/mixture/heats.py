"""The races of the starts on a sample, or on all rows where these are few.

What is likeliest on a sample need not be so over all rows: a race gives several runs to go on with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress, islice

from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.em import Rule, Step
from gmmcli.mixture.evident import evident
from gmmcli.mixture.initialise import LEAN, QUICK, Start, Starts
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.options import FitOptions
from gmmcli.mixture.problem import Problem
from gmmcli.mixture.sampling import SAMPLE_ROWS, StandardisedSamples
from gmmcli.mixture.search import (
    QUICK_ROUNDS,
    ROUNDS,
    Climber,
    Observer,
    Rounds,
    agreeing,
    alike,
    merit,
    near,
    optima,
    race,
    rough_rounds,
    same_optimum,
)
from gmmcli.mixture.split_merge import FEW_ROWS, rearranged

ON_SAMPLES = 4
"""Runs that are followed beyond the race, as long as the rows are a sample."""
NEAR, NEAR_WHERE_ROUGH = 2.0, 1.0
"""Standard errors by which a run on a sample may be behind and still be the best over all rows."""
IN_DOUBT = 1 / 4, 1 / 3
"""Share of the starts that agree on the best optimum, up to which it is in doubt; of few rows."""
MOST_APART = 12
"""Clusters that a few starts may show to stand apart."""
AGAIN_ROUNDS: Rounds = ((15, None), (40, 8), (100, 3))
"""As ROUNDS, of starts that go over more rows where a race leaves doubt: the best may be slow."""
LEAST_GAIN = 3e-6
"""Nats a row that a step on a sample has to gain: its optimum is not that of all rows anyway."""
LEAST_WHERE_ROUGH = 0.5
"""The same for rough fits, and in nats in all: less than that is chance."""


@dataclass(frozen=True, eq=False)
class Heats:
    """Races for one fit.

    problem : over all rows.
    starts : on the smallest sample, or on all rows.
    growing : the samples, the smallest first; none if the starts are on all rows.
    """

    problem: Problem
    options: FitOptions
    starts: Starts
    growing: StandardisedSamples
    observe: Observer

    def quick(self, n_components: int) -> list[Climber]:
        """The best runs of a few starts, if they make others superfluous; none if they do not."""
        may_be_apart = self._is_thorough and 1 < n_components <= MOST_APART
        if not (may_be_apart and self.growing):
            return []
        few, sample = self.starts.portfolio(QUICK, n_components, n_init=1), self.starts.sample
        climbers = self.race(sample, few, n_components, QUICK_ROUNDS)
        model = climbers[0].step.model
        if model.n_components < n_components or not evident(model, sample):
            return []
        return [climber for climber in climbers if same_optimum(climber, climbers[0])]

    def main(
        self, n_components: int, fewest: int, warm: Sequence[GaussianMixture]
    ) -> list[Climber]:
        """The runs of all starts.

        Parameters
        ----------
        fewest : components that each of them begins with, at least.
        warm : mixtures that are starts, too.
        """
        joined = list[GaussianMixture]()
        if self._is_searching and n_components > 1:
            joined = self.starts.joined(n_components, self._on_sample)
        own = self.partitions(n_components)
        return self.race(self.starts.sample, [*own, *joined, *warm], fewest)

    def rearranged(self, climbers: Sequence[Climber]) -> list[Climber]:
        """The runs of a race and those that split and merge leads to, the best first."""
        n_begins = self._is_few + self._in_doubt(climbers)
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

    def leading(self, ranked: Sequence[Climber], sample: ArrayBatches) -> list[Climber]:
        """The runs over a sample that may be the best over all rows, by what it says."""
        if not ranked:
            return []
        distinct = optima(ranked, alike)
        steps = [climber.step for climber in distinct]
        leading = compress(distinct, self.near(steps, ranked[0].step, self.over(sample)))
        return list(islice(leading, ON_SAMPLES))

    def again(self, n_components: int, climbers: Sequence[Climber]) -> list[Climber]:
        """Runs from the starts over a larger sample, where few of a race agree.

        Where components overlap much, the likeliest mixture of a small sample may describe what its
        rows have by chance. EM does not come from there to where the start itself leads over more
        rows. However many starts were asked for, they are as many as there are by default.

        Parameters
        ----------
        climbers : the runs of the race.
        """
        is_in_doubt = self._is_thorough and self._in_doubt(climbers)
        if not is_in_doubt or self.starts.n_rows >= SAMPLE_ROWS:
            return []
        mixtures = self.starts.mixtures(self.options.init, n_components, self._on_sample)
        return self.race(self.growing[1], mixtures, n_components, AGAIN_ROUNDS)

    def partitions(self, n_components: int) -> list[Start]:
        """The starts that the options ask for."""
        options, starts = self.options, self.starts
        portfolio = starts.portfolio if options.weight_prior is None else starts.portfolios
        init = LEAN if options.rough and options.init == "auto" else options.init
        return list(portfolio(init, n_components, n_init=options.n_init))

    def race(
        self,
        sample: ArrayBatches,
        starts: Sequence[Start | GaussianMixture],
        n_components: int,
        rounds: Rounds | None = None,
    ) -> list[Climber]:
        """The runs from these starts over a sample; see `search.race`."""
        rough, most = self.options.rough, self.options.max_iter
        rounds = rounds or (rough_rounds(n_components) if rough else ROUNDS)
        return race(
            self.over(sample),
            starts,
            n_components,
            rule=partial(self.rule, sample.n_rows),
            rounds=[(min(n_iter, most), n_runners) for n_iter, n_runners in rounds],
            observe=self.observe,
        )

    def near(self, steps: Sequence[Step], best: Step, problem: Problem) -> Iterator[bool]:
        """Which of the runs may be the best over all rows; see `search.near`."""
        return near(steps, best, problem, NEAR_WHERE_ROUGH if self.options.rough else NEAR)

    def over(self, sample: ArrayBatches) -> Problem:
        """The problem over a sample."""
        return replace(self.problem.over(sample), is_sample=bool(self.growing))

    def rule(self, n_rows: int) -> Rule:
        """A new stopping rule of runs over so many rows of a sample, or over all."""
        if not self.growing:
            return self.options.rule()
        return self.options.rule(LEAST_WHERE_ROUGH / n_rows if self.options.rough else LEAST_GAIN)

    @cached_property
    def _on_sample(self) -> Problem:
        return self.over(self.starts.sample)

    @property
    def _is_searching(self) -> bool:
        return self.options.init == "auto" and self.options.weight_prior is None

    @property
    def _is_thorough(self) -> bool:
        return self._is_searching and not self.options.rough

    @property
    def _is_few(self) -> bool:
        return not self.growing and self.starts.n_rows <= FEW_ROWS

    def _in_doubt(self, climbers: Sequence[Climber]) -> bool:
        """Whether few runs of a race are known to have ended where the best did."""
        return agreeing(climbers, climbers[0]) <= len(climbers) * IN_DOUBT[self._is_few]
