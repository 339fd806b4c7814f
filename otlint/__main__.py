"""`python -m otlint`."""

import sys

from otlint.cli import main

sys.exit(main())
