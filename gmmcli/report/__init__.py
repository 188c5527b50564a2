"""What a person sees: summaries, tables and progress, composed for reading.

    printable.py   text from data, made safe for a terminal
    numerals.py    numbers as a person wants them
    layout.py      aligned tables as lines, and lines onto a stream, plain or in colour
    summary.py     a fitted model
    criteria.py    the table of select-k
    progress.py    the line that moves

The same content goes to a terminal, to a pipe and to a file; only its dress differs. The dress
is ASCII, so that it holds in any locale. Only this room imports rich, and only for colour.
"""
