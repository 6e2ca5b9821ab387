import assert from "node:assert/strict";
import { test } from "node:test";
import { line, panels, rounded } from "../lib/figures/figure";
import { withSlider } from "../lib/figures/slider";
import { matchesSnapshot } from "./snapshots";

const x = [0, 1, 2, 3];
const power = (exponent: number) =>
  panels(
    [
      {
        x: "x (1)",
        y: "y (1)",
        yRange: [0, 27],
        traces: [
          line(
            x,
            x.map((v) => v ** exponent),
            { name: "power" },
          ),
        ],
      },
    ],
    { title: `exponent ${exponent}` },
  );
const positions = [1, 2, 3].map((exponent) => ({ label: `${exponent}`, figure: power(exponent) }));

test("a slider holds what differs between its figures, and shows the active one", () => {
  const figure = withSlider(positions, { prefix: "exponent ", active: 1 });
  matchesSnapshot("slider", figure);
  assert.deepEqual(figure.data, positions[1].figure.data);
  figure.frames!.forEach((frame, k) => {
    // x, colours and names are the same in all figures: only y is repeated.
    assert.deepEqual(frame["data"], [{ y: rounded(x.map((v) => v ** (k + 1))) }]);
  });
});

test("figures of other traces are refused", () => {
  const two = { label: "two", figure: { ...power(1), data: [...power(1).data, ...power(2).data] } };
  assert.throws(() => withSlider([...positions, two]), /"two" has 2 traces; the slider needs 1/);
});
