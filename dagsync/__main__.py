"""Entry point of ``airflow-control-plane``, ``dagsync`` and ``python -m dagsync``: errors become exit codes here."""

import gc
import io
import os
import sys

from dagsync.errors import EXIT_BUG, EXIT_INTERRUPTED, DagsyncError


def main() -> None:
    """Run the command line and exit. Nobody ever sees a traceback, unless ``DAGSYNC_TRACEBACK`` is set."""
    # What a command imports lives as long as it does: by default Python would search it for cycles thirty times.
    gc.set_threshold(50_000)
    code = _exit_code(sys.argv[1:])
    # The end of the process frees everything; without this Python would first search it for cycles, several times.
    gc.freeze()
    sys.exit(code)


def _exit_code(arguments: list[str]) -> int:
    from dagsync.cli import run
    from dagsync.reporting import error_lines

    # Texts of jobs are printed as they are, or escaped where the terminal's encoding has no place for them.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        program = os.path.basename(sys.argv[0])  # noqa: PTH119 - a name, no path
        code = run(arguments, os.environ, "dagsync" if program == "__main__.py" else program)
        sys.stdout.flush()
    except DagsyncError as error:
        sys.stderr.write("\n".join(error_lines(error)) + "\n")
        return error.exit_code
    except BrokenPipeError:
        # Who reads has seen enough; without this Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get("DAGSYNC_TRACEBACK"):
            raise
        text = f"error: unforeseen {type(error).__name__}: {error}\n  fix: run again with DAGSYNC_TRACEBACK=1 and report it\n"
        sys.stderr.write(text)
        return EXIT_BUG
    return code


if __name__ == "__main__":
    main()
