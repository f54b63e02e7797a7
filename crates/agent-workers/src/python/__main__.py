"""What the server starts, with a script: ``python FOLDER SCRIPT``, where FOLDER has this file and the package beside it.

Python then looks for modules in FOLDER first, so the server's own package is used, whatever else is installed.
"""

import os
import sys

if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or later is needed, but %s is %s" % (sys.executable, sys.version.split()[0]))

from agent_server._worker import main

# Last, so that a module in the working directory replaces none of Python's or of the environment's.
sys.path.append(os.getcwd())
main(sys.argv[1])
