"""Problems of the machine and of what is installed on it."""

from __future__ import annotations

import os
import time

from edge_runtime.doctor.machine import Machine
from tests.edge_runtime.doctor.scene import Scene, provokes

PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU part\t: 0xd08

Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""
PI_5 = PI_4.replace("crc32", "aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimddp")


@provokes("no-atomics", "LSE atomics", "never CompiledModel")
def a_pi_4(scene: Scene) -> Machine:
    scene.write("proc/cpuinfo", PI_4)
    return scene.machine()


@provokes("32-bit", "32 bits (armv7l)", "tflite-runtime==2.14.0")
def a_32_bit_system(scene: Scene) -> Machine:
    return scene.machine(pointer_bits=32, architecture="armv7l")


@provokes("undervolted", "too low at this moment", "power supply")
def a_weak_power_supply(scene: Scene) -> Machine:
    scene.program("vcgencmd", "print('throttled=0x50005')")
    return scene.machine()


@provokes("throttled", "lowered since it was started (get_throttled 0x80000)", "fan")
def a_pi_that_was_hot(scene: Scene) -> Machine:
    scene.program("vcgencmd", "assert sys.argv[1:] == ['get_throttled']; "
                              "print('throttled=0x80000')")
    return scene.machine()


@provokes("powersave", "lowest frequency", "echo schedutil | sudo tee /sys/devices/system/cpu/")
def a_governor(scene: Scene) -> Machine:
    for core in range(4):
        folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
        scene.write(f"{folder}/scaling_governor", "powersave\n" if core == 3 else "schedutil\n")
        scene.write(f"{folder}/scaling_driver", "cpufreq-dt\n")
    return scene.machine()


@provokes("hot", "83 °C", "fan")
def a_hot_processor(scene: Scene) -> Machine:
    scene.write("sys/class/thermal/thermal_zone0/temp", "41000\n")
    scene.write("sys/class/thermal/thermal_zone1/temp", "83200\n")
    return scene.machine()


@provokes("low-memory", "117 MiB", "ps -eo rss")
def little_memory(scene: Scene) -> Machine:
    scene.write("proc/meminfo", "MemTotal:  437000 kB\nMemFree:  9000 kB\n"
                                "MemAvailable:  120000 kB\n")
    return scene.machine()


@provokes("little-disk", "MB of disk space are left", "du -xh")
def more_asked_of_the_disk_than_it_has(scene: Scene) -> Machine:
    return scene.machine(gallery=scene.folder / "not" / "yet" / "gallery.db",
                         needed_bytes=1 << 60)


@provokes("clock-behind", "manifest.json was written on", "timedatectl set-ntp true")
def a_bundle_from_the_future(scene: Scene) -> Machine:
    file = scene.write("bundle/manifest.json", "{}")
    os.utime(file, (time.time() + 3600, time.time() + 3600))
    return scene.machine(bundle=file.parent)


@provokes("clock-free", "not synchronised", "timedatectl set-ntp true")
def a_free_clock(scene: Scene) -> Machine:
    scene.program("timedatectl", "print('no' if sys.argv[1] == 'show' else 'yes')")
    return scene.machine()


@provokes("no-wheels", "found 3.14", "python3.12 -m venv")
def a_new_python(scene: Scene) -> Machine:
    return scene.machine(python=(3, 14))


@provokes("no-interpreter", "neither ai-edge-litert nor", "pip install 'ai-edge-litert")
def no_interpreter(scene: Scene) -> Machine:
    return scene.machine()


@provokes("interpreter-broken", "ended by SIGILL", "pip install --force-reinstall")
def an_interpreter_for_another_processor(scene: Scene) -> Machine:
    scene.package("ai-edge-litert", "2.3.0")
    scene.module("ai_edge_litert.interpreter", "import os; os.kill(os.getpid(), 4)")
    return scene.machine()


@provokes("tflite-numpy2", "found NumPy 2.1.0", "pip install 'numpy<2'")
def tflite_runtime_with_numpy_2(scene: Scene) -> Machine:
    scene.package("tflite-runtime", "2.14.0")
    scene.package("numpy", "2.1.0")
    return scene.machine()


@provokes("extra-missing", "cryptography not installed", "pip install 'visavox[gallery]'")
def without_the_extra_gallery(scene: Scene) -> Machine:
    for module in ("cv2", "sounddevice", "webrtcvad"):
        scene.module(module)
    return scene.machine()


@provokes("opencv-twice", "both installed", "pip uninstall -y opencv-python opencv-python-headless")
def opencv_twice(scene: Scene) -> Machine:
    scene.package("opencv-python", "4.11.0.86")
    scene.package("opencv-python-headless", "4.12.0.88")
    return scene.machine()


@provokes("opencv-5", "found 5.0.0", "opencv-python>=4.10,<5")
def opencv_5(scene: Scene) -> Machine:
    scene.package("opencv-python", "5.0.0")
    return scene.machine()


@provokes("opencv-library", "libGL.so.1 is missing", "sudo apt install libgl1; or")
def without_libgl(scene: Scene) -> Machine:
    scene.module("cv2", "raise ImportError('libGL.so.1: cannot open shared object file: No such "
                        "file or directory')")
    return scene.machine()


@provokes("opencv-broken", "numpy.core.multiarray failed to import", "pip uninstall")
def opencv_for_another_numpy(scene: Scene) -> Machine:
    scene.module("cv2", "raise ImportError('numpy.core.multiarray failed to import')")
    return scene.machine()


@provokes("portaudio-missing", "PortAudio library not found", "sudo apt install libportaudio2")
def without_portaudio(scene: Scene) -> Machine:
    scene.module("sounddevice", "raise OSError('PortAudio library not found')")
    return scene.machine()
