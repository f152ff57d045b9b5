"""What a state holds besides the lines that say what its weights mean."""


def weights_of(module):
    """The names of its tensors."""
    return {name for name in module.state_dict() if not name.endswith("_extra_state")}
