"""The networks by hand-written CUDA kernels, compiled on the user's machine at first use and kept."""
