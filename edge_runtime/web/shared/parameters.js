// By 'python -m edge_runtime.web.parameters': change the Python, not this.

export default {
  "bundle": {
    "FORMAT": 1
  },
  "capture": {
    "STALE_S": 2.0,
    "SAMPLE_RATE_HZ": 16000,
    "LEVEL_S": 0.2
  },
  "face_quality": {
    "MIN_SIDE_PX": 64,
    "MAX_OVERHANG_SIDES": 0.05,
    "MIN_SHARPNESS": 0.36,
    "MIN_LIGHT_OF_255": 75,
    "MAX_WHITE_SHARE": 0.3,
    "MIN_CONTRAST_OF_255": 45,
    "WHITE_OF_255": 250,
    "JUDGED_PX": 96,
    "REACH_PX": 9
  },
  "voice_quality": {
    "HOP_SAMPLES": 160,
    "FRAME_SAMPLES": 480,
    "MIN_LEVEL_DB": -50.0,
    "MIN_SNR_DB": 5.5,
    "QUIET_SNR_DB": 10.0,
    "MIN_SNR_S": 0.9,
    "MIN_PEAK_RATIO": 1.08,
    "FAINT_OF_FULL_SCALE": 0.02,
    "NO_CONSTANT_OF_FULL_SCALE": 1e-06,
    "LEAST_POWER": 1e-12
  },
  "scoring": {
    "LEAST_SCORE": 1e-12
  },
  "similarity": {
    "CONTRADICTION_LOG_ODDS": 0.5,
    "LEAST_LENGTH": 1e-12,
    "PLAIN": {
      "face": {
        "scale": {
          "face": 1.0
        },
        "offset": 0.0
      },
      "voice": {
        "scale": {
          "voice": 1.0
        },
        "offset": 0.0
      },
      "both": {
        "scale": {
          "face": 0.5,
          "voice": 0.5
        },
        "offset": 0.0
      }
    }
  },
  "evidence": {
    "HALF_LIFE_S": 1.5,
    "FRESH_S": 5.0,
    "NAME_AFTER_S": 0.15,
    "FORGET_AFTER_S": 2.0,
    "GONE_S": 0.8,
    "HEARD_S": 1.5,
    "NOBODY_AFTER_S": 2.5
  },
  "names": {
    "MAX_NAME_CHARACTERS": 100,
    "RESERVED": [
      "unknown",
      "unavailable",
      "none",
      "nobody"
    ],
    "INVISIBLE": [
      "Cc",
      "Cf",
      "Cs",
      "Co",
      "Cn",
      "Zl",
      "Zp"
    ],
    "BLANK": "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\udb40\udd00-\udb40\uddef",
    "JOINERS": "\u200c\u200d",
    "EMOJI_STYLE": "\ufe0f",
    "ALIKE": [
      "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131",
      "abekmhopctyxsijhdqwabezhikmvoptyxi"
    ]
  },
  "enrolment": {
    "ANGLES": [
      "front",
      "left",
      "right"
    ],
    "RECORDED_S": 4.0,
    "KIOSK_CLIPS": 3,
    "PHONE_FACES": 6,
    "PHONE_CLIPS": 3,
    "REFUSED": [
      "no_face",
      "several_faces",
      "face_too_small",
      "face_cut_off",
      "face_blurred",
      "face_too_dark",
      "face_too_bright",
      "face_low_contrast",
      "too_little_speech",
      "voice_too_quiet",
      "voice_clipped",
      "voice_noisy"
    ],
    "TWO_PEOPLE_LOG_ODDS": -5.0,
    "LEAST_SHARE": 0.7,
    "LEAST_COSINE": 0.4,
    "SAME_PERSON_COSINE": 0.9
  },
  "gallery": {
    "REJECTED_DAYS": 30
  }
};
