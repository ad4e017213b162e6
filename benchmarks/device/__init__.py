"""`python -m benchmarks device`: an aarch64 device without hardware.

Debian's arm64 Python with the wheels that a Raspberry Pi would install runs under QEMU's user mode:
does the wheel of `visavox` install and identify as it does here, and how many instructions does an
inference take? Never times: emulated time means nothing.

    devices     which processors are emulated, and with which Debian and Python
    cache       folders that are made as a whole or not at all
    debian      the root file system of a device
    wheels      what pip installs on it
    plugin      the counter of instructions (plugin.c), compiled
    emulator    QEMU's user mode
    examples    faces and clips to try
    probe       what runs on the device, and here
    run         the probe on every bundle, also where one crashes it
    check       both sides, and what differs
    baseline    counts beside those of an earlier result
    table       the results in words
"""
