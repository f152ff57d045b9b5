"""XYZ and extended XYZ.

Source: J. Kermode, https://github.com/libAtoms/extxyz; ASE, https://ase-lib.org.
"""

from .reader import read_extxyz
from .texts import text_of

__all__ = ["read_extxyz", "text_of"]
