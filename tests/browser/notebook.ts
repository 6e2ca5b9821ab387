/** A notebook in JupyterLab, worked on as a person does (menus, keys, the toolbar), and asked what it holds. */
import type { ElementHandle, Page } from "playwright-core";
import { type Lab, PATIENCE } from "./lab";

/** What is used of JupyterLab's application and of its widgets. */
interface CellModel {
  readonly type: string;
  readonly executionCount: number | null;
  readonly executionState: string;
  readonly sharedModel: { getSource(): string };
  readonly outputs?: { toJSON(): Output[] };
}
interface Message {
  readonly header: { readonly msg_type: string };
  readonly content: { readonly status?: string };
}
interface Panel {
  readonly content: {
    readonly widgets: readonly { readonly model: CellModel; readonly node: HTMLElement }[];
    activeCellIndex: number;
    scrollToItem(index: number, align?: string): Promise<void>;
  };
  readonly context: { readonly isReady: boolean; readonly model: { readonly dirty: boolean } };
  readonly sessionContext: {
    readonly session?: {
      readonly kernel?: {
        readonly status: string;
        readonly anyMessage: {
          connect(slot: (sender: unknown, args: { msg: Message; direction: string }) => void): void;
        };
      };
    };
  };
}
declare global {
  interface Window {
    jupyterapp?: { readonly shell: { readonly currentWidget: Panel | null } };
    /** Requests to execute that went out, and the status of each reply. */
    executions?: { sent: number; readonly replies: string[] };
  }
}

export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | string[];
  readonly data?: { readonly [type: string]: unknown };
}
/** A cell of code; `index` counts cells of all kinds. */
export interface Code {
  readonly index: number;
  readonly source: string;
  readonly count: number | null;
  readonly outputs: readonly Output[];
}

/** All that outputs print or show as text. */
export function textOf(outputs: readonly Output[]): string {
  return outputs.map(({ text, data }) => [text ?? data?.["text/plain"] ?? ""].flat().join("")).join("\n");
}

export class Notebook {
  private constructor(readonly page: Page) {}

  /** Opens one at an address and waits until its kernel answers. */
  static async open(
    lab: Lab,
    address: string,
    viewport?: { width: number; height: number },
  ): Promise<Notebook> {
    const notebook = new Notebook(await lab.page(viewport));
    await notebook.page.goto(address);
    await notebook.attach();
    return notebook;
  }

  /** Waits until a page that was loaded has its notebook and a kernel that answers, and counts what it runs. */
  async attach(): Promise<void> {
    const { page } = this;
    await page.waitForFunction(() => {
      const panel = window.jupyterapp?.shell.currentWidget;
      return panel?.context?.isReady && panel.sessionContext.session?.kernel?.status === "idle";
    });
    await page.evaluate(() => {
      const executions = { sent: 0, replies: [] as string[] };
      window.executions = executions;
      const kernel = window.jupyterapp!.shell.currentWidget!.sessionContext.session!.kernel!;
      kernel.anyMessage.connect((_, { msg, direction }) => {
        if (direction === "send" && msg.header.msg_type === "execute_request") executions.sent++;
        if (direction === "recv" && msg.header.msg_type === "execute_reply")
          executions.replies.push(msg.content.status ?? "");
      });
    });
  }

  code(): Promise<Code[]> {
    return this.page.evaluate(() =>
      window.jupyterapp!.shell.currentWidget!.content.widgets.flatMap(({ model }, index) => {
        const { type, executionCount: count, sharedModel, outputs } = model;
        return type === "code"
          ? [{ index, source: sharedModel.getSource(), count, outputs: outputs!.toJSON() }]
          : [];
      }),
    );
  }

  /** The first cell of code that matches. */
  async find(pattern: RegExp): Promise<Code> {
    const found = (await this.code()).find(({ source }) => pattern.test(source));
    if (!found) throw new Error(`No cell matches ${String(pattern)}.`);
    return found;
  }

  /** Whether the notebook counts as changed since it was saved. */
  changed(): Promise<boolean> {
    return this.page.evaluate(() => window.jupyterapp!.shell.currentWidget!.context.model.dirty);
  }

  kernelStatus(): Promise<string> {
    return this.page.evaluate(
      () => window.jupyterapp!.shell.currentWidget!.sessionContext.session!.kernel!.status,
    );
  }

  /** Brings a cell into view and returns its element. */
  async show(index: number): Promise<ElementHandle<HTMLElement>> {
    await this.page.evaluate(async (i) => {
      const { content } = window.jupyterapp!.shell.currentWidget!;
      await content.scrollToItem(i, "start");
    }, index);
    const handle = await this.page.evaluateHandle(
      (i) => window.jupyterapp!.shell.currentWidget!.content.widgets[i].node,
      index,
    );
    return handle;
  }

  /** Waits until every cell that was started has ended; returns the status of each reply since `before` of them. */
  async ended(before: number): Promise<string[]> {
    const handle = await this.page.waitForFunction(
      (first) => {
        const { sent, replies } = window.executions!;
        const { content, sessionContext } = window.jupyterapp!.shell.currentWidget!;
        const idle = sessionContext.session?.kernel?.status === "idle";
        const running = content.widgets.some(({ model }) => model.executionState === "running");
        return replies.length > first && replies.length === sent && idle && !running
          ? replies.slice(first)
          : false;
      },
      before,
      { timeout: 2 * PATIENCE },
    );
    return (await handle.jsonValue()) as string[];
  }

  /** How many replies there have been. */
  replies(): Promise<number> {
    return this.page.evaluate(() => window.executions!.replies.length);
  }

  /** Run > Run All Cells, up to the end. */
  async runAll(): Promise<string[]> {
    const before = await this.replies();
    await this.page.getByRole("menuitem", { name: "Run", exact: true }).click();
    await this.page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
    return this.ended(before);
  }

  /** Puts the cursor into a cell, behind the first occurrence of a text where one is given. */
  async enter(index: number, behind?: string): Promise<void> {
    const editor = await (await this.show(index)).waitForSelector(".cm-content");
    await editor.click();
    await this.page.keyboard.press("Control+Home");
    if (behind === undefined) return;
    const { source } = (await this.code()).find((cell) => cell.index === index)!;
    const before = source.slice(0, source.indexOf(behind) + behind.length).split("\n");
    for (let line = 1; line < before.length; line++) await this.page.keyboard.press("ArrowDown");
    await this.page.keyboard.press("Home");
    await this.page.keyboard.press("Home");
    const column = before.at(-1)!.length;
    for (let i = 0; i < column; i++) await this.page.keyboard.press("ArrowRight");
  }

  /** Replaces the source of a cell, by keyboard. */
  async type(index: number, source: string): Promise<void> {
    await this.enter(index);
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(source);
  }

  /** Starts a cell with Shift+Enter. Returns how many replies there had been. */
  async start(index: number): Promise<number> {
    const before = await this.replies();
    await this.enter(index);
    await this.page.keyboard.press("Shift+Enter");
    return before;
  }

  /** Runs a cell with Shift+Enter; returns the reply's status and the cell afterwards. */
  async run(index: number): Promise<{ status: string; cell: Code }> {
    const [status] = await this.ended(await this.start(index));
    return { status, cell: (await this.code()).find((cell) => cell.index === index)! };
  }

  /** Restarts the kernel, as the menu does once the user has agreed. */
  async restart(): Promise<void> {
    await this.page.evaluate(async () => {
      const panel = window.jupyterapp!.shell.currentWidget as unknown as {
        sessionContext: { restartKernel(): Promise<void> };
      };
      await panel.sessionContext.restartKernel();
    });
    await this.attach();
  }

  /** The toolbar's stop button. */
  async stop(): Promise<void> {
    await this.page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  }

  /** Ends the kernel, so that none of a test before computes beside the next. */
  async close(): Promise<void> {
    await this.page.evaluate(async () => {
      const panel = window.jupyterapp!.shell.currentWidget as unknown as {
        sessionContext: { shutdown(): Promise<void> };
      };
      await panel.sessionContext.shutdown();
    });
    await this.page.close();
  }
}
