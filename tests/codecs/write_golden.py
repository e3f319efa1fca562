"""Write the golden blobs: ``python -m tests.codecs.write_golden``, from the root of the checkout.

Only after a new version on the wire, and with the old blobs kept readable.
"""

from fedras_ray.codecs.build import build_codec
from tests.codecs.conftest import CODECS, PARTED, send
from tests.codecs.test_golden import GOLDEN, few_rows


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, config in (CODECS | PARTED).items():
        (GOLDEN / f"{name}.hex").write_text(build_codec(config).encode(few_rows(send)).hex() + "\n")


if __name__ == "__main__":
    main()
