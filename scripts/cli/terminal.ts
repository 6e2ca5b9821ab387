import fs from "node:fs";

/** Whether nohup started this: its mark is a standard input to write to. Node forgets that it is to ignore SIGHUP. */
export function outlivesTerminal(): boolean {
  try {
    const [, flags] = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync("/proc/self/fdinfo/0", "utf8")) ?? [];
    return (parseInt(flags, 8) & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) === fs.constants.O_WRONLY;
  } catch {
    return false; // another system than Linux
  }
}
