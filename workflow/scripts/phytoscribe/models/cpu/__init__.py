"""Kernels for processors that compute the same as the network's modules in fewer passes over memory, or with bytes.

They are reached through :func:`phytoscribe.models.cpu.network.fast_cpu` alone.
"""
