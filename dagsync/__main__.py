"""Entry point of ``airflow-control-plane``, ``dagsync`` and ``python -m dagsync``: errors become exit codes here."""

import os
import sys

from dagsync.errors import EXIT_BUG, DagsyncError


def main() -> None:
    """Run the command line and exit. Nobody ever sees a traceback, unless ``DAGSYNC_TRACEBACK`` is set."""
    from dagsync.cli import app, error_lines

    try:
        app()
    except DagsyncError as error:
        sys.stderr.write("\n".join(error_lines(error)) + "\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader has seen enough; keep Python from complaining about it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("DAGSYNC_TRACEBACK"):
            raise
        sys.stderr.write(f"error: unforeseen {type(error).__name__}: {error}\n  fix: report it with DAGSYNC_TRACEBACK=1\n")
        sys.exit(EXIT_BUG)


if __name__ == "__main__":
    main()
