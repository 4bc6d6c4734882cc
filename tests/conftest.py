"""What holds for all tests."""

import os

from hypothesis import settings

# Some tests speak gRPC in this very process, and others fork it for a terminal: what gRPC's handlers of a fork find to
# say would stand on that terminal.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
os.environ["GRPC_VERBOSITY"] = "NONE"

# On a busy machine an example may take long for reasons that are not its own.
settings.register_profile("p2pchat", deadline=None)
settings.load_profile("p2pchat")
