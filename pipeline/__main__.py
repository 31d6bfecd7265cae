"""`python -m pipeline` is the same as `tocsin`."""

import sys

from pipeline.cli import main

sys.exit(main())
