"""Expressions and their exact values by Python's fractions: python make_fractions.py > fractions.txt"""

import random
from fractions import Fraction

LIMIT = 2**127 - 1


def number(rng):
    digits, decimals = rng.randrange(10 ** rng.randrange(1, 7)), rng.choice([0, 0, 0, 1, 2, 3])
    text = str(digits) if decimals == 0 else f"{digits // 10**decimals}.{digits % 10**decimals:0{decimals}d}"
    return text, Fraction(digits, 10**decimals)


def expression(rng, depth):
    if depth == 0 or rng.random() < 0.2:
        return number(rng)
    (left, x), (right, y), symbol = expression(rng, depth - 1), expression(rng, depth - 1), rng.choice("+-*/")
    if x is None or y is None or (symbol == "/" and y == 0):
        value = None
    else:
        value = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y}[symbol]()
    return f"({left}){symbol}({right})", value


rng = random.Random(0)
for _ in range(400):
    text, value = expression(rng, rng.randrange(1, 4))
    # Sums may need more than 128 bits on the way to a value that fits, so only values far below the limit are kept.
    if value is None:
        print(f"{text} = none")
    elif max(abs(value.numerator), value.denominator) < 2**60:
        print(f"{text} = {value.numerator}/{value.denominator}")
