"""Options by the group: a command takes a few dataclasses, the command line sees their fields.

A command is a function whose parameters are arguments of its own or groups. A group is a
dataclass: its docstring is the heading in `--help`, its fields are options (`Annotated` with
`typer.Option`, and a default), and its `__post_init__` is where options that contradict each
other meet. So an option is written once, however many commands have it, and arrives where it is
used as part of one value.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand

FIRST_COLUMN = 24


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer reads it: every group replaced by the options it is made of."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _options(hints[name])
        else:
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{part.name: values.pop(part.name) for part in fields(group)})
        command(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options(group: type[Any]) -> Iterator[inspect.Parameter]:
    """The fields of a group, its own before those it inherits, each under its own heading."""
    hints = get_type_hints(group, include_extras=True)
    for owner in (cls for cls in group.__mro__ if is_dataclass(cls)):
        heading = inspect.cleandoc(owner.__doc__ or "").partition(".")[0]
        for part in fields(owner):
            if part.name not in inspect.get_annotations(owner):
                continue
            kind, option = get_args(hints[part.name])
            option = copy(option)
            option.rich_help_panel = heading
            yield inspect.Parameter(
                part.name,
                inspect.Parameter.KEYWORD_ONLY,
                # without a default it has to be given
                default=inspect.Parameter.empty if part.default is MISSING else part.default,
                annotation=Annotated[kind, option],
            )


def help_text(command: Callable[..., None]) -> str:
    """The docstring of a command, with its examples kept line by line."""
    # \b is how typer is told to leave a paragraph as it is
    return inspect.cleandoc(command.__doc__ or "").replace("For example:", "\b\nFor example:")


class GroupedHelp(TyperCommand):
    """A command whose help has a section for each group of options."""

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write arguments and options under the headings of their groups, in order."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None)
                if parameter.param_type_name == "argument":
                    heading = "Arguments"
                sections.setdefault(heading or "Other", []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=FIRST_COLUMN)
        # a line between paragraphs is empty, not indented
        formatter.buffer = [re.sub(r"^ +\n$", "\n", part) for part in formatter.buffer]
