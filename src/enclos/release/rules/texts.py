"""Numbers carry nothing but what they say: no more digits than a reader can use, since the last ones can be chosen."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

_N_DIGITS, _N_DECIMALS = 6, 3


def rounded(text: str) -> str:
    """A number with six digits or three decimals, whichever is more; whole numbers, days and words as they are."""
    if "." not in text:
        return text
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    exponent = min(-_N_DECIMALS, number.adjusted() - _N_DIGITS + 1)
    if not number.is_finite() or int(number.as_tuple().exponent) >= exponent:
        return text
    plain = number.quantize(Decimal(1).scaleb(exponent), ROUND_HALF_EVEN).normalize()
    return f"{plain:f}" if plain.adjusted() >= -_N_DIGITS else f"{plain:e}"
