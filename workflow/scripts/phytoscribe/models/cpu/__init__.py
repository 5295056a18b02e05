"""The network on processors: kernels that compute the same with fewer passes over memory, or with bytes."""
