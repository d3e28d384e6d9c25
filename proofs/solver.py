#!/usr/bin/env python3
"""cvc5 as a program that reads SMT-LIB from its standard input, by the library of the PyPI wheel `cvc5`.

The wheel brings no program, and Cedar's symbolic compiler speaks to one: it writes commands, then waits for one line
after `(check-sat)` and for a model after `(get-model)`. `(reset)` begins the next question; here it is a fresh solver.
Named in the environment variable CVC5. Knows `--tlimit=MILLISECONDS`; other arguments are ignored."""

import sys

import cvc5

LIMIT = next((a.split("=", 1)[1] for a in sys.argv[1:] if a.startswith("--tlimit=")), None)


def fresh():
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("incremental", "true")
    if LIMIT:
        solver.setOption("tlimit-per", LIMIT)
    symbols = cvc5.SymbolManager(terms)
    parser = cvc5.InputParser(solver, symbols)
    parser.setIncrementalStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "stdin")
    return solver, symbols, parser


def run(state, text):
    """Runs commands and says what they answer."""
    solver, symbols, parser = state
    parser.appendIncrementalStringInput(text)
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return
        answer = command.invoke(solver, symbols)
        if answer:
            sys.stdout.write(answer if answer.endswith("\n") else answer + "\n")


state = fresh()
waiting = []
for line in sys.stdin:
    word = line.strip()
    if word == "(reset)":
        state, waiting = fresh(), []
        continue
    if word == "(exit)":
        break
    waiting.append(line)
    if word in ("(check-sat)", "(get-model)"):
        try:
            run(state, "".join(waiting))
        except Exception as error:  # whatever the library raises is an answer
            print('(error "%s")' % str(error).replace('"', "'").replace("\n", " "))
        waiting = []
        sys.stdout.flush()
