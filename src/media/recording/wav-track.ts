import { setWavLength, WAV_HEADER_BYTES, wavHeader } from '../../audio/wav.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import type { Block, BlockWriter } from './block-writer.js';
import { BLOCK_FRAMES, type Track } from './track.js';

/** Of one sample of both channels. */
const SAMPLE_BYTES = 4;

/** Bytes of a block of a WAV file. */
export function wavBlockBytes(rate: PcmRate): number {
  return BLOCK_FRAMES * (rate / 50) * SAMPLE_BYTES;
}

/** Gives the header of a stereo WAV file that has grown to so many bytes; the same buffer each time. */
export function wavHeads(rate: PcmRate): (written: number) => Uint8Array {
  const header = wavHeader(2, rate);
  return (written) => {
    setWavLength(header, Math.max(0, written - WAV_HEADER_BYTES));
    return header;
  };
}

/** A WAV file of two channels, 16 bits. What could not be written is a hole in the file, which reads as silence. */
export class WavTrack implements Track {
  private readonly frameBytes: number;
  private block: Block | undefined;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private position = WAV_HEADER_BYTES;

  constructor(
    private readonly rate: PcmRate,
    private readonly writer: BlockWriter,
  ) {
    this.frameBytes = (rate / 50) * SAMPLE_BYTES;
  }

  frame(left: Int16Array, right: Int16Array): void {
    const block = this.block ?? this.begin();
    if (!block) {
      this.position += this.frameBytes;
      return;
    }
    const from = block.length;
    for (let n = 0; n < this.rate / 50; n++) {
      const at = from + n * SAMPLE_BYTES;
      this.view.setInt16(at, left[n]!, true);
      this.view.setInt16(at + 2, right[n]!, true);
    }
    block.length += this.frameBytes;
    this.position += this.frameBytes;
    if (block.length === block.bytes.length) this.flush();
  }

  gap(frames: number): void {
    this.flush();
    this.position += frames * this.frameBytes;
  }

  end(): number {
    this.flush();
    return this.position;
  }

  private begin(): Block | undefined {
    const block = this.writer.acquire();
    if (!block) return undefined;
    block.position = this.position;
    block.length = 0;
    this.block = block;
    const { buffer, byteOffset, byteLength } = block.bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    return block;
  }

  private flush(): void {
    const { block } = this;
    if (!block) return;
    block.frames = (this.position - WAV_HEADER_BYTES) / this.frameBytes;
    this.writer.submit(block);
    this.block = undefined;
  }
}
