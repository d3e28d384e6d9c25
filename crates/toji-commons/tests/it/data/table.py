"""How often each clause decides in each area, counted without Toji: python3 table.py > table.tsv

A third evaluator of the table at the head of src/decide/mod.rs, over the scenes of tests/it/decide.rs
(Python 3.11.7). Any change of a clause changes these counts.
"""

from collections import Counter
from itertools import product

ACTIONS = "describe compute read train export write".split()
ROLES = {
    "operator": "describe", "auditor": "describe", "steward": " ".join(ACTIONS),
    "contributor-admin": "describe read export write", "scientist": "describe compute read train write",
    "cdmo": "describe read write", "safety": "describe read", "reviewer": "describe read", "export": "describe read",
    "ai": "compute train", "guest": "",
}
DEALS = "not-yet ended elsewhere compute-only no-industry none all".split()


def decide(area, side, deal, wait, owed, listing, human, covered, role, action, purpose):
    running = wait in ("running", "early")
    if human and (covered or side == "nobody"):
        return "covered-person"
    if area == "public" and not running and action != "write":
        return "open"
    if side == "nobody":
        return "no-account"
    if role in ("operator", "auditor") and action != "describe":
        return "separation-of-duties"
    if action not in ROLES[role].split():
        return "role"
    if side == "own":
        return "own"
    if action == "write":
        return "write-own-only"
    if listing != "clear":
        return {"blocked": "listed", "review": "listing-review"}[listing]
    if area == "clean-room" and action in ("read", "export", "train"):
        return "clean-room"
    if area == "cooperative" and action == "export":
        return "never-exported"
    if side == "outsider":
        return "membership"
    if area == "cooperative" and action == "describe":
        return "catalogue"
    if area == "cooperative" and owed == "overdue":
        return "feedback-overdue"
    if side != "party" or deal == "none":
        return "no-agreement"
    if deal in ("not-yet", "ended"):
        return "not-in-force"
    if deal == "elsewhere":
        return "territory"
    if action == "describe":
        return "agreement"
    if deal == "compute-only" and action != "compute":
        return "not-granted"
    if purpose == "benchmark" or (purpose == "production" and deal == "no-industry"):
        return "purpose"
    return "embargo" if wait == "running" else "agreement"


counts = Counter()
for area in "public cooperative competitive clean-room".split():
    for side in "own party member outsider nobody".split():
        for deal, wait, owed, listing, human, covered, role, action, purpose in product(
            DEALS if side == "party" else DEALS[5:], "none over running early".split(), "nothing later overdue".split(),
            "clear review blocked".split(), (False, True), (False, True), ROLES, ACTIONS,
            "research benchmark production".split(),
        ):
            clause = decide(area, side, deal, wait, owed, listing, human, covered, role, action, purpose)
            counts[area, clause] += 1
for (area, clause), n in sorted(counts.items()):
    print(area, clause, n, sep="\t")
