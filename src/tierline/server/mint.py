"""The first key of a gateway that is to be reached by others, made when it starts."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from tierline.config.loaded import Loaded
from tierline.gateway.assemble import ledger_at
from tierline.ledger.keys import CannotKeep, Given
from tierline.ledger.ledger import Ledger

NAME = "admin"
"""What the key is called, in logs and in the audit trail."""
BY = "(start)"
"""Who makes it, as the audit trail says it."""


def has_keys(loaded: Loaded, path: Path) -> bool:
    """Whether the ledger that goes with the log at `path` has a key, or ever had one. A file that is not there has none, and is not
    made. Raises LogFailure."""
    if not loaded.spec.decision_log.url and not path.exists():
        return False
    with closing(Ledger(ledger_at(loaded, path))) as ledger:
        return ledger.keys.any()


def mint_admin(loaded: Loaded, path: Path) -> Path | None:
    """Make an admin key where neither the spec nor the ledger has any key, and return the file that holds its secret: new, beside the log,
    readable by its owner alone. None where there is a key. Raises CannotKeep."""
    if loaded.keys:
        return None
    secret_file = path.with_name(f"{path.stem}-{NAME}.key")
    with closing(Ledger(ledger_at(loaded, path))) as ledger:
        if ledger.keys.any():
            return None
        try:
            file = os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CannotKeep(f"{secret_file} is there already, and no ledger knows its key: move it away, then start again") from None
        except OSError as error:
            raise CannotKeep(f"an admin key cannot be written to {secret_file}: {error.strerror}") from None
        try:
            _, secret = ledger.keys.create(NAME, Given(("call", "read", "admin")), BY)
            os.write(file, f"{secret}\n".encode())
        except CannotKeep:  # another replica that starts now was first
            secret_file.unlink()
            return None
        finally:
            os.close(file)
    return secret_file
