"""How the numbers of the default method were fitted: programmes made of real shots, and the fit to them."""
