"""What a person sees: summaries, tables and progress, composed for reading.

    printable.py   text from data, made safe for a terminal
    numerals.py    numbers as a person wants them
    glyphs.py      bars and sparklines
    layout.py      aligned tables as lines, and lines onto a stream, plain or in colour
    progress.py    the line that moves
    models.py      what is told of: a model, and how it was fitted
    fits.py        how a fit is told, in phrases, and what to beware of
    counts.py      rows that are left out
    uncertainty.py numbers with their standard errors
    summary.py     a model
    criteria.py    the table of select-k
    sparklines.py  the criterion over K, a sparkline a structure
    validation.py  the table of cross-validation
    ratio_tests.py the table of likelihood ratio tests
    merging.py     the steps of merge
    agreement.py   two partitions side by side
    plots/         pictures
    page/          a page about a model

The same content goes to a terminal, to a pipe and to a file; only its dress differs: colour is
for terminals, and bars are of ASCII characters where the locale has no others. Only this room
imports rich, and only for colour, and matplotlib, and only for pictures.
"""
