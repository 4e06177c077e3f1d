"""Tools for whoever runs Offtape.  They are not deployed: build_layer.py copies the package beside this one alone."""
