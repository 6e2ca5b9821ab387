/**
 * Fields of protocol buffer messages, as bytes: a message is its fields one after another. Source: "Encoding" in the
 * documentation of Protocol Buffers.
 */

const enum Wire {
  Varint = 0,
  Bytes = 2,
  Fixed32 = 5,
}

/** An integer (64 bits, two's complement), an enumeration's number or a truth value. */
export function integerField(field: number, value: number | boolean): Buffer {
  return Buffer.concat([varint((field << 3) | Wire.Varint), varint(Number(value))]);
}

/** A number in single precision. */
export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | Wire.Fixed32), bytes]);
}

/** Text, or bytes as they are. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((field << 3) | Wire.Bytes), varint(bytes.length), bytes]);
}

/** A message inside of a message, of these fields. */
export function messageField(field: number, ...fields: readonly Uint8Array[]): Buffer {
  return bytesField(field, Buffer.concat(fields));
}

/** Seven bits a byte, the least first; the eighth bit tells that more follow. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const more = rest > 127n;
    bytes.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
