"""XYZ and extended XYZ.

Source: J. Kermode, https://github.com/libAtoms/extxyz; ASE, https://ase-lib.org.
"""

from .reader import read_extxyz

__all__ = ["read_extxyz"]
