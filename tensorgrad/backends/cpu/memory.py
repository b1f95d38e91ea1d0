"""Memory that dies young, kept for what comes next.

The C library of Linux gives the memory of a large array back to the system when the array dies, and the pages of the
next one are faulted in anew: that is a third of the time of a transformer's training step. It keeps what is no larger
than the largest block that it has seen freed, up to 32 MB. So one is made and freed; no page of it is ever touched.
"""

import numpy as np

np.empty(2**25 - 2**13, np.uint8)
