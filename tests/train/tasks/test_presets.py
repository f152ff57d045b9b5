from steerable.train import demo


def test_the_demo_is_what_the_readme_says():
    config = demo("somewhere")
    assert config.run == "somewhere"
    assert (config.data.target, config.data.train, config.data.validation, config.data.test) == (
        "U0_atom",
        5000,
        500,
        2000,
    )
    assert config.fit.max_seconds > 0
