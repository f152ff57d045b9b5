"""Sweeps over every layer or convolution, of which a few cases run by default."""

import pytest


def sweep(cases, by_default):
    """Parameters of a test: those cases that do not run by default are slow."""
    assert set(by_default) <= set(cases)
    return [
        case if case in by_default else pytest.param(case, marks=pytest.mark.slow) for case in cases
    ]


def collected(request, parameter):
    """The cases of a module-scoped fixture: those of the tests that use it in this run."""
    items = [item for item in request.session.items if item.path == request.path]
    using = [item for item in items if request.fixturename in item.fixturenames]
    return list(dict.fromkeys(item.callspec.params[parameter] for item in using))
