import json
import re
from hashlib import sha256

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import read, write

from data.structures.planted import shaken
from documents import ROOT, run_blocks
from steerable import cli
from steerable.data import structures as room


@pytest.fixture
def file(tmp_path, monkeypatch):
    """60 frames of three molecules with energies, forces, a type and a name."""
    monkeypatch.chdir(tmp_path)
    frames = []
    for name in ("CH3OH", "C2H6", "H2O"):
        frames += shaken(molecule(name), 20, seed=len(name))
    random = np.random.default_rng(0)
    for k, frame in enumerate(frames):
        frame.info = {"energy": -10.0 * frame.numbers.sum() + random.normal(), "gap": k / 7}
        frame.info["config_type"] = ("hot", "cold", "warm")[k % 3]
        frame.arrays["forces"] = random.normal(size=(len(frame), 3))
    write("frames.xyz", frames, columns=["symbols", "positions", "forces"])
    return tmp_path / "frames.xyz"


def same(one, other):
    """Whether structures are the same bit for bit."""
    for name in ("z", "pos", "ends", "cell", "pbc"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert set(one.columns) == set(other.columns)
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column.data, other.columns[name].data)
        assert (column.per, column.unit) == (other.columns[name].per, other.columns[name].unit)


def test_inspect_says_what_a_file_has_and_how_to_train(file, capsys):
    assert cli.main(["data", "inspect", "frames.xyz"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "frames.xyz: 60 structures, 340 atoms, 3 formulas"
    assert lines[1] == "sizes: 3 to 8 atoms, median 6"
    rows = [line.split() for line in lines]
    assert ["C", "40", "60"] in rows
    (energy,) = [row for row in rows if row[:1] == ["energy"]]
    assert energy[:5] == ["energy", "structure", "1", "eV", "60"]
    assert "config_type: hot (20), cold (20), warm (20)" in lines
    assert "nothing suspicious" in lines
    command = "steerable train property --data.train frames.xyz --data.target energy"
    assert f"to train: {command}" in lines


def test_inspect_names_what_is_suspicious(file, capsys):
    frames = read(file, ":")
    frames[7].positions[1] = frames[7].positions[0] + 0.1
    frames += [bulk("Cu"), bulk("Al")]
    write("faults.xyz", frames)
    assert cli.main(["data", "inspect", "faults.xyz"]) == 0
    out = capsys.readouterr().out
    assert "close atoms: atoms are closer than 0.5 Angstrom" in out
    assert "    in faults.xyz#7\n" in out
    assert "periodic: 2 structures, 2.7 to 8.97 g/cm3, median 5.8" in out
    assert "missing labels: 'gap' is missing here" in out
    assert "    in faults.xyz#60, faults.xyz#61\n" in out


def test_inspect_in_json(file, capsys):
    assert cli.main(["data", "inspect", "frames.xyz", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["structures"], record["target"]) == (60, "energy")
    assert record["suspicions"] == []


@pytest.mark.parametrize("target", ["frames.db", "frames.npz", "copy.extxyz", "copy.xyz.gz"])
def test_convert_keeps_every_bit(file, capsys, target):
    assert cli.main(["data", "convert", "frames.xyz", target]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{target}: 60 structures, 340 atoms, ")
    assert "energy [eV]" in out and "forces [eV/Angstrom]" in out
    same(room.read(file), room.read(target))


def test_convert_writes_over_a_file_by_force_alone(file, capsys):
    (file.parent / "old.npz").write_text("old")
    assert cli.main(["data", "convert", "frames.xyz", "old.npz"]) == 2
    assert capsys.readouterr().err == (
        "error: old.npz exists: give another name, or --force to write over it.\n"
    )
    assert (file.parent / "old.npz").read_text() == "old"
    assert cli.main(["data", "convert", "frames.xyz", "old.npz", "--force"]) == 0
    same(room.read(file), room.read("old.npz"))


def test_split_writes_the_parts_and_what_was_done(file, capsys):
    line = "data split frames.xyz --validation 6 --test 0.2 --seed 3 --output parts"
    assert cli.main(line.split()) == 0
    assert "parts/train.xyz: 42 structures" in capsys.readouterr().out
    record = json.loads((file.parent / "parts" / "split.json").read_text())
    assert record["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert (record["method"], record["seed"], record["test"]) == ("random", 3, "0.2")
    whole, rows = room.read(file), []
    for name, count in (("train", 42), ("validation", 6), ("test", 12)):
        part = record["parts"][name]
        same(whole.select(part["rows"]), room.read(file.parent / "parts" / part["file"]))
        assert len(part["rows"]) == count
        rows += part["rows"]
    assert sorted(rows) == list(range(60))
    assert cli.main(line.split()) == 2
    assert "--force" in capsys.readouterr().err
    assert cli.main([*line.split(), "--force"]) == 0


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ("--method size", lambda train, test: train.sizes.max() <= test.sizes.min()),
        (
            "--method time --gap 3 --test 10",
            lambda train, test: (
                train.column("gap").data.max() + 3 / 7 < test.column("gap").data.min()
            ),
        ),
        (
            "--method group --validation 0 --test 0.4",
            lambda train, test: not set(train.sizes) & set(test.sizes),
        ),
        (
            "--method config_type --test hot",
            lambda train, test: (
                set(test.column("config_type").data) == {"hot"}
                and set(train.column("config_type").data) == {"warm", "cold"}
            ),
        ),
        (
            "--method config_type --validation 20 --test 20",
            lambda train, test: len(set(train.column("config_type").data)) == 1,
        ),
    ],
)
def test_methods_of_splitting(file, options, check):
    assert cli.main(f"data split frames.xyz --output parts --to npz {options}".split()) == 0
    train, test = room.read("parts/train.npz"), room.read("parts/test.npz")
    assert check(train, test)


def test_split_names_copies_in_two_parts(file, capsys):
    frames = read(file, ":")[:10]
    copies = [frame.copy() for frame in frames]
    for frame in copies:
        frame.rotate(40, (1, 1, 0))
    write("twice.xyz", frames + copies)
    line = "data split twice.xyz --method time --validation 0 --test 0.5 --output parts"
    assert cli.main(line.split()) == 0
    assert "duplicates: 10 of the structures of validation and test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("data inspct", "Did you mean inspect?"),
        ("data wash", "Commands are inspect, convert, split."),
        ("data inspect", "Try: steerable data inspect --help"),
        ("data inspect nowhere.xyz", "nowhere.xyz"),
        ("data inspect short.xyz", "short.xyz"),
        ("data convert frames.xyz frames.xyz", "the file that is read"),
        ("data convert frames.xyz out.pdf", "out.pdf"),
        ("data convert frames.xyz .", "is a folder"),
        ("data split frames.xyz", "--output"),
        ("data split frames.xyz --output p --method siz", "Did you mean size?"),
        ("data split frames.xyz --output p --test hot", "--test is a number, a share or rest"),
        ("data split frames.xyz --output p --test 70", "60 structures"),
        ("data split frames.xyz --output p --method config_type --test mild", "config_type='mild'"),
        ("data split frames.xyz --output p --method scaffold", "smiles"),
        ("data split frames.xyz --output p --to pdf", "--to is one of extxyz, db, npz"),
    ],
)
def test_errors_are_one_line(file, capsys, line, words):
    text = file.read_text().split("\n")
    (file.parent / "short.xyz").write_text("\n".join(text[:20]))
    assert cli.main(line.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and words in error
    assert not (file.parent / "p").exists()


def test_help_lists_the_commands(capsys):
    assert cli.main(["data"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name}" in out for name in ("inspect", "convert", "split"))
    with pytest.raises(SystemExit):
        cli.main(["data", "split", "--help"])
    assert "--gap" in capsys.readouterr().out


def test_the_page_shows_what_the_commands_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "data.md"
    run_blocks(page)
    blocks = re.findall(r"```\n\$ steerable (.*?)\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(blocks) == 3
    for command, output in blocks:
        assert cli.main(command.split()) == 0
        lines = [line.rstrip() for line in capsys.readouterr().out.split("\n")]
        # Empty lines around tables may change with the version of rich.
        assert [line for line in lines if line] == [line for line in output.split("\n") if line]
