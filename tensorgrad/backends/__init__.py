"""The kernels that operations run on arrays, and the dtypes of those arrays."""
