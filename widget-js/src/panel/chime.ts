// Two soft notes when a message comes and is not in sight. The visitor asks for it, and browsers let
// a frame sound only after somebody has done something in it.

const KEY = "switchboard.sound";

export class Chime {
  readonly #storage: Storage | null;
  #isOn: boolean;
  #audio: AudioContext | null = null;

  constructor(storage: Storage | null) {
    this.#storage = storage;
    this.#isOn = storage?.getItem(KEY) != null;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Turns it on, which sounds once, so that one knows what to listen for; or off. */
  toggle(): void {
    this.#isOn = !this.#isOn;
    try {
      if (this.#isOn) this.#storage?.setItem(KEY, "1");
      else this.#storage?.removeItem(KEY);
    } catch {
      // Full: it holds for as long as the page lives.
    }
    this.ring();
  }

  ring(): void {
    if (!this.#isOn || typeof AudioContext === "undefined") return;
    const audio = (this.#audio ??= new AudioContext());
    // Where the browser does not let it, it stays silent until somebody does something here.
    void audio.resume();
    for (const [hertz, after] of [
      [659.3, 0],
      [880, 0.14],
    ] as const) {
      const at = audio.currentTime + after;
      const tone = new OscillatorNode(audio, { frequency: hertz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.4);
    }
  }
}
