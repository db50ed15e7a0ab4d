/**
 * Encrypts and authenticates one kind of packets in place. `start` is where what is encrypted begins, `end` where the
 * packet ends, without tag. The header before `start` is authenticated only.
 */
export interface PacketCipher {
  /**
   * Encrypts and puts the tag behind; there must be room for it.
   *
   * @param index of the packet: 48 bits in RTP, 31 in RTCP
   * @param extra authenticated besides: the roll-over counter, or the word with E bit and index of RTCP
   */
  seal(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): void;
  /** Checks the tag behind `end`, then decrypts unless `start` is `end`. False when it is not authentic. */
  open(bytes: Buffer, start: number, end: number, ssrc: number, index: number, extra: number): boolean;
}
