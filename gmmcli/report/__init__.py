"""What a person sees: summaries, tables and progress, composed for reading.

    printable.py   text from data, made safe for a terminal
    numerals.py    numbers as a person wants them
    glyphs.py      bars and sparklines
    layout.py      aligned tables as lines, and lines onto a stream, plain or in colour
    fits.py        how a fit is told, in phrases
    summary.py     a fitted model
    criteria.py    the table of select-k
    merging.py     the steps of merge
    agreement.py   two partitions side by side
    uncertainty.py numbers with their standard errors
    sparklines.py  the criterion over K, a sparkline a structure
    progress.py    the line that moves
    plots/         pictures

The same content goes to a terminal, to a pipe and to a file; only its dress differs: colour is
for terminals, and bars are of ASCII characters where the locale has no others. Only this room
imports rich, and only for colour, and matplotlib, and only for pictures.
"""
