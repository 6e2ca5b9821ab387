import { Command } from "commander";
import { merge } from "../../lib/storage/shards";
import { Progress } from "./progress";
import { checkArrow } from "./generate";

export function command(): Command {
  return new Command("merge")
    .argument("<part.arrow...>", "all parts of one data set, in any order")
    .requiredOption(
      "--out <file.arrow>",
      "file to write, - for standard output: the one that generate writes without --shard",
    )
    .action(async (parts: string[], { out }: { out: string }) => {
      checkArrow(out);
      const progress = new Progress("fields");
      try {
        await merge(parts, out, (done, all) => progress.update(done, all));
      } finally {
        progress.end();
      }
    });
}
