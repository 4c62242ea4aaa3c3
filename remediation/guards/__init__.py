"""Guards: a night as a whole is looked at before anything of it is sent; one that is out of the ordinary is held."""
