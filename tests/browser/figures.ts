/** What can be seen of Plotly's figures on a page, in JupyterLab or elsewhere. */
import type { ElementHandle, Page } from "playwright-core";

/** A figure as drawn; lengths in pixels. */
export interface Drawn {
  readonly width: number;
  /** Room for it in its surroundings. */
  readonly room: number;
  /** Elements of curves, points, areas, arrows and the like. */
  readonly marks: number;
  /** Texts that reach over the figure's edge. */
  readonly cut: readonly string[];
  /** Pairs of texts that lie on one another. */
  readonly overlaps: readonly string[];
  readonly sliders: number;
}

/** Waits until `count` figures are drawn inside an element, and describes them. */
export async function drawnFigures(
  inside: ElementHandle<HTMLElement>,
  page: Page,
  count: number,
): Promise<Drawn[]> {
  await page.waitForFunction(
    ([element, n]) => {
      const plots = [...element.querySelectorAll(".js-plotly-plot")];
      return plots.length === n && plots.every((plot) => plot.querySelector("svg .infolayer"));
    },
    [inside, count] as const,
  );
  return inside.evaluate((element) =>
    [...element.querySelectorAll<HTMLElement>(".js-plotly-plot")].map((plot) => {
      const frame = plot.getBoundingClientRect();
      const svg = plot.querySelector("svg.main-svg")!.getBoundingClientRect();
      const texts = [...plot.querySelectorAll("svg text")].filter((text) => {
        const { width, height, left, right, top, bottom } = text.getBoundingClientRect();
        if (width * height === 0 || getComputedStyle(text).opacity === "0") return false;
        // A pixel or two of a letter's box are empty.
        return left < svg.left - 2 || right > svg.right + 2 || top < svg.top - 2 || bottom > svg.bottom + 2;
      });
      // Not the title of a colour bar, whose box touches that of the uppermost label.
      const seen = [...plot.querySelectorAll<SVGElement>("svg text")].filter((text) => {
        const { width, height } = text.getBoundingClientRect();
        return width * height > 0 && !text.closest(".hoverlayer, .cbtitle");
      });
      const overlaps = seen.flatMap((one, i) => {
        const a = one.getBoundingClientRect();
        return seen.slice(i + 1).flatMap((other) => {
          const b = other.getBoundingClientRect();
          const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const along = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          return across > 2 && along > 3 ? [`${one.textContent} | ${other.textContent}`] : [];
        });
      });
      return {
        overlaps,
        width: svg.width,
        room: frame.width,
        marks: plot.querySelectorAll(
          ".trace path, .trace image, .hm image, .shapelayer path, .gl-canvas, .annotation",
        ).length,
        cut: texts.map((text) => text.textContent ?? ""),
        sliders: plot.querySelectorAll(".slider-container").length,
      };
    }),
  );
}

/** Outlines of all curves, points and images inside an element, as the browser draws them. */
export function curves(inside: ElementHandle<HTMLElement>): Promise<string> {
  return inside.evaluate((element) =>
    [...element.querySelectorAll(".trace path, .trace image, .hm image")]
      .map((mark) => ["d", "transform", "href"].map((name) => mark.getAttribute(name)).join(" "))
      .join("\n"),
  );
}

/** Waits until the curves are others than `before`, and at rest: the same after the next two frames. */
export async function changedFrom(
  inside: ElementHandle<HTMLElement>,
  page: Page,
  before: string,
): Promise<void> {
  await page.waitForFunction(
    async ([element, old]) => {
      const now = () =>
        [...element.querySelectorAll(".trace path, .trace image, .hm image")]
          .map((mark) => ["d", "transform", "href"].map((name) => mark.getAttribute(name)).join(" "))
          .join("\n");
      const first = now();
      if (first === old) return false;
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      return now() === first;
    },
    [inside, before] as const,
  );
}

/** Drags the handle of the first slider inside an element to a fraction of its way. */
export async function dragSlider(inside: ElementHandle<HTMLElement>, page: Page, to: number): Promise<void> {
  const handle = await inside.waitForSelector(".slider-grip-rect");
  await handle.scrollIntoViewIfNeeded();
  const rail = await (await inside.waitForSelector(".slider-rail-touch-rect")).boundingBox();
  const grip = await handle.boundingBox();
  if (!rail || !grip) throw new Error("The slider has no place on the page.");
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(rail.x + to * rail.width, grip.y + grip.height / 2, { steps: 5 });
  await page.mouse.up();
}

/** Drags the first slider inside an element to its other end and waits until the curves follow. */
export async function moveSlider(inside: ElementHandle<HTMLElement>, page: Page): Promise<void> {
  const before = await curves(inside);
  const active = await inside.evaluate((element) => {
    const plots = [...element.querySelectorAll(".js-plotly-plot")] as unknown as {
      layout: { sliders?: { active?: number; steps: unknown[] }[] };
    }[];
    const [slider] = plots.flatMap(({ layout }) => layout.sliders ?? []);
    return (slider.active ?? 0) / (slider.steps.length - 1);
  });
  await dragSlider(inside, page, active > 0.5 ? 0 : 1);
  await changedFrom(inside, page, before);
}
