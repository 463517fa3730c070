"""Draws the timelines of docs/metrics.md: `python docs/metrics/draw.py` writes one SVG per picture beside itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

LEFT, WIDTH, RIGHT, TOP, LANE, BAR = 110, 720, 40, 44, 34, 20
COLOURS = {
    "wait": "#f2c14e",
    "ring": "#f78154",
    "talk": "#5fad56",
    "hold": "#b4a0d6",
    "wrap-up": "#4d9de0",
    "lost": "#d64550",
    "ready": "#a8d5a2",
    "idle": "#c9c9c9",
    "out": "#2a9d8f",
    "over": "#e8eef3",
}
INK = {"lost": "#ffffff", "out": "#ffffff"}


@dataclass(frozen=True)
class Bar:
    """A span of one lane; `text` stands in it, or above it where it is too narrow."""

    start: str
    end: str
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Picture:
    """One timeline: lanes of bars between two times, with a line wherever an interval begins."""

    name: str
    title: str
    start: str
    end: str
    lanes: tuple[tuple[str, tuple[Bar, ...]], ...]
    booked: str = ""


def seconds(clock: str) -> float:
    """`09:10` or `09:10:00.5` as seconds of the day."""
    hours, minutes, rest = [*clock.split(":"), "0"][:3]
    return (int(hours) * 60 + int(minutes)) * 60 + float(rest)


def svg(picture: Picture) -> str:
    """The picture as SVG text."""
    begin, length = seconds(picture.start), seconds(picture.end) - seconds(picture.start)

    def x(clock: str | float) -> float:
        at = seconds(clock) if isinstance(clock, str) else clock
        return round(LEFT + (at - begin) / length * WIDTH, 1)

    height = TOP + LANE * len(picture.lanes) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}" '
        f'viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{LEFT + WIDTH + RIGHT}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="14" font-size="13" fill="#222222">{escape(picture.title)}</text>',
    ]
    bottom = TOP + LANE * len(picture.lanes)
    for tick in _ticks(begin, length):
        style = 'stroke="#555555" stroke-dasharray="4 3"' if tick % 900 == 0 else 'stroke="#dddddd"'
        parts.append(f'<line x1="{x(tick)}" y1="{TOP - 8}" x2="{x(tick)}" y2="{bottom}" {style}/>')
        parts.append(f'<text x="{x(tick)}" y="{TOP - 12}" text-anchor="middle" fill="#555555">{_clock(tick)}</text>')
    for number, (label, bars) in enumerate(picture.lanes):
        y = TOP + LANE * number + 8
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end" fill="#222222">{escape(label)}</text>')
        for bar in bars:
            parts.extend(_bar(bar, x(bar.start), x(bar.end), y))
    parts.append(f'<text x="{LEFT}" y="{bottom + 20}" fill="#222222">{escape(picture.booked)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(bar: Bar, left: float, right: float, y: int) -> list[str]:
    width = round(max(right - left, 1.5), 1)
    found = [f'<rect x="{left}" y="{y}" width="{width}" height="{BAR}" fill="{COLOURS[bar.kind]}" stroke="#ffffff"/>']
    if bar.text and width >= 6 * len(bar.text):
        ink = INK.get(bar.kind, "#222222")
        middle = round(left + width / 2, 1)
        found.append(f'<text x="{middle}" y="{y + 14}" text-anchor="middle" fill="{ink}">{escape(bar.text)}</text>')
    elif bar.text:
        found.append(f'<text x="{left}" y="{y - 1}" font-size="9" fill="#222222">{escape(bar.text)}</text>')
    return found


def _ticks(begin: float, length: float) -> list[float]:
    step = next(one for one in (5, 10, 30, 60, 120, 300, 900, 3600) if length / one <= 10)
    first = -(-int(begin) // step) * step
    ticks = {float(at) for at in range(first, int(begin + length) + 1, step)}
    ticks.update(float(at) for at in range(-(-int(begin) // 900) * 900, int(begin + length) + 1, 900))
    return sorted(ticks)


def _clock(at: float) -> str:
    whole = int(at)
    text = f"{whole // 3600:02}:{whole // 60 % 60:02}"
    return text if whole % 60 == 0 else f"{text}:{whole % 60:02}"


PICTURES = (
    Picture(
        "handled",
        "A call from 09:10 to 09:40 (history 01)",
        "09:00",
        "09:45",
        (("Ana", (Bar("09:10", "09:39", "talk", "talk 29:00"), Bar("09:39", "09:40", "wrap-up", "1:00"))),),
        "09:00 and 09:15 book nothing; 09:30 books received 1, handled 1, handle time 1800 s",
    ),
    Picture(
        "talk-hold-wrap-up",
        "Hold is part of the handle time (history 40)",
        "09:00",
        "09:06",
        (
            ("WT1", (Bar("09:00", "09:00:05", "wait", "5"),)),
            (
                "Ana",
                (
                    Bar("09:00:05", "09:02:00", "talk", "talk"),
                    Bar("09:02:00", "09:02:30", "hold", "30"),
                    Bar("09:02:30", "09:05:00", "talk", "talk"),
                    Bar("09:05:00", "09:05:20", "hold", "20"),
                    Bar("09:05:20", "09:05:50", "wrap-up", "30"),
                ),
            ),
        ),
        "handle 345 = talk 265 + hold 50 + wrap-up 30",
    ),
    Picture(
        "delay",
        "A contact that two agents do not take (history 35)",
        "10:00",
        "10:00:30",
        (
            ("WT1 waits", (Bar("10:00", "10:00:21", "wait", "queue delay 21"),)),
            ("Ana", (Bar("10:00:02", "10:00:05", "lost", "rejects"),)),
            ("Ben", (Bar("10:00:06", "10:00:16", "lost", "lets it ring"),)),
            ("Cem", (Bar("10:00:18", "10:00:21", "ring", "ring 3"), Bar("10:00:21", "10:00:30", "talk", "talk"))),
        ),
        "queue delay 21, ring time 3; not within a threshold of 20 s",
    ),
    Picture(
        "service-level",
        "Each queue has its own threshold (history 39)",
        "09:00",
        "09:04",
        (
            ("Sales, 30 s", (Bar("09:00", "09:00:30", "wait", "30"), Bar("09:00:30", "09:01", "talk", "talk 30"))),
            ("Support, 0 s", (Bar("09:02", "09:02:00.5", "wait"), Bar("09:02:00.5", "09:02:30", "talk", "talk 30"))),
            ("Other, 10 s", (Bar("09:03", "09:03:10", "wait", "10"), Bar("09:03:10", "09:03:30", "talk", "talk 20"))),
        ),
        "within: Sales (30 <= 30) and Other (10 <= 10); not Support (0.001 > 0)",
    ),
    Picture(
        "abandoned",
        "Waits of 4.999, 5.000, 20.000 and 20.001 s before the caller hangs up (history 03)",
        "10:00",
        "10:04",
        (
            ("WT1", (Bar("10:00", "10:00:05", "lost", "4.999 short"),)),
            ("WT2", (Bar("10:01", "10:01:05", "lost", "5.000 long, within 20 s"),)),
            ("WT3", (Bar("10:02", "10:02:20", "lost", "20.000 long, within 20 s"),)),
            ("WT4", (Bar("10:03", "10:03:20", "lost", "20.001 long"),)),
        ),
        "abandoned 4 = short 1 + long 3; within the threshold 3",
    ),
    Picture(
        "diverted",
        "Cancelled for a reason on the list, or not (history 13)",
        "10:00",
        "10:04",
        (
            ("WT1", (Bar("10:00", "10:00:30", "out", "callback"),)),
            ("WT2", (Bar("10:01", "10:01:02", "out", "voicemail"),)),
            ("WT3", (Bar("10:02", "10:02:30", "lost", "other"),)),
            ("WT4", (Bar("10:03", "10:03:10", "lost", "no reason"),)),
        ),
        "received 4 = abandoned 2 + diverted 2",
    ),
    Picture(
        "transfer",
        "A cold transfer from Sales to Support (history 06)",
        "09:00",
        "09:14",
        (
            ("Sales", (Bar("09:00", "09:00:08", "wait", "8"),)),
            ("Ana", (Bar("09:00:08", "09:05", "talk", "talk 292"), Bar("09:05", "09:05:20", "wrap-up", "20"))),
            ("Support", (Bar("09:05", "09:05:40", "wait", "40"),)),
            ("Ben", (Bar("09:05:40", "09:12", "talk", "talk 380"), Bar("09:12", "09:12:30", "wrap-up", "30"))),
        ),
        "Sales: handled 1, delay 8, handle 312. Support: handled 1, delay 40, handle 410",
    ),
    Picture(
        "moved",
        "A visit that moves from First to Second (history 23)",
        "09:00",
        "09:18",
        (
            ("First", (Bar("09:00", "09:14", "over", "not counted"),)),
            ("Second", (Bar("09:14", "09:15:05", "wait", "65"),)),
            ("Ana", (Bar("09:15:05", "09:16:05", "talk", "60"),)),
        ),
        "09:00 books Second: backlog 1. 09:15 books Second: received 1, handled 1, delay 65",
    ),
    Picture(
        "backlog",
        "What is open at the end instants (history 34)",
        "09:08",
        "09:48",
        (
            ("WT1", (Bar("09:10", "09:15", "lost", "300"),)),
            ("WT2", (Bar("09:15", "09:46", "wait", "1860"), Bar("09:46", "09:47", "talk"))),
            ("WT3", (Bar("09:29:50", "09:29:59", "lost"),)),
            ("WT4", (Bar("09:29:50", "09:30:20", "lost"),)),
        ),
        "09:15: WT1. 09:30: WT2 (expired) and WT4 (10 s, not expired). 09:45: WT2",
    ),
    Picture(
        "wrap-up-cap",
        "Wrap-up that is closed at 14:00 (history 14)",
        "09:00",
        "14:15",
        (
            (
                "Ana",
                (
                    Bar("09:00", "09:05", "talk", "300"),
                    Bar("09:05", "10:05", "wrap-up", "wrap-up 3600"),
                    Bar("10:05", "14:00", "over", "beyond the cap"),
                ),
            ),
        ),
        "10:00 books handled 1, handle 3900, wrap-up 3600; 14:00 books nothing",
    ),
    Picture(
        "login",
        "An activity is booked where it ends, time is clipped (history 38)",
        "08:45",
        "10:00",
        (
            (
                "Ana",
                (
                    Bar("08:50", "09:05", "ready", "available"),
                    Bar("09:05", "09:40", "idle", "break 35:00"),
                    Bar("09:40", "09:50", "over", "logged out"),
                    Bar("09:50", "10:00", "ready", "available"),
                ),
            ),
        ),
        "login 600, 900, 900, 600, 600 s; 09:00 lists AVAILABLE 900 s, 09:30 lists Break 2100 s",
    ),
    Picture(
        "concurrent",
        "Two chats at once (history 12)",
        "09:00",
        "09:15",
        (
            (
                "chat 1",
                (
                    Bar("09:00:10", "09:00:15", "ring"),
                    Bar("09:00:15", "09:08", "talk", "talk 465"),
                    Bar("09:08", "09:08:15", "wrap-up"),
                ),
            ),
            (
                "chat 2",
                (
                    Bar("09:02", "09:02:05", "ring"),
                    Bar("09:02:05", "09:10", "talk", "talk 475"),
                    Bar("09:10", "09:10:30", "wrap-up", "30"),
                ),
            ),
            (
                "Ana's state",
                (
                    Bar("09:00", "09:00:10", "ready"),
                    Bar("09:00:10", "09:10:30", "talk", "busy 620"),
                    Bar("09:10:30", "09:15", "ready", "ready 270"),
                ),
            ),
        ),
        "handle time 480 + 505 = 985, busy time 620",
    ),
    Picture(
        "outbound",
        "An outbound call that is answered and one that is not (history 26)",
        "10:00",
        "10:15",
        (
            (
                "Ana",
                (
                    Bar("10:00", "10:01", "ready", "60"),
                    Bar("10:01", "10:01:20", "ring", "dials"),
                    Bar("10:01:20", "10:06:20", "out", "outbound 300"),
                    Bar("10:06:20", "10:07", "wrap-up", "40"),
                    Bar("10:07", "10:08", "ready", "60"),
                    Bar("10:08", "10:08:30", "ring", "dials"),
                    Bar("10:08:30", "10:15", "ready", "ready 390"),
                ),
            ),
        ),
        "out calls 1, out time 340; ready 510, busy 390, login 900",
    ),
    Picture(
        "internal",
        "An internal call over the end of an interval (history 27)",
        "10:08",
        "10:17",
        (
            ("Ana", (Bar("10:10", "10:14:50", "out", "internal 290"), Bar("10:14:50", "10:15:10", "wrap-up", "20"))),
            ("Ben", (Bar("10:10:00", "10:10:05", "ring"), Bar("10:10:05", "10:14:50", "out", "internal 285"))),
        ),
        "Ben: 10:00 books internal calls 1, time 285. Ana: 10:15 books internal calls 1, time 310",
    ),
    Picture(
        "short-segments",
        "Segments below 3 s are absorbed (history 31)",
        "09:09:50",
        "09:10:10",
        (
            (
                "seen",
                (
                    Bar("09:09:50", "09:10:00", "ready", "available"),
                    Bar("09:10:00", "09:10:01", "idle", "break 1 s"),
                    Bar("09:10:01", "09:10:10", "over", "lunch"),
                ),
            ),
            (
                "reported",
                (Bar("09:09:50", "09:10:01", "ready", "available"), Bar("09:10:01", "09:10:10", "over", "lunch")),
            ),
        ),
        "the activity report alone; ready and idle time are from the line as it was seen",
    ),
)


def main() -> None:
    """Write every picture."""
    folder = Path(__file__).parent
    for picture in PICTURES:
        (folder / f"{picture.name}.svg").write_text(svg(picture), "utf-8")


if __name__ == "__main__":
    main()
