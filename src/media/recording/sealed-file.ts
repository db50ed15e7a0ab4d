import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { ParleyError } from '../../errors.js';
import { derivedKey, type Keyring, type SealingKey } from '../../store/sealing/keyring.js';
import type { RandomFile } from './block-writer.js';

/*
 * An encrypted recording: a log of writes, each sealed by itself (AES-256-GCM), so that a crash costs the last one at most.
 *
 *   "PLYREC1\0" | key id, 8 bytes | salt, 16 bytes | records
 *   record: epoch u32 | length u32 | position u64 | ciphertext | tag, 16 bytes     (big-endian)
 *
 * What a record holds lies at `position` of the recording; a later one for the same place stands in its stead. One of length 0
 * says that the recording ends at `position`, and is the last of a file that was closed. The key is derived for the salt;
 * nonce: epoch (random, for each time that the file is opened) and the record's number; both it and the head are
 * authenticated, so that records can't be changed, moved, left out or cut off unnoticed.
 */

const MAGIC = Buffer.from('PLYREC1\0');
const SALT_BYTES = 16;
const FILE_HEAD = MAGIC.length + 8 + SALT_BYTES;
const RECORD_HEAD = 16;
const TAG_BYTES = 16;
/** A length beyond this is none of ours. */
const MAX_LENGTH = 1 << 24;

/** Where a record's text lies. */
interface Entry {
  head: Buffer;
  number: number;
  /** Of the ciphertext in the file. */
  at: number;
  position: number;
  length: number;
}

/** The ending of encrypted files. */
export const SEALED = '.enc';

/** An encrypted file of which any place can be read and written. */
export class SealedFile implements RandomFile {
  /** By position, in the order of the log. */
  private readonly entries = new Map<number, Entry>();
  private readonly epoch = randomBytes(4);
  private number = 0;
  private at = FILE_HEAD;
  private length = 0;
  private ended = false;
  private written = false;

  private constructor(
    private readonly handle: FileHandle,
    private readonly key: Uint8Array,
    private readonly path: string,
  ) {}

  /** Makes a file; rejects when there is one. */
  static async create(path: string, key: SealingKey): Promise<SealedFile> {
    const handle = await open(path, 'wx+');
    const salt = randomBytes(SALT_BYTES);
    await handle.write(Buffer.concat([MAGIC, Buffer.from(key.id, 'hex'), salt]), 0, FILE_HEAD, 0);
    return new SealedFile(handle, derivedKey(key, salt), path);
  }

  /**
   * Opens a file that was closed, or with `repair` one that a crash left behind: what of it is whole counts.
   *
   * @throws ParleyError PARLEY_ERR_KEY_MISSING, PARLEY_ERR_SEAL_BROKEN
   */
  static async open(path: string, keys: Keyring, repair = false): Promise<SealedFile> {
    const handle = await open(path, repair ? 'r+' : 'r');
    try {
      const head = Buffer.alloc(FILE_HEAD);
      const { bytesRead } = await handle.read(head, 0, FILE_HEAD, 0);
      if (bytesRead < FILE_HEAD || !head.subarray(0, MAGIC.length).equals(MAGIC)) {
        throw new ParleyError('PARLEY_ERR_SEAL_BROKEN', { what: path });
      }
      const key = keys.find(head.toString('hex', MAGIC.length, MAGIC.length + 8), path);
      const file = new SealedFile(handle, derivedKey(key, head.subarray(MAGIC.length + 8)), path);
      await file.index(repair);
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async size(): Promise<number> {
    return this.length;
  }

  /** Bytes at a place, as many as there are; what was never written is zeros. */
  async read(bytes: Uint8Array, length: number, position: number): Promise<number> {
    const end = Math.min(this.length, position + length);
    if (end <= position) return 0;
    bytes.fill(0, 0, end - position);
    for (const entry of this.entries.values()) {
      const from = Math.max(position, entry.position);
      const to = Math.min(end, entry.position + entry.length);
      if (from >= to) continue;
      const text = await this.open(entry);
      bytes.set(text.subarray(from - entry.position, to - entry.position), from - position);
    }
    return end - position;
  }

  async write(bytes: Uint8Array, length: number, position: number): Promise<void> {
    if (length === 0) return;
    await this.append(bytes.subarray(0, length), position);
    this.length = Math.max(this.length, position + length);
  }

  async truncate(length: number): Promise<void> {
    await this.append(new Uint8Array(0), length);
    this.length = length;
  }

  sync(): Promise<void> {
    return this.handle.datasync();
  }

  /** Marks the end, where something was written, and closes. */
  async close(): Promise<void> {
    try {
      if (this.written && !this.ended) {
        await this.truncate(this.length);
        await this.sync();
      }
    } finally {
      await this.handle.close();
    }
  }

  private async append(text: Uint8Array, position: number): Promise<void> {
    const head = Buffer.alloc(RECORD_HEAD);
    head.set(this.epoch);
    head.writeUInt32BE(text.length, 4);
    head.writeBigUInt64BE(BigInt(position), 8);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonceOf(head, this.number));
    cipher.setAAD(aadOf(head, this.number));
    const record = Buffer.concat([head, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    for (let done = 0; done < record.length; ) {
      done += (await this.handle.write(record, done, record.length - done, this.at + done)).bytesWritten;
    }
    this.written = true;
    this.note({ head, number: this.number, at: this.at + RECORD_HEAD, position, length: text.length });
    this.at += record.length;
  }

  private note(entry: Entry): void {
    this.number++;
    this.ended = entry.length === 0;
    if (this.ended) return;
    this.entries.delete(entry.position);
    this.entries.set(entry.position, entry);
  }

  private async index(repair: boolean): Promise<void> {
    const { size } = await this.handle.stat();
    const log: Entry[] = [];
    for (let next = await this.entryAt(this.at, size); next; next = await this.entryAt(this.at, size)) {
      log.push(next);
      this.follow(next);
    }
    if (repair) return this.cutTorn(log);
    if (!this.ended || this.at !== size) throw new ParleyError('PARLEY_ERR_SEAL_BROKEN', { what: this.path });
    // All of them, before a byte is given out: one whose place was changed would be missed by nobody.
    for (const entry of log) await this.open(entry);
  }

  /** Blocks of the disk that were not written any more may hold anything: what does not open at the end goes. */
  private async cutTorn(log: Entry[]): Promise<void> {
    for (let last = log.at(-1); last && !(await this.opens(last)); last = log.at(-1)) log.pop();
    this.entries.clear();
    Object.assign(this, { number: 0, at: FILE_HEAD, length: 0, ended: false });
    for (const entry of log) this.follow(entry);
    await this.handle.truncate(this.at);
  }

  private follow(entry: Entry): void {
    this.note(entry);
    const { position, length } = entry;
    this.length = length === 0 ? position : Math.max(this.length, position + length);
    this.at = entry.at + length + TAG_BYTES;
  }

  private async opens(entry: Entry): Promise<boolean> {
    return this.open(entry).then(
      () => true,
      () => false,
    );
  }

  private async entryAt(at: number, size: number): Promise<Entry | undefined> {
    const head = Buffer.alloc(RECORD_HEAD);
    if (at + RECORD_HEAD + TAG_BYTES > size) return undefined;
    await this.handle.read(head, 0, RECORD_HEAD, at);
    const length = head.readUInt32BE(4);
    const position = Number(head.readBigUInt64BE(8));
    if (length > MAX_LENGTH || at + RECORD_HEAD + length + TAG_BYTES > size) return undefined;
    return { head, number: this.number, at: at + RECORD_HEAD, position, length };
  }

  private async open({ head, number, at, length }: Entry): Promise<Buffer> {
    const sealed = Buffer.alloc(length + TAG_BYTES);
    await this.handle.read(sealed, 0, sealed.length, at);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonceOf(head, number));
    decipher.setAAD(aadOf(head, number));
    decipher.setAuthTag(sealed.subarray(length));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
    } catch (error) {
      throw new ParleyError('PARLEY_ERR_SEAL_BROKEN', { what: this.path }, { cause: error });
    }
  }
}

function nonceOf(head: Buffer, number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.set(head.subarray(0, 4));
  nonce.writeBigUInt64BE(BigInt(number), 4);
  return nonce;
}

function aadOf(head: Buffer, number: number): Buffer {
  const aad = Buffer.alloc(RECORD_HEAD + 8);
  aad.set(head);
  aad.writeBigUInt64BE(BigInt(number), RECORD_HEAD);
  return aad;
}
