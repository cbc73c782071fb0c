"""Says which machine the tests of real moves ran on: the tables are made of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Callable

import pytest

from pymigrate import NodeMask

pytestmark = pytest.mark.numa


def test_where_this_runs(record_property: Callable[[str, object], None]) -> None:
    assert len(NodeMask.has_memory()) >= 2
    facts = {
        "machine": os.uname().machine,
        "kernel": os.uname().release,
        "page": os.sysconf("SC_PAGESIZE"),
        "bits": sys.maxsize.bit_length() + 1,
        "byteorder": sys.byteorder,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    record_property("platform", json.dumps(facts))
