import pytest

from steerable.train import (
    ConfigError,
    FitConfig,
    QM9Config,
    ShapesConfig,
    dump_config,
    load_config,
)
from steerable.train.options import parse, parser


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings.yaml"


def test_yaml_and_back(file):
    config = QM9Config(fit=FitConfig(epochs=7, lr=0.125, loss="huber"), run="somewhere")
    file.write_text(dump_config(config))
    assert load_config(file, QM9Config) == config


def test_settings_are_of_their_kind(file):
    file.write_text("data: {train_rotation: z, root: shapes.npz}\nmodel: {group: SO(2)}\n")
    config = load_config(file, ShapesConfig)
    assert (config.data.train_rotation, config.data.root, config.model.group) == (
        "z",
        "shapes.npz",
        "SO(2)",
    )
    with pytest.raises(ConfigError, match="There is no setting data.train_rotation"):
        load_config(file, QM9Config)


def test_every_setting_has_a_line_of_help():
    for kind in (QM9Config, ShapesConfig):
        for action in parser(kind)._actions:
            assert action.help, action.option_strings


def test_what_a_file_leaves_out_has_its_default(file):
    file.write_text("fit: {epochs: 7}\n")
    assert load_config(file, QM9Config) == QM9Config(fit=FitConfig(epochs=7))


def test_options_win_over_the_file_and_the_file_over_the_default(file):
    file.write_text("fit: {epochs: 7, lr: 0.5}\n")
    default = QM9Config(fit=FitConfig(epochs=1, lr=1.0, batch_size=3))
    found = parse(
        QM9Config, parser(QM9Config, default=default), ["--config", str(file), "--fit.lr", "0.25"]
    )
    assert (found.fit.epochs, found.fit.lr, found.fit.batch_size) == (7, 0.25, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "fit: {epoch: 3}",
            r"There is no setting fit.epoch, asked for in .*settings.yaml. Did you mean "
            r"fit.epochs\?",
        ),
        ("modle: {layers: 3}", r"There is no setting modle.* Did you mean model"),
        ("lr: 3", r"There is no setting lr, .* Did you mean fit.lr\?"),
        ("zzz: 3", r"There is no setting zzz, .* Known are data.target, "),
        ("fit: {epochs: many}", "fit.epochs.*int.*many"),
        ("fit: {epochs: 0}", "fit.epochs is a finite number 1 or more; got 0"),
        ("fit: 3", "fit in .* is a section of keys with values; got 3"),
        ("- 3", "are keys with values"),
        ("", "are keys with values"),
        ("fit: {epochs", "cannot be read"),
        ("fit: \x00", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(file, text, message):
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file, QM9Config)


def test_a_file_that_is_missing_or_no_text_is_refused(file):
    with pytest.raises(ConfigError, match="cannot be read.*No such file"):
        load_config(file, QM9Config)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(file, QM9Config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fit.epoch", "3"], r"There is no option --fit.epoch. Did you mean --fit.epochs\?"),
        (["--lr=3"], r"There is no option --lr. Did you mean --fit.lr\?"),
        (["--fit.lr", "fast"], "fit.lr.*float.*fast"),
        (["--fit.precision", "16"], "fit.precision.*16"),
        (["--fit.lr"], "expected one argument"),
        (["extra"], "extra"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        parse(QM9Config, parser(QM9Config), options)
