"""The result as one HTML page with plots, which needs neither a network nor anything beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from plotly.graph_objects import Figure, Scatter
from plotly.offline import get_plotlyjs

from simulator.load.histogram import Latencies
from simulator.load.result import Ending, LoadResult

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem; }
.verdict { display: inline-block; padding: .1rem .6rem; border-radius: .3rem; color: #fff; font-weight: 600; }
.good { background: #1a7f4b; } .bad { background: #b3261e; } .doubt { background: #9a6700; }
table { border-collapse: collapse; } td, th { padding: .2rem .9rem .2rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr + tr { border-top: 1px solid #dde3ea; }
code { background: #f2f4f7; padding: .1rem .3rem; overflow-wrap: anywhere; } .note { color: #57636f; }
.plot { height: 320px; }
"""
_COLOURS = {"p50": "#2f6db3", "p99": "#d9822b", "max": "#b3261e", "wfm": "#1a7f4b", "grey": "#7b8794"}
_CONFIG = {"displaylogo": False, "responsive": True}
_SHARES = (50, 90, 99, 99.9, 99.99)


def page_of(result: LoadResult) -> str:
    """The whole page."""
    plots = "".join(_plot(name, title, figure) for name, (title, figure) in _figures(result).items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(result.plan.title)}</title><style>{_STYLE}</style>"
        f'<link rel="icon" href="data:,"><script>{get_plotlyjs()}</script></head><body>'
        f"{_head(result)}{_percentiles(result)}{_counts(result)}{plots}{_foot(result)}</body></html>\n"
    )


def _head(result: LoadResult) -> str:
    word, style = {
        Ending.CLEAN: ("clean", "good"),
        Ending.NOT_CLEAN: ("not clean", "bad"),
        Ending.GENERATOR_TOO_SLOW: ("the generator is the bottleneck", "doubt"),
    }.get(result.ending, ("interrupted", "doubt"))
    reasons = [*result.reasons, *(f"the generator is the bottleneck: {one}" for one in result.fitness.reasons)]
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return (
        f"<h1>{escape(result.plan.title)}, {result.agents:,} agents</h1>"
        f'<p><span class="verdict {style}" id="verdict">{word}</span></p>' + (f"<ul>{listed}</ul>" if listed else "")
    )


def _percentiles(result: LoadResult) -> str:
    rows = [("planned to answered", result.latency)]
    if result.to_wfm is not None:
        rows.append(("planned to WFM accepted", result.to_wfm))
    rows += [
        ("of it: generator late", result.fitness.late),
        ("of it: waited for the target", result.waited),
        ("sent to answered, for comparison", result.from_sending),
    ]
    head = "".join(f"<th>p{share:g}</th>" for share in _SHARES)
    body = "".join(
        f"<tr><td>{name}</td>"
        + "".join(f"<td>{_number(one, one.percentile_ms(share))}</td>" for share in _SHARES)
        + f"<td>{_number(one, one.most_ms)}</td><td>{one.count:,}</td></tr>"
        for name, one in rows
    )
    return (
        f"<h2>Milliseconds</h2><table><tr><th></th>{head}<th>max</th><th>counted</th></tr>{body}</table>"
        '<p class="note">Latency counts from the planned time of a callback, whether or not it could be sent then.</p>'
    )


def _number(latencies: Latencies, value_ms: float) -> str:
    return f"{value_ms:,.2f}" if latencies.count else "-"


def _counts(result: LoadResult) -> str:
    rows: list[tuple[str, str]] = [
        ("callbacks due", f"{result.planned:,} ({result.rate:,.1f}/s)"),
        ("taken", f"{result.taken:,}"),
    ]
    rows += [(f"outcome {what}", f"{count:,}") for what, count in result.outcomes.items()]
    if result.delivery is not None:
        counts = result.delivery.verdict.counts
        rows += [
            ("states expected at the WFM", f"{counts.expected:,}"),
            ("delivered, short ones included", f"{counts.delivered:,}"),
        ]
        for name in ("missing", "wrong", "invented", "out_of_order", "unknown_agent", "unreadable"):
            rows.append((name.replace("_", " "), f"{getattr(counts, name):,}"))
    body = "".join(f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in rows)
    return f"<h2>Sent, taken, delivered</h2><table>{body}</table>"


def _figures(result: LoadResult) -> dict[str, tuple[str, Figure]]:
    at = [one.at_s for one in result.slices]

    def over_time(name: str, attribute: str, colour: str, **line: Any) -> Scatter:
        values = [getattr(one, attribute) for one in result.slices]
        style = {"color": _COLOURS[colour], **line}
        return Scatter(x=at, y=values, name=name, mode="lines+markers", line=style, marker={"size": 4})

    latency = [
        over_time("answer p50", "p50_ms", "p50"),
        over_time("answer p99", "p99_ms", "p99"),
        over_time("answer max", "max_ms", "max", dash="dot"),
    ]
    if result.to_wfm is not None:
        latency += [
            over_time("WFM p50", "wfm_p50_ms", "wfm"),
            over_time("WFM p99", "wfm_p99_ms", "wfm", dash="dash"),
        ]
    latency.append(over_time("generator late, max", "late_ms", "grey", dash="dot"))
    backlog = [over_time("callbacks without an answer", "unanswered", "p99")]
    if result.to_wfm is not None:
        backlog.append(over_time("states not yet at the WFM", "untold", "wfm"))
    rate = [
        over_time("due", "due", "grey"),
        over_time("sent", "sent", "p50", dash="dash"),
        over_time("taken", "taken", "wfm"),
    ]
    curves = [("answer", result.latency, "p50"), ("generator late", result.fitness.late, "grey")]
    if result.to_wfm is not None:
        curves.append(("WFM acceptance", result.to_wfm, "wfm"))
    slice_s = at[1] - at[0] if len(at) > 1 else 1
    return {
        "latency": ("Latency over time", _figure(latency, "seconds", "milliseconds", log_y=True)),
        "percentiles": ("Percentiles", _percentile_figure(curves)),
        "backlog": ("Backlog", _figure(backlog, "seconds", "callbacks, states")),
        "rate": (f"Callbacks in each {slice_s:g} s", _figure(rate, "seconds", "callbacks")),
    }


def _figure(traces: Sequence[Scatter], x: str, y: str, *, log_y: bool = False) -> Figure:
    figure = Figure(list(traces))
    figure.update_layout(
        margin={"l": 60, "r": 10, "t": 10, "b": 40}, legend={"orientation": "h", "y": 1.12}, template="plotly_white"
    )
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y, type="log" if log_y else "linear", rangemode="normal" if log_y else "tozero")
    return figure


def _percentile_figure(curves: Sequence[tuple[str, Latencies, str]]) -> Figure:
    """Percentiles on the scale of HdrHistogram's plots: each step to the right is a tenth of the share left over."""
    traces = []
    for name, latencies, colour in curves:
        points = latencies.curve()
        finite = [(1 / (1 - share / 100), value) for share, value in points if share < 100]
        if points:
            finite.append((max(1.0, float(latencies.count)), points[-1][1]))
        traces.append(
            Scatter(
                x=[x for x, _ in finite], y=[y for _, y in finite], name=name, mode="lines",
                line={"color": _COLOURS[colour], "shape": "hv"},
            )
        )  # fmt: skip
    figure = _figure(traces, "percentile", "milliseconds", log_y=True)
    powers = range(6)
    figure.update_xaxes(
        type="log",
        tickvals=[10**power for power in powers],
        ticktext=[f"{100 - 100 / 10**power:g} %" for power in powers],
    )
    return figure


def _plot(name: str, title: str, figure: Figure) -> str:
    # Plain JSON: what stands in it are numbers and our own words, so nothing in it can end the script.
    data = json.loads(figure.to_json())
    arguments = ", ".join(json.dumps(one) for one in (name, data["data"], data["layout"], _CONFIG))
    return f'<h2>{escape(title)}</h2><div class="plot" id="{name}"></div><script>Plotly.newPlot({arguments});</script>'


def _foot(result: LoadResult) -> str:
    facts = f"{result.machine}; generator: {result.fitness.cpu_share:.0%} of a processor"
    return f'<p class="note">{escape(facts)}<br><code>{escape(result.plan.command)}</code></p>'
