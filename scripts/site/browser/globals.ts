/** What the sources take for granted in Node. */
import "./kernel"; // controls are there from the first cell on
export { Buffer } from "./buffer";
export { process } from "./node";
export const resolveModule = (name: string) => name;
export const loadedModules = { "tslab/dist/jupyter": true };

const turns: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => turns.shift()!();
/** Lets messages in; timers of a browser would wait for 4 ms. */
export const setImmediate = (go: () => void): void => {
  turns.push(go);
  port2.postMessage(0);
};
