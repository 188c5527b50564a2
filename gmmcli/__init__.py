"""Clustering with Gaussian mixtures, as a Unix citizen.

The rooms, and which may import which (a test walks the imports):

    cli  ──►  report, modelfile, checkpoint, data, execution  ──►  mixture  ──►  errors

    mixture/      the mathematics: never prints, never opens a file
    data/         the files: CSV and Parquet, in and out
    execution.py  threads and processes: the one seam between serial and parallel
    processes.py  processes that hold the same data: what execution shares work among
    modelfile/    a fitted mixture <-> versioned JSON
    checkpoint.py a fit that is under way <-> JSON
    report/       what a person sees
    cli/          the edge: one file a command

As a library: `gmmcli.mixture.fitting.fit` fits, `gmmcli.mixture.model.GaussianMixture` is what it
gives, `gmmcli.modelfile.read` reads one back.
"""

__version__ = "0.1.0"
