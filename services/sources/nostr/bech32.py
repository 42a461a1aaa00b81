"""Bech32 (BIP 173), in which people write Nostr keys and events: `npub1…`, `note1…`. Pure."""

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


def encode(prefix: str, data: bytes) -> str:
    """`data` behind `prefix`."""
    values = _regroup(data, 8, 5)
    rest = _polymod([*_expanded(prefix), *values, *[0] * _CHECKSUM]) ^ 1
    values += [rest >> 5 * (_CHECKSUM - 1 - i) & 31 for i in range(_CHECKSUM)]
    return f"{prefix}1" + "".join(_LETTERS[value] for value in values)


def decode(prefix: str, text: str) -> bytes | None:
    """The data in `text`; None unless it begins with `prefix`, is of one case and its checksum is right."""
    lower = text.lower()
    head, _, tail = lower.rpartition("1")
    if head != prefix or text not in (lower, text.upper()) or len(tail) < _CHECKSUM or not set(tail) <= set(_LETTERS):
        return None
    values = [_LETTERS.index(letter) for letter in tail]
    if _polymod([*_expanded(prefix), *values]) != 1:
        return None
    bits = 5 * (len(values) - _CHECKSUM)
    return bytes(_regroup(values[:-_CHECKSUM], 5, 8)[: bits // 8])


def _regroup(values: bytes | list[int], width: int, wanted: int) -> list[int]:
    """The same bits in groups of `wanted`, the last filled up with zeros."""
    bits, many = 0, width * len(values)
    for value in values:
        bits = bits << width | value
    groups = -(-many // wanted)
    bits <<= groups * wanted - many
    return [bits >> wanted * (groups - 1 - i) & (1 << wanted) - 1 for i in range(groups)]


def _expanded(prefix: str) -> list[int]:
    return [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix)]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        check = (check & 0x1FFFFFF) << 5 ^ value ^ _CARRIED[check >> 25]
    return check


def _carried(top: int) -> int:
    found = 0
    for i, generator in enumerate(_GENERATORS):
        found ^= generator if top >> i & 1 else 0
    return found


_CARRIED = [_carried(top) for top in range(32)]
