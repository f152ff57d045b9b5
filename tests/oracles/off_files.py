"""Shapes in OFF files, as ModelNet has them."""

import numpy as np

CUBE = """OFF
# a cube of side 2, half of its faces as two triangles
8 9 0
-1 -1 -1
1 -1 -1
1 1 -1
-1 1 -1
-1 -1 1
1 -1 1
1 1 1
-1 1 1

3 0 1 2
3 0 2 3
3 4 5 6
3 4 6 7
3 0 1 5
3 0 5 4
4 2 3 7 6
4 1 2 6 5
4 0 3 7 4
"""


def cloud(points, seed=0):
    rows = np.random.RandomState(seed).normal(size=(points, 3))
    return f"OFF\n{points} 0 0\n" + "".join(f"{x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in rows)


def write_folder(path):
    """Two classes in the folder `path`, which is returned: cubes as meshes, clouds as vertices."""
    for part in ("train", "test"):
        for name, text in (("cube", CUBE), ("cloud", cloud(3000))):
            (path / name / part).mkdir(parents=True)
            (path / name / part / f"{name}_1.off").write_text(text)
    return path
