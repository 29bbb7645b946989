"""The form in which fuzzd keeps inputs: Go's, a header line and one quoted value."""
import re

ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
PIECE = re.compile(
    rb"\\x([0-9a-fA-F]{2})|\\([0-7]{3})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.)|([^\\]+)",
    re.S,
)


def decode(content):
    """The bytes that the file stands for; what is not in that form stands for itself."""
    lines = content.split(b"\n")
    if not lines[0].startswith(b"go test fuzz v1") or len(lines) < 2:
        return content
    value = lines[1].removeprefix(b"[]byte(").removesuffix(b")")
    if value[:1] == b"`":
        return value[1:-1]
    return b"".join(_piece(match) for match in PIECE.finditer(value[1:-1]))


def _piece(match):
    byte, octal, short, long, escaped, plain = match.groups()
    if plain is not None:
        return plain
    if escaped is not None:
        code = ESCAPES.get(escaped.decode("latin-1"))
        return escaped if code is None else bytes([code])
    if byte is not None or octal is not None:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    return chr(int(short or long, 16)).encode()
