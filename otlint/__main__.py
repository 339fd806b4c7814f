"""The start of every run: `otlint`, `python -m otlint`."""

import sys


def main() -> int:
    """Answer from the cache, or else let the command line do its work; return the exit code."""
    from otlint import replay

    try:
        code = replay.answer(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError, TypeError, AttributeError):
        code = None
    if code is not None:
        return code
    from otlint import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
