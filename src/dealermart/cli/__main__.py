"""``python -m dealermart.cli``: the command, where it is not installed."""

import sys

from dealermart.cli import main

sys.exit(main())
