/** Frames of 20 ms that are handed to the disk together. */
export const BLOCK_FRAMES = 20;

/** A file format that grows frame by frame: two channels become blocks for the disk. */
export interface Track {
  /** 20 ms of either channel. */
  frame(left: Int16Array, right: Int16Array): void;
  /** So many frames of silence. */
  gap(frames: number): void;
  /** Hands over what is held, and the end of the file; returns the length of the file, bytes. */
  end(): number;
}
