"""The model file: a mixture as JSON that a program can trust and a person can write.

    {
      "format": "gmmcli-model",
      "version": 1,
      "columns": ["height", "weight"],
      "covariance_type": "diag",
      "weights": [0.5, 0.5],
      "means": [[160, 55], [180, 80]],
      "covariances": [[30, 20], [40, 60]]
    }

is a whole file. `covariances` has scikit-learn's shape for its `covariance_type`, and for mclust's
names that of `Covariance.values`; everything is in the units of the columns. Five keys are
optional: `clusters` (the cluster of each component, where components were merged),
`constant_columns` (columns left out of the fit, with their value), `pca` (the projection; the
mixture is then in its space), `fit` (how the model came to be) and `bayes` (the posterior of a
Bayesian fit: for its components weights and means are expectations, and covariances inverses of
expected precisions). Inside `fit`, `notes` (what the engine had to say) and `standard_errors`
may be left out. Keys that are not known are ignored, so that a later minor addition is no
obstacle; an unknown version is refused. Nothing in the file is believed before it is checked:
size, nesting, names, lengths, numbers and their ranges here, the rest by
`GaussianMixture.from_arrays`.
"""

from gmmcli.modelfile.model import FitSummary, Model
from gmmcli.modelfile.reading import loads, read
from gmmcli.modelfile.writing import dumps

__all__ = ["FitSummary", "Model", "dumps", "loads", "read"]
