"""The page itself: its parts in the order in which they are asked for."""

import shlex
from math import isclose

from gmmcli.errors import OutputError
from gmmcli.report.counts import INCOMPLETE, WEIGHTLESS
from gmmcli.report.fits import ending, headline, qualities
from gmmcli.report.models import Fit
from gmmcli.report.numerals import count
from gmmcli.report.page.account import Account, Census
from gmmcli.report.page.clusters import cluster_tables
from gmmcli.report.page.criteria import criteria
from gmmcli.report.page.markup import Html, element, together
from gmmcli.report.page.pictures import (
    Album,
    cluster_pictures,
    criteria_picture,
)
from gmmcli.report.page.style import style_sheet
from gmmcli.report.page.tables import facts, number, section

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Should anything ask for something all the same, a browser refuses it."""

MOST_BYTES = 960_000
"""Of the page: one that is to be mailed is less than a megabyte."""


def compose(account: Account) -> str:
    """The whole page: one file that asks for no other."""
    title = ", ".join(headline(account.model))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} – gmmcli"),
        element("style", Html(style_sheet())),
    )
    fit, run, following = _fit(account), _run(account), _following(account)
    clusters = section("Clusters", cluster_tables(account))
    candidates = together() if account.choice is None else criteria(account.choice)
    texts = together(head, fit, run, following, clusters, candidates)
    album = Album(MOST_BYTES - len(texts.encode()))
    parts = [
        fit,
        *_choice(account, candidates, album),
        clusters,
        _pictures(account, album),
        run,
        following,
    ]
    body = element(
        "body",
        element("header", element("h1", title), *_lead(account)),
        element("main", _warnings(account), *parts),
        element("footer", element("p", f"Written by gmmcli {account.versions['gmmcli']}.")),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _lead(account: Account) -> list[Html]:
    fit = account.model.fit
    if fit is None:
        return [element("p", "It is not known how the model was fitted.", class_="lead")]
    told = "; ".join(ending(fit))
    style = "lead good" if fit.converged else "lead"
    return [element("p", told[:1].upper() + told[1:] + ".", class_=style)]


def _warnings(account: Account) -> Html:
    if not account.warnings:
        return together()
    items = (element("li", warning) for warning in account.warnings)
    return element(
        "aside",
        element("strong", "Warnings"),
        element("ul", *items),
        class_="caution",
        aria_label="Warnings",
    )


def _fit(account: Account) -> Html:
    pairs = [
        (name, number(", ".join(filter(None, told))))
        for name, told in qualities(account.model).items()
    ]
    if account.census is not None:
        told = _likelihood(account.census, account.model.fit)
        pairs.append(("log-likelihood of the rows", told))
    return section("How the fit went", facts("How good the model is", pairs))


def _likelihood(census: Census, fit: Fit | None) -> str:
    mean = census.log_likelihood / census.weight
    same = fit is not None and isclose(mean, fit.mean_log_likelihood, rel_tol=1e-9)
    return number(f"{mean:.6g} per row") + (", as in the fit" if same else "")


def _choice(account: Account, candidates: Html, album: Album) -> list[Html]:
    if account.choice is None:
        return []
    picture = criteria_picture(account.choice, album)
    return [section("How many clusters", candidates, picture)]


def _pictures(account: Account, album: Album) -> Html:
    try:
        figures = list(cluster_pictures(account, album))
    except OutputError as error:
        told = f"Here would be pictures: {error.message}; {error.advice}."
        return section("Pictures", element("p", told))
    if album.left_out:
        names = ", ".join(album.left_out)
        told = f"Left out, since the page would be too large: {names}; gmmcli plot draws them."
        figures.append(element("p", told, class_="faint"))
    return section("Pictures", *figures)


def _run(account: Account) -> Html:
    pairs = list(account.options.items())
    if account.census is not None:
        pairs += _data(account.census)
    pairs.append(("columns", ", ".join(account.model.columns)))
    pairs.append(("versions", ", ".join(f"{k} {v}" for k, v in account.versions.items())))
    return section(
        "This page was made by",
        element("pre", element("code", shlex.join(account.command))),
        facts("The fit, the rows and the programs", pairs),
    )


def _data(census: Census) -> list[tuple[str, str]]:
    rows = count(census.n_rows, "row")
    left_out = [
        f"{n} left out, {why}"
        for n, why in (
            (census.n_dropped, INCOMPLETE),
            (census.n_weightless, WEIGHTLESS),
        )
        if n
    ]
    return [
        ("rows", f"{census.name}: " + "; ".join([rows, *left_out])),
        (
            "SHA-256 of the numbers",
            together(
                element("code", census.sha256),
                element(
                    "small",
                    "of the rows used: 64-bit floats, little-endian, row by row, the columns in "
                    "the order below",
                ),
            ),
        ),
    ]


def _following(account: Account) -> Html:
    parts = [
        together(element("p", f"{what}:"), element("pre", element("code", shlex.join(words))))
        for what, words in account.following.items()
    ]
    return section("What to run next", *parts)
