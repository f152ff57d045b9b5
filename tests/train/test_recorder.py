import csv
import signal
import threading
from types import SimpleNamespace

import pytest

from steerable.train.measures import Measure
from steerable.train.recorder import line, stop_on_interrupt, table

ROW = {"epoch": 3, "seconds": 12.5, "train_mae": 0.25, "validation_mae": 0.125, "lr": 1e-3}
MAE = (Measure("MAE", "eV"),)


def test_the_log_is_a_table_with_units():
    header, row = csv.reader(table([ROW], MAE).splitlines())
    assert header == ["epoch", "time [s]", "train MAE [eV]", "validation MAE [eV]", "learning rate"]
    assert row == ["3", "12.5", "0.25", "0.125", "0.001"]


def test_a_line_has_units():
    words = " ".join(line(ROW, MAE).split())
    assert words == "epoch 3 12 s lr 1.0e-03 MAE [eV] train 0.2500 validation 0.1250"


def test_every_measure_has_its_columns():
    row = {"epoch": 1, "seconds": 2, "train_cross_entropy": 1.5, "validation_cross_entropy": 1.25}
    row |= {"train_error": 50.0, "validation_error": 40.0, "lr": 0.5}
    header, numbers = csv.reader(
        table([row], (Measure("cross entropy", "nat"), Measure("error", "%"))).splitlines()
    )
    assert header[2:6] == [
        "train cross entropy [nat]", "validation cross entropy [nat]",
        "train error [%]", "validation error [%]",
    ]  # fmt: skip
    assert numbers == ["1", "2", "1.5", "1.25", "50", "40", "0.5"]


def test_the_first_interrupt_is_a_wish_and_the_second_an_order():
    recorder = SimpleNamespace(interrupted=False)
    outside = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # jobs in the background begin with it ignored
    try:
        with pytest.raises(KeyboardInterrupt), stop_on_interrupt(recorder):
            signal.raise_signal(signal.SIGINT)
            assert recorder.interrupted
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outside)


def test_another_thread_leaves_signals_alone():
    def work():
        with stop_on_interrupt(SimpleNamespace()):
            done.append(True)

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
