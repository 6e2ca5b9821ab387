/** What is used of Node's Buffer, in a browser. */
class Bytes extends Uint8Array {
  private view() {
    return new DataView(this.buffer, this.byteOffset, this.byteLength);
  }

  override toString(encoding = "utf8", start = 0): string {
    const bytes = this.subarray(start);
    if (encoding === "utf8") return new TextDecoder().decode(bytes);
    const characters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    return encoding === "base64" ? btoa(characters) : characters;
  }
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }
  readInt32LE(at = 0): number {
    return this.view().getInt32(at, true);
  }
  readBigUInt64LE(at = 0): bigint {
    return this.view().getBigUint64(at, true);
  }
  writeBigUInt64LE(value: bigint, at = 0): void {
    this.view().setBigUint64(at, value, true);
  }
}

type Source = string | Uint8Array | ArrayBuffer | readonly number[];

export type Buffer = Bytes;
export const Buffer = {
  alloc: (size: number): Bytes => new Bytes(size),
  byteLength: (text: string): number => new TextEncoder().encode(text).length,
  from(source: Source, encoding?: string | number, length?: number): Bytes {
    if (source instanceof ArrayBuffer) return new Bytes(source, Number(encoding ?? 0), length);
    if (typeof source !== "string") return new Bytes(source as Uint8Array);
    if (encoding === undefined || encoding === "utf8") return new Bytes(new TextEncoder().encode(source));
    const characters = encoding === "base64" ? atob(source) : source;
    return new Bytes(Array.from(characters, (character) => character.charCodeAt(0)));
  },
  concat(parts: readonly Uint8Array[]): Bytes {
    const all = new Bytes(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
};
