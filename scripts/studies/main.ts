import fs from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { writeWhole } from "../../lib/storage/files";
import { finiteInRange, InputError, positiveInteger } from "../../lib/backend/errors";
import type { GalleryStudy } from "../../lib/gallery/results";
import { systems } from "../../lib/gallery/systems";
import type { AblationStudy } from "../../lib/evaluation/studies";
import type { AblationOptions } from "./ablations";
import type { PosteriorOptions } from "./posterior";

const root = path.join(__dirname, "..", "..");
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const resultFile = (name: string): string => path.join(root, "data", "results", `${name}.json`);

function save(name: string, result: object): void {
  writeWhole(name, Buffer.from(`${JSON.stringify(result, null, 1)}\n`));
}

const program = new Command("npm run study --");
program
  .command("samplers")
  .description("error of every sampler against network calls (minutes)")
  .option("--rows <n>", "fields of each set", (text) => positiveInteger("The number of fields", text), 1000)
  .action(async ({ rows }: { rows: number }) => {
    const { samplerStudy } = await import("./samplers");
    save(resultFile("samplers"), await samplerStudy("data/models/figures", rows, print));
    print("data/results/samplers.json");
  });
program
  .command("ablations")
  .description(
    "variants of network, target and data at equal compute (two hours; goes on where it was stopped)",
  )
  .option(
    "--minutes <m>",
    "length of a training",
    (text) => finiteInRange("The length", Number(text), 0.01, 1000, "minutes"),
    0.75,
  ) // prettier-ignore
  .option(
    "--seeds <n>",
    "trainings of each variant",
    (text) => positiveInteger("The number of seeds", text),
    3,
  )
  .option("--only <names>", "variants to train, separated by commas", (text) => text.split(","))
  .option("--calibrate", "measure the time of steps again", false)
  .option("--out <file>", "where the results go", resultFile("ablations"))
  .action(async ({ out, ...options }: AblationOptions & { out: string }) => {
    // Read when TensorFlow loads, which is below. With one thread results repeat, and times add up.
    process.env["TF_NUM_INTRAOP_THREADS"] = "1";
    const { ablationStudy } = await import("./ablations");
    await ablationStudy(out, options, (study: AblationStudy) => save(out, study), print);
  });
program
  .command("posterior")
  .description(
    "posteriors from sensors against the solver's own, and their calibration (hours; goes on where it was stopped)",
  )
  .option(
    "--truths <n>",
    "truths at each condition and set of sensors",
    (text) => positiveInteger("The number of truths", text),
    20,
  )
  .option(
    "--pairs <n>",
    "pairs of the calibration",
    (text) => positiveInteger("The number of pairs", text),
    500,
  )
  .option("--out <file>", "where the results go", resultFile("posterior"))
  .action(async ({ out, ...options }: PosteriorOptions & { out: string }) => {
    const { posteriorStudy } = await import("./posterior");
    await posteriorStudy(out, options, (study) => save(out, study), print);
  });
for (const system of systems) {
  program
    .command(`gallery-${system.name}`)
    .description(
      `${system.title}: the table of the gallery's notebook, full budget (goes on where it was stopped)`,
    )
    .option("--seeds <n>", "runs", (text) => positiveInteger("The number of seeds", text), 5)
    .option("--again", "drop the results that are there", false)
    .action(async ({ seeds, again }: { seeds: number; again: boolean }) => {
      const file = resultFile(`gallery-${system.name}`);
      const found = !again && fs.existsSync(file);
      const results = found ? [...(JSON.parse(fs.readFileSync(file, "utf8")) as GalleryStudy).results] : [];
      for (let seed = 1; seed <= Math.max(seeds, system.seedsOfShares ?? 0); seed++) {
        const sharesOnly = seed > seeds;
        const before = results.findIndex((result) => result.seed === seed);
        if (before >= 0 && (sharesOnly || results[before].rows.length > 0)) continue;
        print(`seed ${seed}`);
        const clock = process.cpuUsage();
        const result = await system.run({ budget: "full", seed, sharesOnly, progress: print });
        const { user, system: kernel } = process.cpuUsage(clock);
        const own = { seed, seconds: Math.round((user + kernel) / 1e5) / 10, ...result };
        results.splice(before < 0 ? results.length : before, 1, own);
        saveStudy(file, { budget: "full", results });
      }
    });
}
program
  .command("kolmogorov-flow")
  .description(
    "the gallery's flow: statistics of direct simulations, and closures for lessons (half an hour)",
  )
  .action(async () => {
    const { flowReference, trainedClosures } = await import("./kolmogorovFlow");
    const { files } = await import("../../lib/gallery/ideal-les/stored");
    save(files.reference, flowReference(print));
    save(files.closures, trainedClosures(print));
  });
program
  .command("gallery-movielens")
  .description("the gallery's recommender on MovieLens-100K (npm run gallery-data), several seeds")
  .option("--seeds <n>", "splits of the users", (text) => positiveInteger("The number of seeds", text), 3)
  .action(async ({ seeds }: { seeds: number }) => {
    const { movieLensFile, movieLensResults } =
      await import("../../lib/gallery/evidential-recommender/movieLens");
    const file = path.join(root, movieLensFile);
    if (!fs.existsSync(file))
      throw new InputError(`${movieLensFile} is missing; run npm run gallery-data first.`);
    const results = [];
    for (let seed = 1; seed <= seeds; seed++) {
      print(`seed ${seed}`);
      results.push({
        seed,
        methods: movieLensResults(fs.readFileSync(file, "utf8"), { seed, progress: print }),
      });
      save(resultFile("gallery-movielens"), { results });
    }
  });

/** One run a line, numbers with six digits that count. */
function saveStudy(file: string, { budget, results }: GalleryStudy): void {
  const short = (_: string, value: unknown) =>
    typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
  const lines = results.map((result) => `  ${JSON.stringify(result, short)}`);
  writeWhole(file, Buffer.from(`{\n "budget": "${budget}",\n "results": [\n${lines.join(",\n")}\n ]\n}\n`));
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof InputError ? error.message : String((error as Error).stack)}\n`);
  process.exit(error instanceof InputError ? 2 : 1);
});
