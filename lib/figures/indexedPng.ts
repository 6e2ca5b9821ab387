/** PNGs with a palette: a figure's few colours in a quarter of the room that a colour for each pixel takes. */
import { crc32, deflateSync, inflateSync } from "zlib";

/** Pixels of a picture, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Each pixel's 0xRRGGBB. */
  readonly colours: Uint32Array;
}

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
/** Colours of a palette: PNG has room for 256, but nobody sees more than these in a figure. */
const SIZE = 128;
/** Of compression: the last one, 9, takes three times as long for 2 %. */
const LEVEL = 8;

/**
 * The same picture with at most 128 colours; all of them where it has no more.
 *
 * png: 8 bits a channel, with or without alpha, not interlaced, as browsers write it; alpha is dropped. Throws an Error
 * for another kind. Source of the format: https://www.w3.org/TR/png-3/
 */
export function indexedPng(png: Buffer): Buffer {
  const { width, height, colours } = pixelsOf(png);
  const { palette, index } = paletteOf(colours);
  const rows = Buffer.alloc((width + 1) * height); // each begins with its filter: none, the best one for indices
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      // Most pixels are as their left neighbour: no need to look them up.
      const same = x > 0 && colours[at] === colours[at - 1];
      rows[at + y + 1] = same ? rows[at + y] : index.get(colours[at])!;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // 8 bits a pixel, indices of a palette
  const entries = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", entries),
    chunk("IDAT", deflateSync(rows, { level: LEVEL })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/**
 * A palette, and for each colour its entry there.
 *
 * The first entry is the most frequent colour; each further one is the colour whose pixels are, all together, farthest
 * from their nearest entry. So flat areas keep their colours, and what is rounded are shades at the edges of lines.
 */
function paletteOf(colours: Uint32Array): { palette: number[]; index: Map<number, number> } {
  const counts = new Map<number, number>();
  for (let from = 0, to = 0; from < colours.length; from = to) {
    while (to < colours.length && colours[to] === colours[from]) to++;
    counts.set(colours[from], (counts.get(colours[from]) ?? 0) + to - from);
  }
  const all = [...counts.keys()];
  const frequency = [...counts.values()];
  const distance = new Float64Array(all.length).fill(Infinity); // squared, to the nearest entry
  const nearest = new Uint8Array(all.length);
  const palette: number[] = [];
  let next = frequency.indexOf(frequency.reduce((most, count) => Math.max(most, count), 0));
  while (palette.length < Math.min(SIZE, all.length)) {
    const entry = all[next];
    let farthest = -1;
    all.forEach((colour, i) => {
      const red = (colour >> 16) - (entry >> 16);
      const green = ((colour >> 8) & 255) - ((entry >> 8) & 255);
      const blue = (colour & 255) - (entry & 255);
      const squared = red * red + green * green + blue * blue;
      if (squared < distance[i]) {
        distance[i] = squared;
        nearest[i] = palette.length;
      }
      if (distance[i] * frequency[i] > farthest) {
        farthest = distance[i] * frequency[i];
        next = i;
      }
    });
    palette.push(entry);
  }
  return { palette, index: new Map(all.map((colour, i) => [colour, nearest[i]])) };
}

/** The pixels of a PNG of 8 bits a channel, with or without alpha. Throws an Error for another kind. */
export function pixelsOf(png: Buffer): Pixels {
  const parts: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) !== "IDAT") continue;
    parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]; // the header is the first chunk
  const kind = png.subarray(24, 29).join();
  const channels = { "8,2,0,0,0": 3, "8,6,0,0,0": 4 }[kind];
  if (channels === undefined) throw new Error(`PNG of kind ${kind}: only 8 bits of RGB or RGBA can be read.`);
  const length = width * channels;
  const data = inflateSync(Buffer.concat(parts));
  const colours = new Uint32Array(width * height);
  let above = new Uint8Array(length);
  let row = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    const start = y * (length + 1) + 1;
    unfilter(data.subarray(start, start + length), data[start - 1], channels, above, row);
    for (let x = 0, i = 0; x < width; x++, i += channels) {
      colours[y * width + x] = (row[i] << 16) | (row[i + 1] << 8) | row[i + 2];
    }
    [above, row] = [row, above];
  }
  return { width, height, colours };
}

/** What the neighbours of a byte, its left, upper and upper left one, predict of it, for each kind of filter. */
const PREDICTIONS: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    // Paeth: the neighbour that is nearest to left + up - corner.
    const toLeft = Math.abs(up - corner);
    const toUp = Math.abs(left - corner);
    const toCorner = Math.abs(left + up - 2 * corner);
    if (toLeft <= toUp && toLeft <= toCorner) return left;
    return toUp <= toCorner ? up : corner;
  },
];

/** Undoes a row's filter: its bytes are differences to what was predicted. */
function unfilter(
  bytes: Uint8Array,
  filter: number,
  channels: number,
  above: Uint8Array,
  row: Uint8Array,
): void {
  const predict = PREDICTIONS[filter];
  for (let i = 0; i < bytes.length; i++) {
    const left = i < channels ? 0 : row[i - channels];
    const corner = i < channels ? 0 : above[i - channels];
    row[i] = bytes[i] + predict(left, above[i], corner);
  }
}
