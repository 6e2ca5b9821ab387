/** Random cells of a notebook, for cells.test.ts: what JavaScript can do with the variables of earlier cells. */

/** The variables of the first cell. Keys of `o` are also names of variables, which tslab mixes up. */
export const FIRST = `let x: any = 1, y: any = 2, z: any = 3; const k: any = "x";
const o: any = { x: 10, y: { x: 11, z: 12, w: [13, 14] }, z: 15, w: [16, 17, 18] };
function f(value: any) { return [value, value]; }
const wait: any = async (value: any) => value;
class Base { x: any = 19; w() { return x; } }`;

/** Names that a program declares from the first cell on. */
const NUMBERS = ["x", "y", "z"];

/** Writes a program of cells; `next(n)` is a whole number from 0 to n - 1, and 0 gives what is simplest. */
export class Program {
  private names = 0;
  /** Variables of earlier statements: what each cell's state consists of. */
  readonly known = [...NUMBERS];

  constructor(private readonly next: (n: number) => number) {}

  private readonly oneOf = (...choices: (() => string)[]) => choices[this.next(choices.length)]();
  private readonly fresh = () => `v${this.names++}`;

  /** The source of one cell, that hands its state to `record`. */
  cell(): string {
    const statements = Array.from({ length: 1 + this.next(3) }, () => this.statement());
    return [...statements, `record({ ${this.known.join(", ")} });`].join("\n");
  }

  /** A number; `awaits` where one may await. */
  private value(awaits: boolean, depth = 3): string {
    const simple = () => String(this.next(9));
    if (depth === 0) return simple();
    const inner = () => this.value(awaits, depth - 1);
    const own = () => this.value(false, depth - 1);
    const choices = [
      simple,
      () => NUMBERS[this.next(3)],
      () => `o.${NUMBERS[this.next(3)] === "y" ? "y.x" : "x"}`,
      () => `({ x, y: ${inner()}, [k + "y"]: z, ...o.y }).y`,
      () => `({ x, z, y: { x } }).y.x`,
      () => `f(${inner()})[1]`,
      () => `(${inner()} ? ${inner()} : ${inner()})`,
      () => `(f(${inner()}), ${inner()} + ${inner()})`,
      () => `\`\${${inner()}}\${x}\`.length`,
      () => `((s: any, v: any) => v)\`\${${inner()}}\``,
      () => `(o?.x ?? ${inner()})`,
      () => `new (class { x: any = ${own()}; "z": any = x; [k]() {} })().x`,
      () => `((${this.objectPattern(this.fresh, 1, simple)} = o, x = ${simple()}) => [x, ${own()}])()[1]`,
    ];
    const waits = [
      () => `await wait(${inner()})`,
      () => `(await wait({ x: ${inner()} })).x`,
      () => `(await (${inner()}) + +await wait(x))`,
      () => `(await (async ({ x: p, ...q }: any = o) => { await wait(p); return p; })())`,
      () => `({ [await wait("x")]: ${inner()} } as any).x`,
      () => `new (class extends (await wait(Base)) { [await wait("y")]() {} } as any)().x`,
    ];
    return this.oneOf(...choices, ...(awaits ? waits : []));
  }

  /** A pattern that takes an object of the kind of `o` apart; `leaf` gives what is assigned. */
  private objectPattern(leaf: () => string, depth: number, value: () => string, rest = leaf): string {
    const member = (i: number) =>
      this.oneOf(
        () => `x: ${leaf()}`,
        () => `x: ${leaf()} = ${value()}`,
        () => `none${i}: ${leaf()} = ${value()}`,
        () => `[k]: ${leaf()}`,
        () => `"z": ${leaf()}`,
        () => `w: [${leaf()}, ...${rest()}]`,
        () => `w: [, ${leaf()} = ${value()}] = [${value()}]`,
        () => (depth > 0 ? `y: ${this.objectPattern(leaf, depth - 1, value)}` : `x: ${leaf()}`),
        () => (depth > 0 ? `y: ${this.objectPattern(leaf, depth - 1, value)} = o` : `z: ${leaf()}`),
      );
    const members = Array.from({ length: 1 + this.next(3) }, (_, i) => member(i));
    return `{ ${[...members, ...(this.next(3) === 2 ? [`...${rest()}`] : [])].join(", ")} }`;
  }

  /** A pattern of new variables, which are known from here on. */
  private declared(value: () => string): string {
    const own: string[] = [];
    const leaf = () => own[own.push(this.fresh()) - 1];
    const pattern = this.oneOf(leaf, () => this.objectPattern(leaf, 2, value));
    this.known.push(...own);
    return own[0] === pattern ? `${pattern}: any = ${value()}` : `${pattern} = o`;
  }

  /** A pattern of variables and members that there are. */
  private assigned(value: () => string): string {
    const leaf = () => ["x", "y", "o.x", "o.y.z", "z"][this.next(5)];
    const shorthand = () => ["x", "x = 5", "z"][this.next(3)];
    return this.oneOf(
      () => this.objectPattern(leaf, 2, value, () => "o.rest"),
      () => `{ ${shorthand()}, y: ${leaf()} }`,
      () => `{ y: { ${shorthand()} } = o, ...o.rest }`,
    );
  }

  private statement(): string {
    const value = () => this.value(true);
    const own = () => this.value(false);
    const local = () => this.objectPattern(this.fresh, 1, own);
    return this.oneOf(
      () => `const ${this.declared(value)};`,
      () => `let ${this.declared(value)};`,
      () => `var ${this.declared(value)};`,
      () => `export ${["const", "let", "var"][this.next(3)]} ${this.declared(value)};`,
      () => `if (${value()} > 3) { var ${this.declared(value)}; }`,
      () => `{ try { throw 0; } catch { var ${this.declared(value)}; } finally { x += 1; } }`,
      () =>
        `for (var ${this.name()}: any = 0; ${this.known.at(-1)} < 3; ${this.known.at(-1)}++) y = ${value()};`,
      () =>
        `const ${this.name()}: any = ((exports: any, { require }: any = { require: y }) => (x = exports, [{ exports, require }, x]))(${value()});`,
      () =>
        `{ let exports: any = ${value()}; const own: any = () => (y = exports, { exports }); exports = own(); z = [exports.exports, ${value()}][0]; }`,
      () => `(${this.assigned(value)} = o);`,
      () => `${NUMBERS[this.next(3)]} ${["=", "+=", "??="][this.next(3)]} ${value()};`,
      () => `[x, y, z] = [y, ${value()}, x];`,
      () =>
        `export function ${this.name()}(exports: any = z, [require]: any = [x]) { return [exports, require, x]; }`,
      () => `function ${this.name()}({ x, ...r }: any = o, ${local()} = o) { return [x, y, r, ${own()}]; }`,
      () => `const ${this.name()}: any = (${local()} = o) => ({ x, y, o, f: ${own()} });`,
      () => `const ${this.name()}: any = () => { ${NUMBERS[this.next(3)]} = ${own()}; return x; };`,
      () => `x = (${this.known[this.next(this.known.length)]} as any)?.call?.(0) && x;`,
      () => `for (const ${local()} of [o, o]) y = ${value()};`,
      () => `for (${this.assigned(value)} of [o]) z = ${value()};`,
      () => `for await (const ${local()} of [wait(o)]) y = ${value()};`,
      () => `x: for (const y of [1, 2]) { if (y > 1) break x; z = ${value()}; continue x; }`,
      () => `try { throw o; } catch (${local()}) { x = ${value()}; } finally { y = ${value()}; }`,
      () => `if (${value()} > 3) { x = ${value()}; } else switch (z) { case ${value()}: y = 1; }`,
      () =>
        `class ${this.name()} extends Base { z: any = ${own()}; static { y = ${own()}; } o() { return { x, z }; } }`,
      () => `const ${this.name()}: any = { x, o, z: ${value()}, f() { return y; }, get y() { return x; } };`,
    );
  }

  private name(): string {
    const name = this.fresh();
    this.known.push(name);
    return name;
  }
}
