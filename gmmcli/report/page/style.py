"""How the page looks: light, dark and on paper; on a telephone and on a desk."""

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f4f5f7",
    "ink": "#1c2128",
    "faint": "#59636e",
    "line": "#d4d8de",
    "bar": "#2f6fb2",
    "good": "#14663a",
    "bad": "#8a4a00",
    "caution": "#fff4e0",
    "high": "#fdeadb",
    "low": "#e2eefb",
}
DARK = {
    "paper": "#15181d",
    "panel": "#1f242b",
    "ink": "#e6e9ed",
    "faint": "#a3adb8",
    "line": "#3a424d",
    "bar": "#6aa9e9",
    "good": "#6fd39b",
    "bad": "#f0b35e",
    "caution": "#33280f",
    "high": "#43301f",
    "low": "#1c3149",
}
PAIRS = (
    *((ink, ground) for ink in ("ink", "faint") for ground in ("paper", "panel", "high", "low")),
    ("good", "paper"),
    ("bad", "caution"),
    ("ink", "caution"),
)
"""The colours of text, and what they stand on: a test computes their contrast."""

_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main,footer{max-width:62rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
footer{padding-bottom:2rem;color:var(--faint);font-size:.875rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p{margin:.4rem 0;overflow-wrap:anywhere}
.lead{font-size:1.1rem}
.good{color:var(--good);font-weight:600}
.faint,small{color:var(--faint)}
.faint{font-size:.9rem}
small{display:block;font-size:.8rem}
.caution{background:var(--caution);border-left:4px solid var(--bad);padding:.5rem 1rem;
margin:.6rem 0}
.caution ul{margin:0;padding-left:1.2rem}
.caution strong{color:var(--bad)}
.scroll{position:relative;overflow-x:auto;margin:.6rem 0}
.scroll:focus-visible{outline:2px solid var(--bar)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:.3rem}
th,td{padding:.3rem .7rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line);
white-space:nowrap}
thead th{border-bottom:2px solid var(--line);color:var(--faint);font-weight:600}
th:first-child,.left{text-align:left}
tbody th{font-weight:600}
.name{white-space:normal;overflow-wrap:anywhere;min-width:min(7rem,30vw);max-width:18rem}
.facts{width:100%}
.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere}
.facts th{width:11rem;white-space:normal;color:var(--faint)}
.best{background:var(--panel)}
.best th,.best td{color:var(--good);font-weight:600}
.star{position:absolute}
td.high{background:var(--high)}
td.low{background:var(--low)}
.bar{display:inline-block;width:8rem;height:.6rem;margin-left:.4rem;fill:var(--bar)}
pre{background:var(--panel);padding:.6rem .8rem;margin:.3rem 0;overflow-x:auto;
white-space:pre-wrap;overflow-wrap:anywhere}
code,pre{font:.875rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
figure{margin:1rem 0}
figure img{display:block;max-width:100%;height:auto;background:#fff;border-radius:4px}
figcaption{color:var(--faint);font-size:.9rem;margin-top:.3rem}
@media (max-width:40rem){
th,td{padding:.25rem .45rem}
.facts,.facts caption,.facts tbody,.facts tr,.facts th,.facts td{display:block;width:auto}
.facts th{border-bottom:0;padding-bottom:0}
.bar{width:4rem}
}
@media print{
body{font-size:10pt}
header,main,footer{max-width:none;padding:0}
.scroll{overflow:visible}
h2,h3{break-after:avoid}
tr,figure,.caution,pre{break-inside:avoid}
}
"""


def style_sheet() -> str:
    """The whole of it."""
    light, dark = (
        "".join(f"--{name}:{color};" for name, color in colors.items()) for colors in (LIGHT, DARK)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        # paper is white, whatever the screen is
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{_RULES}"
    )
