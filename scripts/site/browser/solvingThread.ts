/** No thread beside the kernel's: what it would solve is solved when it is needed. */
export class SolvingThread {
  begin(): void {}
  result(): undefined {
    return undefined;
  }
  close(): void {}
}
