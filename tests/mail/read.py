"""Prints the mails of a folder as Python's email package shows them: a JSON array, oldest first."""

import email.policy
import json
import pathlib
import sys


def read(path):
    with path.open("rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    subject = mail["subject"]
    return {
        "subject": str(subject),
        "text": mail.get_body(("plain",)).get_content(),
        "html": mail.get_body(("html",)).get_content(),
        "defects": [repr(defect) for defect in [*subject.defects, *mail.defects]],
    }


json.dump([read(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))], sys.stdout)
