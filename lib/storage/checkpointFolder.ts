import fs from "node:fs";
import path from "node:path";
import { fileError } from "./atomicFile";
import { FolderLock } from "./folderLock";
import { InputError, shown } from "../errors";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint";

/** States of a training that are kept beside the best. */
const KEPT = 3;
const STATE = /^step-(\d{9})\.safetensors$/;
/** What a process that was killed while it wrote may leave. */
const UNFINISHED = /^(\.(step-\d{9}|best)\.safetensors\..*|lock\.\d+)\.tmp$/;

/**
 * A folder with the last three states of a training and the one of the smallest validation loss. One process at a time
 * may use it: call close() in the end. Throws InputError if another does, or if the folder cannot be written.
 */
export class CheckpointFolder {
  private readonly lock: FolderLock;

  constructor(readonly folder: string) {
    try {
      fs.mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw fileError("write", folder, error);
    }
    this.lock = new FolderLock(folder, "training");
    for (const name of fs.readdirSync(folder)) {
      if (UNFINISHED.test(name)) fs.rmSync(path.join(folder, name), { force: true });
    }
  }

  /** Steps of the states that are here, newest first, damaged ones among them. */
  get steps(): number[] {
    const found = fs.readdirSync(this.folder).flatMap((name) => STATE.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => b - a);
  }

  /**
   * The newest state that can be read; undefined where there is none. `note` gets a sentence for each damaged one before
   * it. Throws InputError when there are states and all are damaged: nothing is overwritten then.
   */
  newest(note: (sentence: string) => void): Checkpoint | undefined {
    const { steps } = this;
    for (const step of steps) {
      try {
        return readCheckpoint(this.file(step));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        note(error.message);
      }
    }
    if (steps.length === 0) return undefined;
    throw new InputError(
      `None of the states in ${shown(this.folder)} can be read; give another folder to start anew.`,
    );
  }

  /** Keeps a state, and lets go of the oldest; `best` keeps it as the best, too. */
  keep(checkpoint: Checkpoint): void {
    writeCheckpoint(this.file(checkpoint.step), checkpoint);
    for (const step of this.steps.slice(KEPT)) fs.rmSync(this.file(step), { force: true });
  }

  /** Keeps a state as the best so far. */
  keepBest(checkpoint: Checkpoint): void {
    writeCheckpoint(path.join(this.folder, "best.safetensors"), checkpoint);
  }

  close(): void {
    this.lock.release();
  }

  private file(step: number): string {
    return path.join(this.folder, `step-${String(step).padStart(9, "0")}.safetensors`);
  }
}
