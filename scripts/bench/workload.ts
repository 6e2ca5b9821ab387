/** What is timed: a preset's training step and denoising, on a small data set held in memory. */
import fs from "node:fs";
import path from "node:path";
import { FlatAdam } from "../../lib/backend/flatAdam";
import { normal, tf } from "../../lib/backend/tensors";
import { groupByCondition } from "../../lib/data/rows";
import { conditionalMoments, conditionalStandardisation } from "../../lib/gaussian/conditionalMoments";
import { targetCoefficients } from "../../lib/evaluation/lossWeights";
import type { Conditioning } from "../../lib/preconditioner";
import { buildModel, type PresetModel, type Scaling } from "../../lib/presets/createModel";
import { porousElectrode } from "../../lib/presets/electrodeProblem";
import {
  type ModelSettings,
  type Preset,
  type PresetName,
  presets,
  type TrainingSettings,
} from "../../lib/presets/presets";
import { generateDataSet } from "../../lib/presets/simulate";
import { Random } from "../../lib/random";
import { streams } from "../../lib/backend/streams";
import { globalStandardisation } from "../../lib/standardisation";
import { disposeSet, gatherBatch, shuffledBlocks, tensorSet } from "../../lib/storage/batches";
import { batchLoss } from "../../lib/storage/feed";
import { trainModel } from "../../lib/storage/trainingRun";
import { drawTimes } from "../../lib/training";

/** A step of the blog's batch of 1024 takes seconds; the time a row is the same. */
const BATCH: Partial<Record<PresetName, number>> = { blog: 256 };
/** Rows that sampling denoises side by side, as sampleFields does by default. */
const FORWARD_ROWS = 250;
/** The time at which they are denoised; its value does not matter for the speed. */
const FORWARD_TIME = 0.5;
/** Enough for a covariance at each node, and more than two batches. */
const DATA = { conditions: 80, fields: 8, seed: 1 };
/** Optimiser steps after which the losses of all sides are compared. */
const CHECKED_STEPS = 3;

/** What all sides must compute alike before they are timed. */
export interface Check {
  /** Loss of one batch before each of the first steps of Adam. */
  readonly losses: readonly number[];
  /** Denoised rows, flat. */
  readonly denoised: ArrayLike<number>;
}

export class Workload {
  readonly batch: number;
  readonly forwardRows = FORWARD_ROWS;
  readonly parameters: number;
  private readonly training: TrainingSettings;
  private readonly data;
  private readonly model: PresetModel;
  private readonly conditions: Float64Array;
  private readonly noisy: tf.Tensor3D;
  private readonly steps: ReturnType<typeof trainModel>;

  constructor(readonly preset: PresetName) {
    const { model: settings, training }: Preset = presets[preset];
    this.batch = BATCH[preset] ?? training.batch;
    this.training = { ...training, batch: this.batch };
    const problem = porousElectrode("figures");
    this.data = generateDataSet(problem, DATA);
    this.model = buildModel(problem, settings, this.scaling(settings));
    this.parameters = this.model.network.countParams();
    this.reset();
    const [{ conditions }] = groupByCondition(this.data);
    this.conditions = conditions;
    // What is generated has the shape of what the network returns.
    const [, ...shape] = this.model.network.outputs[0].shape as number[];
    this.noisy = normal([FORWARD_ROWS, ...shape], 1, streams.benchmarkForward) as tf.Tensor3D;
    // Longer than any benchmark, and validated never.
    this.steps = trainModel(this.model, this.data, this.training, { steps: 1e9, validateEvery: 1e9 });
  }

  /** From the few rows of data, whatever the preset takes it from: a step is the same. */
  private scaling(settings: ModelSettings): Scaling {
    if (settings.standardisation === "global") return { standardisation: globalStandardisation(this.data) };
    return settings.target === "residual"
      ? conditionalMoments(this.data)
      : { standardisation: conditionalStandardisation(this.data) };
  }

  /** Random weights everywhere: where a network starts from zeros, wrong gradients would go unseen. */
  private reset(): void {
    tf.tidy(() => {
      const weights = this.model.network.weights.map(({ shape }, i) => {
        const inputs = tf.util.sizeFromShape(shape.slice(0, -1) as number[]);
        return normal(shape as number[], 1, streams.benchmarkWeights, i).mul(
          inputs > 1 ? inputs ** -0.5 : 0.1,
        );
      });
      this.model.network.setWeights(weights);
    });
  }

  /** One step of lib/training. */
  async step(): Promise<void> {
    await this.steps.next();
  }

  /** One denoising of sampling. */
  forward(): void {
    this.model.denoise(this.noisy, FORWARD_TIME, this.conditions).dispose();
  }

  /**
   * Writes the network's options and weights, the data and one batch into a folder, for peer.py, and computes what
   * a peer must compute from them. To be called before the first step.
   */
  write(folder: string): Check {
    const { model, training } = this;
    const set = tensorSet(model, this.data);
    const together = training.rowsPerCondition ?? 1;
    const blocks = shuffledBlocks(set.groups, together, new Random(1, streams.benchmarkOrder)).slice(
      0,
      this.batch / together,
    );
    const times = drawTimes(model, training.noise, this.batch, new Random(1, streams.benchmarkTimes));
    const noise = normal([this.batch, ...set.fields.shape.slice(1)], 1, streams.benchmarkNoise);
    const { schedule, settings, network } = model;
    const input = (t: number): number =>
      settings.timeInput === "time" ? t : Math.log(schedule.noiseLevel(t)) / 4;
    const column = (value: (t: number) => number): [number[], Float32Array] => [
      [times.length],
      Float32Array.from(times, value),
    ];
    const values = (tensor: tf.Tensor): [number[], Float32Array] => [
      tensor.shape,
      tensor.dataSync() as Float32Array,
    ];
    const known = (prefix: string, conditioning: Conditioning): Record<string, [number[], Float32Array]> =>
      Object.fromEntries(
        Object.entries(conditioning).map(([name, tensor]) => [`${prefix}${name}`, values(tensor)]),
      );
    const tensors: Record<string, [number[], Float32Array]> = {
      ...Object.fromEntries(
        network.weights.map((weight) => [`weights/${weight.originalName}`, values(weight.read())]),
      ),
      fields: values(set.fields),
      ...known("", set.conditioning),
      "batch/noise": values(noise),
      "batch/mean": column(schedule.mean),
      "batch/std": column(schedule.std),
      "batch/level": column(schedule.noiseLevel),
      "batch/timeInput": column(input),
      "forward/x": values(this.noisy),
      ...known("forward/", model.conditioningOf(this.conditions)),
    };
    const [x, conditions] = network.inputs.map(({ shape }) => shape as number[]);
    const about = {
      network: settings.network,
      shape: {
        cells: x[1],
        fields: x[2],
        outputs: (network.outputs[0].shape as number[])[2],
        conditions: conditions[1],
      },
      target: settings.target,
      training,
      forward: {
        mean: schedule.mean(FORWARD_TIME),
        level: schedule.noiseLevel(FORWARD_TIME),
        timeInput: input(FORWARD_TIME),
        ...(settings.target !== "residual" && targetCoefficients(settings.target, schedule, FORWARD_TIME)),
      },
      rows: blocks.flatMap(({ rows }) => rows),
      groups: blocks.map(({ group }) => group),
      checkedSteps: CHECKED_STEPS,
      tensors: Object.entries(tensors).map(([name, [shape]]) => [name, shape]),
    };
    fs.writeFileSync(path.join(folder, "bench.json"), JSON.stringify(about));
    fs.writeFileSync(
      path.join(folder, "tensors.bin"),
      Buffer.concat(
        Object.values(tensors).map(([, { buffer, byteOffset, byteLength }]) =>
          Buffer.from(buffer, byteOffset, byteLength),
        ),
      ),
    );
    const batch = gatherBatch(set, blocks);
    const denoised = tf.tidy(() => model.denoise(this.noisy, FORWARD_TIME, this.conditions).dataSync());
    const adam = new FlatAdam(model.variables, training);
    const losses = Array.from({ length: CHECKED_STEPS }, () => {
      const { value, grads } = tf.variableGrads(
        () => batchLoss(model, batch, times, 1, streams.benchmarkNoise),
        model.variables,
      );
      adam.step(
        model.variables.map(({ name }) => grads[name]),
        training.rate,
      );
      const [loss] = value.dataSync();
      tf.dispose([value, grads]);
      return loss;
    });
    adam.dispose();
    this.reset();
    tf.dispose([noise, batch.fields]);
    tf.dispose(Object.values(batch.conditioning));
    disposeSet(set);
    return { losses, denoised };
  }

  async dispose(): Promise<void> {
    await this.steps.return();
    this.noisy.dispose();
    this.model.dispose();
  }
}
