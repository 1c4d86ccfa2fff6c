"""Numbers, places and verdicts in words: one way of writing them on every page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchline.model.proof import Claim, Proof

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
DASH = "\u2060\u2013\u2060"
EMPTY = "\u2014"
WORST_STRETCHES = 3
MOST_NAMED = 4

VERDICT_SHAPES = {"holds": "●", "fails": "◆", "unknown": "▲"}


def number(value: float | None, decimals: int = 0) -> str:
    """A number with narrow spaces between thousands and a true minus sign.

    Parameters
    ----------
    value : float or None
        What to write; None and NaN become a dash.
    decimals : int
        Digits after the point.
    """
    if value is None or not math.isfinite(value):
        return EMPTY
    text = f"{abs(value):,.{decimals}f}".replace(",", NARROW_SPACE)
    is_zero = not text.strip(f"0.{NARROW_SPACE}")
    return f"{MINUS}{text}" if value < 0 and not is_zero else text


def quantity(value: float | None, unit: str, decimals: int = 0) -> str:
    """A number with its unit, which never breaks away from it."""
    text = number(value, decimals)
    return text if text == EMPTY else f"{text}\u00a0{unit}"


def metres(value: float | None, decimals: int = 0) -> str:
    """A length in metres."""
    return quantity(value, "m", decimals)


def money(value: float | None, currency: str) -> str:
    """An amount in whole units of its currency."""
    return quantity(value, currency)


def percent(share: float | None) -> str:
    """A share as per cent, rounded down so that only a full share reads "100 %".

    Parameters
    ----------
    share : float or None
        Share, 0–1.
    """
    if share is None or not math.isfinite(share):
        return EMPTY
    hundredths = math.floor(share * 10_000 + 1e-9)
    text = f"{hundredths / 100:.2f}"
    if text.endswith("00"):
        text = text[:-3]
    return f"{text}\u00a0%"


def claim_figure(value: float, unit: str) -> str:
    """A figure of a claim: a share as per cent, all else to three digits with its unit."""
    if unit == "share":
        return percent(value)
    if not math.isfinite(value):
        return EMPTY
    # Down, so that what falls short never reads as if it did not.
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    scale = 10.0 ** min(digits, 6)
    text = number(math.floor(value * scale + 1e-9) / scale, min(digits, 6))
    return text if unit == "ratio" else f"{text}\u00a0{unit}"


def gap_percent(gap: float | None) -> str:
    """An optimality gap as per cent, rounded up so that only a closed gap reads "0 %"."""
    if gap is None or not math.isfinite(gap):
        return EMPTY
    hundredths = math.ceil(gap * 10_000 - 1e-9)
    return "0\u00a0%" if hundredths <= 0 else f"{hundredths / 100:.2f}\u00a0%"


def degrees(value: float | None, decimals: int = 0) -> str:
    """An angle in degrees."""
    text = number(value, decimals)
    return text if text == EMPTY else f"{text}°"


def bearing(value: float) -> str:
    """A bearing as three figures, 000°–359°."""
    return f"{round(value) % 360:03d}°" if math.isfinite(value) else EMPTY


def stretch(start_m: float, end_m: float) -> str:
    """A stretch of the line by its chainages."""
    if round(start_m) == round(end_m):
        return f"s\u00a0=\u00a0{metres(start_m)}"
    return f"s\u00a0=\u00a0{number(start_m)}{DASH}{metres(end_m)}"


def stretches(pairs: Sequence[tuple[float, float]], most: int = WORST_STRETCHES) -> str:
    """The longest of several stretches, in the order of the line, and how many more there are."""
    longest = sorted(pairs, key=lambda pair: (pair[0] - pair[1], pair[0]))[:most]
    text = ", ".join(stretch(*pair) for pair in sorted(longest))
    more = len(pairs) - len(longest)
    return f"{text} and {more} more" if more > 0 else text


def place(s: float, t: float) -> str:
    """A place by chainage and offset; empty off the line."""
    if not math.isfinite(s):
        return "off the line"
    return f"s\u00a0=\u00a0{metres(s)}, t\u00a0=\u00a0{metres(t)}"


def shortened(text: str, letters: int) -> str:
    """A text cut to a number of letters, with an ellipsis where it was longer."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{number(count)}\u00a0{one if count == 1 else many or one + 's'}"


def counted_by(claims: Sequence[Claim]) -> str:
    """What these claims were judged on, for many: "cells", "cells or entries"."""
    return " or ".join(dict.fromkeys(claim.judged_on[1] for claim in claims)) or "cells"


def _named(claims: Sequence[Claim]) -> str:
    named = [f"\u2018{claim.requirement}\u2019" for claim in claims[:MOST_NAMED]]
    if len(claims) > MOST_NAMED:
        named.append(f"{len(claims) - MOST_NAMED} more")
    if len(named) <= 1:
        return "".join(named)
    return ", ".join(named[:-1]) + " and " + named[-1]


def verdict_line(proof: Proof) -> str:
    """The proof in one line: how many binding claims hold, and which do not.

    A claim that is unknown does not hold. Claims that are only reported are counted apart.
    """
    binding = [claim for claim in proof.claims if claim.binding]
    if not binding:
        return "No claim was asked for"
    held = sum(claim.verdict == "holds" for claim in binding)
    verb = "holds" if len(binding) == 1 else "hold"
    text = f"{held} of {len(binding)} {'claim' if len(binding) == 1 else 'claims'} {verb}"
    for verdict, one, many in (
        ("fails", "fails", "fail"),
        ("unknown", "is unknown", "are unknown"),
    ):
        which = [claim for claim in binding if claim.verdict == verdict]
        if which:
            text += f"; {_named(which)} {one if len(which) == 1 else many}"
    return text


def reported_line(proof: Proof) -> str:
    """What is said of claims that are only reported; empty where there is none."""
    parts = []
    for verdict, one, many in (
        ("holds", "holds", "hold"),
        ("fails", "fails", "fail"),
        ("unknown", "is unknown", "are unknown"),
    ):
        which = [c for c in proof.claims if not c.binding and c.verdict == verdict]
        if which:
            parts.append(f"{_named(which)} {one if len(which) == 1 else many}")
    return f"Reported besides, not asked for: {'; '.join(parts)}." if parts else ""


def overall_verdict(proof: Proof) -> str:
    """``holds``, ``fails`` or ``unknown`` for the whole plan: the worst binding claim's verdict."""
    verdicts = {claim.verdict for claim in proof.claims if claim.binding}
    if not verdicts or ("unknown" in verdicts - {"fails"} and "fails" not in verdicts):
        return "unknown"
    return "fails" if "fails" in verdicts else "holds"


def verdict_word(verdict: str) -> str:
    """A verdict as it is written on a badge: a shape and a word, never colour alone."""
    return f"{VERDICT_SHAPES[verdict]} {verdict}"
