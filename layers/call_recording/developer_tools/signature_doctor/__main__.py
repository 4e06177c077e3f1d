"""`python -m developer_tools.signature_doctor`"""

import sys

from .command import main

sys.exit(main(sys.argv[1:]))
