"""The grid of fits: every K under every structure, and no larger model below a smaller one.

With one component more, or with a structure that leaves more freedom, a mixture can do whatever
the smaller one does. Where its own starts end lower it is started once more, from the smaller.

Of few rows each cell is found by itself. Of large data, to search thoroughly in each cell would
take long. There the search is a rough one that also starts from what was found for the cell's
relatives, the least and the most free structure first, from few components to many and, where these
overlap, back again. Only the cells that may be the best are followed to convergence.

Whole cells are shared among processes where those that do not need each other are enough for all:
most of a cell's search is on samples, which are too few rows to be shared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import NamedTuple, Self

import numpy as np

from gmmcli.errors import FitError
from gmmcli.mixture.batches import ArrayBatches
from gmmcli.mixture.covariance import structure_of
from gmmcli.mixture.fitting import Fitting
from gmmcli.mixture.model import GaussianMixture
from gmmcli.mixture.neighbours import (
    REACH,
    enlarged,
    is_in_doubt,
    likeliest,
    passes_of_both,
    raised,
    thinned,
)
from gmmcli.mixture.options import FitOptions, FitResult
from gmmcli.mixture.search import ALONE, Known, Relatives
from gmmcli.mixture.selection import CRITERIA, OF_LIKELIHOOD, Cell
from gmmcli.mixture.shapes import nested_in
from gmmcli.mixture.workers import T

MOST_RELATIVES = 4
"""Fits of other structures, or of fewer components, that one is started from."""
MOST_ROWS = 500_000
"""Rows up to which the searches on samples take longer than the passes over all rows."""
MOST_ROUNDS = 3
"""Times that cells are followed which were raised since others were followed."""

Key = tuple[str, int]


def grid(
    fitting: Fitting,
    component_counts: Sequence[int],
    *,
    covariance_types: Sequence[str],
    options: FitOptions,
    criterion: str = "bic",
    tell: Callable[[Cell], None] | None = None,
) -> list[Cell]:
    """Fit every K under every structure; a cell that cannot be fitted does not stop the rest.

    Parameters
    ----------
    fitting : the rows.
    options : as for `fit`; its covariance_type is not looked at.
    criterion : by which the best is chosen.
    tell : called with each cell when it is done, those of few components and little freedom first.

    Returns
    -------
    The cells, structure by structure, in the order of the arguments.

    Raises
    ------
    FitError : the name of a structure is not for that many columns.
    """
    n_features = fitting.batches.n_features
    codes = {name: structure_of(name, n_features).code for name in covariance_types}
    cells = _Grid(fitting, codes, replace(options, rough=fitting.is_large))
    counts = sorted(component_counts)
    done = cells.related(counts) if fitting.is_large else cells.each(counts)
    for cell in done:
        if tell is not None:
            tell(cell)
    if fitting.is_large:
        cells.thin(counts)
        cells.follow(criterion, options)
    return [cells.done[name, count] for name in covariance_types for count in component_counts]


class _Job(NamedTuple):
    """A cell to be fitted, and what is known of others."""

    covariance_type: str
    n_components: int
    relatives: Relatives = ALONE


class _Pair(NamedTuple):
    """What was found for a cell, and for one of more components under the same structure."""

    result: FitResult
    larger: FitResult


@dataclass(eq=False)
class _Grid:
    """The cells that are done, by structure and K; those of little freedom come first.

    codes : the three letters of each structure's name.
    """

    fitting: Fitting
    codes: dict[str, str]
    options: FitOptions
    done: dict[Key, Cell] = field(default_factory=dict)

    @property
    def by_freedom(self) -> list[str]:
        return sorted(self.codes, key=lambda name: len(nested_in(name)))

    def each(self, component_counts: Sequence[int]) -> Iterator[Cell]:
        """The cells of few rows, which need no other."""
        jobs = [_Job(name, count) for count in component_counts for name in self.by_freedom]
        for cell in self._shared(_Grid.fitted, jobs):
            self._add(cell)
            yield self._settled(cell.covariance_type, cell.n_components)

    def related(self, component_counts: Sequence[int]) -> Iterator[Cell]:
        """The cells of many rows, which start from those that are done.

        The least and the most free structure of each K are fitted beside the others of the K
        before it: none of these needs another.
        """
        names = self.by_freedom
        if max(component_counts) > 1 and self._is_shared(len(names)):
            self.fitting.grow_trees(replace(self.options, covariance_type=n) for n in names)
        leading = list(dict.fromkeys((names[-1], names[0])))
        others = [name for name in names if name not in leading]
        behind = [None, *component_counts] if others else list(component_counts)
        for led, count in zip_longest(component_counts, behind):
            jobs = [self._job(name, led, [name]) for name in leading if led is not None]
            if count is not None:
                jobs += [self._job(name, count, [*leading, name]) for name in others]
            # to fit one component takes a pass
            is_long = max(job.n_components for job in jobs) > 1
            for cell in self._divided(_Grid.fitted, jobs, is_long=is_long):
                self._add(cell)
            if count is not None:
                # a rough fit has tried the first way to enlarge what is smaller
                yield from [self._settled(name, count, n_tried=1) for name in names]

    def thin(self, component_counts: Sequence[int]) -> None:
        """Start cells whose components overlap from the next larger one, too, as it is by then."""
        for count in sorted(set(component_counts), reverse=True):
            pairs = [self._pair(name, count) for name in self.codes]
            found = [pair for pair in pairs if pair is not None]
            for cell in self._divided(_Grid.thinned, found, is_long=True):
                self._add(cell)
        self._settle()

    def follow(self, criterion: str, options: FitOptions) -> None:
        """Go on to convergence with the best cell; with others as long as they may become it."""
        ends: dict[Key, FitResult | None] = {}
        # one that is below a smaller one by then is raised, and followed from there
        for _ in range(MOST_ROUNDS):
            before = dict(ends)
            self._go_on(criterion, options, ends)
            if ends == before:
                return
            self._settle()

    def _go_on(
        self, criterion: str, options: FitOptions, ends: dict[Key, FitResult | None]
    ) -> None:
        """Follow those that may be the best, but for cells that are what they ended in.

        Parameters
        ----------
        ends : what they have come to, by cell.
        """
        value = CRITERIA[criterion]
        values = {key: value(c.result) for key, c in self.done.items() if c.result is not None}
        reach = 2 * REACH * self.fitting.description.n_rows
        lowest = np.inf
        for key in sorted(values, key=values.__getitem__):
            if values[key] > min(values.values()) + reach:
                break
            cell, chosen = self.done[key], replace(options, covariance_type=key[0])
            if key not in ends or ends[key] is not cell.result:
                if criterion in OF_LIKELIHOOD and np.isfinite(lowest):
                    needed = (values[key] - lowest) / 2
                    cell = _followed(self.fitting, cell, replace(chosen, rough=True), needed)
                if criterion not in OF_LIKELIHOOD or _value(cell, value) <= lowest:
                    cell = _followed(self.fitting, cell, chosen)
                self.done[key], ends[key] = cell, cell.result
            lowest = min(lowest, _value(cell, value))

    def fitted(self, job: _Job) -> Cell:
        """One cell by itself; of a grid whose other cells may be known to another process."""
        name, n_components, relatives = job
        options = replace(self.options, covariance_type=name, seek_rare=name == self.by_freedom[-1])
        try:
            result = self.fitting.fit(n_components, options, relatives=relatives)
        except FitError as error:
            return Cell(n_components, name, None, error.message)
        left = result.model.n_components
        if left < n_components:
            reason = f"only {left} components are left; the others collapsed"
            return Cell(n_components, name, None, reason)
        return Cell(n_components, name, result)

    def thinned(self, pair: _Pair) -> Cell:
        """The cell, or one that is likelier, from the larger one."""
        result, larger = pair
        name, n_components = result.covariance_type, result.model.n_components
        options = replace(self.options, covariance_type=name)
        with suppress(FitError):
            result = thinned(self.fitting, result, larger, options)
        return Cell(n_components, name, result)

    def _is_shared(self, n_jobs: int) -> bool:
        """Whether to share cells, and not the rows of each."""
        in_memory = isinstance(self.fitting.batches, ArrayBatches)
        few = self.fitting.description.n_lines <= MOST_ROWS
        return in_memory and few and n_jobs >= self.fitting.workers.n_threads

    def _divided(
        self, function: Callable[[Self, T], Cell], jobs: Sequence[T], *, is_long: bool
    ) -> Iterator[Cell]:
        """The jobs of large data, each by one of several processes or by all of them."""
        if self._is_shared(len(jobs)):
            return self._shared(function, jobs, is_long=is_long)
        return (function(self, job) for job in jobs)

    def _shared(
        self, function: Callable[[Self, T], Cell], jobs: Sequence[T], *, is_long: bool = False
    ) -> Iterator[Cell]:
        return self.fitting.workers.map_over(self._alone, function, jobs, is_long=is_long)

    @cached_property
    def _alone(self) -> Self:
        """What one of several processes has."""
        return replace(self, fitting=self.fitting.alone())

    def _job(self, name: str, n_components: int, relatives: Sequence[str]) -> _Job:
        if n_components == 1:
            return _Job(name, n_components)
        smaller = self._smaller(name, n_components)
        near = [
            cell
            for cell in self.done.values()
            if cell.n_components <= n_components and cell.covariance_type in relatives
        ]
        if len(relatives) > 1:
            near += smaller
        known = None
        if results := _results(smaller):
            highest = likeliest(results)
            start = next(enlarged(highest.model, n_components))
            known = Known(highest.log_likelihood, start)
        return _Job(name, n_components, Relatives(_enlargements(n_components, near), known))

    def _add(self, cell: Cell) -> None:
        self.done[cell.covariance_type, cell.n_components] = cell

    def _smaller(self, name: str, n_components: int) -> list[Cell]:
        """The other cells that are done and whose mixtures are among those of this one."""
        code, own = self.codes[name], (name, n_components)
        within = {code, *nested_in(code)}
        return [
            cell
            for key, cell in self.done.items()
            if self.codes[key[0]] in within and key[1] <= n_components and key != own
        ]

    def _pair(self, name: str, n_components: int) -> _Pair | None:
        """The cell and the next larger one that was found; None if there is no doubt, or none."""
        result = self.done[name, n_components].result
        if result is None or not is_in_doubt(result):
            return None
        larger = {
            count: cell.result
            for (other, count), cell in self.done.items()
            if other == name and count > n_components and cell.result is not None
        }
        return _Pair(result, larger[min(larger)]) if larger else None

    def _settle(self) -> None:
        """Cells may have come above larger ones since these were done."""
        names = self.by_freedom
        for name, count in sorted(self.done, key=lambda key: (key[1], names.index(key[0]))):
            self._settled(name, count)

    def _settled(self, name: str, n_components: int, *, n_tried: int = 0) -> Cell:
        """The cell, not below a smaller one; `n_tried` as for `raised`."""
        cell = self.done[name, n_components]
        if cell.result is not None:
            options = replace(self.options, covariance_type=name)
            smaller = _results(self._smaller(name, n_components))
            result = raised(self.fitting, cell.result, smaller, options, n_tried=n_tried)
            cell = replace(cell, result=result)
            self._add(cell)
        return cell


def _results(cells: Iterable[Cell]) -> list[FitResult]:
    return [cell.result for cell in cells if cell.result is not None]


def _enlargements(n_components: int, cells: Sequence[Cell]) -> list[GaussianMixture]:
    """Mixtures of K components, made of what is known: of each structure the latest."""
    latest = {cell.covariance_type: cell.result for cell in cells if cell.result is not None}
    likely = sorted(latest.values(), key=lambda result: -result.log_likelihood)
    return [next(enlarged(result.model, n_components)) for result in likely[:MOST_RELATIVES]]


def _value(cell: Cell, criterion: Callable[[FitResult], float]) -> float:
    return np.inf if cell.result is None else criterion(cell.result)


def _followed(fitting: Fitting, cell: Cell, options: FitOptions, needed: float = np.nan) -> Cell:
    """The cell, its fit followed to convergence.

    Parameters
    ----------
    needed : the nats that a rough fit has to gain: it goes on as long as it may.
    """
    rough = cell.result
    if rough is None:
        return cell
    relatives = Relatives(known=Known(rough.log_likelihood + needed, rough.model))
    try:
        result = fitting.fit(cell.n_components, options, rough.model, relatives=relatives)
    except FitError:
        return cell
    if result.model.n_components < cell.n_components:
        return cell
    result = replace(
        result,
        init=rough.init,
        n_starts=rough.n_starts,
        n_agreeing=rough.n_agreeing,
        n_iter=rough.n_iter + result.n_iter,
        n_passes=passes_of_both(rough, result),
    )
    return replace(cell, result=result)
