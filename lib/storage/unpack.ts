/** Buffers of Arrow files that are packed, as Feather's are by default. */
import { CompressionType } from "apache-arrow/fb/compression-type";
import { decompress } from "fzstd";

/** Unpacks a buffer: its length as int64, or -1 where it is as it is, and what is packed. Throws RangeError if damaged. */
export function unpack(bytes: Uint8Array, codec: CompressionType): Uint8Array {
  if (bytes.length === 0) return bytes;
  const length = Number(view(bytes).getBigInt64(0, true));
  const packed = bytes.subarray(8);
  if (length === -1) return packed;
  if (!(length >= 0 && length <= 65_536 * packed.length)) throw new RangeError("It claims too much.");
  if (codec === CompressionType.LZ4_FRAME) return unpackLz4(packed, length);
  let unpacked: Uint8Array;
  try {
    unpacked = decompress(packed, new Uint8Array(length));
  } catch (error) {
    throw new RangeError("It is damaged.", { cause: error });
  }
  if (unpacked.length !== length) throw new RangeError("It has another length.");
  return unpacked;
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const LZ4_MAGIC = 0x184d2204;
/** Flags of a frame, and the bytes that each stands for. */
const [BLOCK_CHECKSUMS, LENGTH, DICTIONARY] = [16, 8, 1];
const [LENGTH_BYTES, DICTIONARY_BYTES, CHECKSUM_BYTES] = [8, 4, 4];

/**
 * Unpacks a frame of LZ4 to `length` bytes; its checksums are not looked at. Throws RangeError if damaged.
 * Source: LZ4 Frame Format 1.6.2 and LZ4 Block Format, github.com/lz4/lz4/tree/dev/doc.
 */
function unpackLz4(bytes: Uint8Array, length: number): Uint8Array {
  const words = view(bytes);
  if (words.getUint32(0, true) !== LZ4_MAGIC) throw new RangeError("It is no frame of LZ4.");
  const output = new Uint8Array(length);
  const flags = words.getUint8(4);
  // The magic number, the flags, the largest block, and a checksum of the header in the end.
  let at = 7 + (flags & LENGTH ? LENGTH_BYTES : 0) + (flags & DICTIONARY ? DICTIONARY_BYTES : 0);
  let to = 0;
  for (let word; (word = words.getUint32(at, true)) !== 0;) {
    at += 4;
    const end = at + (word & 0x7fffffff);
    if (end > bytes.length) throw new RangeError("It ends too early.");
    if (word >>> 31) {
      output.set(bytes.subarray(at, end), to); // a block that is not packed
      to += end - at;
    } else to = unpackBlock(bytes.subarray(at, end), output, to);
    at = end + (flags & BLOCK_CHECKSUMS ? CHECKSUM_BYTES : 0);
  }
  if (to !== length) throw new RangeError("It has another length.");
  return output;
}

/** Unpacks a block into the output from `to` on; returns where it ends. */
export function unpackBlock(bytes: Uint8Array, output: Uint8Array, to: number): number {
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15; more;) {
      if (at >= bytes.length) throw new RangeError("It ends too early.");
      length += bytes[at];
      more = bytes[at++] === 255;
    }
    return length;
  };
  while (at < bytes.length) {
    const token = bytes[at++];
    const literals = lengthFrom(token >> 4);
    if (at + literals > bytes.length) throw new RangeError("It ends too early.");
    output.set(bytes.subarray(at, at + literals), to); // throws a RangeError where there is no room
    at += literals;
    to += literals;
    if (at === bytes.length) break; // the last sequence repeats nothing
    const back = bytes[at] + 256 * bytes[at + 1];
    at += 2;
    const end = to + 4 + lengthFrom(token & 15);
    if (!(back > 0 && back <= to && end <= output.length)) throw new RangeError("It points outside.");
    for (; to < end; to++) output[to] = output[to - back];
  }
  return to;
}
