"""The command line. What Hydra and Arrow read from the environment at import is set here, before any of them."""

import os

os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us, and we print one line
# Arrow's own allocators keep freed memory, 100 MB of it; worker processes inherit this.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
