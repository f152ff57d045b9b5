"""Three molecules of QM9, written as qm9pack writes them."""

import csv

import pytest

from train.small import random_molecules

HEADER = (
    "XYZ_file|Index|SMILES|InChi|N_atoms|Stoichiometry|Elements|XYZ_Ang|Mulliken_pop|"
    "Harmonic_Freq_cmi|RotA_GHz|RotB_GHz|RotC_GHz|Dipole_debye|Polarizability_bohr3|HOMO_au|"
    "LUMO_au|HOMO_LUMO_gap_au|R2_bohr2|ZPVE_au|InternalEnergy_0K_au|InternalEnergy_298K_au|"
    "Enthalphy_298K_au|GibbsFreeEnergy_298K_au|Heatcapacity_Cv_cal_mol_K"
)

METHANE = (
    "dsgdb9nsd_000001.xyz|1|C|InChI=1S/CH4/h1H4|5|[4,1,0,0,0]|['C','H','H','H','H']|"
    "[[-0.0126981359,1.0858041578,0.0080009958],[0.002150416,-0.0060313176,0.0019761204],"
    "[1.0117308433,1.4637511618,0.0002765748],[-0.540815069,1.4475266138,-0.8766437152],"
    "[-0.5238136345,1.4379326443,0.9063972942]]|[]|[]|157.7118|157.70997|157.70699|0.|13.21|"
    "-0.3877|0.1171|0.5048|35.3641|0.044749|-40.47893|-40.476062|-40.475117|-40.498597|6.469"
)
WATER = (
    "dsgdb9nsd_000003.xyz|3|O|InChI=1S/H2O/h1H2|3|[2,0,0,1,0]|['O','H','H']|[[-0.0343604951,"
    "0.9775395708,0.0076015923],[0.0647664923,0.0205721989,0.0015346341],[0.8717903737,"
    "1.3007924048,0.0006931336]]|[]|[]|799.58812|437.90386|282.94545|1.8511|6.31|-0.2928|0.0687|"
    "0.3615|19.0002|0.021375|-76.404702|-76.401867|-76.400922|-76.422349|6.002"
)
ETHYNE = (
    "dsgdb9nsd_000004.xyz|4|C#C|InChI=1S/C2H2/c1-2/h1-2H|4|[2,2,0,0,0]|['C','C','H','H']|"
    "[[0.5995394918,0.,1.],[-0.5995394918,0.,1.],[-1.6616385861,0.,1.],[1.6616385861,0.,1.]]|[]|[]|"
    "0.|35.6100361|35.6100361|0.|16.28|-0.2845|0.0506|0.3351|59.5248|0.026841|-77.308427|"
    "-77.305527|-77.304583|-77.327429|8.574"
)


def write_part(path, *rows):
    """Write rows, each a dictionary, as one file of qm9pack."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, HEADER.split("|"))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def rows():
    """The rows of methane, water and ethyne."""
    columns = HEADER.split("|")
    return [dict(zip(columns, row.split("|"), strict=True)) for row in (METHANE, WATER, ETHYNE)]


@pytest.fixture
def source(tmp_path, rows):
    """A folder like that of qm9pack, in two parts."""
    folder = tmp_path / "source"
    folder.mkdir()
    write_part(folder / "qm9_part1.csv", *rows[:2])
    write_part(folder / "qm9_part2.csv", *rows[2:])
    (folder / "qm9_polarizability.csv").write_text("not read")
    return folder


@pytest.fixture
def write():
    """The function that writes a part."""
    return write_part


@pytest.fixture(scope="session")
def molecules():
    return random_molecules()
