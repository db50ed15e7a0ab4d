import type { KeptClip } from './clip-file.js';

/** The clips used last, up to so many bytes of audio. */
export class ClipMemory {
  private readonly clips = new Map<string, KeptClip>();
  private used = 0;

  constructor(private readonly limit: number) {}

  /** Bytes of audio held. */
  get bytes(): number {
    return this.used;
  }

  get(key: string): KeptClip | undefined {
    const clip = this.clips.get(key);
    if (clip) {
      // A map is in order of insertion: the one used last goes to its end.
      this.clips.delete(key);
      this.clips.set(key, clip);
    }
    return clip;
  }

  put(key: string, clip: KeptClip): void {
    this.delete(key);
    if (clip.pcm.byteLength > this.limit) return;
    this.clips.set(key, clip);
    this.used += clip.pcm.byteLength;
    for (const oldest of this.clips.keys()) {
      if (this.used <= this.limit) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.used -= this.clips.get(key)?.pcm.byteLength ?? 0;
    this.clips.delete(key);
  }
}
