const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of ITU-T V.42, of the first `end` octets. */
export function crc32(bytes: Uint8Array, end: number): number {
  let crc = 0xffffffff;
  for (let n = 0; n < end; n++) crc = TABLE[(crc ^ bytes[n]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
