"""A small parser of settings files, as one writes them in an afternoon.

    # a comment
    [server]
    port = 8080
    hosts = ["one", "two \\"three\\""]

It knows integers, `yes` and `no`, quoted texts and lists. The one error it means to raise is
`SettingsError`. Nothing here was put in for the fuzzer to find.
"""


class SettingsError(ValueError):
    """The text is no settings file."""


def parse(text):
    """Returns {section: {name: value}}."""
    sections = {}
    section = sections.setdefault("", {})
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if not line.endswith("]"):
                raise SettingsError(f"line {number}: a section without its end")
            section = sections.setdefault(line[1:-1].strip(), {})
            continue
        name, equals, rest = line.partition("=")
        if not equals or not name.strip():
            raise SettingsError(f"line {number}: neither a section nor a setting")
        value, rest = parse_value(rest.strip(), number)
        if rest.strip():
            raise SettingsError(f"line {number}: {rest!r} after the value")
        section[name.strip()] = value
    return sections


def parse_value(text, number):
    """Returns the value at the start of `text`, and what follows it."""
    if text.startswith('"'):
        return parse_text(text, number)
    if text.startswith("["):
        return parse_list(text, number)
    word = text.split(",")[0].split("]")[0].strip()
    rest = text[len(word) :]
    if word in ("yes", "no"):
        return word == "yes", rest
    if word.lstrip("-").isdecimal():
        try:
            return int(word), rest
        except ValueError:
            raise SettingsError(f"line {number}: {word} is no number") from None
    raise SettingsError(f"line {number}: {word!r} is no value")


def parse_list(text, number):
    values, rest = [], text[1:].lstrip()
    while not rest.startswith("]"):
        value, rest = parse_value(rest, number)
        values.append(value)
        rest = rest.lstrip()
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith("]"):
            raise SettingsError(f"line {number}: a list without its end")
    return values, rest[1:]


ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def parse_text(text, number):
    value, at = "", 1
    while at < len(text):
        if text[at] == '"':
            return value, text[at + 1 :]
        if text[at] == "\\":
            if text[at + 1] not in ESCAPES:
                raise SettingsError(f"line {number}: \\{text[at + 1]} is no escape")
            value += ESCAPES[text[at + 1]]
            at += 2
        else:
            value += text[at]
            at += 1
    raise SettingsError(f"line {number}: a text without its end")
