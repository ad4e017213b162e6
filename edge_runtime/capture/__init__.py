"""Cameras and microphones: the newest picture, the last seconds of sound, and how the device is.

    from edge_runtime.capture.devices import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock

    clock = FileClock()  # two files given together begin together
    camera, microphone = camera_from("scene.mp4", clock), microphone_from("scene.wav", clock)
    with camera, microphone:
        frame = camera.latest(timeout_s=1.0)
        clip = microphone.last(seconds=2.58, timeout_s=4.0)
        print(camera.status.message, microphone.status.message)

No call takes longer than its time limit, whatever the device does. A device that is missing, busy
or unplugged is said to be so within 2 s and tried again until it is back, while the other goes on.
"""
