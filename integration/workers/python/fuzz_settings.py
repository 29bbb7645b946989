#!/usr/bin/env python3
"""Fuzz tests of two parsers, as a worker: `fuzzd run ./fuzz_settings.py`, or with `:parse` behind
it for one of them."""

import email._header_value_parser
import email.errors

import fuzzd_worker
import settings


@fuzzd_worker.fuzz_test(cover=[settings], seeds=["# empty\n", '[server]\nport = 8080\n'])
def parse(text: str):
    try:
        settings.parse(text)
    except settings.SettingsError:
        pass


@fuzzd_worker.fuzz_test(cover=[email._header_value_parser], seeds=["<name@host>"])
def message_id(text: str):
    """The standard library's own parser: releases up to 3.12 at least raise an IndexError."""
    try:
        email._header_value_parser.parse_message_id(text)
    except email.errors.HeaderParseError:
        pass


if __name__ == "__main__":
    fuzzd_worker.main()
