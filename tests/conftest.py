"""What holds for all tests."""

from hypothesis import settings

# On a busy machine an example may take long for reasons that are not its own.
settings.register_profile("p2pchat", deadline=None)
settings.load_profile("p2pchat")
