# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON5 documents for tests: tables of accepted and rejected ones, and documents made by hypothesis."""

from __future__ import annotations

import functools
import itertools
import json
import math
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE
from hypothesis import strategies as st

# What the case shows: the document, and its value.
ACCEPTED: dict[str, tuple[str, Any]] = {
    "null": ("null", None),
    "true": ("true", True),
    "false": ("false", False),
    "empty object": ("{}", {}),
    "empty array": ("[]", []),
    "empty strings": ("['', \"\"]", ["", ""]),
    "white space of every kind": ("\t\v\f \u00a0\ufeff\n\r\u2028\u2029\u1680\u2000\u200a\u202f\u205f\u30000", 0),
    "byte order mark": ("\ufeff{}", {}),
    "unquoted names": ("{a: 1, $b_2: 2, _: 3, ünï: 4, 漢字: 5}", {"a": 1, "$b_2": 2, "_": 3, "ünï": 4, "漢字": 5}),
    "unquoted name beyond the basic plane": ("{\U00010400: 1}", {"\U00010400": 1}),
    "unquoted names that are words": ("{null: 1, NaN: 2, while: 3}", {"null": 1, "NaN": 2, "while": 3}),
    "escapes in an unquoted name": (r"{\u0061\u200cb\u0030: 1}", {"a\u200cb0": 1}),
    "joiners and digits within a name": ("{a\u200c\u200d\u0663: 1}", {"a\u200c\u200d\u0663": 1}),
    "quoted names": ("{'a b': 1, \"c'd\": 2, '': 3}", {"a b": 1, "c'd": 2, "": 3}),
    "names with a meaning in JavaScript": (
        "{__proto__: {x: 1}, constructor: 2}",
        {"__proto__": {"x": 1}, "constructor": 2},
    ),
    "a name twice: the last counts": ("{a: {b: 1}, c: 2, a: {d: 3}}", {"a": {"d": 3}, "c": 2}),
    "a name twice, once escaped": (r"{a: 1, '\x61': 2}", {"a": 2}),
    "trailing commas": ("{a: [1, 2,], b: {c: 3,},}", {"a": [1, 2], "b": {"c": 3}}),
    "comments": ("// a\n{/* b\n * / */a/**/:/***/1//}\n,}//", {"a": 1}),
    "line comment ended by CR": ("//\r1", 1),
    "line comment ended by U+2028": ("//\u20281", 1),
    "line comment at the end": ("1//", 1),
    "integer": ("1234567890", 1234567890),
    "integer beyond 2**53": ("12345678901234567891", 12345678901234567891),
    "negative zero": ("-0", -0.0),
    "negative hexadecimal zero": ("-0x0", -0.0),
    "explicit plus": ("[+1, +1.5, +0x1F, +Infinity]", [1, 1.5, 31, math.inf]),
    "hexadecimal": ("[0x1f, 0XAbC, -0xFF, 0x00e]", [31, 2748, -255, 14]),
    "leading point": ("[.5, -.5, .5e1]", [0.5, -0.5, 5.0]),
    "trailing point": ("[5., 5.e2, 0., -5.]", [5.0, 500.0, 0.0, -5.0]),
    "exponents": ("[1e3, 1E+3, 1e-3, 0e9, 0.0e-0]", [1000.0, 1000.0, 0.001, 0.0, 0.0]),
    "infinity and not a number": ("[Infinity, -Infinity, NaN, -NaN, +NaN]", [math.inf, -math.inf] + [math.nan] * 3),
    "too large for a double": ("[1e400, -1e400, 1e-400]", [math.inf, -math.inf, 0.0]),
    "integers of more digits than int() takes": (f"[1{'0' * 5000}, -1{'0' * 5000}]", [math.inf, -math.inf]),
    "integers at the limit of a double": (f"[1{'0' * 308}, 1{'0' * 309}]", [10**308, math.inf]),
    "hexadecimal at the limit of a double": (
        f"[0x8{'0' * 255}, 0x1{'0' * 256}, 0x{'0' * 300}1]",
        [1 << 1023, math.inf, 1],
    ),
    "strings in both quotes": ("['a\"b', \"a'b\", 'a\\'b', \"a\\\"b\"]", ['a"b', "a'b", "a'b", 'a"b']),
    "single-letter escapes": (r"'\b\f\n\r\t\v\0\\\/'", "\b\f\n\r\t\v\0\\/"),
    "hexadecimal escapes": (r"'\x41\xe9\u0041\u20AC\u0000'", "Aé\u0041€\0"),
    "surrogate pair": (
        r"['\ud83d\ude00', '\ud83d\
\ude00']",
        ["\U0001f600", "\U0001f600"],
    ),
    "lone surrogates": (r"['\ud83d', '\ude00\ud83d', '\ud83dx']", ["\ud83d", "\ude00\ud83d", "\ud83dx"]),
    "escape of any other character": (r"'\a\q\€\'\😀'", "aq€'😀"),
    "null escape before a letter": (r"'\0a'", "\0a"),
    "line continuations": ("'a\\\nb\\\r\nc\\\rd\\\u2028e\\\u2029f'", "abcdef"),
    "CR and LF continued apart": ("'\\\r\\\n'", ""),
    "raw separators and control characters": ("'\u2028\u2029\t\x01\x7f'", "\u2028\u2029\t\x01\x7f"),
    "order of the source": ("{b: 1, a: 2, '1': 3}", {"b": 1, "a": 2, "1": 3}),
    "nesting": ("[[{a: [[]]}]]", [[{"a": [[]]}]]),
}

_END = ", found the end of the document"

# What the case shows: the document, and the message that refuses it.
REJECTED: dict[str, tuple[str, str]] = {
    "nothing": ("", f"expected a value{_END} at line 1, column 1"),
    "white space only": (" \n\n ", f"expected a value{_END} at line 3, column 2"),
    "comment only": ("// x", f"expected a value{_END} at line 1, column 5"),
    "a lone word": ("undefined", "expected a value at line 1, column 1"),
    "word broken off": ("tru", f"expected 'true'{_END} at line 1, column 4"),
    "word misspelt": ("[nulL]", "expected 'null' at line 1, column 5"),
    "word too long": ("falsey", "expected the end of the document at line 1, column 6"),
    "signed word misspelt": ("-Infinitx", "expected 'Infinity' at line 1, column 9"),
    "signed null": ("-null", "expected a digit at line 1, column 2"),
    "two values": ("1 2", "expected the end of the document at line 1, column 3"),
    "open object": ("{", f"expected a member name or '}}'{_END} at line 1, column 2"),
    "open object after a comma": ("{a: 1,", f"expected a member name or '}}'{_END} at line 1, column 7"),
    "open object after a value": ("{a: 1", f"expected ',' or '}}'{_END} at line 1, column 6"),
    "open array": ("[", f"expected a value or ']'{_END} at line 1, column 2"),
    "open array after a value": ("[1", f"expected ',' or ']'{_END} at line 1, column 3"),
    "wrong bracket": ("{a: [1}", "expected ',' or ']' at line 1, column 7"),
    "closing bracket only": ("]", "expected a value at line 1, column 1"),
    "only a comma in an object": ("{,}", "expected a member name or '}' at line 1, column 2"),
    "only a comma in an array": ("[,]", "expected a value or ']' at line 1, column 2"),
    "two commas in an object": ("{a: 1,,}", "expected a member name or '}' at line 1, column 7"),
    "two commas in an array": ("[1,,2]", "expected a value or ']' at line 1, column 4"),
    "no comma in an object": ("{\n  a: 1\n  b: 2\n}", "expected ',' or '}' at line 3, column 3"),
    "no comma in an array": ("[1 2]", "expected ',' or ']' at line 1, column 4"),
    "no colon": ("{a 1}", "expected ':' at line 1, column 4"),
    "name only": ("{a}", "expected ':' at line 1, column 3"),
    "name at the end": ("{a", f"expected ':'{_END} at line 1, column 3"),
    "no value": ("{a: }", "expected a value at line 1, column 5"),
    "no value at the end": ("{a:", f"expected a value{_END} at line 1, column 4"),
    "name that is a number": ("{1: 1}", "expected a member name or '}' at line 1, column 2"),
    "name with a dash": ("{a-b: 1}", "expected ':' at line 1, column 3"),
    "name that begins with a joiner": ("{\u200ca: 1}", "expected a member name or '}' at line 1, column 2"),
    "name that begins with an escaped digit": (
        r"{\u0030: 1}",
        "expected the escape of a character that a name may have at line 1, column 2",
    ),
    "name with an escaped space": (
        r"{ab\u0020: 1}",
        "expected the escape of a character that a name may have at line 1, column 4",
    ),
    "name with an escaped surrogate pair": (
        r"{\ud801\udc00: 1}",
        "expected the escape of a character that a name may have at line 1, column 2",
    ),
    "name with another escape": (r"{\x61: 1}", "expected 'u' at line 1, column 3"),
    "name that ends in a backslash": ("{a\\", f"expected 'u'{_END} at line 1, column 4"),
    "name with a broken escape": (r"{\u00g0: 1}", "expected a hexadecimal digit at line 1, column 6"),
    "name with a letter younger than Unicode 10": ("{\u0560: 1}", "expected a member name or '}' at line 1, column 2"),
    "name that begins with what was a mark in Unicode 10": (
        "{\u1cf2: 1}",
        "expected a member name or '}' at line 1, column 2",
    ),
    "open string": ("'abc", f"expected the closing '{_END} at line 1, column 5"),
    "open string after a backslash": ("'abc\\", f"expected an escape{_END} at line 1, column 6"),
    "line feed in a string": ('{\n"a\nb": 1}', 'expected the closing " at line 2, column 3'),
    "carriage return in a string": ("'a\rb'", "expected the closing ' at line 1, column 3"),
    "octal escape": (r"'\1'", "expected an escape at line 1, column 3"),
    "null escape before a digit": (r"'\00'", r"expected no digit after '\0' at line 1, column 4"),
    "broken hexadecimal escape": (r"'\x4'", "expected a hexadecimal digit at line 1, column 5"),
    "broken Unicode escape": (r"'\u12g4'", "expected a hexadecimal digit at line 1, column 6"),
    "Unicode escape broken off": (r"'\u12", f"expected a hexadecimal digit{_END} at line 1, column 6"),
    "Unicode escape in braces": (r"'\u{41}'", "expected a hexadecimal digit at line 1, column 4"),
    "hexadecimal escape of other digits": ("'\\x\u0664\u0661'", "expected a hexadecimal digit at line 1, column 4"),
    "leading zero": ("[012]", "expected ',' or ']' at line 1, column 3"),
    "sign only": ("-", f"expected a digit{_END} at line 1, column 2"),
    "two signs": ("--1", "expected a digit at line 1, column 2"),
    "space after a sign": ("+ 1", "expected a digit at line 1, column 2"),
    "point only": ("[.]", "expected a digit at line 1, column 3"),
    "point and exponent": (".e1", "expected a digit at line 1, column 2"),
    "two points": ("1.2.3", "expected the end of the document at line 1, column 4"),
    "hexadecimal without digits": ("[0x]", "expected a hexadecimal digit at line 1, column 4"),
    "hexadecimal with a wrong digit": ("0xg", "expected a hexadecimal digit at line 1, column 3"),
    "hexadecimal fraction": ("0x1.8", "expected the end of the document at line 1, column 4"),
    "exponent without digits": ("[1e]", "expected a digit at line 1, column 4"),
    "exponent with a sign only": ("[1.5E+]", "expected a digit at line 1, column 7"),
    "fractional exponent": ("1e2.5", "expected the end of the document at line 1, column 4"),
    "two exponents": ("1e2e3", "expected a digit at line 1, column 4"),
    "decimal with an x": ("12x", "expected a digit at line 1, column 3"),
    "binary": ("0b1", "expected the end of the document at line 1, column 2"),
    "separated digits": ("1_000", "expected the end of the document at line 1, column 2"),
    "other digits": ("\u0661", "expected a value at line 1, column 1"),
    "slash only": ("/", f"expected '/' or '*'{_END} at line 1, column 2"),
    "half a comment": ("{/ a: 1}", "expected '/' or '*' at line 1, column 3"),
    "open comment": ("{} /* x\n", f"expected '*/'{_END} at line 2, column 1"),
    "comment that only seems closed": ("/*/", f"expected '*/'{_END} at line 1, column 4"),
    "hash comment": ("# x\n{}", "expected a value at line 1, column 1"),
    "white space that only Python knows": ("{\x1ca: 1}", "expected a member name or '}' at line 1, column 2"),
    "next line character": ("\u0085{}", "expected a value at line 1, column 1"),
    "line ends: only LF counts": ("{\r\r\n\u2028 !}", "expected a member name or '}' at line 2, column 3"),
    "columns in code points": ("'😀' !", "expected the end of the document at line 1, column 5"),
    "stray character beyond the basic plane": ("[😀]", "expected a value or ']' at line 1, column 2"),
    "lone surrogate": ("[\ud83d]", "expected a value or ']' at line 1, column 2"),
}


# What the case shows: the document, what its members are to be (by dotted path), and the document edited.
EDITED: dict[str, tuple[str, dict[str, Any], str]] = {
    "equal values are not rewritten": (
        "{a: 0x10, b: 1.0, 'c': .5e1, d: [NaN, +Infinity], e: {y: 1, x: 'z'}, f: -0}",
        {"a": 16.0, "b": 1, "c": 5, "d": [float("nan"), math.inf], "e": {"x": "z", "y": 1}, "f": 0},
        "{a: 0x10, b: 1.0, 'c': .5e1, d: [NaN, +Infinity], e: {y: 1, x: 'z'}, f: -0}",
    ),
    "a boolean equals no number": ("{a: 1, b: true}", {"a": True, "b": 1}, "{a: true, b: 1}"),
    "null and empty are different": (
        "{a: null, b: '', c: [], d: {}}",
        {"a": "", "b": 0, "c": {}, "d": []},
        "{a: '', b: 0, c: {}, d: []}",
    ),
    "a string keeps its quotes": ("{a: 'x', b: \"y\"}", {"a": "it's", "b": 'q"'}, "{a: 'it\\'s', b: \"q\\\"\"}"),
    "setting nothing new and removing what is not there": (
        "{a: [1]}",
        {"a": [1], "b": REMOVE, "a.b": REMOVE, "c.d": REMOVE},
        "{a: [1]}",
    ),
    "the last of two members with a name is changed": ("{a: 1, a: 2}", {"a": 1}, "{a: 1, a: 1}"),
    "all members with a name are removed": (
        "{a: 1, b: 2, 'a': 3, \\u0061: 4}",
        {"a": REMOVE},
        "{b: 2}",
    ),
    "an object over an object: only what differs": (
        "{\n  p: {\n    url: 'u', // the url\n    key: 'old', // the key\n    /* gone */ n: 0x10,\n"
        "    models: [{id: 'a', n: 1}],\n  },\n}\n",
        {"p": {"key": "new", "models": [{"id": "a", "n": 2}], "url": "u", "api": "x"}},
        "{\n  p: {\n    url: 'u', // the url\n    key: 'new', // the key\n"
        "    models: [{id: 'a', n: 2}],\n    api: 'x',\n  },\n}\n",
    ),
    "an array of the same length: element by element": (
        "{a: [ 1, /* x */ 'b', {c: 1} ]}",
        {"a": [2, "b", {"c": 1}]},
        "{a: [ 2, /* x */ 'b', {c: 1} ]}",
    ),
    "an array that grew": (
        "{a: [ 0x1, /* x */ 2 ], b: [], c: [1,]}",
        {"a": [1, 2, 3, "d"], "b": [1], "c": [1, 2]},
        '{a: [ 0x1, /* x */ 2, 3, "d" ], b: [1], c: [1, 2,]}',
    ),
    "an array that grew on its own lines": (
        "{\n\ta: [\n\t\t1, // one\n\t\t2 // two\n\t]\n}",
        {"a": [1, 2, {"b": []}]},
        "{\n\ta: [\n\t\t1, // one\n\t\t2, // two\n\t\t{\n\t\t\tb: []\n\t\t}\n\t]\n}",
    ),
    "an array that grew after elements spelt in another way": (
        "{a: [NaN, 0x1,]}",
        {"a": [float("nan"), 1, 2]},
        "{a: [NaN, 0x1, 2,]}",
    ),
    "an array that grew at its start is replaced": ("{a: [1, /* x */ 2]}", {"a": [0, 1, 2]}, "{a: [0, 1, 2]}"),
    "any other array is replaced": (
        "{a: [ 1, /* x */ 2 ], b: [1, 2]}",
        {"a": [2], "b": [0, 1, 2]},
        "{a: [2], b: [0, 1, 2]}",
    ),
    "a value of another kind": (
        "{\n  a: 'x', // why\n}",
        {"a": {"b": None}},
        "{\n  a: {\n    b: null,\n  }, // why\n}",
    ),
    "missing parents": ("{}\n", {"a.b": {"c": True}}, '{\n  "a": {\n    "b": {\n      "c": true\n    }\n  }\n}\n'),
    "an empty object, opened": (
        "{\n    a: {},\n    b: { },\n}",
        {"a.x": 1, "b.x": 1},
        "{\n    a: {\n        x: 1,\n    },\n    b: {\n        x: 1,\n    },\n}",
    ),
    "an empty object within a line": (
        "{a: {}, b: {c: {}}}",
        {"b.c.d": 1, "a.e": {"f": []}},
        "{a: { e: { f: [] } }, b: {c: { d: 1 }}}",
    ),
    "an empty object with a comment": ("{\n  // none yet\n}", {"a": 1}, '{\n  // none yet\n  "a": 1\n}'),
    "an empty object with a comment within its line": ("{a: { /* none */ }}", {"a.b": 1}, "{a: { /* none */ b: 1 }}"),
    "an empty object with a comment on its bracket's line": (
        "{ // none yet\n}",
        {"a": 1},
        '{ // none yet\n  "a": 1\n}',
    ),
    "a new member after the last one's comment": (
        "{\n  a: 1 // one\n  // end\n}",
        {"b": 2},
        "{\n  a: 1, // one\n  b: 2\n  // end\n}",
    ),
    "a new member within a line": ("{ a: 1 /* one */ }", {"b": 2, "c": "d"}, '{ a: 1 /* one */, b: 2, c: "d" }'),
    "trailing commas": ("{\n  a: 1,\n}", {"b": {"c": [1]}}, "{\n  a: 1,\n  b: {\n    c: [\n      1,\n    ],\n  },\n}"),
    "a trailing comma within a line": ("{ a: 1, }", {"b": 2}, "{ a: 1, b: 2, }"),
    "a closing bracket on the last member's line": ("{\n  a: 1 }", {"b": 2}, "{\n  a: 1,\n  b: 2 }"),
    "tabs and CRLF": (
        '{\r\n\t"a": {\r\n\t\t"b": 1\r\n\t}\r\n}\r\n',
        {"a.c": {"d": 1}},
        '{\r\n\t"a": {\r\n\t\t"b": 1,\r\n\t\t"c": {\r\n\t\t\t"d": 1\r\n\t\t}\r\n\t}\r\n}\r\n',
    ),
    "CR": ("{\r a: 1\r}", {"b": 2}, "{\r a: 1,\r b: 2\r}"),
    "four spaces, found below the first level": (
        "{a: {\n    b: 1\n}}",
        {"a.c": {"d": 1}},
        "{a: {\n    b: 1,\n    c: {\n        d: 1\n    }\n}}",
    ),
    "an indented document": (
        "  {\n      a: 1\n  }",
        {"b": {"c": 1}},
        "  {\n      a: 1,\n      b: {\n          c: 1\n      }\n  }",
    ),
    "the siblings' own indentation": (
        "{\n  a: {\n        b: 1,\n  }\n}",
        {"a.c": 2},
        "{\n  a: {\n        b: 1,\n        c: 2,\n  }\n}",
    ),
    "a byte order mark": ("\ufeff{\n  a: 1\n}", {"b": 2, "a": REMOVE}, "\ufeff{\n  b: 2\n}"),
    "quoted names where the siblings are": (
        "{a: {'b': 'x'}}",
        {"a.c": "y", "d": "z"},
        "{a: {'b': 'x', 'c': 'y'}, d: 'z'}",
    ),
    "siblings that differ: as the last of them": (
        "{'a': 1, b: {c: 1, 'd': 2}}",
        {"b.e": 3, "f": 4},
        "{'a': 1, b: {c: 1, 'd': 2, 'e': 3}, f: 4}",
    ),
    "unquoted names as in the file": (
        "{x: 1, 'a-b': {}}",
        {"a-b.c": "y", "a-b.1d": 2, "ü": 3},
        "{x: 1, 'a-b': { c: 'y', '1d': 2 }, 'ü': 3}",
    ),
    "names that could not be unquoted tell nothing": (
        "{'a-b': 1, c: {'d-e': 1}}",
        {"c.f": 1},
        "{'a-b': 1, c: {'d-e': 1, f: 1}}",
    ),
    "odd names": (
        "{a: 1}",
        {"__proto__": {"x": 1}, "constructor": 1, "a\n'\"": 2},
        '{a: 1, __proto__: { x: 1 }, constructor: 1, "a\\n\'\\"": 2}',
    ),
    "changes in their order": ("{a: [1]}", {"a": REMOVE, "a.b": 1, "a.c": 2, "a.b ": REMOVE}, "{a: { b: 1, c: 2 }}"),
    "removed: the first, with the comments right above it": (
        "{\n  // head\n\n  // about a\n  /* too */ a: 1, // a\n\n  // about b\n  b: 2,\n}",
        {"a": REMOVE},
        "{\n  // head\n\n\n  // about b\n  b: 2,\n}",
    ),
    "removed: one between": (
        "{\n  a: 1, // a\n  // about b\n  b: { x: 1 }, /* b */ // too\n  // about c\n  c: 3\n}",
        {"b": REMOVE},
        "{\n  a: 1, // a\n  // about c\n  c: 3\n}",
    ),
    "removed: the last, and no trailing comma appears": (
        "{\n  a: 1, // a\n  // about b\n  b: 2 // b\n  // end\n}",
        {"b": REMOVE},
        "{\n  a: 1 // a\n  // end\n}",
    ),
    "removed: the last, and the trailing comma stays": ("{\n  a: 1,\n  b: 2,\n}", {"b": REMOVE}, "{\n  a: 1,\n}"),
    "removed: all but one": ("{a: 1, b: 2, c: 3, d: 4}", {"a": REMOVE, "c": REMOVE, "d": REMOVE}, "{b: 2}"),
    "removed: the first within a line": ("{ a: 1, /* b */ b: 2 }", {"a": REMOVE}, "{ /* b */ b: 2 }"),
    "removed: the first two within a line": ("{ a: 1, b: 2, c: 3 }", {"a": REMOVE, "b": REMOVE}, "{ c: 3 }"),
    "removed: one within a line": ("{ a: 1, /* b */ b: 2, c: 3 }", {"b": REMOVE}, "{ a: 1, c: 3 }"),
    "removed: one before another's comment": ("{ a: 1, b: 2, /* c */ c: 3 }", {"b": REMOVE}, "{ a: 1, /* c */ c: 3 }"),
    "removed: the last within a line": ("{ a: 1, b: 2 /* b */ }", {"b": REMOVE}, "{ a: 1 }"),
    "removed: the only one": (
        "{ a: { b: 1 }, c: {\n  d: 1, // d\n} }",
        {"a.b": REMOVE, "c.d": REMOVE},
        "{ a: {}, c: {} }",
    ),
    "removed: the only one, beside another comment": ("{\n  // head\n\n  a: 1\n}", {"a": REMOVE}, "{\n  // head\n\n}"),
    "removed: two of a line among lines": (
        "{\n  a: 1, b: 2, c: 3,\n  d: 4\n}",
        {"a": REMOVE, "c": REMOVE},
        "{\n  b: 2,\n  d: 4\n}",
    ),
    "removed: before a bracket on its line": ("{\n  a: 1,\n  b: 2 }", {"b": REMOVE}, "{\n  a: 1 }"),
    "removed: after a line comment, which must not swallow the bracket": (
        "{ a: 1, // a\n  b: 2 }",
        {"b": REMOVE},
        "{ a: 1 // a\n   }",
    ),
    "removed: commas at the start of lines": ("{ a: 1\n, b: 2\n, c: 3\n}", {"c": REMOVE, "b": REMOVE}, "{ a: 1\n}"),
    "removed and added": ("{ a: 1, b: 2 }", {"b": REMOVE, "c": 3}, "{ a: 1, c: 3 }"),
    "removed and added on own lines": (
        "{\n  a: 1, // a\n  b: 2 // b\n}",
        {"b": REMOVE, "c": 3},
        "{\n  a: 1, // a\n  c: 3\n}",
    ),
    "all removed and one added": ("{ a: 1, b: 2 }", {"a": REMOVE, "b": REMOVE, "c": 3}, "{ c: 3 }"),
    "all removed and one added, beside another comment": (
        "{\n  // head\n\n  a: 1,\n}",
        {"a": REMOVE, "b": 2},
        "{\n  // head\n  b: 2,\n}",
    ),
}

# What the case shows: the value, and how it is written in a line.
WRITTEN: dict[str, tuple[Any, str]] = {
    "null": (None, "null"),
    "booleans": ([True, False], "[true, false]"),
    "integers": ([0, -1, 2**53 + 1, 10**30], f"[0, -1, 9007199254740993, 1{'0' * 30}]"),
    "floats": ([1.5, 0.1, 1e22, 5e-324, 1.7976931348623157e308], "[1.5, 0.1, 1e+22, 5e-324, 1.7976931348623157e+308]"),
    "whole and negative zero floats": ([2.0, -0.0], "[2.0, -0.0]"),
    "infinities and not a number": ([math.inf, -math.inf, math.nan], "[Infinity, -Infinity, NaN]"),
    "quotes and backslash": ("\"'\\", '"\\"\'\\\\"'),
    "control characters": ("\0\b\t\n\v\f\r\x1b\x7f\x85", r'"\u0000\b\t\n\u000b\f\r\u001b\u007f\u0085"'),
    "line separators": ("\u2028\u2029", r'"\u2028\u2029"'),
    "lone surrogates": ("\ude00\ud83d", r'"\ude00\ud83d"'),
    "surrogate pair": ("\ud83d\ude00", '"\U0001f600"'),
    "text": ("é€😀/", '"é€😀/"'),
    "containers": ({"b": [], "c-d": {}, "e": (1, [2])}, '{ b: [], "c-d": {}, e: [1, [2]] }'),
}

# What the case shows: the document, the path, the value and the message that refuses to set it.
UNSETTABLE: dict[str, tuple[str, tuple[str, ...], Any, str]] = {
    "no path": ("{}", (), {}, "a change has to name a member"),
    "the document is an array": ("[{}]", ("a",), 1, "cannot set a: the document is not an object"),
    "a parent is a string": ("{a: {b: 'x'}}", ("a", "b", "c"), 1, "cannot set a.b.c: a.b is not an object"),
    "a parent is an array": ("{a: [{}]}", ("a", "0", "c"), 1, "cannot set a.0.c: a is not an object"),
    "a parent is null": (
        "{a: null}",
        ("a", "kimi/k2:1", "c\nd"),
        1,
        'cannot set a.kimi/k2:1."c\\nd": a is not an object',
    ),
    "a number that no double holds": ("{}", ("a",), [10**400], "cannot set a: a number is too large"),
    "a path too long": ("{}", ("a",) * 501, 1, f"cannot set {'a.' * 500}a: more than 500 levels of nesting"),
}


# --- Documents made by hypothesis --------------------------------------------------------------------------------


# What the case shows: the document, and the changes. Both numbers are the same double.
BEYOND_DOUBLE: dict[str, tuple[str, list[Change]]] = {
    "a double for the integer after it": (
        "{a:{a:{a:9007199254740993},b:null}}",
        [Change(("a", "a"), {"a": 9007199254740992.0})],
    ),
    "an integer for the double before it": ("{a: 9007199254740992.0}", [Change(("a",), 9007199254740993)]),
    "a double for the same integer": ("{a: 9007199254740992}", [Change(("a",), 9007199254740992.0)]),
    "an integer for the same integer": ("{a: 9007199254740993}", [Change(("a",), 9007199254740993)]),
}


class Member(NamedTuple):
    """Where a member that counts stands in its document: from its name to its value's end, and the value alone."""

    start: int
    value_start: int
    end: int


def _moved(member: Member, by: int) -> Member:
    return Member(member.start + by, member.value_start + by, member.end + by)


class Document(NamedTuple):
    """A document, the value it was made from, and where its members stand that objects alone lead to."""

    text: str
    value: Any
    members: dict[tuple[str, ...], Member]


_WHITE = (" ", "  ", "\n", "\r\n", "\r", "\n  ", "\n\t", "\u00a0", "\ufeff", "\u2028", "\u2029", "\u2003", "\v")
_COMMENTS = (
    *("// line\n", "//\r\n", "// it's \"\u2028", "/**/", "/* block */", "/* {a: 1},\n ' */", "\n\n  // alone\n\n"),
)
_PIECES = (
    *(("a", "a"), ("b c", "b c"), (", }", ", }"), ("é", "é"), ("😀", "😀"), ("//", "//"), ("${KEY}", "${KEY}")),
    *((r"\n", "\n"), (r"\x41", "A"), (r"\u20AC", "€"), (r"\'", "'"), (r"\"", '"'), (r"\\", "\\"), (r"\/", "/")),
    *((r"\0", "\0"), (r"\v", "\v"), (r"\q", "q"), ("\\\n", ""), ("\\\r\n", ""), ("\\\u2028", "")),
    *(("\u2028", "\u2028"), ("\t", "\t"), ("\x7f", "\x7f")),
)
_NUMBERS = (
    *(("0", 0), ("1", 1), ("-12", -12), ("+3", 3), ("9007199254740991", 9007199254740991), ("-0", -0.0)),
    *(("0x1F", 31), ("-0Xff", -255), ("+.5e1", 5.0), ("5.", 5.0), (".25", 0.25), ("1.0", 1.0), ("1e3", 1000.0)),
    *(("2E-2", 0.02), ("Infinity", math.inf), ("-Infinity", -math.inf), ("+Infinity", math.inf), ("NaN", math.nan)),
)
_NAMES = (
    *(("a", "a"), ("b", "b"), ("c1", "c1"), ("$_", "$_"), ("ünï", "ünï"), (r"\u0061", "a"), ("null", "null")),
    *(("__proto__", "__proto__"), ("'a'", "a"), ('"b"', "b"), ("'x y'", "x y"), ('"d-e/f"', "d-e/f"), ("''", "")),
)
NAMES = sorted({name for _spelling, name in _NAMES})


_BOOLEANS = st.booleans()


WITHOUT_COMMENTS = st.lists(st.sampled_from(_WHITE), min_size=1, max_size=3).map("".join)
WITH_COMMENTS = st.lists(st.sampled_from((*_WHITE, *_COMMENTS)), min_size=1, max_size=3).map("".join)
_PLAIN = ("", " ", "\n  ", None)
# Most of what hypothesis takes is for choices, and a document has dozens of gaps: those beside each other are one.
_SOME_GAPS = {count: st.sampled_from(list(itertools.product(_PLAIN, repeat=count))) for count in range(1, 5)}


def _gaps(draw: st.DrawFn, unusual: st.SearchStrategy[str], count: int = 1) -> list[str]:
    """Return gaps, each plain or, where there is None, unusual."""
    return [draw(unusual) if plain is None else plain for plain in draw(_SOME_GAPS[count])]


_numbers = st.one_of(
    st.sampled_from(_NUMBERS),
    st.integers(-(10**20), 10**20).map(lambda number: (str(number), number)),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: (repr(number), number)),
)
_words = st.sampled_from((("null", None), ("true", True), ("false", False)))


@st.composite
def _strings(draw: st.DrawFn) -> tuple[str, str]:
    quote, other = draw(st.sampled_from((("'", '"'), ('"', "'"))))
    pieces = draw(st.lists(st.sampled_from((*_PIECES, (other, other))), max_size=4))
    return quote + "".join(text for text, _value in pieces) + quote, "".join(value for _text, value in pieces)


@st.composite
def _arrays(draw: st.DrawFn, values: st.SearchStrategy[Document], unusual: st.SearchStrategy[str]) -> Document:
    elements = draw(st.lists(values, max_size=3))
    texts = [element.text.join(_gaps(draw, unusual, 2)) for element in elements]
    (last,) = _gaps(draw, unusual)
    trailing = "," + last if bool(elements) and draw(_BOOLEANS) else ""
    inside = ",".join(texts) + trailing if elements else last
    return Document(f"[{inside}]", [element.value for element in elements], {})


@st.composite
def _objects(draw: st.DrawFn, values: st.SearchStrategy[Document], unusual: st.SearchStrategy[str]) -> Document:
    text = "{"
    value: dict[str, Any] = {}
    members: dict[tuple[str, ...], Member] = {}
    for _time in range(draw(st.integers(0, 4))):
        before_name, after_name, before_value, after_value = _gaps(draw, unusual, 4)
        if value:
            text += ","
        text += before_name
        spelling, name = draw(st.sampled_from(_NAMES))
        node = draw(values)
        start = len(text)
        text += f"{spelling}{after_name}:{before_value}"
        at = len(text)
        text += node.text
        members = {path: member for path, member in members.items() if path[0] != name}
        members[(name,)] = Member(start, at, len(text))
        members.update(((name, *path), _moved(member, at)) for path, member in node.members.items())
        value[name] = node.value
        text += after_value
    if not value:
        text += "".join(_gaps(draw, unusual))
    elif draw(_BOOLEANS):
        text += "," + "".join(_gaps(draw, unusual))
    return Document(text + "}", value, members)


_scalars = st.one_of(_words, _numbers, _strings()).map(lambda scalar: Document(scalar[0], scalar[1], {}))


# What hypothesis finds out about a strategy, it keeps with it.
@functools.cache
def _values(unusual: st.SearchStrategy[str]) -> st.SearchStrategy[Document]:
    return st.recursive(
        _scalars, lambda values: st.one_of(_objects(values, unusual), _arrays(values, unusual)), max_leaves=8
    )


@functools.cache
def _objects_of_objects(unusual: st.SearchStrategy[str]) -> st.SearchStrategy[Document]:
    values = _values(unusual)
    return _objects(st.one_of(values, _objects(values, unusual)), unusual)


@st.composite
def documents(draw: st.DrawFn, unusual: st.SearchStrategy[str] = WITH_COMMENTS, of_objects: bool = False) -> Document:
    """Documents with everything that JSON5 allows, whose value is known from how they were made.

    `unusual`: the gaps between their parts that are not plain.
    """
    before, after = _gaps(draw, unusual, 2)
    before = draw(st.sampled_from(("", "\ufeff"))) + before
    node = draw(_objects_of_objects(unusual) if of_objects else _values(unusual))
    members = {path: _moved(member, len(before)) for path, member in node.members.items()}
    after += draw(st.sampled_from(("", "// end"))) if unusual is WITH_COMMENTS else ""
    return Document(before + node.text + after, node.value, members)


@st.composite
def broken_documents(draw: st.DrawFn) -> str:
    """Documents with a piece cut out, put in or cut off: most are no JSON5 any more."""
    text = draw(documents()).text
    start = draw(st.integers(0, len(text)))
    end = min(len(text), start + draw(st.integers(0, 2)))
    piece: str = draw(
        st.sampled_from(("", *"{}[],:'\"\\/*\n\r\u2028+-.0x1eEuNItfn_$\u200c\u0301😀é!\x1c\ud83d", "\\u00", "0x"))
    )
    return text[:start] + piece + (text[end:] if draw(_BOOLEANS) else "")


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.text(st.characters(codec="utf-8"), max_size=5),
    ),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=3)), values, max_size=3),
    ),
    max_leaves=6,
)


def _paths(value: Any) -> list[tuple[str, ...]]:
    """The paths of all members, those within arrays aside."""
    if not isinstance(value, dict):
        return []
    return [(name, *path) for name, member in value.items() for path in [(), *_paths(member)]]


def at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name]
    return value


@st.composite
def _near(draw: st.DrawFn, value: Any) -> Any:
    """A value that differs little from the given one, or not at all."""
    kind = draw(st.sampled_from(("same", "more", "fewer", "within", "reversed")))
    if isinstance(value, dict):
        items = list(value.items())
        if kind == "more":
            items.insert(draw(st.integers(0, len(items))), (draw(st.sampled_from(NAMES)), draw(json_values)))
        elif items and kind in ("fewer", "within"):
            name, member = items.pop(draw(st.integers(0, len(items) - 1)))
            items += [(name, draw(_near(member)))] if kind == "within" else []
        return dict(reversed(items) if kind == "reversed" else items)
    if isinstance(value, list):
        elements = list(value)
        if kind == "more":
            elements.append(draw(json_values))
        elif elements and kind in ("fewer", "within"):
            element = elements.pop()
            elements += [draw(_near(element))] if kind == "within" else []
        return elements[::-1] if kind == "reversed" else elements
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and kind == "more":
        return float(value)
    return draw(json_values) if kind == "within" else value


@st.composite
def changes(draw: st.DrawFn, value: Any) -> list[Change]:
    """Some changes, most of them of what the value has."""
    made = []
    paths = _paths(value)
    for _time in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths)) if bool(paths) and draw(_BOOLEANS) else ()
        is_there = bool(path)
        if not path or not draw(st.integers(0, 3)):
            path += tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)))
            is_there = False
        new = _near(at(value, path)) if is_there else json_values
        made.append(Change(path, draw(st.one_of(st.just(REMOVE), new, new))))
    return made


def canonical(value: Any) -> str:
    """Return a string that two JSON values have in common exactly if they are equal.

    Integers are exact, as the reader has them: a double may be equal to an integer, but is not to the next one.
    """

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {"object": sorted([name, plain(member)] for name, member in part.items())}
        if isinstance(part, list):
            return [plain(element) for element in part]
        if isinstance(part, (int, float)) and not isinstance(part, bool):
            whole = math.isfinite(part) and part == int(part)
            return {"number": str(int(part)) if whole else repr(part)}
        return part

    return json.dumps(plain(value))


def as_doubles(value: Any) -> Any:
    """Return a JSON value with each number rounded to a double, as JavaScript has it."""
    if isinstance(value, dict):
        return {name: as_doubles(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_doubles(element) for element in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
