"""Makes common-passwords.txt: pip download zxcvbn==4.5.0, unpack beside this file, run."""
import pathlib
import unicodedata

from zxcvbn.frequency_lists import FREQUENCY_LISTS

words = {unicodedata.normalize("NFKC", word.lower()) for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8}
licence = next(pathlib.Path(".").glob("zxcvbn-*.dist-info/LICENSE.txt")).read_text().strip().splitlines()
head = [
    "# Passwords of at least eight characters among the 30,000 most frequent of the list `passwords` of zxcvbn",
    "# (python package zxcvbn 4.5.0, frequency_lists.py), lower case, sorted by bytes. Made by common-passwords.py.",
    "# ",
] + ["# " + line for line in licence]
pathlib.Path("common-passwords.txt").write_text("\n".join(head + sorted(words, key=str.encode)) + "\n")
