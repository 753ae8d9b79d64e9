"""Prints the emails of a folder as Python's email package shows them: a JSON array, oldest first."""

import email.policy
import json
import pathlib
import sys


def read(path):
    with path.open("rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    subject = message["subject"]
    return {
        "subject": str(subject),
        "html": message.get_body(("html",)).get_content(),
        "defects": [repr(defect) for defect in [*subject.defects, *message.defects]],
    }


json.dump([read(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))], sys.stdout)
