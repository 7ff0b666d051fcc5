"""The stress set: clips with exact truth, made of real footage and of generated shots."""

from stress.cases import CASES, case, names
from stress.edit import Made
from stress.material import Material, load
from stress.programme import STYLES, compose

__all__ = ["CASES", "STYLES", "Made", "Material", "case", "compose", "load", "names"]
