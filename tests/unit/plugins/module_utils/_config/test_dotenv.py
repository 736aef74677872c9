# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import environment_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.dotenv import (
    EditedEnv,
    EnvFileError,
    align_with_systemd,
    edit,
    loads,
    misread_by_systemd,
)
from hypothesis import assume, example, given
from hypothesis import strategies as st

# What \s is in JavaScript, but for the carriage return and the line feed, which end a value.
SPACES = (
    "\t\v\f \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# What the tables say of dotenv is what dotenv said: tests/e2e/test_dotenv_against_product.py asks it.
READS = {
    "empty file": ("", {}),
    "plain": ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
    "no final newline": ("A=1", {"A": "1"}),
    "last one wins": ("A=1\nB=2\nA=3\n", {"A": "3", "B": "2"}),
    "empty": ("A=\nB=\n", {"A": "", "B": ""}),
    "white space around": (" \tA \t=  1 \t\n", {"A": "1"}),
    "export": ("export A=1\nexport\t B=2\nexport=3\n", {"A": "1", "B": "2", "export": "3"}),
    "colon with white space": ("A: 1\nB:2\nC : 3\n", {"A": "1"}),
    "names with dots, dashes, digits": ("a.b-c=1\n2=3\n", {"a.b-c": "1", "2": "3"}),
    "not a name": ("Ä=1\nA B=2\n$C=3\n=4\n", {}),
    "garbage lines": ("hello\nA=1\n!\nB=2\n!!\n", {"A": "1", "B": "2"}),
    "comment lines": ("# A=1\n  # B=2\nC=3\n", {"C": "3"}),
    "inline comment": ("A=1 # one\nB=2#two\nC='3 # 3' # three\nD=#\n", {"A": "1", "B": "2", "C": "3 # 3", "D": ""}),
    "single quotes": ("A=' 1 \\n'\n", {"A": " 1 \\n"}),
    "double quotes": ('A=" 1 \\n\\r2"\n', {"A": " 1 \n\r2"}),
    "backticks": ('A=`it\'s "2"\\n`\n', {"A": 'it\'s "2"\\n'}),
    "escaped quote stays escaped": ("A='it\\'s'\nB=\"\\\"\"\n", {"A": "it\\'s", "B": '\\"'}),
    "quotes inside": ("A=it's \"so\"\nB='a'b'\n", {"A": 'it\'s "so"', "B": "a'b"}),
    "quote not closed": ("A='1\nB=\"2 # x\nC=3'\\n\n", {"A": "'1", "B": '"2', "C": "3'\\n"}),
    "escapes in a double quote not closed": ('A="1\\n2\n', {"A": '"1\n2'}),
    "text behind a quoted value": ("A='1' 2\n", {"A": "'1' 2"}),
    "several lines": ("A='1\n2\n'\nB=\"x\n # y\nz\" # c\n", {"A": "1\n2\n", "B": "x\n # y\nz"}),
    "an assignment inside a value": ("A='\nB=1\n'\n", {"A": "\nB=1\n"}),
    "quoted value on a later line": (
        "A=\n\n 'x'\nB=\n\"y\"\nC=\n`z`\nD=\nx\n",
        {"A": "x", "B": "y", "C": "z", "D": ""},
    ),
    "name, separator on different lines": ("export\nA\n=\n'1'\nB\n=2\n", {"A": "1", "B": "2"}),
    "value below a colon": ("A:\nB=1\n", {"A": "B=1"}),
    "colon at the end of the file": ("A:", {}),
    "CRLF": ("A=1\r\nB='x\r\ny'\r\nC:\r\nD=4\r\n", {"A": "1", "B": "x\ny", "C": "D=4"}),
    "CR": ("A=1\rB=2\r", {"A": "1", "B": "2"}),
    "byte order mark": ("\ufeffA=1\n", {"A": "1"}),
    "JavaScript's white space": (f"{SPACES}A{SPACES}={SPACES}1{SPACES}\n", {"A": "1"}),
    "white space in Python only": ("A=\x1c1\x85\n\x1fB=2\n", {"A": "\x1c1\x85"}),
    "JavaScript's line ends": (
        "#\u2028A=1\nB=2\u2028C=3\nD=x\u2029'y'\u2028z\n",
        {"A": "1", "B": "2\u2028C=3", "D": "x\u2029y\u2028z"},
    ),
    "beyond the BMP": ("A=\U0001f511#\U0001f511\n", {"A": "\U0001f511"}),
    "lone surrogates": ("A=\ud83d\n\udc80=1\nB='\udcff'\n", {"A": "\ud83d", "B": "\udcff"}),
    "NUL": ("A=\0\n", {"A": "\0"}),
    "JavaScript's own property": ("__proto__=1\nconstructor=2\n", {"constructor": "2"}),
}

EDITS: dict[str, tuple[str, dict[str, str | None], str, tuple[str, ...]]] = {
    "new in an empty file": ("", {"A": "1"}, "A=1\n", ()),
    "new at the end, in the order given": ("Z=0\n", {"B": "1", "A": "2"}, "Z=0\nB=1\nA=2\n", ()),
    "new, final newline missing": ("Z=0", {"A": "1"}, "Z=0\nA=1\n", ()),
    "new, CRLF": ("Z=0\r\nY='\n'", {"A": "1"}, "Z=0\r\nY='\n'\r\nA=1\r\n", ()),
    "new, LF before CRLF": ("Z=0\nY=1\r\n", {"A": "1"}, "Z=0\nY=1\r\nA=1\n", ()),
    "new, CR only": ("Z=0\r", {"A": "1"}, "Z=0\rA=1\n", ()),
    "new, only a byte order mark": ("\ufeff", {"A": "1"}, "\ufeffA=1\n", ()),
    "new, file ends in white space": ("Z=0\n  ", {"A": "1"}, "Z=0\n  \nA=1\n", ()),
    "new after a quote not closed": ("Z='0\n", {"A": "1"}, "Z='0\nA=1\n", ()),
    "new, would close a quote": ("Z='0\n", {"A": "#1"}, "A='#1'\nZ='0\n", ()),
    "new, would be read by a colon": ("Y:", {"B": "1", "A": "2"}, "B=1\nA=2\nY:", ()),
    "new at the top, byte order mark, CRLF": ("\ufeffX=\r\nY:\r\n", {"A": "1"}, "\ufeffA=1\r\nX=\r\nY:\r\n", ()),
    "new, commented out so far": ("#A=0\n", {"A": "1"}, "#A=0\nA=1\n", ()),
    "new, inside another value so far": ("Z='\nA=0\n'\n", {"A": "1"}, "Z='\nA=0\n'\nA=1\n", ()),
    "new, name in other letters": ("a=0\nAB=1\n", {"A": "1"}, "a=0\nAB=1\nA=1\n", ()),
    "equal": ("A = '1'  # x", {"A": "1"}, "A = '1'  # x", ()),
    "equal, in an odd way": ("export\nA\n=\n'1\r\n2'\r\n", {"A": "1\n2"}, "export\nA\n=\n'1\r\n2'\r\n", ()),
    "equal, though no environment can hold it": ("A=\0\n", {"A": "\0"}, "A=\0\n", ()),
    "changed in its place": ("X=1\nA=old\nY=2\n", {"A": "new"}, "X=1\nA=new\nY=2\n", ()),
    "changed, everything around kept": (
        "  export\t A\t =  old value  # note\r\n",
        {"A": "new"},
        "  export\t A\t =  new  # note\r\n",
        (),
    ),
    "changed, quotes no longer needed": ("A='o l d'#n\n", {"A": "new"}, "A=new#n\n", ()),
    "changed, quotes needed": ("A=old # n\n", {"A": "n#w"}, "A='n#w' # n\n", ()),
    "changed, several lines to one": ('A="o\n#l\nd" # n\nB=1\n', {"A": "new"}, "A=new # n\nB=1\n", ()),
    "changed to several lines, CRLF": ("A=old # n\r\nB=1", {"A": "x\ny"}, "A='x\r\ny' # n\r\nB=1", ()),
    "changed after CRLFs": ("X='\r\n\r\n'\r\n\r\nA=old\r\n", {"A": "new"}, "X='\r\n\r\n'\r\n\r\nA=new\r\n", ()),
    "changed after a byte order mark": ("\ufeffA=old\n", {"A": "new"}, "\ufeffA=new\n", ()),
    "changed beyond the BMP": ("X=\U0001f511\nA=\U0001f511 #\n", {"A": "1"}, "X=\U0001f511\nA=1 #\n", ()),
    "changed, quote not closed": ("A='old # n\nB=1\n", {"A": "new"}, "A=new # n\nB=1\n", ()),
    "changed, comment with quotes": ("A='old' # it's\n", {"A": "#"}, "A='#' # it's\n", ()),
    "changed, no final newline": ("A=old", {"A": "new"}, "A=new", ()),
    "changed, value on a later line": ("A =\n\n 'old' # n\nB=1\n", {"A": "new"}, "A =new # n\nB=1\n", ()),
    "changed, colon": ("A:  old\n", {"A": "new"}, "A:  new\n", ()),
    "changed, value below a colon": ("A:\nB=1\n", {"A": "new"}, "A: new\n", ()),
    "changed, an escaped line end in the value": ("A='x\u2028y' # n\n", {"A": "1"}, "A=1 # n\n", ()),
    "filled": ("A=\nB=1\n", {"A": "new"}, "A=new\nB=1\n", ()),
    "filled behind white space": ("A = \nB=1\n", {"A": "new"}, "A = new\nB=1\n", ()),
    "filled before a comment": ("A=  # n\n", {"A": "new"}, "A=new  # n\n", ()),
    "filled before a comment at once": ("A=#n\n", {"A": "new"}, "A=new#n\n", ()),
    "filled, comment below": ("A=\n# n\n", {"A": "new"}, "A=new\n# n\n", ()),
    "filled, colon": ("A: \nB=1\n", {"A": "new"}, "A: new\nB=1\n", ()),
    "filled, colon before a comment": ("A: # n\n", {"A": "new"}, "A: new # n\n", ()),
    "filled, colon at the end of a line": ("A:\n# n\n", {"A": "new"}, "A: new\n# n\n", ()),
    "filled, colon before a blank line": ("A:\n\nB=1\n", {"A": "new"}, "A: new\n\nB=1\n", ()),
    "emptied": ("A=old # n\n", {"A": ""}, "A='' # n\n", ()),
    "removed": ("X=1\nA=1 # n\nY=2\n", {"A": None}, "X=1\nY=2\n", ()),
    "removed, indented": ("X=1\n\n \t export A=1\n\nY=2\n", {"A": None}, "X=1\n\n\nY=2\n", ()),
    "removed, several lines": ("X=1\r\nA='\r\n1\r\n' # n\r\nY=2\r\n", {"A": None}, "X=1\r\nY=2\r\n", ()),
    "removed, comment below stays": ("A=1\n\n# n\nB=1\n", {"A": None}, "\n# n\nB=1\n", ()),
    "removed, comment below a colon stays": ("A:\n# n\nB=1\n", {"A": None}, "# n\nB=1\n", ()),
    "removed, no final newline": ("X=1\nA=1", {"A": None}, "X=1\n", ()),
    "removed, only line": ("A=1", {"A": None}, "", ()),
    "removed after a byte order mark": ("\ufeffA=1\nB=2\n", {"A": None}, "\ufeffB=2\n", ()),
    "removed behind JavaScript's line end": ("# n\u2028A=1\nB=2\n", {"A": None}, "# n\u2028B=2\n", ()),
    "removed, JavaScript's line end in the indentation": (" \u2028A=1\nB=2\n", {"A": None}, " \u2028B=2\n", ()),
    "removed, not there": ("#A=1", {"A": None}, "#A=1", ()),
    "removed and new": ("A=1", {"A": None, "B": "2"}, "B=2\n", ()),
    "duplicate, last one kept": ("A=1\nX=1\nA = 2 # n\n", {"A": "2"}, "X=1\nA = 2 # n\n", ("A",)),
    "duplicate, last one changed": ("A=3\nX=1\nexport A=2\n", {"A": "3"}, "X=1\nexport A=3\n", ("A",)),
    "duplicates, reported once in order": (
        "A=1\nB=1\nA=2\nB=2\nC=1\nA=3\nX=1\nX=2\n",
        {"C": "1", "B": "2", "A": "3"},
        "B=2\nC=1\nA=3\nX=1\nX=2\n",
        ("B", "A"),
    ),
    "duplicates removed": ("A=1\nX=1\nA=2\n", {"A": None}, "X=1\n", ("A",)),
    "other variables' duplicates stay": ("X=1\nX=2\nA=1\n", {"A": "2"}, "X=1\nX=2\nA=2\n", ()),
    "nothing to do": ("X='1\nsk-garbage", {}, "X='1\nsk-garbage", ()),
}

# How a value is written behind `A=`.
SPELLINGS = {
    "key": ("sk-Abc_123/+=.~", "sk-Abc_123/+=.~"),
    "empty": ("", "''"),
    "space inside": ("a b", "a b"),
    "white space before": (" a", "' a'"),
    "white space behind": ("a\t", "'a\t'"),
    "JavaScript's white space behind": ("a\ufeff", "'a\ufeff'"),
    "white space in Python only": ("\x1ca\x85", "\x1ca\x85"),
    "hash": ("a#b", "'a#b'"),
    "dollar": ("$a${B}", "$a${B}"),
    "backslash": ("a\\n\\", "a\\n\\"),
    "single quote inside": ("it's", "it's"),
    "single quote in front": ("'a", '"\'a"'),
    "single quotes around": ("'a'", "\"'a'\""),
    "double quote in front": ('"a', "'\"a'"),
    "backtick in front": ("`a", "'`a'"),
    "single quote and hash": ("it's #1", '"it\'s #1"'),
    "single quote, hash, literal escape": ("it's #1\\n", "`it's #1\\n`"),
    "both quotes and hash": ("'\"#", "`'\"#`"),
    "all three quotes": ("'\"`", "''\"`'"),
    "all three quotes in front of a space": ("`'\" ", "'`'\" '"),
    "line feed": ("a\nb", "'a\nb'"),
    "carriage return": ("a\rb", '"a\\rb"'),
    "CRLF": ("a\r\nb", '"a\\r\\nb"'),
    "line feed and single quote": ("it's\nb", '"it\'s\\nb"'),
    "line separator": ("a\u2028b", "a\u2028b"),
    "line separator and quotes": ("a\u2028'b'", "\"a\u2028'b'\""),
    "looks like an assignment": ("B=1", "B=1"),
    "beyond the BMP": ("\U0001f511", "\U0001f511"),
}

NO_SPELLING = "the value of A cannot be written so that dotenv reads it unchanged, in no kind of quotes"
NOT_IN_ENVIRONMENT = "the value of A holds a NUL or an unpaired surrogate, no environment variable can"
UNWRITABLE = {
    "backslash before the closing quote": ("sk-#\\", NO_SPELLING),
    "carriage return and literal escape": ("sk-\r\\n", NO_SPELLING),
    "hash and all three quotes": ("sk-'#\"#`#", NO_SPELLING),
    "NUL": ("sk-\0", NOT_IN_ENVIRONMENT),
    "unpaired surrogate": ("sk-\ud800", NOT_IN_ENVIRONMENT),
    "byte that is no UTF-8": ("sk-\udcff", NOT_IN_ENVIRONMENT),
    "surrogates in a pair": ("sk-\ud83d\udd11", NOT_IN_ENVIRONMENT),
}

NAMES = {
    "": "'' is not the name of a variable: letters, digits and _ only, no digit first",
    "1A": "'1A' is not the name of a variable: letters, digits and _ only, no digit first",
    "A-B": "'A-B' is not the name of a variable: letters, digits and _ only, no digit first",
    "A.B": "'A.B' is not the name of a variable: letters, digits and _ only, no digit first",
    "A B": "'A B' is not the name of a variable: letters, digits and _ only, no digit first",
    "A\n": "'A\\n' is not the name of a variable: letters, digits and _ only, no digit first",
    "Ä": "'Ä' is not the name of a variable: letters, digits and _ only, no digit first",
    "A٣": "'A٣' is not the name of a variable: letters, digits and _ only, no digit first",
    "export A": "'export A' is not the name of a variable: letters, digits and _ only, no digit first",
    "__proto__": "__proto__ cannot be the name of a variable: JavaScript has its own use for it",
}

# A change further down would change what dotenv reads from the line of the number given.
BROKEN = {
    "removal gives an empty variable a value": ("X=1\nY=\nA=1\n'x'\n", {"A": None}, 2),
    "removal gives a garbage word a value": ("X=1\r\n\r\nY\r\nA=1\r\n=x\r\n", {"A": None}, 3),
    "removal closes a quote": ("Y='0\nA='1'\n'", {"A": None}, 1),
    "change closes a quote": ("Y='0\nA=1\n", {"A": "#1"}, 1),
    "change opens the way to a closing quote": ("Y='0\nA='1'\nZ='\n", {"A": "2"}, 1),
    "line counted in the file as it is, not as it would be": ("A=0\nX='\n\n'\rB=1\nY='0\nA='1'\n'", {"A": "2"}, 6),
    "line counted below the new ones at the top": ("X=1\nY=\nA=1\n'x'\n", {"A": None, "B": "1"}, 2),
}


@pytest.mark.parametrize(("text", "variables"), READS.values(), ids=READS.keys())
def test_reads_as_dotenv_does(text: str, variables: dict[str, str]) -> None:
    assert loads(text) == variables


@pytest.mark.parametrize(("text", "changes", "result", "duplicates"), EDITS.values(), ids=EDITS.keys())
def test_edits(text: str, changes: dict[str, str | None], result: str, duplicates: tuple[str, ...]) -> None:
    assert edit(text, changes) == EditedEnv(result, duplicates)


@pytest.mark.parametrize(("value", "spelling"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_quotes_only_where_it_has_to(value: str, spelling: str) -> None:
    assert edit("", {"A": value}).text == f"A={spelling}\n"
    assert loads(f"A={spelling}\n") == {"A": value}


@pytest.mark.parametrize(("value", "message"), UNWRITABLE.values(), ids=UNWRITABLE.keys())
@pytest.mark.parametrize("text", ["", "A=1\n"], ids=["new", "changed"])
def test_refuses_a_value_that_dotenv_would_not_read(text: str, value: str, message: str) -> None:
    with pytest.raises(EnvFileError) as caught:
        edit(text, {"A": value})
    assert str(caught.value) == message
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("name", "message"), NAMES.items(), ids=map(ascii, NAMES))
@pytest.mark.parametrize("value", ["1", None], ids=["set", "removed"])
def test_refuses_a_name_that_is_none(name: str, value: str | None, message: str) -> None:
    with pytest.raises(EnvFileError) as caught:
        edit("X=1\n", {"B": "1", name: value})
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "changes", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_refuses_where_another_line_would_be_read_differently(
    text: str, changes: dict[str, str | None], line: int
) -> None:
    with pytest.raises(EnvFileError) as caught:
        edit(text, changes)
    assert str(caught.value) == (
        f"line {line}: what dotenv reads here depends on the lines below, and a change there would change it: "
        "close its quote, or put its name, its = and its value on one line"
    )


HOSTILE_SIZES = {
    "blank lines": "\n" * 300_000,
    "indented garbage": " \n!" * 100_000,
    "words without a separator": "A" * 150_000 + "\n " * 75_000 + "!",
    "quotes not closed": "A='x\nB=\"x\nC=`x\n" * 15_000 + "A='x",
    "escaped quotes not closed": "A='" + "\\'x" * 100_000,
    "quotes far away": "A=\\'\n" * 50_000 + "'",
    "empty values": "A=\n" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE_SIZES.values(), ids=HOSTILE_SIZES.keys())
def test_no_text_makes_it_slow(text: str) -> None:
    # A second or two where the cost is linear; where it is not, this does not come to an end.
    assert loads(edit(text, {"NEW": "1"}).text)["NEW"] == "1"


# Pieces that mean something to dotenv, to JavaScript, or to Python alone.
PIECES = (*"AX=: \n\r'\"`#\\", "\nA=", "\nB=", "\nX=", "\r\n", "\\n", "export ")
RARE_PIECES = (*"\t\u2028\u00a0\ufeff\x1c\x85é\U0001f511\ud800", "\\r", "__proto__")
ANY_TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES + RARE_PIECES)), max_size=40).map("".join)
ANY_VALUE = st.lists(st.sampled_from(["x", *PIECES, *RARE_PIECES]), max_size=6).map("".join)
PLAIN_VALUE = st.text("abXYZ019-_=/+. ", min_size=1, max_size=12).filter(lambda value: value == value.strip())
CHANGES = st.dictionaries(st.sampled_from(["A", "B", "NEW"]), st.none() | ANY_VALUE | PLAIN_VALUE, max_size=3)


def applied(variables: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    merged = {**variables, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def attempt(text: str, changes: dict[str, str | None]) -> EditedEnv | EnvFileError:
    try:
        return edit(text, changes)
    except EnvFileError as error:
        return error


@given(text=ANY_TEXT, changes=CHANGES)
def test_dotenv_reads_the_changes_and_nothing_else_from_any_text(text: str, changes: dict[str, str | None]) -> None:
    done = attempt(text, changes)
    if isinstance(done, EnvFileError):
        assert re.match(r"line [0-9]+: |the value of (A|B|NEW) ", str(done))
        return
    assert loads(done.text) == applied(loads(text), changes)
    assert edit(done.text, changes) == EditedEnv(done.text, ())


@given(text=ANY_TEXT, values=st.lists(PLAIN_VALUE, min_size=1, max_size=2), hash_=st.sampled_from(["", "#"]))
def test_a_new_variable_fits_into_any_text(text: str, values: list[str], hash_: str) -> None:
    names = ["NEW", "NEWER"][: len(values)]
    changes = {name: hash_ + value for name, value in zip(names, values)}
    result = edit(text, changes).text
    assert loads(result) == {**loads(text), **changes}
    assert text.removeprefix("\ufeff") in result
    assert result.startswith("\ufeff") == text.startswith("\ufeff")


@given(text=ANY_TEXT)
def test_nothing_changes_where_nothing_has_to(text: str) -> None:
    assert edit(text, {}).text == text
    names = re.findall(r"[A-Z]+", text)
    equal = {name: value for name, value in loads(text).items() if names.count(name) == 1}
    assert edit(text, {**equal, "ABSENT": None}) == EditedEnv(text, ())


@given(value=ANY_VALUE, below=ANY_TEXT)
@example(value="a#\\", below="'")
@example(value="", below="'x'")
def test_a_value_written_is_read_whatever_is_below(value: str, below: str) -> None:
    done = attempt("", {"NEW": value})
    if isinstance(done, EnvFileError):
        # Within `...` all is read as it stands but a carriage return, another backtick and a backslash at the end.
        assert re.search("[\0\ud800-\udfff]|\r|`|\\\\$", value)
        return
    assert loads(done.text + below) == {"NEW": value, **loads(below)}


@st.composite
def tidy_files(draw: st.DrawFn) -> tuple[list[tuple[str, str, str, str]], str, bool]:
    """Lines (name, text up to the value, value as written, rest of the line), line ending, and if the last line has it.

    The name is empty where dotenv sees no assignment in the line.
    """
    others = st.sampled_from(["", "  ", "# it's a comment", "#A=1", "garbage", "\u00e9=1", "A B", "\t# \U0001f511"])
    quoted = ["'{}'", '"{}"', "`{}`"]
    written = st.builds(str.format, st.sampled_from(quoted), PLAIN_VALUE | st.just("two\nlines # ")) | PLAIN_VALUE
    assignments = st.tuples(
        st.sampled_from(["A", "A", "B", "X", "YY"]),
        st.sampled_from(["", "", " ", "export ", "\texport\t"]),
        st.sampled_from(["=", " = ", "= ", ": "]),
        written,
        st.sampled_from(["", " ", " # it's", "#c"]),
    ).map(lambda parts: (parts[0], parts[1] + parts[0] + parts[2], parts[3], parts[4]))
    lines = draw(st.lists(assignments | others.map(lambda other: ("", other, "", "")), max_size=8))
    return lines, draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())


@given(file=tidy_files(), mark=st.sampled_from(["", "\ufeff"]), value=PLAIN_VALUE)
def test_every_other_byte_stays(file: tuple[list[tuple[str, str, str, str]], str, bool], mark: str, value: str) -> None:
    lines, ending, ended = file
    value += "-new"  # none of the file's values
    managed = [index for index, line in enumerate(lines) if line[0] == "A"]

    def text(kept: list[tuple[int, tuple[str, str, str, str]]]) -> str:
        joined = "".join(
            (before + written + rest).replace("\n", ending) + (ending if ended or index < len(lines) - 1 else "")
            for index, (_name, before, written, rest) in kept
        )
        return mark + joined

    numbered = list(enumerate(lines))
    original = text(numbered)
    duplicates = ("A",) if len(managed) > 1 else ()
    assert edit(original, {"A": None}) == EditedEnv(
        text([pair for pair in numbered if pair[0] not in managed]), duplicates
    )

    assume(managed)
    last = managed[-1]
    name, before, _written, rest = lines[last]
    numbered[last] = (last, (name, before, value, rest))
    assert edit(original, {"A": value}) == EditedEnv(
        text([p for p in numbered if p[0] not in managed[:-1]]), duplicates
    )


# A file, and the same with A in a form that systemd reads alike.
ALIGNED = {
    "alike": ("A=1\nB='2'\n", "A=1\nB='2'\n"),
    "a comment behind the value": ("X=1\nA=1 # production\nY=2\n", "X=1\n# production\nA=1\nY=2\n"),
    "a comment at once": ("A=1#n", "#n\nA=1"),
    "a comment behind quotes": ("A='1 2' # n\r\nY=2\r\n", "# n\r\nA=1 2\r\nY=2\r\n"),
    "backticks": ("A=`1`\n", "A=1\n"),
    "a backslash": ("A=a\\b\n", "A='a\\b'\n"),
    "an escaped line break": ('A="a\\nb"\n', "A='a\nb'\n"),
    "a quote within": ("A=it's\n", "A=it's\n"),
    "text behind quotes": ("A='1'x\n", "A=\"'1'x\"\n"),
    "only the last of two": ("A=0 # n\nA=1 # n\n", "A=0 # n\n# n\nA=1\n"),
    "an indented line": ("  A = 1 # n\n", "# n\nA=1\n"),
    "a byte order mark": ("\ufeffA=1 # n\nB=1\n", "\ufeff# n\nA=1\nB=1\n"),
    "export, which systemd does not read": ("export A=1 # n\n", "export A=1 # n\n"),
    "a colon, which systemd does not read": ("A: 1 # n\n", "A: 1 # n\n"),
    "not there": ("#A=1 # n\n", "#A=1 # n\n"),
    "what no spelling can hold": ("A=\"'`\\\\x\n", "A=\"'`\\\\x\n"),
    "another variable": ("A=1\nB=1 # n\n", "A=1\nB=1 # n\n"),
}


@pytest.mark.parametrize(("text", "aligned"), ALIGNED.values(), ids=ALIGNED)
def test_lines_are_written_as_systemd_reads_them_too(text: str, aligned: str) -> None:
    assert align_with_systemd(text, ["A"]) == aligned
    assert align_with_systemd(aligned, ["A"]) == aligned
    assert loads(aligned) == loads(text)


# A file, and the variables of which another line makes systemd read something else.
MISREAD: dict[str, tuple[str, dict[str, int]]] = {
    "nothing": ("A=1\n", {}),
    "a comment, which is repaired": ("A=1 # n\n", {}),
    "a line within backticks": ("A=1\nB=`\nA=2\n`\n", {"A": 3}),
    "a second one that dotenv does not read": ("X='\nA=1\n\nB= # '\nA=2 # n\nC=\"\nA=3\n", {}),
    "a line break that systemd does not know": ("A=1\u2028A=2\n", {}),
    "a quote that swallows the variable": ('X="open\nA=1\n', {}),
    "a duplicate, which is removed": ('A=0\nX="open\nA=1\n', {}),
    "a backslash that joins the next line": ("A=1\\\nB=2\n", {}),
}


@pytest.mark.parametrize(("text", "misread"), MISREAD.values(), ids=MISREAD)
def test_lines_that_systemd_reads_differently(text: str, misread: dict[str, int]) -> None:
    assert misread_by_systemd(text) == misread


@given(st.text(alphabet="AB='\"`\\ #;\n\r$x:"))
def test_aligned_text_is_read_as_before(text: str) -> None:
    aligned = align_with_systemd(text, ["A", "B"])
    assert loads(aligned) == loads(text)
    assert align_with_systemd(aligned, ["A", "B"]) == aligned
    assert misread_by_systemd(text).keys() <= loads(text).keys()


@given(st.text(alphabet="sk-019\"'\\\\ #;$`é", min_size=1), st.sampled_from(["", "# mine\n", "X=1\n", "A=0 # n\n"]))
def test_a_new_value_is_read_alike_where_a_spelling_allows_it(value: str, before: str) -> None:
    try:
        text = align_with_systemd(edit(before, {"A": value}).text, ["A"])
    except EnvFileError:
        return
    assert loads(text)["A"] == value
    if "'" not in value and not value.endswith("\\"):
        assert environment_file.loads(text)["A"] == value
