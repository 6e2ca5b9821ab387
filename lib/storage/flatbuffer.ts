/**
 * Reads a table of a FlatBuffer, the encoding of an Arrow file's footer and headers. Every access is checked against
 * the bytes that are there: a false offset or length throws RangeError and costs neither memory nor time.
 * Fields are numbered by their slot in the schema. Source: FlatBuffers, "Internals".
 */
export class FlatTable {
  private constructor(
    private readonly view: DataView,
    private readonly position: number,
  ) {}

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Position of a field's value, 0 if the field is absent. */
  private slot(field: number): number {
    const table = this.position - this.view.getInt32(this.position, true);
    const entry = 4 + 2 * field;
    const offset = entry < this.view.getUint16(table, true) ? this.view.getUint16(table + entry, true) : 0;
    return offset === 0 ? 0 : this.position + offset;
  }

  int8(field: number): number {
    const slot = this.slot(field);
    return slot && this.view.getInt8(slot);
  }

  int16(field: number): number {
    const slot = this.slot(field);
    return slot && this.view.getInt16(slot, true);
  }

  int32(field: number): number {
    const slot = this.slot(field);
    return slot && this.view.getInt32(slot, true);
  }

  int64(field: number): number {
    const slot = this.slot(field);
    return slot && Number(this.view.getBigInt64(slot, true));
  }

  table(field: number): FlatTable | undefined {
    const slot = this.slot(field);
    return slot === 0 ? undefined : this.follow(slot);
  }

  tables(field: number): FlatTable[] {
    const vector = this.vector(field, 4);
    return Array.from({ length: vector.byteLength / 4 }, (_, i) =>
      this.follow(vector.byteOffset - this.origin + 4 * i),
    );
  }

  string(field: number): string {
    return new TextDecoder().decode(this.vector(field, 1));
  }

  /** The bytes of a vector whose elements have the given size; empty if it is absent. */
  vector(field: number, elementBytes: number): DataView {
    const slot = this.slot(field);
    if (slot === 0) return new DataView(this.view.buffer, this.view.byteOffset, 0);
    const start = slot + this.view.getUint32(slot, true);
    const length = this.view.getUint32(start, true) * elementBytes;
    if (start + 4 + length > this.view.byteLength)
      throw new RangeError("A vector ends outside of its buffer.");
    return new DataView(this.view.buffer, this.origin + start + 4, length);
  }

  private get origin(): number {
    return this.view.byteOffset;
  }

  private follow(slot: number): FlatTable {
    return new FlatTable(this.view, slot + this.view.getUint32(slot, true));
  }
}
