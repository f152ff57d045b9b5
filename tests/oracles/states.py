"""What a state holds besides the lines that say what its weights mean."""

import pytest


def weights_of(module):
    """The names of its tensors."""
    return {name for name in module.state_dict() if not name.endswith("_extra_state")}


def assert_refused(module, state):
    """A state is refused for its lines alone: it is loaded without them."""
    with pytest.raises(RuntimeError, match=r"is .*; the state was made by .*Load it into"):
        module.load_state_dict(state)
    older = {name: tensor for name, tensor in state.items() if not name.endswith("_extra_state")}
    assert str(module.load_state_dict(older)) == "<All keys matched successfully>"
