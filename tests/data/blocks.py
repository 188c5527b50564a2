"""A whole pass over a table, as the tests want it."""


def blocks_of(table, selection, *, map_ordered=map):
    """The blocks of a pass, in order."""
    return map_ordered(lambda chunk: table.parse(chunk, selection), table.chunks(selection))
