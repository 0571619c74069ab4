"""What every resource must do and refuse: a subclass of five lines gives a model its tests."""

import pytest

from tests.crud_doors import DoorTests
from tests.crud_pages import PageTests


@pytest.mark.django_db
class ResourceTests(PageTests, DoorTests):
    """Base: name the model, and how to make one and what to send (tests/crud_case.py says what else)."""
