"""``python -m agent_server worker SCRIPT``: what the server starts."""

import sys

from ._worker import main

if len(sys.argv) == 3 and sys.argv[1] == "worker":
    main(sys.argv[2])
else:
    sys.exit("usage: python -m agent_server worker SCRIPT (agent-server starts this)")
