"""python -m tests.crm_faithful: both clients against both simulators."""

import sys
import unittest

from tests.crm_faithful import fxiaoke_python, zoho_sdk

if __name__ == "__main__":
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromModule(m) for m in (zoho_sdk, fxiaoke_python))
    done = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if done.wasSuccessful() and done.testsRun else 1)
